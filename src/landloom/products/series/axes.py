"""The dates that a series turned out to have: known once its units have run, and the same for the whole corpus."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.errors import CorpusError
from landloom.model.time import parse_instant
from landloom.products.series.task import FOLDER, acquired_step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.engine.journal import Entry, Journal
    from landloom.engine.project import Project
    from landloom.engine.units import Unit
    from landloom.model.time import Timestep
    from landloom.store.protocol import Store


def steps_of(facts: Mapping[str, Any]) -> list[Timestep]:
    """The dates of a tile, out of the facts of its unit."""
    return [_step(row["timestep"], parse_instant(row["datetime"])) for row in facts["timesteps"]]


def _step(name: str, stamp: datetime) -> Timestep:
    """A second of an overpass, or the day of a granule's scene."""
    from landloom.engine.granules import daily_step

    return daily_step(stamp) if name == f"{stamp:%Y-%m-%d}" else acquired_step(stamp)


def series_axes(project: Project, units: Iterable[Unit], journal: Journal) -> dict[str, tuple[Timestep, ...]]:
    """Series of the recipe → the dates that any sample has, in time order.

    Args:
        project: the recipe in its folder.
        units: of its plan.
        journal: knows what came of them.

    Raises:
        CorpusError: no sample has any date.
    """
    found: dict[str, set[Timestep]] = {key: set() for key in project.series()}
    for unit in units:
        key = unit.id.partition("/")[0]
        entry = journal.get(unit.id) if key in found else None
        if entry is not None and entry.state == "done" and entry.key == unit.key:
            rows = entry.outcome.facts["timesteps"]
            found[key] |= {
                step for step, row in zip(steps_of(entry.outcome.facts), rows, strict=True) if row["samples"]
            }
    for key, steps in found.items():
        if not steps:
            raise CorpusError(f"{key}: no sample has any acquisition with data: nothing to publish")
    return {key: tuple(sorted(steps)) for key, steps in found.items()}


def series_validity(project: Project, units: Iterable[Unit], journal: Journal) -> dict[str, tuple[str, ...]]:
    """Series of the recipe → everything that told usable pixels in any of its scenes, sorted.

    Args:
        project: the recipe in its folder.
        units: of its plan.
        journal: knows what came of them.
    """
    found: dict[str, set[str]] = {key: set() for key in project.series()}
    for unit in units:
        key = unit.id.partition("/")[0]
        entry = journal.get(unit.id) if key in found else None
        if entry is not None and entry.state == "done" and entry.key == unit.key:
            steps = entry.outcome.facts["timesteps"]
            found[key] |= {scene["validity"] for step in steps for scene in step["scenes"] if "validity" in scene}
    return {key: tuple(sorted(words)) for key, words in found.items()}


def series_exists(
    info: CorpusInfo, project: Project, key: str, tile: str, entry: Entry | None, store: Store
) -> dict[str, NDArray[np.bool_]]:
    """Product → (sample, date) whether there is a chip, on the axis of the whole corpus.

    Args:
        info: the corpus.
        project: its recipe.
        key: of the series in the recipe.
        tile: which.
        entry: what the journal holds of its unit; None where that is not done.
        store: where the corpus is built.
    """
    keys = [product.key for product in project.series_products(key)]
    if entry is None:
        return {}
    data = store.get(f"{FOLDER}/{key}/{tile}.npy")
    observed: NDArray[np.bool_] = np.load(io.BytesIO(data), allow_pickle=False)
    columns = {step: place for place, step in enumerate(info.product(keys[0]).timesteps)}
    there = np.zeros((len(observed), len(columns)), np.bool_)
    for place, step in enumerate(steps_of(entry.outcome.facts)):
        if step in columns:
            there[:, columns[step]] = observed[:, place]
    return dict.fromkeys(keys, there)
