"""Results: what the units of a plan have made, put together from the journal, against a brute-force account of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.made_up import TERMS, row
from tests.engine.tasks import unit

from landloom.corpus.info import ProductInfo
from landloom.corpus.lineage import Lineage, LineageStep, SceneRecord
from landloom.engine.journal import Journal
from landloom.engine.results import Results
from landloom.engine.units import Observed, Outcome
from landloom.model.ids import TileId
from landloom.model.recipe import Terms
from landloom.model.sample import Sample
from landloom.model.time import Period, Timestep

if TYPE_CHECKING:
    from landloom.engine.units import Unit

SAMPLES = {
    tile: tuple(Sample.of_utm24(cell) for cell in TileId.parse(tile).samples()[:5])
    for tile in ("33N_16E-243N", "33N_17E-243N")
}
START = datetime(2018, 1, 1, tzinfo=UTC)
STEPS = tuple(
    Timestep(day, f"{day:%Y-%m-%d}", Period(day, day + timedelta(days=1)))
    for day in (START + timedelta(days=number) for number in range(6))
)
Made = tuple[int, list[int], list[list[bool]]]


@st.composite
def parts(draw: st.DrawFn) -> dict[str, list[Made]]:
    """Tile → parts of its samples, each with an axis of its own and a table."""
    found: dict[str, list[Made]] = {}
    for tile, samples in SAMPLES.items():
        cut = draw(st.integers(0, len(samples)))
        for own in (range(cut), range(cut, len(samples))):
            axis = sorted(draw(st.sets(st.integers(0, len(STEPS) - 1), max_size=4)))
            line = st.lists(st.booleans(), min_size=len(axis), max_size=len(axis))
            table = draw(st.lists(line, min_size=len(own), max_size=len(own)))
            found.setdefault(tile, []).append((own.start, axis, table))
    return found


def recorded(journal: Journal, made: dict[str, list[Made]]) -> list[Unit]:
    units = []
    for tile, own in made.items():
        for part, (first, axis, table) in enumerate(own):
            samples = SAMPLES[tile][first : first + len(table)]
            one = unit("grey", tile=tile, part=part, samples=samples, makes=("grey",))
            steps = tuple(STEPS[at] for at in axis)
            array = np.array(table, np.bool_).reshape(len(table), max(len(axis), 1) if axis else 0)
            if not axis:
                array = np.zeros((len(table), 1), np.bool_)
            observed = Observed(product="grey", timesteps=steps, table=array)
            journal.record_outcome(one, Outcome(files=(), observed=(observed,)), seconds=0)
            units.append(one)
    return units


@settings(max_examples=50)
@given(parts())
def test_tables_of_units_become_one_table_on_the_axis_of_the_corpus(made: dict[str, list[Made]]) -> None:
    with TemporaryDirectory() as folder, Journal(Path(folder) / "j") as journal:
        results = Results(recorded(journal, made), journal, SAMPLES)
        axis = results.timesteps("grey").get("grey", ())
        wanted = {
            (tile, first + at, STEPS[step])
            for tile, own in made.items()
            for first, steps, table in own
            for at, line in enumerate(table)
            for step, there in zip(steps, line, strict=True)
            if there
        }
        assert axis == tuple(sorted({step for _, _, step in wanted}))
        info = ProductInfo(product=row("grey"), terms=Terms(**TERMS), timesteps=axis, acquired=True)
        for tile, samples in SAMPLES.items():
            table = results.exists(tile, (info,))["grey"]
            assert table.shape == (len(samples), max(len(axis), 1))
            found = {(tile, place, axis[at]) for place, at in zip(*np.nonzero(table[:, : len(axis)]), strict=True)}
            assert found == {one for one in wanted if one[0] == tile}


def labels(there: list[bool]) -> Outcome:
    observed = Observed(product="labels", timesteps=(), table=np.array(there)[:, None])
    return Outcome(files=(), observed=(observed,))


def test_a_product_without_time_has_one_column(tmp_path: Path) -> None:
    tile = next(iter(SAMPLES))
    one = unit("labels", tile=tile, samples=SAMPLES[tile][:3])
    info = ProductInfo(product=row("labels"), terms=Terms(**TERMS))
    with Journal(tmp_path / "j") as journal:
        journal.record_outcome(one, labels([True, False, True]), seconds=0)
        results = Results([one], journal, SAMPLES)
        assert results.exists(tile, (info,))["labels"].tolist() == [[True], [False], [True], [False], [False]]
        assert results.timesteps("labels") == {"labels": ()}


def test_only_what_is_done_from_these_inputs_counts(tmp_path: Path) -> None:
    """Neither failures, nor what an older recipe has made, nor units of no plan."""
    tile = next(iter(SAMPLES))
    done, failed, older, stranger = (
        unit(name, tile=tile, samples=SAMPLES[tile]) for name in ("done", "failed", "older", "stranger")
    )
    with Journal(tmp_path / "j") as journal:
        for one in (done, older, stranger):
            journal.record_outcome(one, labels([True] * 5), seconds=0)
        journal.record_failure(failed, "404", seconds=0)
        planned = [done, failed, replace(older, key="other inputs"), unit("never", tile=tile)]
        results = Results(planned, journal, SAMPLES)
        assert [results.of(one) is not None for one in planned] == [True, False, False, False]
        assert [one.product for one in results.units(tile)] == ["done", "failed", "older", "never"]
        assert results.units(product="done") == results.units(tile, "done") == [done]
        assert list(results.outcomes("done")) == [tile]
        assert results.outcomes("older") == results.outcomes("stranger") == {}


def record(name: str, validity: str | None) -> SceneRecord:
    values: dict[str, Any] = {"granule": None, "baseline": None, "cloud_cover": None, "offset": 0}
    return SceneRecord(id=name, datetime="2018-01-01T00:00:00Z", validity=validity, **values)


def test_what_told_usable_pixels_is_gathered_from_lineage(tmp_path: Path) -> None:
    told = {"33N_16E-243N": ("SCL", "MSK_CLOUDS"), "33N_17E-243N": ("SCL", None)}
    units = [unit("s2", tile=tile) for tile in told]
    with Journal(tmp_path / "j") as journal:
        for one in units:
            scenes = tuple(record(f"s{number}", validity) for number, validity in enumerate(told[one.tile]))
            lineage = Lineage(timesteps=(LineageStep(timestep="2018", scenes=scenes, left_out=()),))
            journal.record_outcome(one, Outcome(files=(), lineage=lineage), seconds=0)
        results = Results(units, journal, SAMPLES)
        assert results.validity("s2") == ("MSK_CLOUDS", "SCL")
        assert results.validity("labels") == ()
