"""Cells of neighbouring zones overlap along their common border; a draw contains no overlapping pair."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

from landloom.model.grid import WGS84, transformer
from landloom.model.ids import CELL_SIZE, Zone

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.sampling.candidates import Candidates

_REACH: Final = 1_000.0
"""Upper bound in metres of the distance from a zone's border to the centre of a cell that overlaps a cell of the next
zone, from the cell's diagonal and the scale of UTM at the border."""
_TOUCH: Final = 0.05
"""Metres: cells of two zone numbers closer than this count as overlapping; their edges bend by less."""
_FALSE_EASTING: Final = 500_000.0
_EQUATOR_SOUTH: Final = 10_000_000.0


def overlapping_pairs(candidates: Candidates) -> NDArray[np.int64]:
    """All pairs of overlapping cells, which are of different zones.

    Corners of one cell are transformed to the other's zone vertex by vertex; cells of one zone never overlap.

    Returns:
        (pair, 2) indices, the smaller first, in lexical order.

    Example:
        >>> from landloom.sampling.zone_cells import candidate_cells
        >>> cells = candidate_cells(shapely.box(11.985, 52.0, 12.015, 52.01))
        >>> [[str(id) for id in cells.ids(pair)] for pair in overlapping_pairs(cells)][0]
        ['32N_29E-240N_31_17', '33N_12E-240N_30_11']
    """
    near = np.flatnonzero(_near_border(candidates))
    zones = candidates.zone[near].astype(np.int64) * 2 + ~candidates.north[near]
    found = [np.empty((0, 2), dtype=np.int64)]
    for first, second in combinations(np.unique(zones).tolist(), 2):
        steps = (second // 2 - first // 2) % 60
        if steps in (0, 1, 59):
            a, b = near[zones == first], near[zones == second]
            found.append(_pairs(candidates, (a, b)))
    pairs = np.concatenate(found)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _near_border(candidates: Candidates) -> NDArray[np.bool_]:
    west, south = candidates.corners()
    x, y = west + CELL_SIZE / 2, south + CELL_SIZE / 2
    equator = np.abs(np.where(candidates.north, y, _EQUATOR_SOUTH - y))
    # A zone's border is one curve of x against distance from the equator, the same in all zones.
    latitude = np.linspace(0.0, 86.0, 8601)
    edge_x, edge_y = transformer(WGS84, 32631).transform(np.full_like(latitude, 6.0), latitude)
    half = np.interp(equator, edge_y, np.asarray(edge_x) - _FALSE_EASTING)
    result: NDArray[np.bool_] = (half - np.abs(x - _FALSE_EASTING) < _REACH) | (equator < _REACH)
    return result


def _pairs(candidates: Candidates, groups: tuple[NDArray[np.int64], NDArray[np.int64]]) -> NDArray[np.int64]:
    a, b = groups
    west, south = candidates.corners()
    zones = [Zone(int(candidates.zone[g[0]]), bool(candidates.north[g[0]])) for g in (b, a)]
    # North and south of the equator the columns coincide: there, cells that share an edge do not overlap.
    inner = 2 * _TOUCH if zones[0].number == zones[1].number else 0.0
    far = CELL_SIZE - inner
    boxes = shapely.box(west[a] + inner, south[a] + inner, west[a] + far, south[a] + far)
    x = west[b][:, None] + np.array([0, CELL_SIZE, CELL_SIZE, 0])
    y = south[b][:, None] + np.array([0, 0, CELL_SIZE, CELL_SIZE])
    moved = np.stack(transformer(*(zone.epsg for zone in zones)).transform(x, y), axis=-1)
    # Far from the border, two zones away, a projection may fail; such cells have no overlap here.
    good = np.isfinite(moved).all(axis=(1, 2))
    tree = shapely.STRtree(boxes)
    which, hit = tree.query(shapely.polygons(moved[good]), predicate="dwithin", distance=_TOUCH)
    return np.sort(np.column_stack([a[hit], b[good][which]]), axis=1)


def independent(candidates: Candidates) -> NDArray[np.bool_]:
    """Choose cells so that no two overlap, as many as one greedy pass gives, cells of rare classes first.

    Cells are taken in the order of the rarest class in them (by number of candidates with it), then of their ids;
    a cell that overlaps one already taken is left out.

    Returns:
        (cell,) True if the cell may be drawn. Cells without overlap are never left out.

    Example:
        >>> from landloom.sampling.zone_cells import candidate_cells
        >>> cells = candidate_cells(shapely.box(11.985, 52.0, 12.015, 52.01))
        >>> kept = independent(cells)
        >>> len(cells), int(kept.sum()), len(overlapping_pairs(cells.take(kept)))
        (7, 5, 0)
    """
    pairs = overlapping_pairs(candidates)
    keep = np.ones(len(candidates), dtype=np.bool_)
    involved = np.unique(pairs)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    start = np.searchsorted(both[:, 0], involved)
    stop = np.searchsorted(both[:, 0], involved, side="right")
    neighbours = both[:, 1]
    taken = np.zeros(len(candidates), dtype=np.bool_)
    for at in np.argsort(_rarity(candidates, involved), kind="stable").tolist():
        cell = involved[at]
        taken[cell] = not taken[neighbours[start[at] : stop[at]]].any()
    keep[involved] = taken[involved]
    return keep


def _rarity(candidates: Candidates, cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """(cell,) number of candidates with the rarest class of each cell."""
    fractions = candidates.fractions
    if fractions is None or not len(cells):
        return np.zeros(len(cells), dtype=np.int64)
    counts = np.bincount(fractions.indices, minlength=fractions.shape[1])
    part = fractions[cells]
    return np.minimum.reduceat(counts[part.indices], part.indptr[:-1]).astype(np.int64)
