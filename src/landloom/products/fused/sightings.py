"""Reading all overpasses of a sensor over a window: observations, cloud masks, and what became of each scene."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.engine.pixels.masks import joined_uses
from landloom.engine.pixels.reading import SceneReader
from landloom.imagery.fusion.fuse import Sightings
from landloom.imagery.fusion.quality import CLOUD, QUALITY_NODATA, cloud_codes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.engine.pixels.masks import PixelMask
    from landloom.imagery.composite import Observation
    from landloom.model.grid import Grid
    from landloom.model.scene import Scene

_DAY: Final = 86_400.0


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

    @property
    def read(self) -> tuple[str, ...]:
        """All bands that are read."""
        return self.mask.with_bands(self.bands)

    @property
    def days(self) -> NDArray[np.float64]:
        """(overpass) days since 1970."""
        return np.array([day_of(min(scene.time for scene in group)) for group in self.passes], np.float64)


@dataclass(slots=True, kw_only=True)
class Attempt:
    """What became of the scenes in one attempt at a tile."""

    used: set[str] = field(default_factory=set)
    clamped: dict[str, int] = field(default_factory=dict)
    stored: dict[str, dict[str, str]] = field(default_factory=dict)
    validity: dict[str, str] = field(default_factory=dict)
    masked: dict[str, dict[str, str]] = field(default_factory=dict)

    def read(self, source: Source, grid: Grid) -> tuple[Sightings, NDArray[np.uint16]]:
        """Observations of a window, and (overpass, y, x) its cloud masks.

        Raises:
            SceneFaultError: a scene is broken.
            TransientFaultError: a file is temporarily unreadable.
        """
        count = len(source.passes)
        stack = np.zeros((count, len(source.bands), *grid.shape), np.uint16)
        valid = np.zeros((count, *grid.shape), np.bool_)
        clouds = np.full((count, *grid.shape), QUALITY_NODATA, np.uint16)
        for number, group in enumerate(source.passes):
            for scene in group:
                with SceneReader(scene, bands=source.bands, mask=source.mask) as reader:
                    self._merge(reader, grid, stack[number], valid[number], clouds[number])
        made = Sightings(days=source.days, stack=stack, valid=valid, footprint=source.footprint)
        return made, clouds

    def _merge(
        self,
        reader: SceneReader,
        grid: Grid,
        bands: NDArray[np.uint16],
        valid: NDArray[np.bool_],
        clouds: NDArray[np.uint16],
    ) -> None:
        """Take what a scene adds to its overpass; where several show a pixel, the first one counts."""
        layer = reader.sensor.classification
        classes = None if layer is None else reader.classes(grid)
        seen: Observation | None = reader.observe(grid)
        if layer is not None and classes is not None:
            own = cloud_codes(classes, layer)
            np.copyto(clouds, own, where=clouds == QUALITY_NODATA)
        if reader.masked:
            known = self.masked.get(reader.scene.id, {})
            self.masked[reader.scene.id] = joined_uses(known, reader.masked)
        if seen is None:
            return
        if layer is None:
            data = seen.bands.max(axis=0) > 0
            np.copyto(clouds, np.where(seen.valid, np.uint16(0), np.uint16(CLOUD)), where=data)
        fresh = seen.valid & ~valid
        np.copyto(bands, seen.bands, where=fresh[None])
        valid |= fresh
        scene = reader.scene.id
        self.used.add(scene)
        self.stored[scene] = reader.stored
        if reader.clamped:
            self.clamped[scene] = self.clamped.get(scene, 0) + reader.clamped
        if layer is None:
            self.validity[scene] = reader.validity


def without(passes: Sequence[Sequence[Scene]], left_out: Any) -> tuple[tuple[Scene, ...], ...]:
    """Overpasses without some scenes, and without those that are empty then."""
    kept = (tuple(scene for scene in group if scene.id not in left_out) for group in passes)
    return tuple(group for group in kept if group)
