"""Granules for a region: the share that each covers, and the fewest that together cover it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from shapely import STRtree, polygonize, union_all

from landloom.archive.selection import equal_area

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

EXACT_UP_TO: Final = 60
"""Largest number of optional granules for which the minimum is found exactly."""
_SLIVER: Final = 1e-9
"""Share of the region below which a piece is rounding error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GranuleShare:
    """The share of a region that a granule covers."""

    granule: str
    """MGRS granule."""
    share: float
    """Of the region's area, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GranuleCover:
    """Granules that together cover a region."""

    granules: tuple[str, ...]
    """In order of share, largest first."""
    uncovered: float
    """Share of the region that no granule at all covers, 0 to 1."""
    exact: bool
    """True if no smaller set would do; False if the set comes from a greedy search (`EXACT_UP_TO`)."""


def granules_for(region: BaseGeometry, outlines: Mapping[str, BaseGeometry]) -> tuple[GranuleShare, ...]:
    """The granules that share area with a region, and the share that each covers, largest first.

    Args:
        region: WGS84, longitude latitude; a multipolygon across the antimeridian.
        outlines: granule → its outline, likewise.

    Returns:
        Ties in order of name.

    Example:
        >>> from shapely import box
        >>> squares = {"33TWL": box(0, 0, 10, 1), "33TXL": box(9, 0, 20, 1), "33TYL": box(19, 0, 30, 1)}
        >>> [(row.granule, round(row.share, 2)) for row in granules_for(box(4, 0, 14, 1), squares)]
        [('33TWL', 0.6), ('33TXL', 0.5)]
    """
    return _shares(equal_area(region), _projected(region, outlines))


def fewest_granules(region: BaseGeometry, outlines: Mapping[str, BaseGeometry]) -> GranuleCover:
    """The fewest granules that cover all of a region that can be covered; ties prefer larger shares.

    The outlines cut the region into pieces, each covered by a known set of granules, which makes this a set cover
    problem. Granules that alone contain a piece are taken first. The rest is solved exactly as an
    integer programme (scipy's HiGHS) up to `EXACT_UP_TO` granules, else greedily; `exact` says which.

    Args:
        region: WGS84, longitude latitude; a multipolygon across the antimeridian.
        outlines: granule → its outline, likewise.

    Example:
        >>> from shapely import box
        >>> squares = {"a": box(0, 0, 6, 1), "b": box(4, 0, 10, 1), "c": box(3, 0, 8, 1)}
        >>> fewest_granules(box(0, 0, 10, 1), squares)
        GranuleCover(granules=('a', 'b'), uncovered=0.0, exact=True)
    """
    plane, projected = equal_area(region), _projected(region, outlines)
    shares = {row.granule: row.share for row in _shares(plane, projected)}
    pieces, uncovered = _pieces(plane, {name: projected[name] for name in shares})
    taken = {next(iter(holders)) for holders in pieces if len(holders) == 1}
    left = [holders for holders in pieces if not holders & taken]
    names = sorted(set().union(*left), key=lambda name: (-shares[name], name)) if left else []
    exact = len(names) <= EXACT_UP_TO
    if left:
        taken |= _fewest_exactly(names, left, shares) if exact else _fewest_greedily(names, left)
    ordered = sorted(taken, key=lambda name: (-shares[name], name))
    return GranuleCover(granules=tuple(ordered), uncovered=uncovered, exact=exact)


def _projected(region: BaseGeometry, outlines: Mapping[str, BaseGeometry]) -> dict[str, BaseGeometry]:
    """Outlines near a region, in the equal-area plane, in order of name."""
    return {name: equal_area(outlines[name]) for name in sorted(outlines) if outlines[name].intersects(region)}


def _shares(plane: BaseGeometry, projected: Mapping[str, BaseGeometry]) -> tuple[GranuleShare, ...]:
    whole = plane.area or 1.0
    rows = [
        GranuleShare(granule=name, share=min(1.0, plane.intersection(outline).area / whole))
        for name, outline in projected.items()
    ]
    return tuple(sorted((row for row in rows if row.share > _SLIVER), key=lambda row: (-row.share, row.granule)))


def _pieces(plane: BaseGeometry, projected: Mapping[str, BaseGeometry]) -> tuple[list[frozenset[str]], float]:
    """The sets of granules that contain the region's pieces, and the share of the region that none contains."""
    names = list(projected)
    lines = union_all([plane.boundary, *(outline.boundary for outline in projected.values())])
    faces = [face for face in polygonize([lines]).geoms if face.area > _SLIVER * plane.area]
    tree = STRtree([projected[name] for name in names])
    sets: set[frozenset[str]] = set()
    uncovered = 0.0
    for face in faces:
        point = face.representative_point()
        if not plane.contains(point):
            continue
        holders = frozenset(names[number] for number in tree.query(point, predicate="within"))
        if holders:
            sets.add(holders)
        else:
            uncovered += face.area / plane.area
    smallest = [one for one in sets if not any(other < one for other in sets)]
    return sorted(smallest, key=sorted), uncovered


def _fewest_exactly(names: Sequence[str], pieces: Sequence[frozenset[str]], shares: Mapping[str, float]) -> set[str]:
    from scipy.optimize import Bounds, LinearConstraint, milp

    holds = np.array([[name in piece for name in names] for piece in pieces], dtype=float)
    # A granule costs 1, minus a little for its share: the count decides, and shares only break ties.
    costs = np.array([1.0 - 0.5 * shares[name] / len(names) for name in names])
    costs += np.arange(len(names)) * 1e-6
    outcome = milp(
        costs, constraints=LinearConstraint(holds, lb=1), bounds=Bounds(0, 1), integrality=np.ones(len(names))
    )
    return {name for name, value in zip(names, outcome.x, strict=True) if value > 0.5}


def _fewest_greedily(names: Sequence[str], pieces: Sequence[frozenset[str]]) -> set[str]:
    taken: set[str] = set()
    left = list(pieces)
    while left:
        best = max(names, key=lambda name: sum(name in piece for piece in left))
        taken.add(best)
        left = [piece for piece in left if best not in piece]
    return taken
