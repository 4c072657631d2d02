"""The work of fused series that somebody else has made: delivered files are read, cut and written as they are."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from landloom.corpus.lineage import LeftOut, Lineage, LineageStep, SceneRecord
from landloom.engine.pixels.attempts import without_broken
from landloom.engine.pixels.masks import PixelMask, lacking, require_band
from landloom.engine.pixels.parallel import in_threads
from landloom.engine.pixels.reading import SceneFaultError, SceneReader
from landloom.engine.pixels.windows import source_window
from landloom.engine.pixels.writing import product_writer
from landloom.engine.units import Note, NoteKind, Observed, Outcome
from landloom.errors import InvalidInputError, PermanentFaultError
from landloom.imagery.fusion.quality import QUALITY_NODATA, whole_numbers
from landloom.imagery.resample import to_grid
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.engine.pixels.writing import ProductWriter
    from landloom.model.grid import Grid
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene
    from landloom.model.time import Timestep

IMPORTED: Final = "imported"
"""How a delivered series came about, in the lineage."""
MEMORY: Final = 2**30
"""Estimated peak of a unit in bytes."""


@dataclass(slots=True, kw_only=True)
class _Step:
    """What a timestep has of each product."""

    used: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Scene → what was done to its numbers."""
    left_out: dict[str, str] = field(default_factory=dict)
    share: NDArray[np.float64]
    """(sample) share of pixels that were delivered."""
    missing: Counter[str] = field(default_factory=Counter)
    """Title of a product → samples without a chip."""
    open_pixels: Counter[str] = field(default_factory=Counter)
    """Title of a product → pixels without data in chips that are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTask:
    """Cut a delivered series and its quality layers into the chips of a tile."""

    store: str
    """Address of the corpus."""
    layout: Layout
    """Its keys."""
    layouts: tuple[str, ...]
    """`chips`, `cubes` or both."""
    products: tuple[Product, Product]
    """The series and its quality layers."""
    series: tuple[Scene, ...]
    """Delivered files of the series, in time order."""
    quality: tuple[Scene, ...]
    """Those of its quality layers."""
    bands: tuple[str, ...]
    """Of the series, in the order of the product."""
    layers: tuple[str, ...]
    """Of the quality files, likewise."""
    resolution: float
    """Metres of a pixel."""
    samples: tuple[Sample, ...]
    """Of one tile, in id order."""
    timesteps: tuple[Timestep, ...]

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """Of the series and its quality layers."""
        return (*self.series, *self.quality)

    def run(self) -> Outcome:
        """Read, cut, write; the lineage says that the series is imported, and names the files of every timestep."""
        with ExitStack() as stack:
            writers = [stack.enter_context(self._writer(product)) for product in self.products]
            steps = in_threads(partial(self._timestep, writers), range(len(self.timesteps)))
            files = sorted((file for writer in writers for file in writer.finish()), key=lambda file: file.path)
        everything = np.ones((len(self.samples), len(self.timesteps)), np.bool_)
        blank = np.stack([step.share for step in steps], axis=1) == 0
        return Outcome(
            files=tuple(files),
            observed=tuple(
                Observed(
                    product=one.key, timesteps=self.timesteps, table=everything, blank=blank if blank.any() else None
                )
                for one in self.products
            ),
            lineage=Lineage(timesteps=tuple(map(self._record, range(len(steps)), steps)), made=IMPORTED),
            notes=tuple(self._notes(steps)),
        )

    def _writer(self, product: Product) -> ProductWriter:
        return product_writer(
            store=self.store,
            layout=self.layout,
            layouts=self.layouts,
            product=product,
            samples=self.samples,
            timesteps=self.timesteps,
        )

    def _timestep(self, writers: Sequence[ProductWriter], number: int) -> _Step:
        """Write the chips of a timestep."""
        step = _Step(share=np.zeros(len(self.samples)))
        for place, (product, scenes) in enumerate(zip(self.products, (self.series, self.quality), strict=True)):
            some = [scene for scene in scenes if self._is_of(scene, number)]
            made, left_out = without_broken(partial(self._chips, product, some))
            step.left_out |= left_out
            step.used |= made.used
            nodata = int(product.nodata or 0)
            for position in range(len(self.samples)):
                chip = made.chips.get(position)
                if chip is None:
                    step.missing[product.title] += 1
                    shape = self.samples[position].grid(self.resolution).shape
                    chip = np.full((len(product.bands), *shape), nodata, product.dtype)
                empty = int(np.count_nonzero((chip == nodata).all(axis=0)))
                step.open_pixels[product.title] += empty if position in made.chips else 0
                if place == 0:
                    step.share[position] = 1 - empty / chip[0].size
                writers[place].write(position, number, chip)
        return step

    def _chips(self, product: Product, scenes: Sequence[Scene], left_out: Mapping[str, str]) -> _Cut:
        """The chips that some files show; of several files that show a pixel the first one counts."""
        made = _Cut()
        usable = [scene for scene in scenes if scene.id not in left_out]
        if not usable:
            return made
        is_series = product.key == self.products[0].key
        names = self.bands if is_series else self.layers
        read = _reflectance if is_series else partial(_stored, names)
        tree = shapely.STRtree([sample.footprint for sample in self.samples])
        for scene in usable:
            with SceneReader(scene, bands=names, mask=PixelMask()) as reader:
                for position in sorted(tree.query(scene.footprint, predicate="intersects").tolist()):
                    chip = read(reader, self.samples[position].grid(self.resolution))
                    if chip is not None:
                        made.add(position, chip, int(product.nodata or 0))
                        made.used.setdefault(scene.id, reader.stored)
        return made

    def _is_of(self, scene: Scene, number: int) -> bool:
        """Whether a file belongs to a timestep: the last one's date may lie beyond the end of a period."""
        step = self.timesteps[number]
        return scene.time in step.period or scene.time.date() == step.stamp.date()

    def _record(self, number: int, step: _Step) -> LineageStep:
        timestep = self.timesteps[number]
        every = sorted((*self.series, *self.quality), key=lambda one: (one.time, one.id))
        wanted = [scene for scene in every if self._is_of(scene, number)]
        return LineageStep(
            timestep=timestep.name,
            scenes=tuple(
                SceneRecord.of(scene, level=False, stored=step.used[scene.id])
                for scene in wanted
                if scene.id in step.used
            ),
            without_valid_pixels=tuple(
                sorted(one.id for one in wanted if one.id not in step.used and one.id not in step.left_out)
            ),
            left_out=tuple(LeftOut(id=name, reason=step.left_out[name]) for name in sorted(step.left_out)),
            observations=float(step.share.mean()),
        )

    def _notes(self, steps: Sequence[_Step]) -> Iterator[Note]:
        """What was not delivered."""
        for product in self.products:
            without = [self.timesteps[n].name for n, step in enumerate(steps) if step.missing[product.title]]
            count = sum(step.missing[product.title] for step in steps)
            if count:
                dates = f"{without[0]} to {without[-1]}" if len(without) > 1 else without[0]
                what = f"{product.title}: chips not delivered, of {dates}: nodata"
                yield Note(kind=NoteKind.LEFT_OUT, what=what, count=count)
            pixels = sum(step.open_pixels[product.title] for step in steps)
            if pixels:
                what = f"{product.title}: pixels delivered without data"
                yield Note(kind=NoteKind.LEFT_OUT, what=what, count=pixels)


@dataclass(slots=True, kw_only=True)
class _Cut:
    """Chips cut from some files."""

    chips: dict[int, NDArray[Any]] = field(default_factory=dict)
    """Position of the sample → (band, y, x)."""
    used: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def add(self, position: int, chip: NDArray[Any], nodata: int) -> None:
        """Take a chip, or what it adds to the one that is there."""
        there = self.chips.setdefault(position, chip)
        if there is not chip:
            np.copyto(there, chip, where=(there == nodata).all(axis=0)[None])


def _reflectance(reader: SceneReader, grid: Grid) -> NDArray[np.uint16] | None:
    seen = reader.observe(grid)
    return None if seen is None else np.where(seen.valid[None], seen.bands, np.uint16(0))


def _stored(names: Sequence[str], reader: SceneReader, grid: Grid) -> NDArray[np.uint16] | None:
    """Layers as they are stored: they are no reflectances."""
    scene, made = reader.scene, np.full((len(names), *grid.shape), QUALITY_NODATA, np.uint16)
    for place, name in enumerate(names):
        asset = scene.bands.get(name)
        if asset is None:
            raise SceneFaultError(scene, str(lacking(scene, name)))
        try:
            with open_raster(asset.href) as file:
                require_band(file, asset.band)
                window = _within(file.grid, grid)
                if window is None:
                    return None
                stored = whole_numbers(file.read(window, band=asset.band), file.nodata_of(asset.band))
                made[place] = to_grid(stored, window, grid, nodata=QUALITY_NODATA)
        except (InvalidInputError, PermanentFaultError) as error:
            reason = str(error).removeprefix(f"{asset.href}: ")
            raise SceneFaultError(scene, f"{scene.id}/{name}: {reason}") from error
    return made


def _within(source: Grid, target: Grid) -> Grid | None:
    """The window of a file's own pixels that a target needs; None if it has none of them."""
    window = source_window(source, target)
    if window is None:
        return None
    row, column = window.offset_in(source)
    top, left = max(row, 0), max(column, 0)
    bottom, right = min(row + window.height, source.height), min(column + window.width, source.width)
    return source.window(top, left, bottom - top, right - left)
