"""Reading all overpasses of a sensor over the windows of a tile: observations, cloud masks, what became of each scene.

Each file is read once, whatever the number of windows, which overlap: its decoded tiles are in memory while all windows
are cut from it, and close ones from a box around them. Clear pixels are kept in a temporary file until their window is
fused. A coarser sensor stays in its own pixels if all of its scenes share them; else each is repeated on the grid of
the product.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from math import isclose
from typing import TYPE_CHECKING, Final, Self, TypeAlias

import numpy as np

from landloom.engine.pixels.attempts import without_broken
from landloom.engine.pixels.parallel import in_threads
from landloom.engine.pixels.reading import SceneFaultError, SceneReader
from landloom.engine.pixels.registration import Registration, survey_band
from landloom.engine.pixels.scratch import Spool
from landloom.imagery.fusion.merging import clear_runs, merge_codes, merge_scene, packed, unpacked
from landloom.imagery.fusion.quality import CLOUD, cloud_codes
from landloom.imagery.fusion.sightings import Sightings
from landloom.products.fused.sightings import SceneFacts
from landloom.products.fused.windows import OwnWindow, boxes
from landloom.store.window_reads import TileCache

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.imagery.composite import Observation
    from landloom.model.grid import Grid
    from landloom.model.scene import Scene
    from landloom.products.fused.sightings import Source
    from landloom.products.fused.windows import Box, Window

_TILES: Final = 128 * 2**20
NOT_ALIGNED: Final = Registration()
"""Scenes are read as they are."""
_Read: TypeAlias = "tuple[dict[str, SceneFacts], dict[str, Mapping[str, str]]]"
"""Scenes used, and how their masks were."""


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
    windows: Sequence[OwnWindow]
    boxes: Sequence[Box]
    """In which they are read."""
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
        count, own = len(source.passes), [OwnWindow.of(window, lattice, source.footprint) for window in windows]
        shapes = [(count, *np.empty(one.grid.shape, np.bool_)[part].shape) for one in own for part in one.places]
        watched = [(np.zeros(shape, np.uint16), np.zeros(shape, np.bool_)) for shape in shapes]
        read = boxes(own)
        staged = cls(source=source, windows=own, boxes=read, aligned=aligned, spool=Spool(stack), watched=watched)
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
            unpacked(piece[:first].view(np.uint16).reshape(bands, -1), clear_runs(piece[first:end], size), stack[n])
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
            if self.windows[0].rows is not None and not all(one.nests(self.windows[0].grid) for one in readers):
                self.uneven = True  # never `|=`: between its reading and its writing another thread may set it
            if self.uneven:
                return {}, {}
            added = np.zeros(len(readers), np.bool_)
            for box in self.boxes:
                added |= self._box(readers, index, box)
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

    def _box(self, readers: Sequence[SceneReader], index: int, box: Box) -> NDArray[np.bool_]:
        """Keep what an overpass shows of a box's windows; whether each scene has any clear pixel that is wanted."""
        added, codes = np.zeros(len(readers), np.bool_), np.zeros(box.grid.shape, np.uint8)
        bands = np.zeros((len(self.source.bands), 0, 0), np.uint16)
        valid = np.zeros(box.grid.shape, np.bool_)
        for n, reader in enumerate(readers):
            seen = self._observed(reader, box.grid, codes)
            if seen is None:
                continue
            if bands.size:
                added[n] = merge_scene(bands, valid, box.near, seen.bands, seen.valid)
            else:
                bands, valid = seen.bands, seen.valid & box.near
                added[n] = valid.any()
        for number, part in box.windows:
            own = bands[:, *part] if bands.size else bands
            self._keep(index, number, own, valid[part] & self.windows[number].near, codes[part])
        if bands.size and self.watched:
            self._watch(index, box, bands[self._watched_band(readers[0].scene)], valid)
        return added

    def _keep(
        self,
        index: int,
        number: int,
        bands: NDArray[np.uint16],
        valid: NDArray[np.bool_],
        codes: NDArray[np.uint8],
    ) -> None:
        """Keep what an overpass shows of a window."""
        inside, bits = self.windows[number].inside, np.packbits(valid)
        values = packed(bands, clear_runs(bits, valid.size)) if bands.size else bands
        wanted = b"" if inside is None else codes.ravel()[inside].tobytes()
        self.spool.add(self._number(number, index), values.tobytes(), bits.data, wanted)

    def _watched_band(self, scene: Scene) -> int:
        return self.source.bands.index(survey_band(self.source.bands, scene))

    def _watch(self, index: int, box: Box, band: NDArray[np.uint16], valid: NDArray[np.bool_]) -> None:
        """Keep what displacements are measured in."""
        for number, part in box.windows:
            own = self.windows[number]
            first = sum(len(one.places) for one in self.windows[:number])
            for (stack, clear), place in zip(self.watched[first:], own.places, strict=False):
                clear[index] = (valid[part] & own.near)[place]
                stack[index] = np.where(clear[index], band[part][place], 0)

    def _observed(self, reader: SceneReader, grid: Grid, codes: NDArray[np.uint8]) -> Observation | None:
        """What a scene shows of a box, whose cloud masks it completes."""
        layer = reader.sensor.classification
        needless = layer is None or all(own.inside is None for own in self.windows)
        classes = None if needless else reader.classes(grid)
        if layer is not None and classes is not None:
            merge_codes(codes, cloud_codes(classes, layer))
        seen = reader.observe(grid)
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
