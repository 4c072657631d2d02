"""The judge's label cases: exact class fractions, and a training map with a known share of errors."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from landloom.model.shapes import reproject
from landloom.simulate.judge.composites import judge_grid, judge_spec
from landloom.simulate.landscape import LANDCOVERNET, parcels_of, reclassify
from landloom.simulate.noise import fractal, uniform
from landloom.simulate.scene_frame import FRAME, positions
from landloom.simulate.vectors import land_cover_polygons, parcel_polygons
from landloom.simulate.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from shapely import Polygon

    from landloom.model.grid import Bounds, Grid

_CELL = 600
_MARGIN = 700.0
Point = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FractionsCase:
    """Polygons, cells, and the fraction of each class in each cell, in rational arithmetic until the last step."""

    polygons: tuple[tuple[int, Polygon], ...]
    """CORINE code and polygon in `epsg`; they neither overlap nor leave gaps around the cells."""
    epsg: int
    """EPSG code of the polygons' CRS, which differs from that of the cells."""
    cells: tuple[Grid, ...]
    """Each cell is a grid of one pixel."""
    codes: tuple[int, ...]
    """CORINE codes, ascending."""
    fractions: NDArray[np.float64]
    """(cell, code) fractions of a cell's area in its own CRS, polygons reprojected vertex by vertex; rows sum to 1."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TargetCase:
    """An erroneous label map of the judge's place, and the truth."""

    target: NDArray[np.uint8]
    """(y, x) classes of the map."""
    truth: NDArray[np.uint8]
    """(y, x) true classes."""
    whole: NDArray[np.bool_]
    """(y, x) wrong because the whole polygon is wrong."""
    edge: NDArray[np.bool_]
    """(y, x) wrong because the edge of a class is misplaced."""


def judge_fractions(seed: int) -> FractionsCase:
    """Sixteen 600 m cells of the judge's place.

    Example:
        >>> case = judge_fractions(3)
        >>> len(case.cells), bool(abs(case.fractions.sum(axis=1) - 1).max() < 1e-15)
        (16, True)
    """
    spec, place = judge_spec(seed), judge_grid()
    bounds = _around(place)
    polygons = land_cover_polygons(spec, bounds)
    codes = tuple(sorted({code for code, _ in polygons}))
    parcels, shapes = parcel_polygons(spec, bounds)
    outlines: list[Any] = [reproject(shape, FRAME, place.epsg, tolerance=inf) for shape in shapes]
    boxes = shapely.bounds(np.array(outlines))
    coarse = place.at(_CELL)
    cells = tuple(coarse.window(row, column, 1, 1) for row in range(coarse.height) for column in range(coarse.width))
    fractions = np.zeros((len(cells), len(codes)))
    for number, cell in enumerate(cells):
        west, south, east, north = cell.bounds
        near = (boxes[:, 0] < east) & (boxes[:, 2] > west) & (boxes[:, 1] < north) & (boxes[:, 3] > south)
        areas = dict.fromkeys(codes, Fraction(0))
        for k in np.flatnonzero(near).tolist():
            areas[int(parcels.code[k])] += _clipped_area(outlines[k], cell.bounds)
        fractions[number] = [float(areas[code] / (_CELL * _CELL)) for code in codes]
    return FractionsCase(polygons=tuple(polygons), epsg=FRAME, cells=cells, codes=codes, fractions=fractions)


def _around(place: Grid) -> Bounds:
    west, south, east, north = reproject(place.outline().segmentize(600.0), place.epsg, FRAME).bounds
    return west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN


def _clipped_area(polygon: Polygon, bounds: Bounds) -> Fraction:
    """Area of a convex polygon within a box, exactly: Sutherland and Hodgman 1974, in rational numbers."""
    ring: list[Point] = [(Fraction(x), Fraction(y)) for x, y in polygon.exterior.coords[:-1]]
    west, south, east, north = (Fraction(v) for v in bounds)
    for axis, limit, keep in ((0, west, 1), (0, east, -1), (1, south, 1), (1, north, -1)):
        ring = _half(ring, axis, limit, keep)
    twice = sum((a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True)), start=Fraction(0))
    return abs(twice) / 2


def _half(ring: list[Point], axis: int, limit: Fraction, keep: int) -> list[Point]:
    out: list[Point] = []
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        inside_a, inside_b = (a[axis] - limit) * keep >= 0, (b[axis] - limit) * keep >= 0
        if inside_a:
            out.append(a)
        if inside_a != inside_b:
            share = (limit - a[axis]) / (b[axis] - a[axis])
            out.append((a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])))
    return out


def judge_target(
    seed: int,
    grid: Grid | None = None,
    *,
    classes: Mapping[int, Sequence[int]] = LANDCOVERNET,
    wrong: float = 0.15,
) -> TargetCase:
    """A label map with a known share of errors: half in whole polygons, half at class boundaries.

    Args:
        seed: seed of the judge's world.
        grid: grid at 10 m; by default the judge's place.
        classes: legend of the map, class → CORINE codes.
        wrong: share of wrong pixels.

    Example:
        >>> case = judge_target(3)
        >>> round(float((case.target != case.truth).mean()), 2)
        0.15
    """
    spec = judge_spec(seed)
    grid = judge_grid() if grid is None else grid
    truth = reclassify(World(spec).land_cover(grid), classes)
    target, whole = _wrong_polygons(seed, grid, truth, wrong / 2)
    right = ~whole
    low, high = 0.0, 400.0
    for _ in range(14):
        middle = (low + high) / 2
        moved = _moved(seed, grid, truth, middle)
        share = float(((moved != truth) & right).mean())
        low, high = (middle, high) if share < wrong / 2 else (low, middle)
    moved = _moved(seed, grid, truth, high)
    edge = (moved != truth) & right
    return TargetCase(target=np.where(edge, moved, target), truth=truth, whole=whole, edge=edge)


def _wrong_polygons(
    seed: int, grid: Grid, truth: NDArray[np.uint8], share: float
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    parcels, number = parcels_of(judge_spec(seed), grid)
    present = np.unique(truth)
    order = np.argsort(uniform(parcels.i, parcels.j, seed * 1_000 + 700), kind="stable")
    lots = uniform(parcels.i, parcels.j, seed * 1_000 + 701)
    sizes = np.bincount(number.ravel(), minlength=parcels.i.size)
    taken = order[np.cumsum(sizes[order]) <= share * truth.size]
    target, whole = truth.copy(), np.zeros(truth.shape, dtype=np.bool_)
    for k in taken.tolist():
        inside = number == k
        if not inside.any():
            continue
        others = present[present != np.bincount(truth[inside]).argmax()]
        target[inside] = others[int(lots[k] * others.size)]
        whole |= inside & (target != truth)
    return target, whole


def _moved(seed: int, grid: Grid, truth: NDArray[np.uint8], metres: float) -> NDArray[np.uint8]:
    """The truth, warped by up to this many metres."""
    x, y = positions(grid)
    rows, columns = np.indices(truth.shape)
    right = (fractal(x, y, scale=160.0, octaves=2, seed=seed * 1_000 + 710) - 0.5) * 2.0 * metres / grid.pixel_width
    down = (fractal(x, y, scale=160.0, octaves=2, seed=seed * 1_000 + 720) - 0.5) * 2.0 * metres / grid.pixel_height
    row = np.clip(np.rint(rows + down).astype(np.int64), 0, truth.shape[0] - 1)
    column = np.clip(np.rint(columns + right).astype(np.int64), 0, truth.shape[1] - 1)
    moved: NDArray[np.uint8] = truth[row, column]
    return moved
