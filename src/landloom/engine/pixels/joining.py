"""Parts of a tile's product, a timestep each, and how its cubes are written when all are there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.lineage import Lineage
from landloom.engine.pixels.parallel import in_threads
from landloom.engine.pixels.writing import product_writer
from landloom.engine.units import Observed, Outcome
from landloom.formats.zarr.cubes import SHARD, shard_count
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.corpus.manifest import FileEntry
    from landloom.engine.pixels.writing import ProductWriter
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.model.time import Timestep

_CUBES: Final = "cubes"


def part_layouts(layouts: Sequence[str]) -> tuple[str, ...]:
    """The layouts of a recipe as parts write them.

    Example:
        >>> part_layouts(("chips", "cubes"))
        ('chips', 'parts')
    """
    return tuple("parts" if name == _CUBES else name for name in layouts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestepParts:
    """The products of a tile that are made timestep by timestep."""

    store: str
    """Address of the corpus."""
    layout: Layout
    layouts: tuple[str, ...]
    products: tuple[Product, ...]
    samples: tuple[Sample, ...]
    """Of one tile, in id order."""
    timesteps: tuple[Timestep, ...]
    acquired: bool = False
    """Whether the time axis is acquired: cubes then say of every chip whether it is there."""

    def discard(self) -> None:
        """Remove what parts have left."""
        store = open_store(self.store)
        for product in self.products:
            for entry in list(store.list(self.layout.parts(self.samples[0].id, product))):
                store.delete(entry.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinTask:
    """Write the cubes of the timesteps that parts have made; each file has one writer."""

    parts: TimestepParts
    outcomes: tuple[Outcome, ...]
    """Of the parts, in time order, without their files."""

    def run(self) -> Outcome:
        """The outcome of all timesteps, with the files of cubes."""
        observed = tuple(self._observed(number) for number in range(len(self.parts.products)))
        files: list[FileEntry] = []
        if _CUBES in self.parts.layouts:
            for product, one in zip(self.parts.products, observed, strict=True):
                files += self._cubes(product, one.table)
            self.parts.discard()
        lineages = [one.lineage for one in self.outcomes if one.lineage is not None]
        return Outcome(
            files=tuple(files),
            observed=observed,
            lineage=Lineage(timesteps=tuple(step for lineage in lineages for step in lineage.timesteps)),
            notes=tuple(note for one in self.outcomes for note in one.notes),
            refused=tuple(chip for one in self.outcomes for chip in one.refused),
        )

    def _observed(self, number: int) -> Observed:
        own = [one.observed[number] for one in self.outcomes]
        blank = np.concatenate([np.zeros_like(one.table) if one.blank is None else one.blank for one in own], axis=1)
        return Observed(
            product=own[0].product,
            timesteps=self.parts.timesteps,
            table=np.concatenate([one.table for one in own], axis=1),
            blank=blank if blank.any() else None,
        )

    def _cubes(self, product: Product, table: NDArray[np.bool_]) -> list[FileEntry]:
        parts = self.parts
        with product_writer(
            store=parts.store,
            layout=parts.layout,
            layouts=(_CUBES,),
            product=product,
            samples=parts.samples,
            timesteps=parts.timesteps,
            observed=table if parts.acquired or not table.all() else None,
        ) as writer:
            in_threads(partial(self._write, product, writer), range(shard_count(len(parts.samples))))
            return writer.finish()

    def _write(self, product: Product, writer: ProductWriter, shard: int) -> None:
        chips = self._chips(product, shard)
        for number in range(len(chips[0])):
            writer.write_cube(shard * SHARD + number, np.stack([one[number] for one in chips]))

    def _chips(self, product: Product, shard: int) -> list[NDArray[Any]]:
        """For each timestep, (sample, band, y, x) of a shard."""
        parts, store = self.parts, open_store(self.parts.store)
        shape = len(product.bands), *parts.samples[0].grid(float(product.resolution or 10)).shape
        folders = (parts.layout.parts(parts.samples[0].id, product, step.name) for step in parts.timesteps)
        return [np.frombuffer(store.get(f"{folder}/{shard}"), product.dtype).reshape(-1, *shape) for folder in folders]
