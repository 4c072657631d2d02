"""Distances between the footprints of samples, across zones and anywhere on Earth."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import shapely

from landloom.model.grid import transformer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Rows = NDArray[np.int64]
    Pairs = tuple[Rows, Rows]

GEOCENTRIC: Final = 4978
"""EPSG code of WGS84 in metres from the centre of the Earth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprints:
    """Footprints of samples in space, where distances need no map projection."""

    corners: NDArray[np.float64]
    """(n, 4, 3) geocentric metres."""
    centres: NDArray[np.float64]
    """(n, 3) geocentric metres."""
    up: NDArray[np.float64]
    """(n, 3) unit vectors that are vertical at the centres."""
    radius: float
    """Largest distance of a corner from its centre in metres."""

    @classmethod
    def of_degrees(cls, corners: NDArray[np.float64]) -> Self:
        """Footprints from their corners.

        Args:
            corners: (n, 4, 2) longitude and latitude in WGS84; beyond 180° where a footprint crosses that.

        Example:
            >>> square = np.array([[[0.01, 0.0], [0.01, 0.01], [0.0, 0.01], [0.0, 0.0]]])
            >>> made = Footprints.of_degrees(np.concatenate([square, square + [0.02, 0]]))
            >>> made.distances(np.array([0]), np.array([1])).round(1).tolist()
            [1113.2]
        """
        longitude, latitude = corners[..., 0].ravel(), corners[..., 1].ravel()
        space = transformer(4979, GEOCENTRIC).transform(longitude, latitude, np.zeros(len(longitude)))
        points = np.stack(space, axis=-1).reshape(-1, 4, 3)
        centres = points.mean(axis=1)
        lon, lat = np.radians(corners.mean(axis=1)).T
        up = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
        reach = np.linalg.norm(points - centres[:, None], axis=2)
        return cls(corners=points, centres=centres, up=up, radius=float(reach.max(initial=0)))

    def distances(self, first: Rows, second: Rows) -> NDArray[np.float64]:
        """Distances between footprints, pair by pair; 0 where they touch.

        Both are drawn on the plane that touches the Earth between them, which is right to 0.01 % up to 100 km.

        Args:
            first: (m,) rows.
            second: (m,) rows.

        Returns:
            (m,) metres.
        """
        if not len(first):
            return np.empty(0)
        normal = self.up[first] + self.up[second]
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        axis = np.where(np.abs(normal[:, 2:]) > 0.9, [[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]])
        right = np.cross(axis, normal)
        right /= np.linalg.norm(right, axis=1, keepdims=True)
        plane = np.stack([right, np.cross(normal, right)], axis=1)
        origin = self.centres[first][:, None]
        shapes = [
            shapely.polygons(np.einsum("mcx,mpx->mcp", self.corners[rows] - origin, plane)) for rows in (first, second)
        ]
        found: NDArray[np.float64] = shapely.distance(*shapes)
        return found


def near_pairs(places: Footprints, split: NDArray[np.integer], reach: float) -> Iterator[tuple[tuple[int, int], Pairs]]:
    """Pairs of samples of two splits whose footprints may lie nearer than a distance; none that do is missing.

    Args:
        places: the footprints.
        split: (n,) number of each sample's split, −1 for none.
        reach: the distance in metres.

    Yields:
        Numbers of two splits, the smaller first; rows of the first and of the second, pair by pair.
    """
    from scipy.spatial import cKDTree

    limit = np.nextafter(reach + 2 * places.radius, np.inf)
    groups = {int(code): np.flatnonzero(split == code) for code in np.unique(split[split >= 0])}
    trees = {code: cKDTree(places.centres[rows]) for code, rows in groups.items()}
    for first, second in combinations(groups, 2):
        left, right = (
            groups[own][
                np.isfinite(trees[other].query(places.centres[groups[own]], distance_upper_bound=limit, workers=-1)[0])
            ]
            for own, other in ((first, second), (second, first))
        )
        yield (first, second), _within(places, left, right, limit)


def nearer(places: Footprints, rows: Rows, others: Rows, reach: float) -> NDArray[np.bool_]:
    """Which samples have one of another group nearer than a distance.

    Args:
        places: the footprints.
        rows: the samples.
        others: the other group, at least one.
        reach: the distance in metres.

    Returns:
        (row,) whether there is one.
    """
    from scipy.spatial import cKDTree

    limit = np.nextafter(reach + 2 * places.radius, np.inf)
    between, _ = cKDTree(places.centres[others]).query(places.centres[rows], distance_upper_bound=limit, workers=-1)
    found: NDArray[np.bool_] = between < reach  # footprints are never farther apart than their centres
    unsure = rows[~found & (between <= limit)]
    pairs = _within(places, unsure, others, limit)
    return found | np.isin(rows, pairs[0][places.distances(*pairs) < reach])


def nearest(places: Footprints, first: Rows, second: Rows) -> tuple[float, int]:
    """Distance of the two nearest footprints of two groups of samples.

    Args:
        places: the footprints.
        first: rows of one group, at least one.
        second: rows of the other, at least one.

    Returns:
        Metres; and the number of pairs that were measured. All others are farther apart.
    """
    from scipy.spatial import cKDTree

    if len(first) > len(second):
        first, second = second, first
    tree = cKDTree(places.centres[second])
    between, _ = tree.query(places.centres[first], workers=-1)
    limit = np.nextafter(between.min() + 2 * places.radius, np.inf)
    back, _ = cKDTree(places.centres[first]).query(places.centres[second], distance_upper_bound=limit, workers=-1)
    pairs = _within(places, first[between <= limit], second[np.isfinite(back)], limit)
    return float(places.distances(*pairs).min()), len(pairs[0])


def _within(places: Footprints, first: Rows, second: Rows, limit: float) -> Pairs:
    """Pairs whose centres are at most so far apart."""
    from scipy.spatial import cKDTree

    if not (len(first) and len(second)):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    found = cKDTree(places.centres[first]).sparse_distance_matrix(
        cKDTree(places.centres[second]), limit, output_type="ndarray"
    )
    return first[found["i"]], second[found["j"]]
