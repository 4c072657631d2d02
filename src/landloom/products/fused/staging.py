"""Reading all overpasses of a sensor over the windows of a tile: observations, cloud masks, what became of each scene.

Each file is read once, whatever the number of windows, which overlap: its decoded tiles are in memory while all windows
are cut from it. Clear pixels are kept in a temporary file until their window is fused. A coarser sensor stays in its
own pixels if all of its scenes share them; else each is repeated on the grid of the product.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from math import ceil, floor, isclose
from typing import TYPE_CHECKING, Final, Self, TypeAlias

import numpy as np

from landloom.engine.pixels.attempts import without_broken
from landloom.engine.pixels.parallel import in_threads
from landloom.engine.pixels.reading import SceneFaultError, SceneReader
from landloom.engine.pixels.registration import SIDE, Registration, survey_band
from landloom.engine.pixels.scratch import Spool
from landloom.imagery.fusion.merging import merge_codes, merge_scene, packed, unpacked
from landloom.imagery.fusion.quality import CLOUD, cloud_codes
from landloom.imagery.fusion.sightings import Sightings
from landloom.imagery.registration.shifts import LEAST_SIDE
from landloom.imagery.resample import nearest_indices
from landloom.products.fused.sightings import SceneFacts
from landloom.store.window_reads import TileCache

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.imagery.composite import Observation
    from landloom.model.grid import Grid
    from landloom.model.scene import Scene
    from landloom.products.fused.sightings import Source

_TILES: Final = 128 * 2**20
_STEPS: Final = 2
"""Windows that displacements are measured in start at multiples of so many pixels of a sensor."""
_TINY: Final = 1e-6
NOT_ALIGNED: Final = Registration()
"""Scenes are read as they are."""
_Read: TypeAlias = "tuple[dict[str, SceneFacts], dict[str, Mapping[str, str]]]"
"""Scenes used, and how their masks were."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """A window of a tile, on the grid of the product."""

    grid: Grid
    near: NDArray[np.bool_]
    """(y, x) pixels wanted; nothing is kept of the others."""
    inside: NDArray[np.bool_] | None = None
    """(y, x) pixels whose cloud masks are wanted; None for none."""
    places: tuple[tuple[int, int], ...] = ()
    """Rows and columns about which displacements are measured."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Own:
    """A window in the pixels that a sensor is kept in."""

    grid: Grid
    rows: NDArray[np.int64] | None
    """As of `Sightings`."""
    columns: NDArray[np.int64] | None
    near: NDArray[np.bool_]
    inside: NDArray[np.int64] | None
    """Flat indices of the pixels whose cloud masks are wanted."""
    position: NDArray[np.int32]
    """(y, x) on the grid of the product: where the cloud mask of each pixel lies among these."""
    places: tuple[tuple[slice, slice], ...]
    """Rows and columns in which displacements are measured."""

    @classmethod
    def of(cls, window: Window, lattice: Grid | None, size: int) -> Self:
        """A window in the pixels of the product, or in those of a lattice that its grid is a part of.

        Args:
            window: of the tile.
            lattice: grid of any file of the sensor; None for the pixels of the product.
            size: pixels of the product along a side of the sensor's.
        """
        if lattice is None:
            own, rows, columns, near, inside = window.grid, None, None, window.near, window.inside
            middles = list(window.places)
        else:
            own = _covering(window.grid, lattice)
            rows, columns = nearest_indices(own, window.grid)
            near = _any(window.near, rows, columns, own.shape)
            inside = None if window.inside is None else _any(window.inside, rows, columns, own.shape)
            middles, size = [(int(rows[row]), int(columns[column])) for row, column in window.places], 1
        wanted = None if inside is None else np.flatnonzero(inside)
        position = np.zeros(own.shape, np.int32)
        if wanted is not None:
            position.ravel()[wanted] = np.arange(wanted.size)
        if rows is not None and columns is not None:
            position = position[rows][:, columns]
        spans = [(_span(row, own.height, size), _span(column, own.width, size)) for row, column in middles]
        places = dict.fromkeys((a.start, a.stop, a.step, b.start, b.stop, b.step) for a, b in spans if a and b)
        return cls(
            grid=own,
            rows=rows,
            columns=columns,
            near=near,
            inside=wanted,
            position=position,
            places=tuple((slice(*one[:3]), slice(*one[3:])) for one in places),
        )


def _covering(grid: Grid, lattice: Grid) -> Grid:
    """The pixels of a lattice that cover a grid."""
    width, height = lattice.pixel_width, lattice.pixel_height
    top = floor((lattice.north - grid.north) / height + _TINY)
    left = floor((grid.west - lattice.west) / width + _TINY)
    bottom = ceil((lattice.north - grid.south) / height - _TINY)
    right = ceil((grid.east - lattice.west) / width - _TINY)
    return lattice.window(top, left, bottom - top, right - left)


def _any(
    wanted: NDArray[np.bool_], rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """(y, x) coarse pixels that hold any wanted pixel."""
    found = np.zeros(shape, np.bool_)
    y, x = np.nonzero(wanted)
    found[rows[y], columns[x]] = True
    return found


def _span(middle: int, length: int, size: int) -> slice | None:
    """`SIDE` pixels of a sensor around a place, as far as the grid reaches; None if it is too small."""
    side = min(SIDE, length // size // _STEPS * _STEPS)
    if side < LEAST_SIDE:
        return None
    start = min(max(middle - side * size // 2, 0), length - side * size)
    return slice(start + size // 2, start + side * size, size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clouds:
    """Cloud masks of a window's wanted pixels: codes + 1, 0 without data."""

    codes: NDArray[np.uint8]
    """(kept overpass, wanted pixel)."""
    position: NDArray[np.int32]
    """(y, x) the wanted pixel that each pixel of the grid is, or lies in."""

    def part(self, part: tuple[slice, slice]) -> NDArray[np.uint8]:
        """(kept overpass, y, x) those of some rows and columns."""
        return self.codes.take(self.position[part], axis=1)


@dataclass(slots=True, kw_only=True)
class Staged:
    """What a sensor has seen of the windows of a tile."""

    source: Source
    windows: Sequence[_Own]
    aligned: Registration
    spool: Spool
    """Number of the window and of the overpass → what is kept of it."""
    watched: Sequence[tuple[NDArray[np.uint16], NDArray[np.bool_]]]
    """(overpass, y, x) a band and clear pixels of the windows that displacements are measured in."""
    used: dict[str, SceneFacts] = field(default_factory=dict)
    masked: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Scene → mask → how it was used and what was odd about it."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Broken scenes, with the reason."""
    uneven: bool = False
    """Whether a scene has other pixels than the sensor is kept in."""

    @classmethod
    def read(
        cls, source: Source, windows: Sequence[Window], stack: ExitStack, aligned: Registration = NOT_ALIGNED
    ) -> Self:
        """Read all overpasses, on the grid of the product.

        Args:
            source: of the sensor.
            windows: row by row.
            stack: closes temporary files.
            aligned: displacements to remove.

        Raises:
            TransientFaultError: a file is temporarily unreadable.
        """
        return cls._of(source, windows, stack, aligned, None)

    @classmethod
    def read_own(
        cls, source: Source, windows: Sequence[Window], stack: ExitStack, aligned: Registration = NOT_ALIGNED
    ) -> Self:
        """Read all overpasses in the sensor's own pixels, if these are coarser and all scenes share them."""
        lattice = _lattice(source, windows[0].grid) if source.footprint > 1 else None
        if lattice is not None:
            staged = cls._of(source, windows, stack, aligned, lattice)
            if not staged.uneven:
                return staged
        return cls._of(source, windows, stack, aligned, None)

    @classmethod
    def _of(
        cls,
        source: Source,
        windows: Sequence[Window],
        stack: ExitStack,
        aligned: Registration,
        lattice: Grid | None,
    ) -> Self:
        count, own = len(source.passes), [_Own.of(window, lattice, source.footprint) for window in windows]
        shapes = [(count, *np.empty(one.grid.shape, np.bool_)[part].shape) for one in own for part in one.places]
        watched = [(np.zeros(shape, np.uint16), np.zeros(shape, np.bool_)) for shape in shapes]
        staged = cls(source=source, windows=own, aligned=aligned, spool=Spool(stack), watched=watched)
        for (used, masked), left_out in in_threads(staged._overpass, range(count)):
            staged.used |= used
            staged.masked |= masked
            staged.left_out |= left_out
        return staged

    @property
    def kept(self) -> NDArray[np.int64]:
        """Overpasses that have any scene left."""
        groups = enumerate(self.source.passes)
        return np.array([n for n, group in groups if any(one.id not in self.left_out for one in group)], np.int64)

    @property
    def days(self) -> NDArray[np.float64]:
        """(kept overpass) days since 1970."""
        return self.source.days[self.kept]

    def room(self) -> NDArray[np.uint16]:
        """Memory for the values of any window, to be used for one after the other."""
        return np.empty(self.kept.size * len(self.source.bands) * max(one.near.size for one in self.windows), np.uint16)

    def sightings(self, number: int, room: NDArray[np.uint16] | None = None) -> tuple[Sightings, Clouds]:
        """Observations of a window, and its cloud masks.

        Args:
            number: of the window.
            room: of `room`, which holds the values.
        """
        own, kept, bands = self.windows[number], self.kept, len(self.source.bands)
        size = own.near.size
        shape = (kept.size, bands, *own.grid.shape)
        stack = np.empty(shape, np.uint16) if room is None else room[: kept.size * bands * size].reshape(shape)
        valid = np.empty((kept.size, *own.grid.shape), np.bool_)
        codes = np.zeros((kept.size, 0 if own.inside is None else own.inside.size), np.uint8)
        for n, index in enumerate(kept.tolist()):
            piece = np.frombuffer(self.spool.get(self._number(number, index)), np.uint8)
            end = piece.size - codes.shape[1]
            first = end - -(-size // 8)
            valid[n] = np.unpackbits(piece[first:end], count=size).reshape(own.grid.shape)
            codes[n] = piece[end:]
            unpacked(piece[:first].view(np.uint16).reshape(bands, -1), valid[n], stack[n])
        seen = Sightings(
            days=self.days,
            stack=stack,
            valid=valid,
            footprint=self.source.footprint,
            rows=own.rows,
            columns=own.columns,
        )
        return seen, Clouds(codes=codes, position=own.position)

    def _number(self, window: int, index: int) -> int:
        return window * len(self.source.passes) + index

    def _overpass(self, index: int) -> tuple[_Read, dict[str, str]]:
        far = self.aligned.left_out_of(self.source.passes[index])
        return without_broken(partial(self._attempt, index), far)

    def _attempt(self, index: int, left_out: Mapping[str, str]) -> _Read:
        """Read an overpass without some of its scenes; where several show a pixel, the first one counts."""
        for stack, valid in self.watched:
            stack[index], valid[index] = 0, False
        with ExitStack() as opened:
            some = [scene for scene in self.source.passes[index] if scene.id not in left_out]
            readers = [opened.enter_context(self._reader(scene)) for scene in some]
            self.uneven |= self.windows[0].rows is not None and not all(
                reader.nests(self.windows[0].grid) for reader in readers
            )
            if self.uneven:
                return {}, {}
            added = np.zeros(len(readers), np.bool_)
            place = 0
            for number, own in enumerate(self.windows):
                added |= self._window(readers, index, number, self.watched[place : place + len(own.places)])
                place += len(own.places)
            used = {one.scene.id: _facts(one) for one, any_ in zip(readers, added, strict=True) if any_}
            return used, {one.scene.id: one.masked for one in readers if one.masked}

    def _reader(self, scene: Scene) -> SceneReader:
        source = self.source
        return SceneReader(
            scene,
            bands=source.bands,
            mask=source.mask,
            tiles=TileCache(_TILES),
            displaced=self.aligned.displaced(scene.id),
            to_sun=source.to_sun,
        )

    def _window(
        self,
        readers: Sequence[SceneReader],
        index: int,
        number: int,
        watched: Sequence[tuple[NDArray[np.uint16], NDArray[np.bool_]]],
    ) -> NDArray[np.bool_]:
        """Keep what an overpass shows of a window; whether each scene has any clear pixel that is wanted."""
        own, added = self.windows[number], np.zeros(len(readers), np.bool_)
        codes = np.zeros(own.grid.shape, np.uint8)
        bands = np.zeros((len(self.source.bands), 0, 0), np.uint16)
        valid = np.zeros(own.grid.shape, np.bool_)
        for n, reader in enumerate(readers):
            seen = self._observed(reader, own, codes)
            if seen is None:
                continue
            if bands.size:
                added[n] = merge_scene(bands, valid, own.near, seen.bands, seen.valid)
            else:
                bands, valid = seen.bands, seen.valid & own.near
                added[n] = valid.any()
        inside = b"" if own.inside is None else codes.ravel()[own.inside].tobytes()
        values = packed(bands, valid) if bands.size else np.zeros((len(bands), 1), np.uint16)
        self.spool.add(self._number(number, index), b"".join((values.data, np.packbits(valid).data, inside)))
        if bands.size and watched:
            band = bands[self.source.bands.index(survey_band(self.source.bands, readers[0].scene))]
            for (stack, clear), part in zip(watched, own.places, strict=True):
                clear[index] = valid[part]
                stack[index] = np.where(valid[part], band[part], 0)
        return added

    def _observed(self, reader: SceneReader, own: _Own, codes: NDArray[np.uint8]) -> Observation | None:
        """What a scene shows of a window, whose cloud masks it completes."""
        layer = reader.sensor.classification
        classes = None if layer is None or own.inside is None else reader.classes(own.grid)
        if layer is not None and classes is not None:
            merge_codes(codes, cloud_codes(classes, layer))
        seen = reader.observe(own.grid)
        if seen is not None and layer is None:
            np.copyto(codes, np.where(seen.valid, np.uint8(1), np.uint8(CLOUD + 1)), where=seen.bands.max(axis=0) > 0)
        return seen


def _facts(reader: SceneReader) -> SceneFacts:
    return SceneFacts(
        clamped=reader.clamped,
        stored=reader.stored,
        validity=None if reader.sensor.classification is not None else reader.validity,
        nadir=None if reader.directions is None else reader.directions.record(),
    )


def _lattice(source: Source, grid: Grid) -> Grid | None:
    """Grid of the first file that can be read; None unless its pixels are the sensor's, in the CRS of a grid."""
    for scene in (one for group in source.passes for one in group):
        try:
            with SceneReader(scene, bands=source.bands, mask=source.mask) as reader:
                found = reader.grid(source.bands[0])
        except SceneFaultError:
            continue
        size = source.footprint * grid.pixel_width
        same = found.epsg == grid.epsg and isclose(found.pixel_width, size) and isclose(found.pixel_height, size)
        return found if same else None
    return None
