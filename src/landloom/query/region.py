"""Regions in any form accepted from users, converted to one form in WGS84.

Boxes stay four numbers, so that they need no geometry library. Everything else becomes one valid shapely geometry.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.query.region_files import VECTOR_SUFFIXES, is_file, joined, read_country, read_shapes

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry as Geometry

    from landloom.model.grid import Bounds

_DEGREES: Final = 4326
"""EPSG code of WGS84."""
_ENDING: Final = re.compile(r"\.[A-Za-z0-9]{1,10}$")
_WKT: Final = re.compile(
    r"\s*(srid=(?P<srid>\d+);)?\s*((multi)?(point|linestring|polygon)|linearring|geometrycollection)\s*(z|m|zm)?\s*(\(|empty\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region: boxes, or one geometry."""

    boxes: tuple[Bounds, ...] = ()
    """West, south, east, north in degrees; two if the box crosses the antimeridian; empty for a geometry."""
    geometry: Geometry | None = field(default=None, compare=False)
    """Longitude latitude; None for boxes."""

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north."""
        if self.geometry is not None:
            west, south, east, north = map(float, self.geometry.bounds)
            return west, south, east, north
        wests, souths, easts, norths = zip(*self.boxes, strict=True)
        return min(wests), min(souths), max(easts), max(norths)

    @property
    def shape(self) -> Geometry:
        """The region as a shapely geometry, also for boxes."""
        import shapely

        if self.geometry is not None:
            return self.geometry
        parts = [shapely.box(*bounds) for bounds in self.boxes]
        return parts[0] if len(parts) == 1 else shapely.union_all(parts)


def box_region(bounds: Sequence[float]) -> Region:
    """A box in degrees; west above east crosses the antimeridian, as in GeoJSON.

    Args:
        bounds: west, south, east, north.

    Raises:
        InvalidInputError: not a box on Earth; swapped axes are detected.

    Example:
        >>> box_region((13.05, 52.35, 13.72, 52.69)).boxes
        ((13.05, 52.35, 13.72, 52.69),)
        >>> box_region((170, -20, -170, -10)).boxes
        ((170.0, -20.0, 180.0, -10.0), (-180.0, -20.0, -170.0, -10.0))
    """
    west, south, east, north = (float(number) for number in bounds)
    if not all(map(math.isfinite, (west, south, east, north))):
        raise InvalidInputError(f"region: got {tuple(bounds)}, expected four finite numbers")
    _check_range((west, south, east, north))
    if not south < north or west == east:
        raise InvalidInputError(f"region: got an empty box {tuple(bounds)}, expected west, south, east, north")
    if west > east:
        return Region(boxes=((west, south, 180.0, north), (-180.0, south, east, north)))
    return Region(boxes=((west, south, east, north),))


def _check_range(bounds: Bounds) -> None:
    west, south, east, north = bounds
    if max(abs(south), abs(north)) > 90:
        if max(abs(west), abs(east)) <= 90 and max(abs(south), abs(north)) <= 180:
            raise InvalidInputError(f"region: got latitudes {south} … {north}: the axes are swapped, expected lon, lat")
        raise InvalidInputError(f"region: got latitudes {south} … {north}, expected degrees from -90 to 90")
    if max(abs(west), abs(east)) > 180:
        raise InvalidInputError(f"region: got longitudes {west} … {east}, expected degrees from -180 to 180")


def geometry_region(geometry: Geometry) -> Region:
    """A geometry in longitude and latitude; an axis-aligned rectangle becomes a box.

    Raises:
        InvalidInputError: empty, self-intersecting (with the location), or outside the Earth.

    Example:
        >>> from shapely import Polygon
        >>> geometry_region(Polygon([(13, 52), (14, 52), (14, 53), (13, 53)])).boxes
        ((13.0, 52.0, 14.0, 53.0),)
        >>> geometry_region(Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]))
        Traceback (most recent call last):
            ...
        landloom.errors.InvalidInputError: region: got an invalid geometry: Self-intersection[0.5 0.5]
    """
    import shapely

    if geometry.is_empty:
        raise InvalidInputError("region: got an empty geometry")
    west, south, east, north = map(float, geometry.bounds)
    if not all(map(math.isfinite, (west, south, east, north))):
        raise InvalidInputError("region: got a geometry with coordinates that are not finite")
    _check_range((west, south, east, north))
    if not geometry.is_valid:
        raise InvalidInputError(f"region: got an invalid geometry: {shapely.is_valid_reason(geometry)}")
    flat = _in_place(shapely.force_2d(geometry) if geometry.has_z else geometry)
    rectangle = shapely.get_num_coordinates(flat) == 5 and flat.geom_type == "Polygon"
    if rectangle and flat.equals(shapely.box(west, south, east, north)):
        return box_region((west, south, east, north))
    return Region(geometry=flat)


def _in_place(geometry: Geometry) -> Geometry:
    """A geometry in degrees, split at 180° where its edges step across; an edge of up to 350° is taken as written."""
    west, _, east, _ = geometry.bounds
    if not east - west > 180:  # asking for less of the world needs no more than shapely
        return geometry
    from landloom.model.antimeridian import require_plain_steps, split_shape

    try:
        require_plain_steps(geometry)
    except InvalidInputError:
        return geometry
    try:
        return split_shape(geometry)
    except InvalidValueError as error:
        raise InvalidInputError(f"region: {error}") from error


def read_region(path: str | Path) -> Region:
    """The union of all features of a vector file, in any CRS.

    Args:
        path: file or address; `file.gpkg|layer` where it has several layers.

    Args:
        path: file or URL; `file.gpkg|layer` names a layer of it.

    Raises:
        InvalidInputError: no file, several layers, no features, no CRS, or invalid geometries; the file is named.
    """
    return geometry_region(read_shapes(str(path)))


def country_region(name: str, layer: str | Path) -> Region:
    """A country by name or code, from a layer of countries.

    The name may be in any text column; case, surrounding blanks and the form of accented letters are ignored.

    Args:
        name: `Germany`, `DE`, `DEU`.
        layer: a vector file with one or more features per country; `file.gpkg|layer` where it has several layers.

    Raises:
        NotFoundError: no such name; similar names are listed.
        InvalidInputError: the layer cannot be read, or the name means different countries.
    """
    return geometry_region(read_country(name, str(layer)))


def resolve_region(value: Any, countries: str | Path | None = None) -> Region:
    """Convert any form of region.

    Args:
        value: four numbers (west, south, east, north); a shapely geometry; GeoJSON as a mapping (geometry, Feature or
            FeatureCollection); the path of a vector file; WKT; a GeoDataFrame or GeoSeries; the name of a country.
        countries: layer for looking up names.

    Raises:
        InvalidInputError: it is none of these, or not a usable area.
        NotFoundError: no country with that name.

    Example:
        >>> resolve_region({"type": "Point", "coordinates": [13.4, 52.5]}).geometry
        <POINT (13.4 52.5)>
    """
    if isinstance(value, Region):
        return value
    if isinstance(value, str | Path):
        return _from_text(value, countries)
    if isinstance(value, Mapping):
        return geometry_region(_from_geojson(value))
    if hasattr(value, "to_crs"):
        return geometry_region(_from_frame(value))
    if hasattr(value, "geom_type") and hasattr(value, "is_empty"):
        return geometry_region(value)
    if hasattr(value, "__len__") and len(value) == 4:
        try:
            edges = [float(number) for number in value]
        except (TypeError, ValueError) as error:
            raise InvalidInputError(f"region: got {value!r}, expected four numbers") from error
        return box_region(edges)
    raise InvalidInputError(f"region: got {type(value).__name__}, expected a box, a geometry, a file or a name")


def _from_frame(value: Any) -> Geometry:
    if value.crs is None:
        raise InvalidInputError("region: got a frame without a CRS")
    return joined(value, "the frame")


def _from_text(value: str | Path, countries: str | Path | None) -> Region:
    text = str(value)
    wkt = _WKT.match(text)
    if isinstance(value, Path) or (wkt is None and is_file(text)):
        return read_region(text)
    if wkt is not None:
        return geometry_region(_from_wkt(text[max(wkt.end(1), 0) :], wkt["srid"]))
    if countries is None:
        known = f"; no file of that name is there, and a file ends in {', '.join(sorted(VECTOR_SUFFIXES))}"
        raise InvalidInputError(
            f"region: got the name {value!r} without a layer of countries (countries=PATH)"
            f"{known if _ENDING.search(text) else ''}"
        )
    return country_region(text, countries)


def _from_wkt(text: str, srid: str | None) -> Geometry:
    """The geometry of a text; PostGIS puts the CRS before it."""
    import shapely

    try:
        geometry = shapely.from_wkt(text)
    except shapely.errors.GEOSException as error:
        raise InvalidInputError(f"region: got text that is not WKT: {error}") from error
    if srid is None or int(srid) == _DEGREES:
        return geometry
    from pyproj.exceptions import CRSError

    from landloom.model.shapes import in_degrees

    try:
        moved: Geometry = in_degrees([geometry], int(srid), [f"SRID={srid}"])[0]
    except CRSError as error:
        raise InvalidInputError(f"region: got SRID={srid}, expected a code that EPSG knows") from error
    return moved


def _from_geojson(value: Mapping[str, Any]) -> Geometry:
    import shapely
    import shapely.geometry

    try:
        if value.get("type") == "FeatureCollection":
            held = [item["geometry"] for item in value["features"]]
            return shapely.union_all([_shape(one) for one in held if one is not None])
        return _shape(value["geometry"] if value.get("type") == "Feature" else value)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, shapely.errors.ShapelyError) as error:
        if isinstance(error, InvalidInputError):
            raise
        kind = value.get("type", "no type")
        raise InvalidInputError(f"region: got a mapping ({kind}) that is not a GeoJSON geometry") from error


def _shape(value: Mapping[str, Any]) -> Geometry:
    """One geometry, split where its edges step across 180°, before it meets others."""
    import shapely.geometry

    return _in_place(shapely.geometry.shape(dict(value)))
