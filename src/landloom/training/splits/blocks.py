"""Blocks: groups of neighbouring samples that stay in one split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry as Geometry

    from landloom.query.index.sidecar import Sidecar

METRES_PER_DEGREE: Final = 111_195.0
"""Along a meridian of a sphere with the Earth's mean radius."""


def square_blocks(longitude: NDArray[np.float64], latitude: NDArray[np.float64], size: float) -> NDArray[np.int64]:
    """Number the squares of a world-wide grid of rows of one height, in which all squares are about equally wide.

    Args:
        longitude: (n,) degrees.
        latitude: (n,) degrees.
        size: of a square in metres.

    Returns:
        (n,) number of each point's block, from 0.

    Example:
        >>> square_blocks(np.array([13.0, 13.1, 14.0]), np.array([52.0, 52.0, 52.0]), 24_000).tolist()
        [0, 0, 1]
    """
    height = size / METRES_PER_DEGREE
    rows = np.floor(latitude / height).astype(np.int64)
    middle = np.radians(np.clip((rows + 0.5) * height, -89.9, 89.9))
    around = np.maximum(np.round(360 * METRES_PER_DEGREE * np.cos(middle) / size), 1).astype(np.int64)
    columns = np.floor((longitude % 360) / 360 * around).astype(np.int64)
    _, found = np.unique(rows * (columns.max(initial=0) + 1) + columns, return_inverse=True)
    return found.reshape(-1)


def tile_blocks(sidecar: Sidecar) -> NDArray[np.int64]:
    """(sample,) number of its tile or granule."""
    rows = np.arange(len(sidecar), dtype=np.int32)
    _, tiles = np.unique(sidecar.arrays["run_directory"], return_inverse=True)
    found: NDArray[np.int64] = tiles[sidecar.run_of(rows)]
    return found


def word_blocks(sidecar: Sidecar, name: str) -> NDArray[np.int64]:
    """(sample,) number of its stratum; −1 where it has none.

    Raises:
        InvalidInputError: no sample has one.
    """
    if name not in sidecar.arrays:
        raise InvalidInputError(f"no sample of this corpus is in a {name}, expected --by blocks or tile")
    return sidecar.codes(name).astype(np.int64) - 1


def region_blocks(
    longitude: NDArray[np.float64], latitude: NDArray[np.float64], regions: Sequence[Geometry]
) -> NDArray[np.int64]:
    """(n,) number of the region that each point lies in, the first of several; −1 outside all.

    Args:
        longitude: (n,) degrees.
        latitude: (n,) degrees.
        regions: in longitude and latitude.
    """
    points = np.array(shapely.points(longitude, latitude), object)
    at, region = shapely.STRtree(list(regions)).query(points, predicate="intersects")
    found = np.full(len(points), len(regions), np.int64)
    np.minimum.at(found, at, region)
    return np.where(found == len(regions), -1, found)
