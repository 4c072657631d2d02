"""Regions in vector files: all of a layer, or a country of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import InvalidInputError, LandloomError, NotFoundError
from landloom.model.address import VectorName

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry as Geometry

VECTOR_SUFFIXES: Final = frozenset(
    {
        *(
            ".geojson",
            ".json",
            ".topojson",
            ".geojsonl",
            ".geojsons",
            ".gpkg",
            ".shp",
            ".fgb",
            ".parquet",
            ".geoparquet",
        ),
        *(".pq", ".csv", ".gz", ".kml", ".kmz", ".gml", ".tab", ".mif", ".gpx", ".shz", ".zip"),
    }
)
"""Text with one of these endings is a file."""


def is_file(text: str) -> bool:
    """Whether a text names a vector file, perhaps with a layer of it: `file.gpkg|layer`.

    Example:
        >>> is_file("germany.topojson"), is_file("maps.gpkg|one"), is_file("St. Lucia"), is_file("https://a.org/x?sig=1")
        (True, True, False, True)
    """
    name = VectorName.parse(text, whole=Path(text).exists()).file
    return "://" in name or Path(name).suffix.lower() in VECTOR_SUFFIXES or Path(name).is_file()


def read_shapes(source: str) -> Geometry:
    """The union of all features of a layer, in longitude and latitude.

    Args:
        source: path or address, perhaps with `|layer`.

    Raises:
        InvalidInputError: no file, several layers, no features, no CRS, or broken geometries; the file is named.
    """
    frame = _read_layer(source)
    return joined(frame, _named(source))


def read_country(name: str, source: str) -> Geometry:
    """A country by name or code, from a layer of countries, in longitude and latitude.

    Args:
        name: as any text column has it, but for case, surrounding blanks and the form of accented letters.
        source: as of `read_shapes`.

    Raises:
        NotFoundError: no such name; similar names are listed.
        InvalidInputError: the layer cannot be read.
    """
    from landloom.model.text import nfc

    frame = _read_layer(source)
    words = frame.drop(columns=frame.geometry.name).select_dtypes(include=["object", "string"])
    folded = words.map(lambda word: nfc(word).casefold() if isinstance(word, str) else None)
    hits = folded.eq(nfc(name).casefold()).fillna(value=False)
    if not hits.to_numpy().any():
        known = {nfc(word) for column in words for word in words[column].dropna() if isinstance(word, str)}
        near = {word for word in known if 1 < len(word) < 60}
        raise NotFoundError.of(f"country in {_named(source)}", nfc(name), near)
    # The column with the rarest match identifies a country; others are attributes of many.
    column = min((c for c in hits if hits[c].any()), key=lambda c: int(hits[c].sum()))
    own = frame[hits[column].to_numpy(dtype=bool)]
    return joined(own.set_geometry(own.geometry.make_valid()), _named(source))


def read_regions(source: str, column: str) -> dict[str, Geometry]:
    """The regions of a layer by name, in longitude and latitude; features of one name are one region.

    Args:
        source: as of `read_shapes`.
        column: of the names.

    Raises:
        NotFoundError: no such column.
        InvalidInputError: the layer cannot be read, or a feature has no name.
    """
    frame = _read_layer(source)
    if column not in frame.columns or column == frame.geometry.name:
        raise NotFoundError.of(f"column in {_named(source)}", column, frame.columns.drop(frame.geometry.name))
    unnamed = frame.index[frame[column].isna()].tolist()
    if unnamed:
        raise InvalidInputError(f"region: {_named(source)}: feature {unnamed[0]} has no {column}")
    return {str(name): joined(own, _named(source)) for name, own in frame.groupby(column, sort=True)}


def joined(frame: gpd.GeoDataFrame | gpd.GeoSeries, where: str) -> Geometry:
    """The union of a frame's geometries in longitude and latitude; those that cross themselves are named.

    Args:
        frame: with a CRS.
        where: what to call it.

    Raises:
        InvalidInputError: some cross themselves, or cannot be brought into degrees.
    """
    import shapely

    from landloom.model.shapes import in_degrees

    shapes: Any = frame.geometry[frame.geometry.notna()]
    invalid = [str(index) for index, good in zip(shapes.index, shapes.is_valid, strict=True) if not good]
    if invalid:
        raise InvalidInputError(f"region: {where}: features {', '.join(invalid[:10])} cross themselves")
    try:
        moved = in_degrees(shapes.to_numpy(), frame.crs, [f"feature {index}" for index in shapes.index])
    except InvalidInputError as error:
        raise InvalidInputError(f"region: {where}: {error}") from error
    whole: Geometry = shapely.union_all(moved)
    return whole


def _read_layer(source: str) -> gpd.GeoDataFrame:
    """The features of a layer that have a geometry."""
    from landloom.store.vector import read_vector, refuse_unread

    path = VectorName.parse(source, whole=Path(source).exists()).file
    name = _named(path)
    if "://" not in path and not Path(path).exists():
        raise InvalidInputError(f"region: no file {path}")
    try:
        frame = read_vector(source, numbered=True)
        refuse_unread(frame, name)
    except LandloomError as error:
        reason = str(error).splitlines()[0]
        if "has no CRS" in reason:
            raise InvalidInputError(f"region: {name} has no CRS") from error
        if "several layers" in reason:
            raise InvalidInputError(f"region: {reason}: {name}|LAYER") from error
        raise InvalidInputError(f"region: {name} cannot be read: {reason}") from error
    there = frame.geometry.notna() & ~frame.geometry.is_empty
    if not there.any():
        raise InvalidInputError(f"region: {name} has no geometries")
    if frame.crs is None:
        raise InvalidInputError(f"region: {name} has rows in several CRSs, expected one for the whole file")
    return frame[there]


def _named(source: str) -> str:
    """What messages call a file."""
    return Path(source.split("?", 1)[0]).name
