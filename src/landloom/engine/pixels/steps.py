"""One timestep of a tile: block by block, what its scenes show is read and reduced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.lineage import LeftOut, LineageStep, SceneRecord
from landloom.engine.pixels.ahead import read_ahead
from landloom.engine.pixels.blocks import strips
from landloom.engine.pixels.parallel import in_threads
from landloom.engine.pixels.reading import SceneReader
from landloom.engine.reducers import LayerReducer
from landloom.imagery.layers import merged
from landloom.kernels import load_compiler

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from landloom.engine.pixels.blocks import Block
    from landloom.engine.pixels.masks import PixelMask
    from landloom.engine.pixels.registration import Registration
    from landloom.engine.reducers import Reducer
    from landloom.imagery.layers import Layer
    from landloom.model.grid import Grid
    from landloom.model.product import Product
    from landloom.model.scene import Scene
    from landloom.model.time import Timestep

MOST_OPEN: Final = 48
"""Overpasses whose files stay open across blocks: each has a dozen, and processes may open a thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was made of a block."""

    arrays: list[NDArray[Any]]
    """(band, y, x) of each product."""
    counts: NDArray[np.uint16]
    """(y, x) number of valid observations."""

    def rows(self, first: int, height: int) -> Made:
        """The part of some rows, as views."""
        own = slice(first, first + height)
        return Made(arrays=[array[:, own] for array in self.arrays], counts=self.counts[own])


def _ready() -> None:
    """Import the compiler of kernels while the first files are opened."""
    load_compiler()


def _after(last: Future[None], then: Callable[[], None]) -> None:
    last.result()
    then()


@dataclass(slots=True, kw_only=True)
class StepAttempt:
    """An attempt at a timestep with the scenes that are still considered usable, and what it tells of them."""

    products: Sequence[Product]
    reducer: Reducer
    bands: Sequence[str]
    """Bands read from each scene, in this order."""
    mask: PixelMask
    aligned: Registration
    passes: list[list[Scene]]
    clamped: dict[str, int] = field(default_factory=dict)
    stored: dict[str, dict[str, str]] = field(default_factory=dict)
    validity: dict[str, str] = field(default_factory=dict)
    """Of scenes whose usable pixels no classification tells."""
    masked: dict[str, dict[str, str]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    covered: set[str] = field(default_factory=set)
    """Scenes all of whose usable pixels of a grid other granules of the overpass show."""

    def blocks(self, wanted: Sequence[Block], take: Callable[[Block, Made], None]) -> None:
        """Read and reduce blocks; while one is reduced and taken, the next is read.

        Args:
            wanted: blocks of the tile.
            take: called with each in turn, and what was made of it.
        """
        with ExitStack() as stack:
            reducing = stack.enter_context(ThreadPoolExecutor(1))
            last: Future[None] = reducing.submit(_ready)
            readers = [[stack.enter_context(self._reader(scene)) for scene in group] for group in self.passes]
            every = [reader for group in readers for reader in group]
            parts = [list(strips(block.grid, len(readers), len(self.bands))) for block in wanted]
            for number in stack.enter_context(closing(self._ordered(readers, parts))):
                shape = wanted[number].grid.shape
                whole = [np.zeros((max(len(one.bands), 1), *shape), one.dtype) for one in self.products]
                made = Made(arrays=whole, counts=np.zeros(shape, np.uint16))
                for row, strip in parts[number]:
                    passes = in_threads(partial(self._pass, strip=strip), readers)
                    last.result()
                    last = reducing.submit(self._reduce, passes, made.rows(row, strip.height))
                # in the same thread as what was reduced before it
                last = reducing.submit(copy_context().run, _after, last, partial(take, wanted[number], made))
            last.result()
            self._note(every)

    def _note(self, readers: Sequence[SceneReader]) -> None:
        """Keep how scenes were read."""
        self.clamped = {reader.scene.id: reader.clamped for reader in readers if reader.clamped}
        self.stored = {reader.scene.id: reader.stored for reader in readers}
        self.masked = {reader.scene.id: reader.masked for reader in readers if reader.masked}
        self.covered = {reader.scene.id for reader in readers if reader.is_covered}
        self.validity = {one.scene.id: one.validity for one in readers if one.sensor.classification is None}

    def _ordered(
        self, readers: Sequence[Sequence[SceneReader]], parts: Sequence[Sequence[tuple[int, Grid]]]
    ) -> Generator[int, None, None]:
        """Numbers of the blocks; what they need is fetched ahead, unless too many files would be open."""
        if len(self.passes) > MOST_OPEN:
            yield from range(len(parts))
        else:
            yield from read_ahead(readers, [[grid for _, grid in part] for part in parts])

    def _reader(self, scene: Scene) -> SceneReader:
        displaced = self.aligned.displaced(scene.id)
        return SceneReader(scene, bands=self.bands, mask=self.mask, displaced=displaced)

    def _reduce(self, passes: Sequence[Sequence[Layer]], made: Made) -> None:
        counts = made.counts
        for array, part in zip(made.arrays, self._reduced(passes, (counts.shape[0], counts.shape[1])), strict=True):
            array[...] = part
        for layers in passes:
            for layer in layers:
                counts += layer.valid

    def _reduced(self, passes: Sequence[Sequence[Layer]], shape: tuple[int, int]) -> Sequence[NDArray[Any]]:
        reducer, bands = self.reducer, len(self.bands)
        if isinstance(reducer, LayerReducer):
            return reducer.reduce_layers([layer for layers in passes for layer in layers], shape, bands)
        return reducer.reduce([merged(layers) for layers in passes if layers], shape, bands)

    def _pass(self, group: Sequence[SceneReader], strip: Grid) -> list[Layer]:
        """The layers of one overpass; if several granules show a pixel, the first one counts."""
        layers: list[Layer] = []
        shown: NDArray[np.bool_] | None = None
        for reader in group:
            layer = reader.layer(strip, shown)
            if len(self.passes) > MOST_OPEN:
                reader.release()
            if layer is not None:
                self.used.add(reader.scene.id)
                layers.append(layer)
                shown = layer.valid if shown is None else shown | layer.valid
        return layers

    def lineage(
        self, step: Timestep, wanted: Sequence[Scene], left_out: Mapping[str, str], observations: float
    ) -> LineageStep:
        """The scenes behind the timestep.

        Args:
            step: the timestep.
            wanted: its scenes.
            left_out: scene → reason of those that could not be used.
            observations: mean number of valid ones per pixel.
        """
        used = [scene for scene in wanted if scene.id in self.used]
        unused = {scene.id for scene in wanted if scene.id not in self.used and scene.id not in left_out}
        covered = unused & self.covered
        return LineageStep(
            timestep=step.name,
            scenes=tuple(
                SceneRecord.of(
                    scene,
                    clamped=self.clamped.get(scene.id, 0),
                    level=False,
                    validity=self.validity.get(scene.id),
                    stored=self.stored.get(scene.id),
                    shift=self.aligned.record(scene.id),
                )
                for scene in sorted(used, key=lambda one: (one.time, one.id))
            ),
            without_valid_pixels=tuple(sorted(unused - covered)),
            without_new_pixels=tuple(sorted(covered)) or None,
            left_out=tuple(LeftOut(id=scene, reason=reason) for scene, reason in sorted(left_out.items())),
            masks=dict(sorted(self.masked.items())) or None,
            observations=observations,
        )
