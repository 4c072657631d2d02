"""Results of the units of a plan, read from the journal unit by unit."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from landloom.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.info import ProductInfo
    from landloom.engine.journal import Journal
    from landloom.engine.units import Outcome, Unit
    from landloom.model.sample import Sample
    from landloom.model.time import Timestep


class Results:
    """Results of finished units; units that failed, or were made from other inputs, have none."""

    def __init__(self, units: Iterable[Unit], journal: Journal, tiles: Mapping[str, tuple[Sample, ...]]) -> None:
        """Set the units; nothing is read yet.

        Args:
            units: of a plan.
            journal: with their results.
            tiles: tile → its samples, in id order.
        """
        self.tiles = tiles
        self._journal = journal
        self._units: dict[str, list[Unit]] = defaultdict(list)
        for unit in units:
            self._units[unit.tile].append(unit)

    def units(self, tile: str | None = None, product: str | None = None) -> list[Unit]:
        """Units of a tile, of a request by the name of its units, or of both."""
        groups = self._units.values() if tile is None else [self._units[tile]]
        return [unit for group in groups for unit in group if product in (None, unit.product)]

    def of(self, unit: Unit, *, whole: bool = True) -> Outcome | None:
        """The result of a unit; None if it is not done.

        Args:
            unit: of the plan.
            whole: with its files and inputs, which are thousands; else without any.
        """
        entry = self._journal.get(unit.id, whole=whole)
        done = entry is not None and entry.state == "done" and entry.key == unit.key
        return entry.outcome if entry is not None and done else None

    def refused(self) -> Iterator[Problem]:
        """Every chip that must not be published, unit by unit."""
        for unit in self.units():
            outcome = self.of(unit, whole=False)
            for chip in () if outcome is None else outcome.refused:
                yield Problem(where=unit.id, what=str(chip))

    def outcomes(self, product: str) -> dict[str, Outcome]:
        """Tile → result of the units of a request, without files and inputs; the last if a tile has several."""
        found = ((unit.tile, self.of(unit)) for unit in self.units(product=product))
        return {tile: outcome for tile, outcome in found if outcome is not None}

    def timesteps(self, product: str) -> dict[str, tuple[Timestep, ...]]:
        """Product of a request → the timesteps that any sample has, in time order."""
        steps: dict[str, set[Timestep]] = defaultdict(set)
        for unit in self.units(product=product):
            outcome = self.of(unit, whole=False)
            for observed in () if outcome is None else outcome.observed:
                there: list[bool] = np.asarray(observed.table.any(axis=0)).tolist()
                steps[observed.product] |= {step for step, has in zip(observed.timesteps, there, strict=False) if has}
        return {key: tuple(sorted(found)) for key, found in steps.items()}

    def validity(self, product: str) -> tuple[str, ...]:
        """All sources of usable pixels in the scenes of a request, sorted."""
        lineages = (outcome.lineage for outcome in self.outcomes(product).values())
        steps = (step for lineage in lineages if lineage is not None for step in lineage.timesteps)
        return tuple(sorted({scene.validity for step in steps for scene in step.scenes if scene.validity is not None}))

    def exists(self, tile: str, products: Sequence[ProductInfo]) -> dict[str, NDArray[np.bool_]]:
        """Product → (sample, timestep) True where a tile has data, on the axes of the whole corpus.

        Args:
            tile: to look up.
            products: of the corpus.
        """
        samples = self.tiles[tile]
        rows = {sample.id: row for row, sample in enumerate(samples)}
        exists = {item.key: np.zeros((len(samples), item.slots), np.bool_) for item in products}
        columns = {item.key: {step: at for at, step in enumerate(item.timesteps)} for item in products}
        for unit in self._units[tile]:
            outcome = self.of(unit, whole=False)
            own = np.array([rows[sample.id] for sample in unit.samples], np.int64)
            for observed in () if outcome is None else outcome.observed:
                there = exists[observed.product]
                if not observed.timesteps:
                    there[own, 0] |= observed.table[:, 0]
                for at, step in enumerate(observed.timesteps):
                    column = columns[observed.product].get(step)
                    if column is not None:
                        there[own, column] |= observed.table[:, at]
        return exists
