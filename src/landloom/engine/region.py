"""The region of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from landloom.errors import InvalidInputError
from landloom.model.grid import WGS84
from landloom.store.vector import read_vector

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from landloom.engine.project import Project


def region_of(project: Project) -> BaseGeometry:
    """The region of a recipe as one WGS84 geometry.

    Raises:
        InvalidInputError: a file without CRS, or without polygons.
    """
    section = project.recipe.region
    if section.bounds is not None:
        return shapely.box(*section.bounds)
    frame = read_vector(project.path(str(section.file)), layer=section.layer, columns=[])
    region: BaseGeometry = shapely.union_all(frame.to_crs(WGS84).geometry.to_numpy())
    areas = shapely.get_parts(region)
    areas = areas[shapely.get_dimensions(areas) == 2]
    if not len(areas):
        raise InvalidInputError(f"{section.file}: got no polygon, expected the region")
    whole: BaseGeometry = shapely.union_all(areas)
    return whole
