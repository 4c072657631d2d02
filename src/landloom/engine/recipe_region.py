"""The region of a recipe, and the strata that samples of it are drawn by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from landloom.errors import InvalidInputError
from landloom.labels.classes import value_text
from landloom.model.grid import WGS84
from landloom.model.shapes import in_degrees, neighbourhood, reach
from landloom.model.text import nfc
from landloom.store.vector import Told, read_vector, refuse_unread, row_names

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from landloom.engine.project import Project
    from landloom.model.recipe import VectorSource

_QUARTER: Final = 90.0
"""Degrees of longitude of an edge of a wide region."""
_LISTED: Final = 10
"""Rows that are named."""


def region_of(project: Project) -> BaseGeometry:
    """The region of a recipe as one WGS84 geometry, split at 180° where it crosses that.

    Raises:
        InvalidInputError: a file without CRS, or without polygons; polygons that cross themselves, enclose a pole, or
            may go either way round the world. Rows are named.
    """
    section = project.recipe.region
    if section.bounds is not None:
        west, south, east, north = section.bounds
        if west < east:
            box: BaseGeometry = shapely.box(west, south, east, north)
            # Vertices between: an edge of more than 180° would be one across the antimeridian.
            return shapely.segmentize(box, _QUARTER) if east - west > 2 * _QUARTER else box
        halves = [shapely.box(west, south, 180.0, north), shapely.box(-180.0, south, east, north)]
        return shapely.MultiPolygon([half for half in halves if half.area])
    file = str(section.file)
    frame = read_vector(
        project.path(file), layer=section.layer, columns=[], told=Told(encoding=section.encoding), numbered=True
    )
    shapes = _shapes(frame, file)
    try:
        region = shapely.union_all(in_degrees(shapes, frame.crs, row_names(frame)))
    except InvalidInputError as error:
        raise InvalidInputError(f"{file}: {error}") from error
    areas = shapely.get_parts(region)
    areas = areas[shapely.get_dimensions(areas) == 2]
    if not len(areas):
        raise InvalidInputError(f"{file}: got no polygon, expected the region")
    whole: BaseGeometry = shapely.union_all(areas)
    return whole


def strata_of(project: Project, source: VectorSource, region: BaseGeometry) -> list[tuple[str, BaseGeometry]]:
    """Names and WGS84 polygons of the strata that may meet a region; what lies far from it has no say.

    Args:
        project: the recipe in its folder.
        source: what it says of the strata.
        region: as `region_of` gives it.

    Raises:
        InvalidInputError: near the region a row has no name, crosses itself, or cannot be brought into degrees.
    """
    import pandas as pd

    told = Told(encoding=source.encoding)
    frame = read_vector(
        project.path(source.file), layer=source.layer, columns=[source.column], told=told, numbered=True
    )
    shapes = _shapes(frame, source.file)
    boxes = neighbourhood(region)
    positions = _near(shapes, frame.crs, boxes)
    rows = [row_names(frame)[position] for position in positions]
    cells = frame[source.column].tolist()
    nameless = [row for row, position in zip(rows, positions, strict=True) if pd.isna(cells[position])]
    if nameless:
        more = f" and {len(nameless) - _LISTED} more" if len(nameless) > _LISTED else ""
        raise InvalidInputError(
            f"{source.file}: got no {source.column} in {', '.join(nameless[:_LISTED])}{more}, which meet the region; "
            "expected a name for each stratum"
        )
    names = [nfc(value_text(cells[position])) for position in positions]
    called = [f"{row} ({name})" for row, name in zip(rows, names, strict=True)]
    try:
        moved = in_degrees(shapes[positions], frame.crs, called, near=boxes)
    except InvalidInputError as error:
        raise InvalidInputError(f"{source.file}: {error}") from error
    return list(zip(names, moved.tolist(), strict=True))


def _shapes(frame: GeoDataFrame, file: str) -> NDArray[Any]:
    """Geometries of a frame; rows without one are empty."""
    if frame.crs is None:
        raise InvalidInputError(f"{file}: got rows in several CRSs, expected one for the whole file")
    refuse_unread(frame, file)
    shapes: NDArray[Any] = np.array(frame.geometry.to_numpy(), dtype=object)
    shapes[shapely.is_missing(shapes)] = shapely.Polygon()
    return shapes


def _near(shapes: NDArray[Any], crs: Any, boxes: tuple[tuple[float, float, float, float], ...]) -> list[int]:
    """Places of shapes that may meet boxes in degrees, as far as their own CRS can tell."""
    try:
        windows = [shapely.box(*window) for box in boxes for window in reach(box, WGS84, crs)]
    except InvalidInputError:  # too large a part of the world to be a window
        return np.flatnonzero(~shapely.is_empty(shapes)).tolist()
    window = shapely.union_all(windows)
    shapely.prepare(window)
    boxes_of = np.asarray(shapely.box(*shapely.bounds(shapes).T), dtype=object)
    near = np.asarray(shapely.intersects(window, boxes_of))
    for position in np.flatnonzero(near & ~shapely.is_valid(shapes)).tolist():
        near[position] = shapely.intersects(window, shapely.make_valid(shapes[position]))
    return np.flatnonzero(near).tolist()
