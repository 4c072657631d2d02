"""Checked label polygons: codes read, geometries checked, overlaps reported and resolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import shapely

from landloom.errors import InvalidInputError, NotFoundError, Problem, bullets
from landloom.model.shapes import in_place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.model.crs_key import CrsKey
    from landloom.model.taxonomy import Taxonomy

OnInvalid = Literal["error", "repair", "drop"]
"""How to treat geometries that are invalid, empty or missing: all three report them by row."""

_LISTED: Final = 20
_POLYGON, _MULTIPOLYGON = 3, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two overlapping polygons."""

    rows: tuple[str, str]
    """Their names in the source; the first polygon keeps the overlap."""
    codes: tuple[str, str]
    """Their codes, in the same order."""
    area: float
    """Area of the overlap, in square units of the source's CRS."""

    def __str__(self) -> str:
        return f"{self.rows[0]} ({self.codes[0]}) and {self.rows[1]} ({self.codes[1]}) share {self.area:.6g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPolygons:
    """Valid polygons that do not overlap, each with a class."""

    geometries: NDArray[Any]
    """(polygon,) shapely polygons and multipolygons."""
    classes: NDArray[np.int64]
    """(polygon,) index of its code in `taxonomy.codes()`."""
    epsg: CrsKey
    """CRS of the geometries: an EPSG code, or WKT."""
    taxonomy: Taxonomy
    """The taxonomy of the classes."""
    problems: tuple[Problem, ...] = ()
    """Rows that were repaired or dropped, with the reason."""
    overlaps: tuple[Overlap, ...] = ()
    """Pairs that overlapped in the source, largest first."""


def refuse(problems: Sequence[Problem], subject: str) -> None:
    """Raise one error for all rows, listing up to twenty.

    Raises:
        InvalidInputError: there is at least one problem.
    """
    if problems:
        more = f"\n  - … and {len(problems) - _LISTED} more" if len(problems) > _LISTED else ""
        count = "1 bad row" if len(problems) == 1 else f"{len(problems)} bad rows"
        raise InvalidInputError(f"{subject}: {count}\n{bullets(problems[:_LISTED])}{more}")


def polygonal(geometries: NDArray[Any]) -> NDArray[Any]:
    """The polygonal parts of geometries: lines and points, left by repairs and differences, are dropped.

    Args:
        geometries: (n,) shapely geometries.

    Returns:
        (n,) polygons and multipolygons, empty if nothing is left.
    """
    result = np.array(geometries, dtype=object)
    for i in np.flatnonzero(~np.isin(shapely.get_type_id(result), (_POLYGON, _MULTIPOLYGON))):
        parts = shapely.get_parts(shapely.get_parts(result[i]))
        result[i] = shapely.union_all(parts[np.isin(shapely.get_type_id(parts), (_POLYGON, _MULTIPOLYGON))])
        if result[i].geom_type not in ("Polygon", "MultiPolygon"):
            result[i] = shapely.Polygon()
    return result


def geometry_problems(geometries: NDArray[Any]) -> dict[int, str]:
    """Problems of geometries, by index: missing, empty, not a polygon, not finite, or invalid with the reason.

    Example:
        >>> import shapely
        >>> bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
        >>> geometry_problems(np.array([None, bow_tie, shapely.box(0, 0, 1, 1)], object))
        {0: 'no geometry', 1: 'Self-intersection[0.5 0.5]'}
    """
    found = {}
    for i in np.flatnonzero(~shapely.is_valid(geometries) | shapely.is_empty(geometries) | _no_polygon(geometries)):
        item = geometries[i]
        if item is None:
            found[int(i)] = "no geometry"
        elif item.is_empty:
            found[int(i)] = "empty geometry"
        elif item.geom_type not in ("Polygon", "MultiPolygon"):
            found[int(i)] = f"got a {item.geom_type}, expected a polygon"
        else:
            found[int(i)] = shapely.is_valid_reason(item)
    return found


def _no_polygon(geometries: NDArray[Any]) -> NDArray[np.bool_]:
    wrong: NDArray[np.bool_] = ~np.isin(shapely.get_type_id(geometries), (_POLYGON, _MULTIPOLYGON))
    return wrong


def repaired(geometries: NDArray[Any], places: Sequence[int]) -> NDArray[Any]:
    """A copy in which the geometries at some indices went through `shapely.make_valid` (structure method).

    Missing geometries, and those that cannot be repaired to an area, become empty polygons.
    """
    result = np.array(geometries, dtype=object)
    for i in places:
        item = result[i]
        if item is None or not np.isfinite(shapely.get_coordinates(item)).all():
            result[i] = shapely.Polygon()
        elif item.geom_type in ("Polygon", "MultiPolygon"):
            result[i] = shapely.make_valid(item, method="structure", keep_collapsed=False)
        else:
            result[i] = shapely.Polygon()
    return polygonal(result)


def read_codes(
    codes: Sequence[Any] | NDArray[Any], taxonomy: Taxonomy, rows: Sequence[str] | None = None
) -> tuple[NDArray[np.int64], list[Problem]]:
    """Indices of codes in the taxonomy, and a problem for each row with an unknown code.

    Args:
        codes: (row,) as read by `Taxonomy.parse_code`.
        taxonomy: the taxonomy of the codes.
        rows: (row,) names of rows; by default `row 0`, ….

    Returns:
        (row,) index in `taxonomy.codes()`, -1 if unknown; the problems.
    """
    places = np.full(len(codes), -1, dtype=np.int64)
    known: dict[Any, int] = {}
    problems = []
    for row, code in enumerate(codes):
        try:
            if code not in known:
                known[code] = taxonomy.index[taxonomy.parse_code(code)]
            places[row] = known[code]
        except NotFoundError as error:
            problems.append(Problem(where=f"row {row}" if rows is None else rows[row], what=str(error)))
    return places, problems


def label_polygons(
    geometries: Sequence[Any] | NDArray[Any],
    codes: Sequence[Any] | NDArray[Any],
    taxonomy: Taxonomy,
    *,
    epsg: CrsKey | None,
    invalid: OnInvalid = "error",
    rows: Sequence[str] | None = None,
) -> LabelPolygons:
    """Check a label source and resolve its overlaps.

    Overlaps go to the polygon of smaller area (the more specific one: an island drawn over the lake), ties to the
    smaller code and then to the smaller geometry as normalised bytes, independent of the order of rows.

    Args:
        geometries: (row,) shapely geometries.
        codes: (row,) codes as read by `Taxonomy.parse_code`.
        taxonomy: the taxonomy of the codes.
        epsg: code of the geometries' CRS; None is refused, because a guess could misplace them.
        invalid: how to treat rows with geometries that are invalid, empty, missing or not polygons.
        rows: (row,) names of rows in problems; by default `row 0`, ….

    Raises:
        InvalidInputError: no CRS; codes outside the taxonomy; bad geometries that are not repaired or dropped.

    Example:
        >>> import shapely
        >>> from landloom.model.taxonomy import taxonomy
        >>> lake, island = shapely.box(0, 0, 10, 10), shapely.box(2, 2, 4, 4)
        >>> labels = label_polygons([lake, island], [512, 311], taxonomy("clc"), epsg=3035)
        >>> [float(item.area) for item in labels.geometries], [str(item) for item in labels.overlaps]
        ([96.0, 4.0], ['row 1 (311) and row 0 (512) share 4'])
    """
    if epsg is None:
        raise InvalidInputError("got labels without a CRS, expected one: name it, because a guess could misplace them")
    if len(geometries) != len(codes):
        raise InvalidInputError(f"got {len(geometries)} geometries and {len(codes)} codes, expected one code for each")
    array = np.empty(len(geometries), dtype=object)
    array[:] = list(geometries)
    array, astray = in_place(array, epsg)
    names = [f"row {row}" for row in range(len(array))] if rows is None else rows
    classes, problems = read_codes(codes, taxonomy, names)
    bad = geometry_problems(array) | astray
    shapes = [Problem(where=names[row], what=what) for row, what in bad.items()]
    refuse([*problems, *(shapes if invalid == "error" else [])], f"labels of {taxonomy.name}")
    if invalid == "repair":
        array = repaired(array, list(bad))
    keep = np.array([row for row in range(len(array)) if not (row in bad and _lost(array[row], invalid))], np.int64)
    solved, overlaps = resolve_overlaps(
        array[keep], [taxonomy.codes()[k] for k in classes[keep]], [names[row] for row in keep]
    )
    return LabelPolygons(
        geometries=solved,
        classes=classes[keep],
        epsg=epsg,
        taxonomy=taxonomy,
        problems=tuple(shapes),
        overlaps=overlaps,
    )


def _lost(geometry: Any, invalid: OnInvalid) -> bool:
    return invalid == "drop" or bool(geometry.is_empty)


def overlapping_polygons(geometries: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of valid polygons whose interiors intersect, and the areas of the intersections.

    Returns:
        (pair, 2) indices, the smaller first, sorted; (pair,) areas above 0.
    """
    tree = shapely.STRtree(geometries)
    left, right = tree.query(geometries, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    crossing = shapely.relate_pattern(geometries[left], geometries[right], "2********")
    left, right = left[crossing], right[crossing]
    areas = np.asarray(shapely.area(shapely.intersection(geometries[left], geometries[right])), dtype=np.float64)
    order = np.lexsort((right, left))
    order = order[areas[order] > 0]
    return np.column_stack((left, right))[order].astype(np.int64), areas[order]


def resolve_overlaps(
    geometries: NDArray[Any], codes: Sequence[str], rows: Sequence[str] | None = None
) -> tuple[NDArray[Any], tuple[Overlap, ...]]:
    """Cut polygons so that none overlap, by the rule of `label_polygons`.

    Args:
        geometries: (polygon,) valid polygons.
        codes: (polygon,) their codes.
        rows: (polygon,) names in the report; by default their indices.

    Returns:
        The polygons cut (empty if nothing is left) and the overlaps found, largest first.
    """
    pairs, areas = overlapping_polygons(geometries)
    if not len(pairs):
        return geometries, ()
    names = [f"row {row}" for row in range(len(geometries))] if rows is None else rows
    keys = {
        int(i): (geometries[i].area, codes[i], shapely.to_wkb(shapely.normalize(geometries[i])))
        for i in np.unique(pairs)
    }
    stronger: dict[int, list[int]] = {}
    found = []
    for (a, b), area in zip(pairs.tolist(), areas.tolist(), strict=True):
        winner, loser = (a, b) if (keys[a], a) <= (keys[b], b) else (b, a)
        stronger.setdefault(loser, []).append(winner)
        found.append(Overlap(rows=(names[winner], names[loser]), codes=(codes[winner], codes[loser]), area=area))
    result = np.array(geometries, dtype=object)
    for loser, winners in stronger.items():
        winners.sort(key=keys.__getitem__)
        result[loser] = shapely.difference(geometries[loser], shapely.union_all(geometries[winners]))
    found.sort(key=lambda item: (-item.area, item.rows))
    return polygonal(result), tuple(found)
