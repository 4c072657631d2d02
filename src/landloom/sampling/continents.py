"""Continents of granules: the one with most of the granule's land."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

from landloom.errors import InvalidInputError
from landloom.model.granules import granule_footprint
from landloom.model.grid import WGS84, transformer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from landloom.model.ids import GranuleId

REGIONS: Final[Mapping[str, str]] = {
    "Africa": "Africa",
    "Asia": "Asia",
    "Australia": "Australia and Oceania",
    "Australia and Oceania": "Australia and Oceania",
    "Oceania": "Australia and Oceania",
    "Europe": "Europe",
    "North America": "North America",
    "South America": "South America",
}
"""Name in a layer or table → one of the six regions of LandCoverNet; others (Antarctica, open ocean) are ignored."""
_EQUAL_AREA: Final = 6933
"""EPSG code of the cylindrical equal-area projection for measuring land."""


def continents_of(
    granules: Sequence[GranuleId], shapes: Sequence[BaseGeometry], names: Sequence[str]
) -> list[str | None]:
    """The region with most land in each granule; ties go to the first by name; None without land.

    Args:
        granules: any.
        shapes: polygons of land in WGS84 within ±180°, any number per region.
        names: region of each; names that are not in `REGIONS` are ignored.

    Raises:
        InvalidInputError: none of the names is known.

    Example:
        >>> import shapely
        >>> from landloom.model.ids import GranuleId
        >>> west, east = shapely.box(10, 40, 15.5, 50), shapely.box(15.5, 40, 20, 50)
        >>> continents_of([GranuleId.parse("33TWL"), GranuleId.parse("33TXF")], [west, east], ["Europe", "Asia"])
        ['Asia', 'Asia']
    """
    regions = sorted(set(REGIONS.values()))
    known = [position for position, name in enumerate(names) if name in REGIONS]
    if not known:
        raise InvalidInputError(
            f"got the continents {sorted(set(map(str, names)))}, expected some of {sorted(REGIONS)}"
        )
    parts, owner = shapely.get_parts(np.array([shapes[i] for i in known], dtype=object), return_index=True)
    region = np.array([regions.index(REGIONS[names[i]]) for i in known])[owner]
    parts = shapely.make_valid(parts)
    land = np.zeros((len(granules), len(regions)))
    tree = shapely.STRtree(parts)
    for turn in (-360.0, 0.0, 360.0):
        outlines = _turned(granules, turn)
        which, hit = tree.query(outlines, predicate="intersects")
        if len(which):
            np.add.at(land, (which, region[hit]), _areas(shapely.intersection(outlines[which], parts[hit])))
    return [regions[int(row.argmax())] if row.any() else None for row in land]


def _turned(granules: Sequence[GranuleId], turn: float) -> NDArray[np.object_]:
    """Outlines, shifted eastward by some degrees."""
    outlines = np.array([granule_footprint(granule) for granule in granules], dtype=object)
    return np.asarray(shapely.transform(outlines, lambda points: points + np.array([turn, 0.0])), dtype=object)


def _areas(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Areas in square metres."""
    project = transformer(WGS84, _EQUAL_AREA)
    moved = shapely.transform(shapes, lambda points: np.column_stack(project.transform(points[:, 0], points[:, 1])))
    found: NDArray[np.float64] = shapely.area(moved)
    return found
