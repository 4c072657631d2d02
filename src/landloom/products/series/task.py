"""The series product: every acquisition of a tile in its native bands, date by date, with a time axis per tile.

Memory holds one block of one date (`SIDE`² pixels per band), the caches of GDAL and landloom, and the shard of 16
samples being encoded, however long the period is. All windows of a date are collected before any is written, so that a
scene that fails half-way leaves no files; dates, and cubes of a tile, larger than `IN_MEMORY` are kept in temporary
files. Each tile of a JPEG 2000 file is decoded once: blocks are read row by row, and `TileCache` keeps the rows
between.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.lineage import LeftOut, Lineage, LineageStep, SceneRecord
from landloom.engine.pixels.attempts import without_broken
from landloom.engine.pixels.blocks import blocks
from landloom.engine.pixels.joining import JoinTask, TimestepParts, part_layouts
from landloom.engine.pixels.reading import SceneReader
from landloom.engine.pixels.registration import Register, Registration, survey
from landloom.engine.pixels.scratch import IN_MEMORY, scratch_arrays
from landloom.engine.pixels.writing import ProductWriter, product_writer
from landloom.engine.scenes.overpasses import overpasses
from landloom.engine.units import Observed, Outcome
from landloom.errors import LandloomError
from landloom.imagery.valid import data_valid
from landloom.model.time import Period, Timestep, format_instant
from landloom.store.window_reads import TileCache

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.engine.pixels.masks import PixelMask
    from landloom.model.grid import Grid
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene

SIDE: Final = 2048
"""Side in pixels of the blocks in which a scene is read."""
MEMORY: Final = 2 * IN_MEMORY + 2**29
"""Memory limits of a unit in bytes: a date, the cubes of a tile, a block with GDAL's cache."""
_MASK: Final = "valid"
"""Name of the mask, which is always computed, even if it is not published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """One overpass over a tile: the scenes of neighbouring granules are one observation."""

    step: Timestep
    scenes: tuple[Scene, ...]
    """Scenes of the overpass, those in the CRS of the samples first."""


def acquired_step(stamp: datetime) -> Timestep:
    """The timestep of an acquisition, named by its time to the second.

    Example:
        >>> from landloom.model.time import parse_instant
        >>> acquired_step(parse_instant("2015-12-08T10:04:09.1")).name
        '2015-12-08T100409'
    """
    second = stamp.replace(microsecond=0)
    return Timestep(second, f"{second:%Y-%m-%dT%H%M%S}", Period(second, second + timedelta(seconds=1)))


def acquisitions(scenes: Sequence[Scene], epsg: int) -> tuple[Acquisition, ...]:
    """The time axis of a tile: one timestep per overpass, so two overpasses on one day are two timesteps.

    Args:
        scenes: scenes of the tile, in any order.
        epsg: CRS of the samples.
    """
    groups: dict[Timestep, list[Scene]] = {}
    for group in overpasses(scenes, epsg):
        groups.setdefault(acquired_step(min(scene.time for scene in group)), []).extend(group)
    return tuple(Acquisition(step=step, scenes=tuple(groups[step])) for step in sorted(groups))


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesTask:
    """Cut all samples of a tile from all acquisitions, and write them."""

    store: str
    """Location of the corpus."""
    layout: Layout
    layouts: tuple[str, ...]
    products: tuple[Product, ...]
    """One product per resolution, finest first."""
    valid_product: Product | None
    """The mask of usable pixels, if it is published."""
    bands: tuple[str, ...]
    """Bands of all products."""
    mask: PixelMask
    least_data: float
    """Minimum share of a sample's pixels with data."""
    least_valid: float
    """Minimum share of a sample's pixels that are valid."""
    samples: tuple[Sample, ...]
    """Samples of one tile, in id order."""
    dates: tuple[Acquisition, ...]
    """Overpasses in time order."""
    seasons: Mapping[int, Period] = field(default_factory=dict)
    """Label year → period shown by its samples; samples without a year show the whole period."""
    register: Register = Register.OFF
    """What is done about displaced scenes."""

    def run(self) -> Outcome:
        """Read, merge, cut, write; the lineage lists the scenes behind every date."""
        table = np.zeros((len(self.samples), len(self.dates)), np.bool_)
        aligned = self._aligned()
        with ExitStack() as stack:
            writers = [stack.enter_context(self._writer(product, table)) for product in self._made]
            steps = [self._date(position, date, aligned, writers, table) for position, date in enumerate(self.dates)]
            files = [file for writer in writers for file in writer.finish()]
        axis = tuple(date.step for date in self.dates)
        observed = (Observed(product=product.key, timesteps=axis, table=table) for product in self._made)
        return Outcome(
            files=tuple(files),
            observed=tuple(observed),
            lineage=Lineage(timesteps=tuple(steps)),
            notes=aligned.notes(),
        )

    def parts(self) -> list[SeriesTask]:
        """A task for each date; none if displacements have to be found over all of them."""
        if self.register is not Register.OFF:
            return []
        return [replace(self, dates=(date,), layouts=part_layouts(self.layouts)) for date in self.dates]

    def joined(self, outcomes: Sequence[Outcome]) -> JoinTask:
        """See `landloom.engine.division.Divisible`."""
        return JoinTask(parts=self._apart, outcomes=tuple(outcomes))

    def discard(self) -> None:
        """See `landloom.engine.division.Divisible`."""
        self._apart.discard()

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """Of all overpasses."""
        return tuple(scene for date in self.dates for scene in date.scenes)

    @property
    def _apart(self) -> TimestepParts:
        return TimestepParts(
            store=self.store,
            layout=self.layout,
            layouts=self.layouts,
            products=self._made,
            samples=self.samples,
            timesteps=tuple(date.step for date in self.dates),
            acquired=True,
        )

    @property
    def _made(self) -> tuple[Product, ...]:
        return self.products if self.valid_product is None else (*self.products, self.valid_product)

    def _writer(self, product: Product, observed: NDArray[np.bool_]) -> ProductWriter:
        return product_writer(
            store=self.store,
            layout=self.layout,
            layouts=self.layouts,
            product=product,
            samples=self.samples,
            timesteps=tuple(date.step for date in self.dates),
            observed=observed,
        )

    def _aligned(self) -> Registration:
        return survey(
            self.register,
            [date.scenes for date in self.dates],
            bands=self.bands,
            mask=self.mask,
            samples=self.samples,
            resolution=float(self.products[0].resolution or 10),
        )

    def _date(
        self,
        position: int,
        date: Acquisition,
        aligned: Registration,
        writers: Sequence[ProductWriter],
        observed: NDArray[np.bool_],
    ) -> LineageStep:
        """Cut one date; nothing is written until all of it has been read."""
        rows = self._in_season(date.step.stamp)
        samples = tuple(self.samples[row] for row in rows)
        with ExitStack() as stack:
            gather = partial(self._gather, date, aligned, samples, stack)
            (attempt, chips), left_out = without_broken(gather, aligned.left_out_of(date.scenes))
            if not attempt.scenes:
                return _lineage(date, attempt, left_out, samples=0, valid=0.0)
            kept, shares = self._keep(chips, date, samples)
            for own in np.flatnonzero(kept).tolist():
                observed[rows[own], position] = True
                for product, writer in zip(self._made, writers, strict=True):
                    name = _MASK if product is self.valid_product else product.key
                    writer.write(rows[own], position, chips[name][own])
        valid = round(float(shares.mean()), 6) if shares.size else 0.0
        return _lineage(date, attempt, left_out, samples=len(shares), valid=valid)

    def _gather(
        self,
        date: Acquisition,
        aligned: Registration,
        samples: tuple[Sample, ...],
        stack: ExitStack,
        left_out: Mapping[str, str],
    ) -> tuple[_DateAttempt, dict[str, NDArray[Any]]]:
        """Arrays (sample, band, y, x) of a date by product."""
        scenes = [scene for scene in date.scenes if scene.id not in left_out and samples]
        attempt = _DateAttempt(task=self, aligned=aligned, samples=samples, scenes=scenes)
        chips = _arrays(samples, self.products, stack) if scenes else {}
        if scenes:
            attempt.gather(chips)
        return attempt, chips

    def _in_season(self, stamp: datetime) -> list[int]:
        """Indices of the samples that have the date."""
        years = {year for year, season in self.seasons.items() if stamp in season}
        own = [getattr(sample.id, "year", None) for sample in self.samples] if self.seasons else []
        return (
            [position for position, year in enumerate(own) if year in years] if own else list(range(len(self.samples)))
        )

    def _keep(
        self, chips: Mapping[str, NDArray[Any]], date: Acquisition, samples: Sequence[Sample]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Decide which samples have the date, and return their valid shares."""
        finest = chips[self.products[0].key]
        data = (finest.max(axis=1) > 0).mean(axis=(1, 2))
        valid = chips[_MASK].mean(axis=(1, 2, 3))
        kept: NDArray[np.bool_] = (data > 0) & (data >= self.least_data) & (valid >= self.least_valid)
        for product in self.products[1:]:
            blank = np.asarray(chips[product.key].max(axis=(1, 2, 3)) == 0)
            # At the edge of a swath the finer bands have slivers without a coarse pixel.
            for row in np.flatnonzero(blank & kept & (data > 0.5) & (valid > 0)).tolist():
                names = ", ".join(band.name for band in product.bands)
                raise LandloomError(f"{samples[row].id} {date.step.name}: nothing in {names}, but in finer bands")
        return kept, np.asarray(valid[kept], np.float64)


def _arrays(samples: Sequence[Sample], products: Sequence[Product], stack: ExitStack) -> dict[str, NDArray[Any]]:
    """Arrays (sample, band, y, x) for one date, in memory or in temporary files; the mask is always included."""
    shapes: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {}
    for product in products:
        grid = samples[0].grid(float(product.resolution or 10))
        shapes[product.key] = (len(samples), max(len(product.bands), 1), *grid.shape), np.dtype(product.dtype)
    first, *_ = shapes.values()
    shapes[_MASK] = (first[0][0], 1, *first[0][2:]), np.dtype(np.uint8)
    return scratch_arrays(shapes, stack)


@dataclass(slots=True, kw_only=True)
class _DateAttempt:
    """One attempt at a date with the scenes not yet found broken."""

    task: SeriesTask
    aligned: Registration
    samples: Sequence[Sample]
    scenes: Sequence[Scene]
    clamped: dict[str, int] = field(default_factory=dict)
    validity: dict[str, str] = field(default_factory=dict)
    stored: dict[str, dict[str, str]] = field(default_factory=dict)
    masked: dict[str, dict[str, str]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def gather(self, chips: Mapping[str, NDArray[Any]]) -> None:
        """Fill the arrays of a date, resolution by resolution and block by block."""
        with ExitStack() as stack:
            tiles = TileCache()
            readers = [stack.enter_context(self._reader(scene, tiles)) for scene in self.scenes]
            for product in self.task.products:
                self._fill(product, readers, chips)
            self.validity = {reader.scene.id: reader.validity for reader in readers}
            self.stored = {reader.scene.id: reader.stored for reader in readers}
            self.masked = {reader.scene.id: reader.masked for reader in readers if reader.masked}
            self.clamped = {reader.scene.id: reader.clamped for reader in readers if reader.clamped}

    def _fill(self, product: Product, readers: Sequence[SceneReader], chips: Mapping[str, NDArray[Any]]) -> None:
        resolution = float(product.resolution or 10)
        grids = [sample.grid(resolution) for sample in self.samples]
        for block in blocks(self.samples, resolution, SIDE, grids):
            bands, valid = self._block(readers, product, block.grid, masked=product is self.task.products[0])
            for row in block.samples:
                slices = _slices_in(grids[row], block.grid)
                chips[product.key][row] = bands[(slice(None), *slices)]
                if valid is not None:
                    chips[_MASK][row, 0] = valid[slices]

    def _reader(self, scene: Scene, tiles: TileCache) -> SceneReader:
        displaced = self.aligned.displaced(scene.id)
        return SceneReader(scene, bands=self.task.bands, mask=self.task.mask, tiles=tiles, displaced=displaced)

    def _block(
        self, readers: Sequence[SceneReader], product: Product, grid: Grid, *, masked: bool
    ) -> tuple[NDArray[np.uint16], NDArray[np.bool_] | None]:
        """One block of an overpass: data of the first scene, and of the next ones where it has none."""
        names = [band.name for band in product.bands]
        merged: NDArray[np.uint16] | None = None
        usable = np.zeros(grid.shape, np.bool_) if masked else None
        empty = np.ones(grid.shape, np.bool_)
        for reader in readers:
            part = _bands(reader, names, grid)
            seen = None if part is None else np.bitwise_or.reduce(part, axis=0) != 0
            if part is None or seen is None or not seen.any():
                continue
            self.used.add(reader.scene.id)
            fresh = empty & seen
            if merged is None:
                merged = part
            else:
                np.copyto(merged, part, where=fresh)
            if usable is not None:
                np.copyto(usable, _usable(reader, part, grid), where=fresh)
            empty &= ~fresh
            if not empty.any():
                break
        return np.zeros((len(names), *grid.shape), np.uint16) if merged is None else merged, usable


def _bands(reader: SceneReader, names: Sequence[str], grid: Grid) -> NDArray[np.uint16] | None:
    """A scene's bands on a grid; None if the scene does not overlap it."""
    array = np.empty((len(names), *grid.shape), np.uint16)
    with reader.together(names, grid):
        for position, name in enumerate(names):
            part = reader.band(name, grid)
            if part is None:
                return None
            array[position] = part
    return array


def _usable(reader: SceneReader, bands: NDArray[np.uint16], grid: Grid) -> NDArray[np.bool_]:
    """Valid pixels: clear in the scene classification, if there is one, with data in every given band."""
    usable: NDArray[np.bool_] = np.ones(grid.shape, np.bool_)
    if reader.is_classified:
        clear = reader.clear(grid)
        usable = np.zeros(grid.shape, np.bool_) if clear is None else clear.copy()
    for band in bands:
        usable &= data_valid(band)
    return usable


def _slices_in(grid: Grid, outer: Grid) -> tuple[slice, slice]:
    row, column = grid.offset_in(outer)
    return slice(row, row + grid.height), slice(column, column + grid.width)


def _lineage(
    date: Acquisition, attempt: _DateAttempt, left_out: Mapping[str, str], *, samples: int, valid: float
) -> LineageStep:
    """The published lineage of the scenes behind a date."""
    unused = [scene.id for scene in attempt.scenes if scene.id not in attempt.used]
    return LineageStep(
        timestep=date.step.name,
        datetime=format_instant(date.step.stamp),
        day_of_year=date.step.stamp.timetuple().tm_yday,
        scenes=tuple(
            SceneRecord.of(
                scene,
                clamped=attempt.clamped.get(scene.id, 0),
                validity=attempt.validity[scene.id],
                stored=attempt.stored[scene.id],
                shift=attempt.aligned.record(scene.id),
            )
            for scene in sorted(attempt.scenes, key=_by_time)
            if scene.id in attempt.used
        ),
        without_data=tuple(sorted(unused)),
        left_out=tuple(LeftOut(id=scene, reason=reason) for scene, reason in sorted(left_out.items())),
        masks=dict(sorted(attempt.masked.items())) or None,
        samples=samples,
        valid=valid,
    )


def _by_time(scene: Scene) -> tuple[datetime, str]:
    return scene.time, scene.id
