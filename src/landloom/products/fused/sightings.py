"""Reading all overpasses of a sensor over the windows of a tile: observations, cloud masks, what became of each scene.

Each file is read once, whatever the number of windows, which overlap: its decoded tiles are in memory while all windows
are cut from it. The observations are kept in arrays that lie in temporary files if they are large.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import numpy as np

from landloom.engine.pixels.attempts import without_broken
from landloom.engine.pixels.parallel import in_threads
from landloom.engine.pixels.reading import SceneReader
from landloom.engine.pixels.registration import Registration
from landloom.engine.pixels.scratch import release, scratch_arrays
from landloom.engine.units import Note, NoteKind
from landloom.imagery.fusion.fuse import Sightings
from landloom.imagery.fusion.merging import merge_codes, merge_scene
from landloom.imagery.fusion.quality import CLOUD, cloud_codes
from landloom.store.window_reads import TileCache

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import ExitStack
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.corpus.lineage import NadirRecord
    from landloom.engine.pixels.masks import PixelMask
    from landloom.model.grid import Grid
    from landloom.model.scene import Scene

_DAY: Final = 86_400.0
_TILES: Final = 128 * 2**20
IN_MEMORY: Final = 256 * 2**20
"""Bytes of a tile's observations up to which they are kept in memory."""


def day_of(instant: datetime) -> float:
    """Days since 1970."""
    return instant.timestamp() / _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A sensor's overpasses over a tile; a value that is sent to workers."""

    bands: tuple[str, ...]
    """In the order of the product."""
    mask: PixelMask
    passes: tuple[tuple[Scene, ...], ...]
    """In time order; scenes of neighbouring granules are one."""
    footprint: int
    """Pixels of the product along a side of the sensor's own pixel."""
    to_sun: float | None = None
    """Zenith of the sun, in degrees, that reflectance is brought to, seen from nadir; None to leave it as it is."""

    @property
    def read(self) -> tuple[str, ...]:
        """All bands that are read."""
        return self.mask.with_bands(self.bands)

    @property
    def days(self) -> NDArray[np.float64]:
        """(overpass) days since 1970."""
        return np.array([day_of(min(scene.time for scene in group)) for group in self.passes], np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFacts:
    """How a scene that was used has been read."""

    clamped: int
    """Valid pixels that the offset would have taken below 1."""
    stored: Mapping[str, str]
    """Band → what was done to its numbers beyond the offset."""
    validity: str | None
    """Source of the usable pixels, where the sensor has no classification."""
    nadir: NadirRecord | None = None
    """How it was brought to a nadir view, if the recipe asks for that."""


def nadir_notes(used: Mapping[str, SceneFacts]) -> tuple[Note, ...]:
    """How many scenes were not brought to a nadir view, and why, where the recipe asks for it.

    Args:
        used: scene → how it has been read.
    """
    reasons = Counter(facts.nadir.absent for facts in used.values() if facts.nadir is not None)
    return tuple(
        Note(kind=NoteKind.AS_SEEN, what=f"scenes not brought to nadir: {reason}", count=count)
        for reason, count in sorted((key, value) for key, value in reasons.items() if key is not None)
    )


NOT_ALIGNED: Final = Registration()
"""Scenes are read as they are."""
_Read: TypeAlias = "tuple[dict[str, SceneFacts], dict[str, Mapping[str, str]]]"
"""Scenes used, and how their masks were."""


@dataclass(slots=True, kw_only=True)
class Staged:
    """What a sensor has seen of the windows of a tile."""

    source: Source
    grids: Sequence[Grid]
    near: Sequence[NDArray[np.bool_]]
    aligned: Registration
    arrays: Mapping[str, NDArray[Any]]
    """`stack`, `valid`, `clouds` and number of the window → (overpass, …, y, x); clouds are codes + 1, 0 = no data."""
    used: dict[str, SceneFacts] = field(default_factory=dict)
    masked: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Scene → mask → how it was used and what was odd about it."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Broken scenes, with the reason."""

    @classmethod
    def read(
        cls,
        source: Source,
        grids: Sequence[Grid],
        near: Sequence[NDArray[np.bool_]],
        stack: ExitStack,
        aligned: Registration = NOT_ALIGNED,
    ) -> Self:
        """Read all overpasses.

        Args:
            source: of the sensor.
            grids: windows, row by row.
            near: (y, x) of each, the pixels wanted; nothing is kept of the others.
            stack: closes temporary files.
            aligned: displacements to remove.

        Raises:
            TransientFaultError: a file is temporarily unreadable.
        """
        count, bands = len(source.passes), len(source.bands)
        shapes: dict[str, tuple[tuple[int, ...], Any]] = {}
        for number, grid in enumerate(grids):
            shapes[f"stack {number}"] = (count, bands, *grid.shape), np.uint16
            shapes[f"valid {number}"] = (count, *grid.shape), np.bool_
            shapes[f"clouds {number}"] = (count, *grid.shape), np.uint8
        arrays = scratch_arrays(shapes, stack, IN_MEMORY)
        staged = cls(source=source, grids=grids, near=near, aligned=aligned, arrays=arrays)
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

    def sightings(self, number: int) -> tuple[Sightings, NDArray[np.uint8]]:
        """Observations of a window, and (kept overpass, y, x) its cloud masks: codes + 1, 0 without data."""
        arrays = [np.asarray(self.arrays[f"{name} {number}"]) for name in ("stack", "valid", "clouds")]
        kept = self.kept
        if kept.size < len(self.source.passes):
            arrays = [array[kept] for array in arrays]
            self.release(number)
        stack, valid, clouds = arrays
        return Sightings(days=self.days, stack=stack, valid=valid, footprint=self.source.footprint), clouds

    def release(self, number: int) -> None:
        """Give back the memory of a window."""
        for name in ("stack", "valid", "clouds"):
            release(self.arrays[f"{name} {number}"])

    def _overpass(self, index: int) -> tuple[_Read, dict[str, str]]:
        far = self.aligned.left_out_of(self.source.passes[index])
        made = without_broken(partial(self._attempt, index), far)
        for number in range(len(self.grids)):
            self.release(number)
        return made

    def _attempt(self, index: int, left_out: Mapping[str, str]) -> _Read:
        """Read an overpass without some of its scenes; where several show a pixel, the first one counts."""
        if left_out:
            for array in self.arrays.values():
                array[index] = 0
        used: dict[str, SceneFacts] = {}
        masked: dict[str, Mapping[str, str]] = {}
        bands, mask = self.source.bands, self.source.mask
        for scene in self.source.passes[index]:
            if scene.id in left_out:
                continue
            tiles, displaced = TileCache(_TILES), self.aligned.displaced(scene.id)
            to_sun = self.source.to_sun
            with SceneReader(scene, bands=bands, mask=mask, tiles=tiles, displaced=displaced, to_sun=to_sun) as reader:
                added = [self._merge(reader, index, number) for number in range(len(self.grids))]
                if reader.masked:
                    masked[scene.id] = reader.masked
                if any(added):
                    classified = reader.sensor.classification is not None
                    used[scene.id] = SceneFacts(
                        clamped=reader.clamped,
                        stored=reader.stored,
                        validity=None if classified else reader.validity,
                        nadir=None if reader.directions is None else reader.directions.record(),
                    )
        return used, masked

    def _merge(self, reader: SceneReader, index: int, number: int) -> bool:
        """Take what a scene adds to its overpass over a window; whether it has any valid pixel."""
        names = ("stack", "valid", "clouds")
        bands, valid, clouds = (np.asarray(self.arrays[f"{name} {number}"])[index] for name in names)
        layer, grid = reader.sensor.classification, self.grids[number]
        classes = None if layer is None else reader.classes(grid)
        if layer is not None and classes is not None:
            merge_codes(clouds, cloud_codes(classes, layer))
        seen = reader.observe(grid)
        if seen is None:
            return False
        if layer is None:
            data = seen.bands.max(axis=0) > 0
            np.copyto(clouds, np.where(seen.valid, np.uint8(1), np.uint8(CLOUD + 1)), where=data)
        return bool(merge_scene(bands, valid, self.near[number], seen.bands, seen.valid))
