"""The series product: every acquisition of a tile in its native bands, date by date, on an axis of its own.

In memory at a time are one block of one date (`SIDE`² pixels a band), GDAL's cache and ours, and the shard of 16
samples that is being encoded, however long the period is. A date's windows are gathered before any is written, so that
a scene that turns out to be broken half-way leaves nothing behind; dates, and the cubes of a tile, beyond `IN_MEMORY`
lie in temporary files. Each tile of a JPEG 2000 file is decoded once: blocks come in rows, and `TileCache` holds the
rows between.
"""

from __future__ import annotations

import io
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.manifest import FileEntry
from landloom.engine.blocks import blocks
from landloom.engine.reading import SceneFaultError, SceneReader
from landloom.engine.units import Outcome, Unit, digest
from landloom.engine.writing import IN_MEMORY, ProductWriter, product_writer
from landloom.errors import InvalidInputError, LandloomError
from landloom.imagery.valid import data_valid
from landloom.model.time import Period, Timestep, format_instant
from landloom.products.composite.task import overpasses
from landloom.store.open import open_store
from landloom.store.windows import TileCache

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.engine.project import Project
    from landloom.model.grid import Grid
    from landloom.model.product import Product
    from landloom.model.recipe import SeriesProduct
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene

SIDE: Final = 2048
"""Side, in pixels, of the blocks in which a scene is read."""
FOLDER: Final = ".landloom/series"
"""Where it is kept which sample has which date."""
MEMORY: Final = 2 * IN_MEMORY + 2**29
"""Bytes that a unit takes at most: a date, the cubes of a tile, a block with GDAL's cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """One overpass as a tile sees it: the scenes of neighbouring granules are one observation."""

    step: Timestep
    scenes: tuple[Scene, ...]
    """Those in the samples' CRS first."""


def acquired_step(stamp: datetime) -> Timestep:
    """The timestep of an acquisition, named by its second.

    Example:
        >>> from landloom.model.time import parse_instant
        >>> acquired_step(parse_instant("2015-12-08T10:04:09.1")).name
        '2015-12-08T100409'
    """
    second = stamp.replace(microsecond=0)
    return Timestep(second, f"{second:%Y-%m-%dT%H%M%S}", Period(second, second + timedelta(seconds=1)))


def acquisitions(scenes: Sequence[Scene], epsg: int) -> tuple[Acquisition, ...]:
    """The time axis of a tile: one step an overpass, so that two on one day are two.

    Args:
        scenes: of the tile, in any order.
        epsg: CRS of its samples.
    """
    groups: dict[Timestep, list[Scene]] = {}
    for group in overpasses(scenes, epsg):
        groups.setdefault(acquired_step(min(scene.time for scene in group)), []).extend(group)
    return tuple(Acquisition(step=step, scenes=tuple(groups[step])) for step in sorted(groups))


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesTask:
    """Cut all samples of a tile out of all acquisitions, and write them."""

    store: str
    """Where the corpus lies."""
    key: str
    """Where (sample, date) whether there is a chip is kept."""
    layout: Layout
    layouts: tuple[str, ...]
    products: tuple[Product, ...]
    """One a resolution, finest first."""
    valid_product: Product | None
    """The mask of usable pixels, if it is published."""
    settings: SeriesProduct
    samples: tuple[Sample, ...]
    """Of one tile, in id order."""
    dates: tuple[Acquisition, ...]
    """In time order."""
    seasons: Mapping[int, Period] = field(default_factory=dict)
    """Label year → the time that its samples show; samples without a year show all of it."""

    def run(self) -> Outcome:
        """Read, merge, cut, write; the facts are the tile's lineage."""
        observed = np.zeros((len(self.samples), len(self.dates)), np.bool_)
        with ExitStack() as stack:
            writers = [stack.enter_context(writer) for writer in self._writers(observed)]
            facts = [self._date(place, date, writers, observed) for place, date in enumerate(self.dates)]
            files = [file for writer in writers for file in writer.finish()]
        buffer = io.BytesIO()
        np.save(buffer, observed)
        open_store(self.store).put(self.key, buffer.getvalue())
        files.append(FileEntry.of(self.key, buffer.getvalue()))
        return Outcome(files=tuple(files), facts={"timesteps": facts})

    @property
    def _made(self) -> tuple[Product, ...]:
        return self.products if self.valid_product is None else (*self.products, self.valid_product)

    def _writers(self, observed: NDArray[np.bool_]) -> Iterator[ProductWriter]:
        for product in self._made:
            yield product_writer(
                store=self.store, layout=self.layout, layouts=self.layouts, product=product, samples=self.samples,
                timesteps=tuple(date.step for date in self.dates), observed=observed,
            )  # fmt: skip

    def _date(
        self, place: int, date: Acquisition, writers: Sequence[ProductWriter], observed: NDArray[np.bool_]
    ) -> dict[str, Any]:
        """Cut one date; a scene that turns out to be broken is left out and the date starts again."""
        left_out: dict[str, str] = {}
        rows = self._in_season(date.step.stamp)
        samples = tuple(self.samples[row] for row in rows)
        while True:
            scenes = [scene for scene in date.scenes if scene.id not in left_out and samples]
            attempt = _Attempt(task=self, samples=samples, scenes=scenes)
            if not scenes:
                return _lineage(date, attempt, left_out) | {"samples": 0, "valid": 0.0}
            with _gathered(samples, self._made) as chips:
                try:
                    attempt.gather(chips)
                except SceneFaultError as fault:
                    left_out[fault.scene.id] = str(fault)
                    continue
                kept, shares = self._keep(chips, date, samples)
                for own in np.flatnonzero(kept).tolist():
                    observed[rows[own], place] = True
                    for product, writer in zip(self._made, writers, strict=True):
                        writer.write(rows[own], place, chips[product.key][own])
            valid = round(float(shares.mean()), 6) if shares.size else 0.0
            return _lineage(date, attempt, left_out) | {"samples": len(shares), "valid": valid}

    def _in_season(self, stamp: datetime) -> list[int]:
        """Places of the samples that show a date."""
        years = {year for year, season in self.seasons.items() if stamp in season}
        own = [getattr(sample.id, "year", None) for sample in self.samples] if self.seasons else []
        return [place for place, year in enumerate(own) if year in years] if own else list(range(len(self.samples)))

    def _keep(
        self, chips: Mapping[str, NDArray[Any]], date: Acquisition, samples: Sequence[Sample]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Decide which samples have the date; the valid shares of those that do."""
        finest = chips[self.products[0].key]
        data = (finest.max(axis=1) > 0).mean(axis=(1, 2))
        valid = chips[VALID].mean(axis=(1, 2, 3))
        settings = self.settings
        kept: NDArray[np.bool_] = (data > 0) & (data >= settings.least_data) & (valid >= settings.least_valid)
        for product in self.products[1:]:
            blank = np.asarray(chips[product.key].max(axis=(1, 2, 3)) == 0)
            # Beyond the edge of a swath the finer bands leave slivers in which no coarse pixel lies.
            for row in np.flatnonzero(blank & kept & (data > 0.5) & (valid > 0)).tolist():
                names = ", ".join(band.name for band in product.bands)
                raise LandloomError(f"{samples[row].id} {date.step.name}: nothing in {names}, but in finer bands")
        return kept, np.asarray(valid[kept], np.float64)


VALID: Final = "s2_valid"
"""Key of the mask's product; the mask is always computed, whether or not it is published."""


@contextmanager
def _gathered(samples: Sequence[Sample], products: Iterable[Product]) -> Iterator[dict[str, NDArray[Any]]]:
    """Arrays (sample, band, y, x) for one date, in memory or in temporary files; the mask is always among them."""
    shapes: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {}
    for product in products:
        grid = samples[0].grid(float(product.resolution or 10))
        shapes[product.key] = (len(samples), max(len(product.bands), 1), *grid.shape), np.dtype(product.dtype)
    if VALID not in shapes:
        first, *_ = shapes.values()
        shapes[VALID] = (first[0][0], 1, *first[0][2:]), np.dtype(np.uint8)
    size = sum(int(np.prod(shape)) * dtype.itemsize for shape, dtype in shapes.values())
    with ExitStack() as stack:
        arrays: dict[str, NDArray[Any]] = {}
        for key, (shape, dtype) in shapes.items():
            if size <= IN_MEMORY:
                arrays[key] = np.zeros(shape, dtype)
            else:
                arrays[key] = np.memmap(stack.enter_context(tempfile.TemporaryFile()), dtype, "w+", shape=shape)
        yield arrays


@dataclass(slots=True, kw_only=True)
class _Attempt:
    """One try at a date with the scenes that are still thought usable."""

    task: SeriesTask
    samples: Sequence[Sample]
    scenes: Sequence[Scene]
    clamped: dict[str, int] = field(default_factory=dict)
    validity: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def gather(self, chips: Mapping[str, NDArray[Any]]) -> None:
        """Fill the arrays of a date, resolution by resolution and block by block."""
        task = self.task
        with ExitStack() as stack:
            tiles = TileCache()
            readers = [stack.enter_context(self._reader(scene, tiles)) for scene in self.scenes]
            for product in task.products:
                resolution = float(product.resolution or 10)
                grids = [sample.grid(resolution) for sample in self.samples]
                for block in blocks(self.samples, resolution, SIDE, grids):
                    outer = block.grid
                    places = [_place(grids[row], outer) for row in block.samples]
                    first = product is task.products[0]
                    bands, valid = self._block(readers, product, outer, masked=first)
                    for row, place in zip(block.samples, places, strict=True):
                        chips[product.key][row] = bands[(slice(None), *place)]
                        if valid is not None:
                            chips[VALID][row, 0] = valid[place]
            self.validity = {reader.scene.id: reader.validity for reader in readers}
            self.clamped = {reader.scene.id: reader.clamped for reader in readers if reader.clamped}

    def _reader(self, scene: Scene, tiles: TileCache) -> SceneReader:
        settings = self.task.settings
        clear = frozenset(settings.clear)
        return SceneReader(scene, bands=settings.bands, clear=clear, dilate=settings.dilate, tiles=tiles)

    def _block(
        self, readers: Sequence[SceneReader], product: Product, grid: Grid, *, masked: bool
    ) -> tuple[NDArray[np.uint16], NDArray[np.bool_] | None]:
        """What one overpass shows of a block: a scene's data, and the next one's where it has none."""
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
    """A scene's bands on a grid; None where it is elsewhere."""
    array = np.empty((len(names), *grid.shape), np.uint16)
    for place, name in enumerate(names):
        part = reader.band(name, grid)
        if part is None:
            return None
        array[place] = part
    return array


def _usable(reader: SceneReader, bands: NDArray[np.uint16], grid: Grid) -> NDArray[np.bool_]:
    """Clear by the scene's own classification, where it has one, with data in every band given."""
    usable: NDArray[np.bool_] = np.ones(grid.shape, np.bool_)
    if reader.is_classified:
        clear = reader.clear(grid)
        usable = np.zeros(grid.shape, np.bool_) if clear is None else clear.copy()
    for band in bands:
        usable &= data_valid(band)
    return usable


def _place(grid: Grid, outer: Grid) -> tuple[slice, slice]:
    row, column = grid.offset_in(outer)
    return slice(row, row + grid.height), slice(column, column + grid.width)


def _lineage(date: Acquisition, attempt: _Attempt, left_out: Mapping[str, str]) -> dict[str, Any]:
    """What is published of the scenes behind a date."""

    def row(scene: Scene) -> dict[str, Any]:
        offsets = {asset.offset for name, asset in scene.assets.items() if name != "SCL"}
        return {
            "id": scene.id, "datetime": format_instant(scene.time), "granule": scene.granule, "level": scene.level,
            "baseline": scene.baseline, "offset": min(offsets, default=0), "clamped": attempt.clamped.get(scene.id, 0),
            "cloud_cover": scene.cloud_cover, "validity": attempt.validity[scene.id],
        }  # fmt: skip

    unused = [scene.id for scene in attempt.scenes if scene.id not in attempt.used]
    return {
        "timestep": date.step.name,
        "datetime": format_instant(date.step.stamp),
        "day_of_year": date.step.stamp.timetuple().tm_yday,
        "scenes": [row(scene) for scene in sorted(attempt.scenes, key=_by_time) if scene.id in attempt.used],
        "without_data": sorted(unused),
        "left_out": [{"id": scene, "reason": reason} for scene, reason in sorted(left_out.items())],
    }


def _by_time(scene: Scene) -> tuple[datetime, str]:
    return scene.time, scene.id


def series_unit(
    project: Project,
    key: str,
    tile: str,
    samples: tuple[Sample, ...],
    scenes: tuple[Scene, ...],
    place: tuple[str, Layout],
    identities: Sequence[Any],
) -> Unit:
    """The unit that cuts one tile out of all its acquisitions.

    Args:
        project: the recipe in its folder.
        key: of the series in the recipe.
        tile: which.
        samples: in it, in id order.
        scenes: all of the tile in the period.
        place: where the corpus is built, and its keys.
        identities: what makes each scene's files the same files.

    Raises:
        InvalidInputError: there is no scene.
    """
    if not scenes:
        raise InvalidInputError(f"{tile}: the archive has no scene in {project.period(key)}")
    settings = project.series_section(key)
    store, layout = place
    made = project.series_products(key)
    valid = next((product for product in made if product.key == VALID), None)
    task = SeriesTask(
        store=store, key=f"{FOLDER}/{key}/{tile}.npy", layout=layout, layouts=project.recipe.layouts,
        products=tuple(product for product in made if product.key != VALID), valid_product=valid, settings=settings,
        samples=samples, dates=acquisitions(scenes, samples[0].epsg), seasons=project.seasons(),
    )  # fmt: skip
    decides = digest(
        settings.model_dump(mode="json", exclude={"terms"}),
        project.recipe.layouts,
        [[asdict(product) for product in made], layout.name],
        [(str(sample.id), sample.bounds) for sample in samples],
        list(identities),
        [(year, str(season)) for year, season in task.seasons.items()],
    )
    return Unit(id=f"{key}/{tile}", key=decides, memory=MEMORY, task=task)
