"""Allocation of samples to countries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely
from pyproj import Geod

from landloom.errors import InvalidInputError
from landloom.model.apportion import apportion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shapely import Geometry

_STEP = 0.1
"""Degrees between vertices: edges are straight in longitude and latitude, unlike geodesics."""


def areas(region: Geometry, countries: Iterable[tuple[str, Geometry]]) -> dict[str, float]:
    """Area of country ∩ region, on the WGS84 ellipsoid.

    Args:
        region: polygon of WGS84 longitude and latitude.
        countries: names with their polygons.

    Returns:
        Name → square metres, in the order given; 0 if the intersection is empty.

    Example:
        >>> import shapely
        >>> found = areas(shapely.box(0, 0, 1, 1), [("A", shapely.box(0, 0, 5, 5)), ("B", shapely.box(2, 2, 3, 3))])
        >>> round(found["A"] / 1e6), found["B"]
        (12308, 0.0)
    """
    return {name: ellipsoid_area(shapely.intersection(shape, region)) for name, shape in countries}


def ellipsoid_area(shape: Geometry) -> float:
    """Area in square metres of a WGS84 polygon whose edges are straight in longitude and latitude.

    Example:
        >>> import shapely
        >>> round(8 * ellipsoid_area(shapely.box(0, 0, 90, 90)) / 1e12, 3)
        510.066
    """
    geod = Geod(ellps="WGS84")
    # An intersection may contain lines and points; only polygons have an area.
    parts = [part for part in shapely.get_parts(shape) if shapely.area(part) > 0]
    fine = [shapely.segmentize(shapely.orient_polygons(part), _STEP) for part in parts]
    return float(sum(abs(geod.geometry_area_perimeter(part)[0]) for part in fine))


def quotas(weights: Mapping[str, float], total: int) -> dict[str, int]:
    """Allocate samples in proportion to weights: largest remainder, ties to the name that sorts first.

    Args:
        weights: name → area, or any other non-negative weight.
        total: number of samples.

    Returns:
        Name → samples, in the order given; they sum to `total`.

    Raises:
        InvalidInputError: no weight is positive.

    Example:
        >>> quotas({"b": 1.0, "a": 1.0, "c": 0.0}, 3)
        {'b': 1, 'a': 2, 'c': 0}
    """
    if not any(weight > 0 for weight in weights.values()):
        raise InvalidInputError(
            f"got no area in any of {len(weights)} strata, expected at least one that intersects the region"
        )
    names = sorted(weights)
    counts = dict(zip(names, apportion([weights[name] for name in names], total).tolist(), strict=True))
    return {name: counts[name] for name in weights}
