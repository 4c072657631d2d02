"""Outcomes of units, drawn at random."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from landloom.corpus.lineage import LeftOut, Lineage, LineageStep, SceneRecord
from landloom.corpus.manifest import FileEntry
from landloom.engine.units import Note, NoteKind, Observed, Outcome
from landloom.model.time import Period, Timestep

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

TEXT = st.text(max_size=10)
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2050, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001


@st.composite
def timesteps(draw: DrawFn) -> Timestep:
    """Stamped anywhere, with a name that says nothing of it."""
    start, length = draw(INSTANTS), draw(st.timedeltas(timedelta(seconds=1), timedelta(days=40)))
    return Timestep(draw(INSTANTS), draw(TEXT), Period(start, start + length))


@st.composite
def observations(draw: DrawFn) -> Observed:
    """A table as wide as the axis, or of one column where there is none."""
    steps = tuple(sorted(draw(st.lists(timesteps(), max_size=9, unique=True))))
    shape = draw(st.integers(0, 9)), max(len(steps), 1)
    return Observed(product=draw(TEXT), timesteps=steps, table=draw(arrays.arrays(np.bool_, shape)))


def files() -> SearchStrategy[tuple[FileEntry, ...]]:
    """Files of any bytes."""
    return st.lists(st.builds(FileEntry.of, st.text(min_size=1, max_size=10), st.binary(max_size=5))).map(tuple)


def records() -> SearchStrategy[SceneRecord]:
    """Scenes with and without what not every product states."""
    some = st.none() | TEXT
    return st.builds(
        SceneRecord,
        id=TEXT,
        datetime=TEXT,
        granule=some,
        level=some,
        baseline=some,
        offset=st.integers(-2000, 0),
        clamped=st.none() | st.integers(0, 99),
        cloud_cover=st.none() | st.floats(0, 100),
        validity=some,
    )


def lineages() -> SearchStrategy[Lineage]:
    """Of some timesteps."""
    names = st.lists(TEXT, max_size=2).map(tuple)
    step = st.builds(
        LineageStep,
        timestep=TEXT,
        scenes=st.lists(records(), max_size=2).map(tuple),
        left_out=st.lists(st.builds(LeftOut, id=TEXT, reason=TEXT), max_size=2).map(tuple),
        without_data=st.none() | names,
        observations=st.none() | st.floats(0, 30),
        samples=st.none() | st.integers(0, 99),
    )
    return st.builds(Lineage, timesteps=st.lists(step, max_size=3).map(tuple))


def outcomes() -> SearchStrategy[Outcome]:
    """Anything that a unit may have come to."""
    notes = st.builds(Note, kind=st.sampled_from(NoteKind), what=TEXT, count=st.integers(1, 99))
    return st.builds(
        Outcome,
        files=files(),
        observed=st.lists(observations(), max_size=3).map(tuple),
        lineage=st.none() | lineages(),
        notes=st.lists(notes, max_size=3).map(tuple),
    )


def as_values(outcome: Outcome) -> tuple[Any, ...]:
    """An outcome as something that can be compared: tables are not by themselves."""
    seen = [(one.product, one.timesteps, one.table.shape, one.table.tolist()) for one in outcome.observed]
    return outcome.files, seen, outcome.lineage, outcome.notes
