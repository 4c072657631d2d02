"""Where granules overlap, the ground belongs to the one whose centre is nearer, so that their chips never overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.model.granules import EXTENT, granule_grid
from landloom.model.grid import WGS84, transformer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from landloom.model.ids import GranuleId

CELL: Final = 600
"""Metres of a cell of `own_ground`; divides the extent of a granule."""
_RADIUS: Final = 6_378_137.0
"""Metres from the centre of the Earth to the equator."""
_WITHIN: Final = CELL * 0.75
"""At least the metres from a cell's centre to any of its points."""


def own_ground(granule: GranuleId, neighbours: Iterable[GranuleId]) -> NDArray[np.bool_]:
    """The cells of 600 m of a granule that no neighbour may put chips on, with this same rule.

    A place in several granules belongs to the one with the nearest centre (as the crow flies, whatever the zones), so
    it does not matter in which order granules are drawn, nor whether one of them is drawn at all. Cells that the
    border between two of them may cross belong to neither.

    Args:
        granule: the granule.
        neighbours: other granules, near or far; the granule itself is passed over.

    Returns:
        (row, column) of 183 × 183 cells, row 0 north; all True without an overlapping neighbour.

    Example:
        >>> from landloom.model.ids import GranuleId
        >>> kept = own_ground(GranuleId.parse("33TWL"), [GranuleId.parse("33TXL")])
        >>> kept[:, 0].all(), kept[:, -1].any(), round(float(kept.mean()), 2)
        (np.True_, np.False_, 0.95)
    """
    grid = granule_grid(granule, CELL)
    x = grid.west + CELL * (np.arange(grid.width) + 0.5)
    y = grid.north - CELL * (np.arange(grid.height) + 0.5)
    longitude, latitude = transformer(grid.epsg, WGS84).transform(*np.meshgrid(x, y))
    places = _on_the_globe(np.asarray(longitude), np.asarray(latitude))
    kept = np.ones(grid.shape, dtype=np.bool_)
    own = _centre(granule)
    for other in neighbours:
        theirs = _centre(other)
        if other == granule or np.linalg.norm(theirs - own) > 2 * EXTENT:
            continue
        nearer = np.linalg.norm(places - own, axis=-1) + 2 * _WITHIN < np.linalg.norm(places - theirs, axis=-1)
        kept &= nearer | ~_reaches(other, np.asarray(longitude), np.asarray(latitude))
    return kept


def neighbours_of(granules: Iterable[GranuleId]) -> dict[GranuleId, tuple[GranuleId, ...]]:
    """Each granule's neighbours among all of them: those that `own_ground` takes some of its cells for.

    Example:
        >>> from landloom.model.ids import GranuleId
        >>> near = neighbours_of([GranuleId.parse(name) for name in ("33TWL", "33TXL", "33TXF")])
        >>> [[str(one) for one in near[granule]] for granule in near]
        [['33TXL'], ['33TWL'], []]
    """
    listed = list(granules)
    if not listed:
        return {}
    centres = np.array([_centre(one) for one in listed])
    apart = np.linalg.norm(centres[:, None] - centres, axis=-1)
    found = {}
    for row, granule in enumerate(listed):
        near = [listed[at] for at in np.flatnonzero(apart[row] <= 2 * EXTENT).tolist() if at != row]
        found[granule] = tuple(one for one in near if not own_ground(granule, [one]).all())
    return found


def _centre(granule: GranuleId) -> NDArray[np.float64]:
    grid = granule_grid(granule, CELL)
    west, south, east, north = grid.bounds
    longitude, latitude = transformer(grid.epsg, WGS84).transform((west + east) / 2, (south + north) / 2)
    return _on_the_globe(np.asarray(longitude), np.asarray(latitude))


def _on_the_globe(longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """(…, 3) metres from the centre of a sphere of the Earth's size."""
    turn, height = np.radians(longitude), np.radians(latitude)
    return _RADIUS * np.stack([np.cos(height) * np.cos(turn), np.cos(height) * np.sin(turn), np.sin(height)], axis=-1)


def _reaches(granule: GranuleId, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> NDArray[np.bool_]:
    """True where a granule covers any point of the cells with these centres."""
    west, south, east, north = granule_grid(granule, CELL).bounds
    x, y = (np.asarray(v) for v in transformer(WGS84, granule.zone.epsg).transform(longitude, latitude))
    inside: NDArray[np.bool_] = (x > west - _WITHIN) & (x < east + _WITHIN)
    return inside & (y > south - _WITHIN) & (y < north + _WITHIN)
