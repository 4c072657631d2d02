"""The known land cover: parcels of a Voronoi mosaic, whose class follows smooth fields, crossed by rivers.

Raster and polygons have one definition: a pixel has the class of the polygon that contains its centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.simulate.noise import fractal, nearest_seed, seed_points, uniform
from landloom.simulate.scene_frame import positions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.model.grid import Bounds, Grid
    from landloom.simulate.spec import WorldSpec

_TURN: Final = radians(24.0)
_RIVER_TURN: Final = radians(-35.0)
_RIVER_NODE: Final = 120.0
_RIVER_SPACING: Final = 5_200.0
_RIVER_SWING: Final = 1_500.0
WATER_COURSE: Final = 511
"""CORINE code of rivers."""
STILL_WATER: Final = 512
"""CORINE code of lakes; rivers end at their shores."""

LANDCOVERNET: Final = {
    1: (511, 512),
    2: (111, 112, 121),
    3: (332, 333),
    5: (221, 222, 311, 312, 313, 324),
    6: (211, 242, 243),
    7: (141, 231, 321, 322, 411),
}
"""LandCoverNet class → corresponding CORINE codes of this world."""


def reclassify(codes: NDArray[np.uint16], classes: Mapping[int, Sequence[int]]) -> NDArray[np.uint8]:
    """Convert CORINE codes to another legend, such as `LANDCOVERNET`; 0 for codes without a class.

    Example:
        >>> reclassify(np.array([311, 512], dtype=np.uint16), LANDCOVERNET).tolist()
        [5, 1]
    """
    lookup = np.zeros(1_000, dtype=np.uint8)
    for number, members in classes.items():
        lookup[list(members)] = number
    numbers: NDArray[np.uint8] = lookup[codes]
    return numbers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorldParcels:
    """A rectangle of the mosaic's lattice, as tables; the number of a parcel is its row in them."""

    i: NDArray[np.int64]
    """(parcel) lattice coordinate along the length of parcels."""
    j: NDArray[np.int64]
    """(parcel) lattice coordinate across it."""
    code: NDArray[np.uint16]
    """(parcel) CORINE code."""


def lattice(
    spec: WorldSpec, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions in the frame → lattice units of the parcel mosaic."""
    length, width = spec.field
    return (x * cos(_TURN) + y * sin(_TURN)) / length, (y * cos(_TURN) - x * sin(_TURN)) / width


def unlattice(
    spec: WorldSpec, u: NDArray[np.float64], v: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lattice units of the parcel mosaic → positions in the frame."""
    along, across = u * spec.field[0], v * spec.field[1]
    return along * cos(_TURN) - across * sin(_TURN), along * sin(_TURN) + across * cos(_TURN)


def parcel_codes(spec: WorldSpec, i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.uint16]:
    """CORINE code of parcels, given by their lattice coordinates.

    Args:
        spec: spec of the world.
        i: any shape.
        j: the same shape.

    Returns:
        The shape of `i`, before rivers.
    """
    seed = spec.seed * 1_000
    x, y = unlattice(spec, *seed_points(i, j, seed))
    height = fractal(x, y, scale=7_000.0, octaves=4, seed=seed + 10)
    moist = fractal(x, y, scale=2_800.0, octaves=3, seed=seed + 20)
    town = fractal(x, y, scale=2_600.0, octaves=3, seed=seed + 30)
    kind = fractal(x, y, scale=1_500.0, octaves=2, seed=seed + 40)
    chance = uniform(i, j, seed + 50)
    dry = (height > 0.36) & (height < 0.66)
    rules = (
        (height < 0.255, 512),
        (height < 0.275, 411),
        ((town > 0.745) & dry, 111),
        ((town > 0.67) & dry & (chance < 0.14), 121),
        ((town > 0.67) & dry & (chance > 0.93), 141),
        ((town > 0.67) & dry, 112),
        (height > 0.72, 332),
        (height > 0.69, 333),
        ((height > 0.66) & (chance < 0.6), 322),
        ((moist > 0.55) & (chance < 0.05), 324),
        ((moist > 0.55) & (kind < 0.46), 312),
        ((moist > 0.55) & (kind > 0.54), 311),
        (moist > 0.55, 313),
        ((moist > 0.525) & (chance < 0.35), 321),
        (moist > 0.525, 231),
        (chance < 0.16, 231),
        (chance < 0.24, 242),
        (chance < 0.29, 243),
        ((chance < 0.33) & (kind > 0.5), 221),
        ((chance < 0.33), 222),
        ((town > 0.62) & (chance > 0.94), 112),
    )
    return np.select([rule for rule, _ in rules], [code for _, code in rules], default=211).astype(np.uint16)


def parcels_of(spec: WorldSpec, grid: Grid) -> tuple[WorldParcels, NDArray[np.int32]]:
    """The parcels that overlap a grid, and the number of the parcel at every pixel centre.

    Returns:
        The tables, and a (y, x) array of rows in them.
    """
    i, j = nearest_seed(*lattice(spec, *positions(grid)), spec.seed * 1_000)
    first_i, first_j = int(i.min()), int(j.min())
    rows, columns = int(i.max()) - first_i + 1, int(j.max()) - first_j + 1
    all_i = np.repeat(np.arange(rows) + first_i, columns)
    all_j = np.tile(np.arange(columns) + first_j, rows)
    number = ((i - first_i) * columns + (j - first_j)).astype(np.int32)
    return WorldParcels(i=all_i, j=all_j, code=parcel_codes(spec, all_i, all_j)), number


def river_mask(spec: WorldSpec, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether there is a river at each position of the frame."""
    if not spec.rivers:
        return np.zeros(x.shape, dtype=np.bool_)
    p = x * cos(_RIVER_TURN) + y * sin(_RIVER_TURN)
    q = y * cos(_RIVER_TURN) - x * sin(_RIVER_TURN)
    number = np.round(q / _RIVER_SPACING).astype(np.int64)
    place = p / _RIVER_NODE
    node = np.floor(place).astype(np.int64)
    share = place - node
    flow = np.zeros_like(p)
    for river in range(int(number.min()), int(number.max()) + 1):
        nodes = np.arange(node.min(), node.max() + 2)
        line = _river_line(spec, river, nodes)
        here = number == river
        k = node[here] - nodes[0]
        flow[here] = line[k] * (1.0 - share[here]) + line[k + 1] * share[here]
    return np.abs(q - flow) < _half_width(number)


def _river_line(spec: WorldSpec, river: int, nodes: NDArray[np.int64]) -> NDArray[np.float64]:
    along = (nodes * _RIVER_NODE).astype(np.float64)
    swing = fractal(
        along, np.full(nodes.shape, 0.5), scale=2_400.0, octaves=3, seed=spec.seed * 1_000 + 60 + river % 97
    )
    return river * _RIVER_SPACING + (swing - 0.5) * 2.0 * _RIVER_SWING


def _half_width(river: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(river % 2 == 0, 42.0, 24.0)


def river_polygons(spec: WorldSpec, bounds: Bounds) -> tuple[NDArray[np.float64], ...]:
    """Outlines of the rivers that may cross bounds of the frame: a (vertex, 2) array of x and y for each river."""
    if not spec.rivers:
        return ()
    west, south, east, north = bounds
    x, y = np.array([west, east, east, west]), np.array([south, south, north, north])
    p = x * cos(_RIVER_TURN) + y * sin(_RIVER_TURN)
    q = y * cos(_RIVER_TURN) - x * sin(_RIVER_TURN)
    nodes = np.arange(np.floor(p.min() / _RIVER_NODE) - 1, np.ceil(p.max() / _RIVER_NODE) + 2).astype(np.int64)
    outlines = []
    for river in range(round(q.min() / _RIVER_SPACING) - 1, round(q.max() / _RIVER_SPACING) + 2):
        line = _river_line(spec, river, nodes)
        half = float(_half_width(np.array([river]))[0])
        along = np.concatenate([nodes, nodes[::-1]]) * _RIVER_NODE
        across = np.concatenate([line - half, line[::-1] + half])
        vertices = np.column_stack(
            [
                along * cos(_RIVER_TURN) - across * sin(_RIVER_TURN),
                along * sin(_RIVER_TURN) + across * cos(_RIVER_TURN),
            ]
        )
        outlines.append(vertices)
    return tuple(outlines)
