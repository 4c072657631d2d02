"""The work of fused series: a tile is read once and fused in blocks with a halo, so that memory is bounded.

A block's pixels depend only on what lies within the halo, so that neighbouring blocks and tiles agree on their edges.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.corpus.lineage import LeftOut, Lineage, LineageStep, SceneRecord
from landloom.engine.pixels.blocks import blocks
from landloom.engine.pixels.parallel import in_threads
from landloom.engine.pixels.registration import Register
from landloom.engine.pixels.writing import ProductWriter, product_writer
from landloom.engine.units import Note, NoteKind, Observed, Outcome
from landloom.imagery.fusion.fuse import HALO, LIMITS, Prepared, prepare
from landloom.imagery.fusion.methods import FUSED, Filling, filled
from landloom.imagery.fusion.quality import QUALITY_NODATA, quality_layers
from landloom.model.time import Period
from landloom.products.fused.aligning import measured, places_of, surveyed
from landloom.products.fused.sightings import Source, day_of, nadir_notes
from landloom.products.fused.staging import Staged
from landloom.products.fused.tally import Tally
from landloom.products.fused.windows import Window
from landloom.products.fused.withheld import WITHHELD
from landloom.products.fused.withholding import withheld_within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.corpus.manifest import FileEntry
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene
    from landloom.model.time import Timestep
    from landloom.products.fused.withheld import WithheldErrors

BLOCK: Final = 9 * 2**27
"""Bytes that the work on a block takes."""
SIDE: Final = 1_200
"""Pixels of a block's side at most: of short series, too, several blocks give work to all threads."""
MEMORY: Final = 3 * 2**30
"""Estimated peak of a unit in bytes: blocks in two threads."""
_TRIAL: Final = timedelta(days=30)
"""Of a unit that is measured."""


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
    limits: tuple[int, int] = LIMITS
    """Smallest and largest value of the series, in stored numbers."""
    block: int = BLOCK
    """Bytes that the work on a block takes at most, if a block is not a single sample."""
    register: Register = Register.MEASURE
    """What is done about displaced scenes."""
    filling: Filling = FUSED
    """How gaps are filled."""

    def run(self) -> Outcome:
        """Read, fuse, cut, write; the lineage has the scenes of every timestep, with their codes."""
        with ExitStack() as stack:
            tile = _Tile(self, stack)
            files = tile.made(stack)
        everything = np.ones((len(self.samples), len(self.timesteps)), np.bool_)
        blank = tile.share == 0
        observed = tuple(
            Observed(product=one.key, timesteps=self.timesteps, table=everything, blank=blank if blank.any() else None)
            for one in self.products
        )
        return Outcome(
            files=tuple(files),
            observed=observed,
            lineage=Lineage(timesteps=tuple(self._step(number, tile) for number in range(len(self.timesteps)))),
            notes=tile.notes(),
            measures={} if tile.withheld is None else {WITHHELD: tile.withheld.state()},
        )

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """Of both sensors."""
        passes = (*self.first.passes, *(self.second.passes if self.second is not None else ()))
        return tuple(scene for group in passes for scene in group)

    def trial(self) -> FusedTask | None:
        """See `landloom.engine.division.Measurable`: a month in the middle."""
        middle = self.timesteps[len(self.timesteps) // 2].stamp
        month = Period(middle - _TRIAL / 2, middle + _TRIAL / 2)
        first, second = (None if source is None else source.within(month) for source in (self.first, self.second))
        steps = tuple(step for step in self.timesteps if step.stamp in month)
        if first is None or not first.passes:
            return None
        second = second if second is not None and second.passes else None
        return replace(self, first=first, second=second, timesteps=steps)

    def _step(self, number: int, tile: _Tile) -> LineageStep:
        step, used, left_out = self.timesteps[number], tile.used, tile.left_out
        wanted = sorted((one for one in self.scenes if one.time in step.period), key=lambda one: (one.time, one.id))
        return LineageStep(
            timestep=step.name,
            scenes=tuple(
                SceneRecord.of(
                    scene,
                    clamped=used[scene.id].clamped,
                    level=False,
                    validity=used[scene.id].validity,
                    stored=used[scene.id].stored,
                    code=tile.codes[scene.id],
                    shift=tile.aligned.record(scene.id),
                    nadir=used[scene.id].nadir,
                )
                for scene in wanted
                if scene.id in used
            ),
            without_valid_pixels=tuple(
                sorted(one.id for one in wanted if one.id not in used and one.id not in left_out)
            ),
            left_out=tuple(LeftOut(id=one.id, reason=left_out[one.id]) for one in wanted if one.id in left_out),
            masks={one.id: tile.masked[one.id] for one in wanted if one.id in tile.masked} or None,
            observations=float(tile.share[:, number].mean()),
        )

    def side(self) -> int:
        """Pixels of a block's side: whole samples, so many that the work on one takes `block` bytes."""
        first, second = len(self.first.passes), 0 if self.second is None else len(self.second.passes)
        bands = len(self.first.bands)
        coarse = 1 if self.second is None else self.second.footprint**2
        pixel = first * (2 * bands + 8) + second * (6 * bands + 4) / coarse
        width = self.samples[0].grid(self.resolution).width
        return min(max(int((self.block / max(pixel, 1)) ** 0.5 - 2 * HALO) // width, 1) * width, SIDE)


class _Tile:
    """The work on a tile: what has been read of it, and what has been counted."""

    def __init__(self, task: FusedTask, stack: ExitStack) -> None:
        self.task = task
        self.blocks = blocks(task.samples, task.resolution, task.side())
        self.grids = [
            one.grid.window(-HALO, -HALO, one.grid.height + 2 * HALO, one.grid.width + 2 * HALO) for one in self.blocks
        ]
        places = places_of(self.blocks, self.grids, task.samples, task.resolution)
        windows = [
            Window(grid=grid, near=self._around(number, HALO), inside=self._around(number, 0), places=places[number])
            for number, grid in enumerate(self.grids)
        ]
        self.aligned = surveyed(task.register, (task.first, task.second), task.samples, task.resolution)
        self.first = Staged.read(task.first, windows, stack, self.aligned)
        second = task.second
        self.second = None if second is None else Staged.read_own(second, windows, stack, self.aligned)
        if task.register is Register.MEASURE:
            self.aligned = measured((self.first, self.second), task.samples, task.resolution)
        sensors = [one for one in (self.first, self.second) if one is not None]
        self.used = {name: facts for one in sensors for name, facts in one.used.items()}
        self.masked = {name: masks for one in sensors for name, masks in one.masked.items()}
        self.left_out = {name: reason for one in sensors for name, reason in one.left_out.items()}
        self.targets = np.array([day_of(step.stamp) for step in task.timesteps])
        groups = [group for one in sensors for group in one.source.passes]
        self.codes = {scene.id: number for number, group in enumerate(groups, start=1) for scene in group}
        days = np.concatenate([one.days for one in sensors])
        kept = [one.kept + 1 for one in sensors]
        if len(kept) > 1:
            kept[1] += len(task.first.passes)
        self.order = np.argsort(days, kind="stable")
        self.days, self.numbers = days[self.order], np.concatenate(kept)[self.order].astype(np.uint16)
        self.steps = self._steps()
        self.share = np.zeros((len(task.samples), len(task.timesteps)))
        """(sample, timestep) mean used observations of a pixel."""
        self.rooms: list[NDArray[np.uint16]] = []
        """Memory for the observations of blocks, one for each thread."""
        self.tally = Tally()
        self.withheld: WithheldErrors | None = None

    def _around(self, number: int, reach: int) -> NDArray[np.bool_]:
        """(y, x) pixels of a block's window within reach of its samples."""
        near = np.zeros(self.grids[number].shape, np.bool_)
        for position in self.blocks[number].samples:
            own = self.task.samples[position].grid(self.task.resolution)
            row, column = own.offset_in(self.grids[number])
            near[row - reach : row + own.height + reach, column - reach : column + own.width + reach] = True
        return near

    def made(self, stack: ExitStack) -> list[FileEntry]:
        """Fuse all blocks and write them; returns the files."""
        writers = [stack.enter_context(self._writer(product)) for product in self.task.products]
        for tally in in_threads(partial(self._block, writers), range(len(self.blocks))):
            self.tally += tally
        return sorted((file for writer in writers for file in writer.finish()), key=lambda file: file.path)

    def notes(self) -> tuple[Note, ...]:
        """What was screened, clipped or never seen."""
        found = [*self.tally.notes(), *self.aligned.notes(), *nadir_notes(self.used)]
        for staged, which in ((self.first, "reference"), (self.second, "second")):
            if staged is not None and not staged.used:
                found.append(
                    Note(kind=NoteKind.LEFT_OUT, what=f"no scene of the {which} sensor shows the tile clearly")
                )
        return tuple(found)

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

    def _block(self, writers: Sequence[ProductWriter], number: int) -> Tally:
        room = self.rooms.pop() if self.rooms else self.first.room()
        try:
            return self._fused(writers, number, room)
        finally:
            self.rooms.append(room)

    def _fused(self, writers: Sequence[ProductWriter], number: int, room: NDArray[np.uint16]) -> Tally:
        grid, resolution = self.grids[number], self.task.resolution
        first, *masks = self.first.sightings(number, room)
        second = None
        if self.second is not None:
            second, more = self.second.sightings(number)
            masks.append(more)
        origin = round(-grid.north / resolution), round(grid.west / resolution)
        made = prepare(first, self.targets, second if second is not None and second.days.size else None, origin)
        if number == 0:
            self.withheld = self._withheld(made)
        tally = Tally()
        for position in self.blocks[number].samples:
            own = self.task.samples[position].grid(resolution)
            row, column = own.offset_in(grid)
            part = np.s_[row : row + own.height, column : column + own.width]
            tally += self._cut(position, made, part, np.concatenate([one.part(part) for one in masks]), writers)
        return tally

    def _withheld(self, made: Prepared) -> WithheldErrors | None:
        """The error in the first sample of the first block, for the report."""
        sample = self.task.samples[self.blocks[0].samples[0]]
        own = sample.grid(self.task.resolution)
        row, column = own.offset_in(self.grids[0])
        part = slice(row, row + own.height), slice(column, column + own.width)
        bands = tuple(band.name for band in self.task.products[0].bands)
        return withheld_within(made.first, made.second, made.used, part, bands=bands, sample=sample)

    def _cut(
        self,
        position: int,
        made: Prepared,
        part: tuple[slice, slice],
        clouds: NDArray[np.uint8],
        writers: Sequence[ProductWriter],
    ) -> Tally:
        """Make the series of a sample and its layers, and write them."""
        series = filled(self.task.filling, made, part, self.task.limits)
        known = series.series[0, 0] > 0
        every = [series.used] if series.used_second is None else [series.used, series.used_second]
        used = (np.concatenate(every) & known)[self.order]
        layers = quality_layers(
            used,
            self.days,
            self.numbers,
            (series.used & known).sum(axis=0),
            self._clouds(clouds[self.order]),
            series.sigma,
            self.targets,
            self._half(),
        )
        seen = used.mean(axis=(1, 2))
        for n in range(len(self.targets)):
            self.share[position, n] = float(seen[self.steps == n].sum())
        writers[0].write_cube(position, series.series)
        writers[1].write_cube(position, layers)
        return Tally.of(made, part, series, known, used)

    def _half(self) -> float:
        return float(np.diff(self.targets).min(initial=np.inf)) / 2 if len(self.targets) > 1 else 0.5

    def _steps(self) -> NDArray[np.int64]:
        """(time) the timestep that each observation lies in; -1 for none."""
        ends = [(day_of(step.period.start), day_of(step.period.end)) for step in self.task.timesteps]
        shape = len(self.days), len(ends)
        inside = np.array([[start <= day < end for start, end in ends] for day in self.days], np.bool_).reshape(shape)
        return np.where(inside.any(axis=1), inside.argmax(axis=1), -1)

    def _clouds(self, clouds: NDArray[np.uint8]) -> NDArray[np.uint16]:
        """(timestep, y, x) cloud mask of the clearest scene that shows a pixel in each timestep."""
        codes = clouds.astype(np.uint16)
        codes -= np.uint16(1)  # 0, without data, wraps to nodata
        made = np.full((len(self.targets), *codes.shape[1:]), QUALITY_NODATA, np.uint16)
        for t, n in enumerate(self.steps):
            if n >= 0:
                made[n] = np.minimum(made[n], codes[t])
        return made
