"""The work of fused series: a tile is read and fused in blocks with a halo, so that memory is bounded.

A block's pixels depend only on what lies within the halo, so that neighbouring blocks and tiles agree on their edges.
Nothing is reported before all blocks are done: when a scene turns out to be broken, the tile starts again without it.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.lineage import LeftOut, Lineage, LineageStep, SceneRecord
from landloom.engine.pixels.attempts import without_broken
from landloom.engine.pixels.blocks import Block, blocks
from landloom.engine.pixels.writing import ProductWriter, product_writer
from landloom.engine.units import Note, NoteKind, Observed, Outcome
from landloom.imagery.fusion.fuse import HALO, FusedSeries, Sightings, fuse
from landloom.imagery.fusion.quality import QUALITY_NODATA, quality_layers
from landloom.products.fused.sightings import Attempt, Source, day_of, without
from landloom.products.fused.withheld import WITHHELD
from landloom.products.fused.withholding import withheld_within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.corpus.manifest import FileEntry
    from landloom.model.grid import Grid
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene
    from landloom.model.time import Timestep
    from landloom.products.fused.withheld import WithheldErrors

SIDE: Final = 240
"""Side of a block in pixels, without its halo."""
MEMORY: Final = 2 * 2**30
"""Estimated peak of a unit in bytes, for two years of two sensors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedTask:
    """Fuse the series of a tile, and write it with its quality layers."""

    store: str
    """Address of the corpus."""
    layout: Layout
    """Its keys."""
    layouts: tuple[str, ...]
    """`chips`, `cubes` or both."""
    products: tuple[Product, Product]
    """The series and its quality layers."""
    first: Source
    """The reference sensor."""
    second: Source | None
    resolution: float
    """Metres of a pixel."""
    samples: tuple[Sample, ...]
    """Of one tile, in id order."""
    timesteps: tuple[Timestep, ...]

    def run(self) -> Outcome:
        """Read, fuse, cut, write; the lineage has the scenes of every timestep, with their codes."""
        tile, left_out = without_broken(partial(_Tile.made, self))
        everything = np.ones((len(self.samples), len(self.timesteps)), np.bool_)
        blank = tile.blank if tile.blank.any() else None
        observed = tuple(
            Observed(product=one.key, timesteps=self.timesteps, table=everything, blank=blank) for one in self.products
        )
        return Outcome(
            files=tuple(tile.files),
            observed=observed,
            lineage=Lineage(timesteps=tuple(self._step(step, tile, left_out) for step in self.timesteps)),
            notes=tile.notes(),
            measures={} if tile.withheld is None else {WITHHELD: tile.withheld.state()},
        )

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """Of both sensors."""
        passes = (*self.first.passes, *(self.second.passes if self.second is not None else ()))
        return tuple(scene for group in passes for scene in group)

    def _step(self, step: Timestep, tile: _Tile, left_out: Mapping[str, str]) -> LineageStep:
        wanted = sorted((one for one in self.scenes if one.time in step.period), key=lambda one: (one.time, one.id))
        attempt = tile.attempt
        return LineageStep(
            timestep=step.name,
            scenes=tuple(
                SceneRecord.of(
                    scene,
                    clamped=attempt.clamped.get(scene.id, 0),
                    level=False,
                    validity=attempt.validity.get(scene.id),
                    stored=attempt.stored.get(scene.id),
                    code=tile.codes[scene.id],
                )
                for scene in wanted
                if scene.id in attempt.used
            ),
            without_valid_pixels=tuple(
                sorted(one.id for one in wanted if one.id not in attempt.used and one.id not in left_out)
            ),
            left_out=tuple(LeftOut(id=one.id, reason=left_out[one.id]) for one in wanted if one.id in left_out),
            masks={one.id: attempt.masked[one.id] for one in wanted if one.id in attempt.masked} or None,
            observations=tile.observations[step.name],
        )


class _Tile:
    """One attempt at a tile with the scenes that are still considered usable."""

    def __init__(self, task: FusedTask, left_out: Mapping[str, str]) -> None:
        self.task = task
        self.first = replace(task.first, passes=without(task.first.passes, left_out))
        self.second = None
        if task.second is not None:
            self.second = replace(task.second, passes=without(task.second.passes, left_out))
        self.attempt = Attempt()
        self.files: list[FileEntry] = []
        self.blank = np.ones((len(task.samples), len(task.timesteps)), np.bool_)
        self.outliers = self.clipped = self.never = self.unmatched = 0
        self.seen = np.zeros(len(task.timesteps))
        self.withheld: WithheldErrors | None = None
        self.targets = np.array([day_of(step.stamp) for step in task.timesteps])
        groups = [*self.first.passes, *(self.second.passes if self.second is not None else ())]
        self.codes = {scene.id: number for number, group in enumerate(groups, start=1) for scene in group}

    @classmethod
    def made(cls, task: FusedTask, left_out: Mapping[str, str]) -> _Tile:
        """Do the work of a task without some scenes."""
        tile = cls(task, left_out)
        with ExitStack() as stack:
            writers = [stack.enter_context(tile._writer(product)) for product in task.products]
            for block in blocks(task.samples, task.resolution, SIDE):
                tile._block(block, writers)
            tile.files = [file for writer in writers for file in writer.finish()]
        return tile

    @property
    def observations(self) -> dict[str, float]:
        """Timestep → mean observations of a pixel."""
        mean = self.seen / len(self.task.samples)
        return {step.name: float(value) for step, value in zip(self.task.timesteps, mean, strict=True)}

    def notes(self) -> tuple[Note, ...]:
        """What was screened, clipped or never seen."""
        told = (
            (self.outliers, "observations that the mask calls clear, taken for clouds or shadows"),
            (
                self.unmatched,
                "clear observations of the second sensor, which can nowhere nearby be compared with the first",
            ),
            (self.clipped, "values outside of the stored range"),
            (self.never, "pixels never observed, nor any like them nearby"),
        )
        return tuple(Note(kind=NoteKind.LEFT_OUT, what=what, count=count) for count, what in told if count)

    def _writer(self, product: Product) -> ProductWriter:
        task = self.task
        return product_writer(
            store=task.store,
            layout=task.layout,
            layouts=task.layouts,
            product=product,
            samples=task.samples,
            timesteps=task.timesteps,
        )

    def _block(self, block: Block, writers: Sequence[ProductWriter]) -> None:
        grid = block.grid.window(-HALO, -HALO, block.grid.height + 2 * HALO, block.grid.width + 2 * HALO)
        first, clouds = self.attempt.read(self.first, grid)
        second, more = None, None
        if self.second is not None and self.second.passes:
            second, more = self.attempt.read(self.second, grid)
        resolution = self.task.resolution
        origin = round(-grid.north / resolution), round(grid.west / resolution)
        made = fuse(first, self.targets, second, origin)
        self.clipped += made.clipped
        seen = _Seen.of(made, first, second, clouds, more)
        for position in block.samples:
            self._cut(position, grid, made, seen, writers)
        if self.withheld is None:
            self._withhold(block.samples[0], grid, made, first, second)

    def _withhold(
        self, position: int, grid: Grid, made: FusedSeries, first: Sightings, second: Sightings | None
    ) -> None:
        """Measure the error in one sample of the tile, for the report."""
        sample = self.task.samples[position]
        own = sample.grid(self.task.resolution)
        row, column = own.offset_in(grid)
        window = slice(row, row + own.height), slice(column, column + own.width)
        bands = tuple(band.name for band in self.task.products[0].bands)
        self.withheld = withheld_within(first, second, made.used, window, bands=bands, sample=sample)

    def _cut(self, position: int, grid: Grid, made: FusedSeries, seen: _Seen, writers: Sequence[ProductWriter]) -> None:
        own = self.task.samples[position].grid(self.task.resolution)
        row, column = own.offset_in(grid)
        window = np.s_[..., row : row + own.height, column : column + own.width]
        series, used = made.series[window], seen.used[window]
        steps = self._steps(seen.days)
        quality = quality_layers(
            used,
            seen.days,
            seen.codes,
            made.used[window].sum(axis=0),
            self._clouds(seen, steps, window),
            made.sigma[window],
            self.targets,
            self._half(),
        )
        self.never += int(np.count_nonzero(series[0, 0] == 0))
        self.outliers += int(np.count_nonzero(seen.clear[window] & ~used))
        self.unmatched += int(np.count_nonzero(seen.unmatched[window]))
        share = used.mean(axis=(1, 2))
        for n in range(len(self.targets)):
            count = float(share[steps == n].sum())
            self.blank[position, n] = count == 0
            self.seen[n] += count
            writers[0].write(position, n, series[n])
            writers[1].write(position, n, quality[n])

    def _half(self) -> float:
        return float(np.diff(self.targets).min(initial=np.inf)) / 2 if len(self.targets) > 1 else 0.5

    def _steps(self, days: NDArray[np.float64]) -> NDArray[np.int64]:
        """(time) the timestep that each observation lies in; -1 for none."""
        ends = [(day_of(step.period.start), day_of(step.period.end)) for step in self.task.timesteps]
        inside = np.array([[start <= day < end for start, end in ends] for day in days]).reshape(len(days), len(ends))
        return np.where(inside.any(axis=1), inside.argmax(axis=1), -1)

    def _clouds(self, seen: _Seen, steps: NDArray[np.int64], window: Any) -> NDArray[np.uint16]:
        """(timestep, y, x) cloud mask of the clearest scene that shows a pixel in each timestep."""
        parts = seen.clouds[window]
        made = np.full((len(self.targets), *parts.shape[1:]), QUALITY_NODATA, np.uint16)
        for t, n in enumerate(steps):
            if n >= 0:
                made[n] = np.minimum(made[n], parts[t])
        return made


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seen:
    """Observations of both sensors over a window, in time order."""

    days: NDArray[np.float64]
    codes: NDArray[np.uint16]
    used: NDArray[np.bool_]
    clear: NDArray[np.bool_]
    """By the mask; not those of a second sensor that can nowhere be compared with the first."""
    unmatched: NDArray[np.bool_]
    """(time of the second sensor, y, x) clear observations of such a sensor."""
    clouds: NDArray[np.uint16]

    @classmethod
    def of(
        cls,
        made: FusedSeries,
        first: Sightings,
        second: Sightings | None,
        clouds: NDArray[np.uint16],
        more: NDArray[np.uint16] | None,
    ) -> _Seen:
        """Join the sensors; without observations that were not used."""
        days, used, clear = [first.days], [made.used], [first.valid]
        unmatched = np.zeros((0, *first.valid.shape[1:]), np.bool_)
        if second is not None and more is not None and made.used_second is not None:
            days, used = [*days, second.days], [*used, made.used_second]
            unmatched = second.valid & (made.bandpass is None)
            clear = [*clear, second.valid & ~unmatched]
            clouds = np.concatenate([clouds, more])
        every = np.concatenate(days)
        order = np.argsort(every, kind="stable")
        codes = np.arange(1, every.size + 1, dtype=np.uint16)
        return cls(
            days=every[order],
            codes=codes[order],
            used=np.concatenate(used)[order],
            clear=np.concatenate(clear)[order],
            unmatched=unmatched,
            clouds=clouds[order],
        )
