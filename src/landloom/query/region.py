"""Regions in any form accepted from users, converted to one form in WGS84.

Boxes stay four numbers, so that they need no geometry library. Everything else becomes one valid shapely geometry.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final
from unicodedata import normalize

from landloom.errors import FaultError, InvalidInputError, NotFoundError, StoreError
from landloom.model.address import is_remote, shown
from landloom.model.grid import WGS84

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry as Geometry

    from landloom.model.grid import Bounds

_SUFFIXES: Final = "geojson geojsonl ndjson json topojson gpkg shp fgb parquet geoparquet pq kml kmz csv tsv gml zip gz"
VECTOR_SUFFIXES: Final = frozenset(f".{suffix}" for suffix in _SUFFIXES.split())
"""Text with one of these endings is a file."""
_WKT: Final = re.compile(
    r"\s*(srid=\d+;)?\s*((multi)?(point|linestring|polygon)|linearring|geometrycollection)\s*(z|m|zm)?\s*(\(|empty\b)",
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
    flat = shapely.force_2d(geometry) if geometry.has_z else geometry
    rectangle = shapely.get_num_coordinates(flat) == 5 and flat.geom_type == "Polygon"
    if rectangle and flat.equals(shapely.box(west, south, east, north)):
        return box_region((west, south, east, north))
    return Region(geometry=flat)


def read_region(path: str | Path) -> Region:
    """The union of all features of a vector file, reprojected from its CRS vertex by vertex.

    Args:
        path: file or URL; `file.gpkg|layer` names a layer of it.

    Raises:
        InvalidInputError: no file, no features, no CRS, several layers, or broken geometries; the file is named.
    """
    return geometry_region(_joined(_read_layer(path, columns=[]).geometry, shown(str(path))))


def _joined(shapes: gpd.GeoSeries, where: str) -> Geometry:
    """The union of geometries; self-intersecting ones are named."""
    invalid = [str(index) for index, good in zip(shapes.index, shapes.is_valid, strict=True) if not good]
    if invalid:
        raise InvalidInputError(f"region: {where}: features {', '.join(invalid[:10])} cross themselves")
    joined: Geometry = shapes.union_all()
    return joined


def _read_layer(path: str | Path, columns: Sequence[str] | None = None) -> gpd.GeoDataFrame:
    """The rows of a layer that have geometry, in WGS84.

    Raises:
        InvalidInputError: they cannot be read, or there are none.
    """
    from landloom.store.vector import UNREAD, read_vector

    where = shown(str(path))
    try:
        frame = read_vector(path, columns=columns, numbered=True)
    except (InvalidInputError, NotFoundError, StoreError, FaultError) as error:
        raise InvalidInputError(f"region: {error}") from error
    if unread := frame.attrs[UNREAD]:
        named = ", ".join(f"{row}: {why}" for row, why in list(unread.items())[:10])
        raise InvalidInputError(f"region: {where}: rows that cannot be read ({named})")
    found = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
    if found.empty:
        raise InvalidInputError(f"region: {where} holds no geometries")
    if found.crs is None:
        raise InvalidInputError(f"region: {where} has rows of several CRSs, expected one")
    return found.to_crs(WGS84)


def country_region(name: str, layer: str | Path) -> Region:
    """A country by name or code, from a layer of countries.

    The name may be in any text column; case and surrounding blanks are ignored.

    Args:
        name: `Germany`, `DE`, `DEU`.
        layer: a vector file with one or more features per country.

    Raises:
        NotFoundError: no such name; similar names are listed.
        InvalidInputError: the layer cannot be read, or the name means different countries.
    """
    frame = _read_layer(layer)
    words = frame.drop(columns=frame.geometry.name).select_dtypes(include=["object", "string"])
    folded = words.apply(lambda column: column.astype("string").str.strip().str.casefold())
    wanted = normalize("NFC", name).strip().casefold()
    hits = folded.eq(wanted).fillna(value=False)
    if not hits.to_numpy().any():
        known = {str(word).strip() for column in words for word in words[column].dropna() if 1 < len(str(word)) < 60}
        raise NotFoundError.of(f"country in {shown(str(layer))}", name, known)
    # The column with the rarest match identifies a country; others are attributes of many.
    column = min((c for c in hits if hits[c].any()), key=lambda c: int(hits[c].sum()))
    return geometry_region(frame[hits[column].to_numpy(dtype=bool)].geometry.make_valid().union_all())


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
    return _joined(value.to_crs(4326).geometry, "the frame")


def _from_text(value: str | Path, countries: str | Path | None) -> Region:
    if isinstance(value, Path) or _is_file(value):
        return read_region(value)
    if _WKT.match(value):
        return geometry_region(_from_wkt(value))
    if countries is None:
        raise InvalidInputError(
            f"region: got the name {value!r} without a layer of countries (countries=PATH); as a file, box or WKT it "
            "cannot be read"
        )
    return country_region(value, countries)


def _is_file(text: str) -> bool:
    """Whether text is an address of a file: a URL, a path that is there, or one that ends as vector files do."""
    file = text.rpartition("|")[0] or text
    if is_remote(text) or PurePath(file).suffix.lower() in VECTOR_SUFFIXES:
        return True
    try:
        return ("/" in file or "." in file) and Path(file).exists()
    except (OSError, ValueError):
        return False


def _from_wkt(text: str) -> Geometry:
    """WKT, or PostGIS's with an SRID before it; degrees unless that says otherwise."""
    import shapely

    from landloom.model.crs_key import crs_key
    from landloom.model.grid import reproject

    srid, semicolon, rest = text.strip().partition(";")
    try:
        shape = shapely.from_wkt(rest if semicolon else text)
    except shapely.errors.GEOSException as error:
        raise InvalidInputError(f"region: got text that is not WKT: {error}") from error
    return reproject(shape, crs_key(srid[5:]), WGS84) if semicolon else shape


def _from_geojson(value: Mapping[str, Any]) -> Geometry:
    import shapely
    import shapely.geometry

    try:
        if value.get("type") == "FeatureCollection":
            given = [item["geometry"] for item in value["features"] if item["geometry"] is not None]
            return shapely.union_all([shapely.geometry.shape(geometry) for geometry in given])
        return shapely.geometry.shape(dict(value["geometry"] if value.get("type") == "Feature" else value))
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, shapely.errors.ShapelyError) as error:
        kind = value.get("type", "no type")
        raise InvalidInputError(f"region: got a mapping ({kind}) that is not a GeoJSON geometry") from error
