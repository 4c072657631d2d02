"""Scenes as an archive lists them, without files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landloom.model.granules import granule_footprint
from landloom.model.ids import GranuleId
from landloom.model.scene import Scene
from landloom.model.time import parse_instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from landloom.errors import Problem
    from landloom.model.time import Period


def listed(name: str, at: str, granule: str = "33UUR", **rest: Any) -> Scene:
    """A scene of a granule, all of which it shows."""
    square = GranuleId.parse(granule)
    said: dict[str, Any] = {"platform": "sentinel-2a", "orbit": 22, "bands": {}} | rest
    return Scene(
        id=name,
        time=parse_instant(at),
        granule=granule,
        epsg=square.zone.epsg,
        footprint=granule_footprint(square),
        **said,
    )


class Listing:
    """An archive of scenes in memory."""

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self.scenes = sorted(scenes, key=lambda one: (one.time, one.id))
        self.problems: tuple[Problem, ...] = ()

    def search(self, footprint: BaseGeometry, period: Period) -> tuple[Scene, ...]:
        return tuple(one for one in self.scenes if one.time in period and one.footprint.intersects(footprint))
