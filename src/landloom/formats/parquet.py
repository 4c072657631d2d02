"""Parquet tables, and GeoParquet 1.1 with bounding boxes for pruning.

The bytes depend on the table and the installed pyarrow alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.model.grid import WGS84
from landloom.model.parquet_size import check_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

ROW_GROUP: Final = 8192
"""Rows in a row group: small enough for pruning, large enough to compress well."""
_BOX: Final = "bbox"
_EDGES: Final = ("xmin", "ymin", "xmax", "ymax")
_TYPES: Final = (
    "Point",
    "LineString",
    "LinearRing",
    "Polygon",
    "MultiPoint",
    "MultiLineString",
    "MultiPolygon",
    "GeometryCollection",
)
"""Geometry type names by GEOS type number."""
_GEO: Final = b"geo"
_GEO_VERSION: Final = "1.1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoColumn:
    """The geometry column of a GeoParquet file."""

    name: str
    """Name of the column, which holds WKB."""
    epsg: int
    """EPSG code of its CRS; the axis order is always x, y."""


def encode_parquet(table: pa.Table, *, metadata: Mapping[str, str] | None = None, row_group: int = ROW_GROUP) -> bytes:
    """Encode a plain table, with zstd.

    Args:
        table: any.
        metadata: additional key-value metadata of the file, beside those of the table's schema.
        row_group: rows in a row group.

    Example:
        >>> data = encode_parquet(pa.table({"n": [1, 2]}), metadata={"corpus": "demo"})
        >>> decode_parquet(data).column("n").to_pylist()
        [1, 2]
    """
    texts = {key.encode(): value.encode() for key, value in sorted((metadata or {}).items())}
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **texts} or None)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", compression_level=3, row_group_size=row_group, version="2.6")
    encoded: bytes = sink.getvalue().to_pybytes()
    return encoded


def decode_parquet(data: bytes, columns: list[str] | None = None) -> pa.Table:
    """Decode a table, or some of its columns.

    Raises:
        InvalidInputError: not Parquet, truncated, unfolding to too many bytes, or without one of the columns.
    """
    try:
        check_size(pa.BufferReader(data), columns)
        file = pq.ParquetFile(pa.BufferReader(data))
        names = file.schema_arrow.names
        missing = sorted(set(columns or ()) - set(names))
        table = None if missing else file.read(columns=columns)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InvalidInputError(f"{len(data)} bytes cannot be read as Parquet: {error}") from error
    if table is None:
        raise InvalidInputError(f"the table has no column {', '.join(missing)}, got {names}")
    return table


def parquet_document(data: bytes, key: str) -> Any:
    """A JSON document in the metadata of a Parquet file.

    Raises:
        KeyError: there is none of that key.
        ValueError: not Parquet, or no JSON.

    Example:
        >>> parquet_document(encode_parquet(pa.table({"n": [1]}), metadata={"corpus": '{"year": 2018}'}), "corpus")
        {'year': 2018}
    """
    return json.loads((pq.read_schema(pa.BufferReader(data)).metadata or {})[key.encode()])


def encode_geoparquet(
    table: pa.Table,
    *,
    geometry: str = "geometry",
    epsg: int = WGS84,
    metadata: Mapping[str, str] | None = None,
    row_group: int = ROW_GROUP,
) -> bytes:
    """Encode a table as GeoParquet 1.1: WKB, a bounding box per row, zstd.

    Args:
        table: one of its columns holds WKB; a column `bbox` is added, or replaced, at the end.
        geometry: name of the WKB column.
        epsg: its CRS; longitude comes first in geographic ones.
        metadata: additional key-value metadata of the file.
        row_group: rows in a row group; pruning by groups needs spatially sorted rows.

    Raises:
        InvalidValueError: no such column, or one that does not hold WKB.

    Example:
        >>> import shapely
        >>> points = shapely.points([[15, 46], [16, 47]])
        >>> table = pa.table({"id": ["a", "b"], "geometry": pa.array(shapely.to_wkb(points))})
        >>> same, column = decode_geoparquet(encode_geoparquet(table))
        >>> same.column_names, column.name, column.epsg
        (['id', 'geometry', 'bbox'], 'geometry', 4326)
    """
    if geometry not in table.column_names:
        raise InvalidValueError(f"got a table without a column {geometry!r}: {table.column_names}")
    try:
        shapes = shapely.from_wkb(table.column(geometry).to_numpy(zero_copy_only=False))
    except (TypeError, shapely.errors.ShapelyError) as error:
        raise InvalidValueError(f"column {geometry!r}: expected WKB, {error}") from error
    boxes = shapely.bounds(shapes)
    table = table.drop_columns([_BOX]) if _BOX in table.column_names else table
    table = table.append_column(_BOX, _box_column(boxes))
    present = ~np.isnan(boxes[:, 0])
    column = _geo_column(_geometry_types(shapes[present]), epsg)
    if present.any():
        column["bbox"] = [*boxes[present, :2].min(axis=0).tolist(), *boxes[present, 2:].max(axis=0).tolist()]
    geo = {"version": _GEO_VERSION, "primary_column": geometry, "columns": {geometry: column}}
    texts = dict(metadata or {}) | {_GEO.decode(): orjson.dumps(geo).decode()}
    return encode_parquet(table, metadata=texts, row_group=row_group)


class GeoParquetWriter:
    """Writes GeoParquet 1.1 table by table, each a row group or several; all have the same columns.

    Args:
        metadata: additional key-value metadata of the file.

    Example:
        >>> import shapely
        >>> boxes = pa.array([{"xmin": 15.0, "ymin": 46.0, "xmax": 15.0, "ymax": 46.0}])
        >>> table = pa.table({"bbox": boxes, "geometry": pa.array([shapely.to_wkb(shapely.Point(15, 46))])})
        >>> writer = GeoParquetWriter()
        >>> writer.write(table)
        >>> decode_geoparquet(writer.close())[0].num_rows
        1
    """

    def __init__(self, metadata: Mapping[str, str] | None = None) -> None:
        self._metadata = dict(metadata or {})
        self._sink = pa.BufferOutputStream()
        self._writer: pq.ParquetWriter | None = None
        self._bounds: list[list[float]] = []
        self._kinds: set[str] = set()

    def write(self, table: pa.Table) -> None:
        """Add a table with WKB in `geometry`, in longitude and latitude, and boxes in `bbox`."""
        if self._writer is None:
            options = {"compression": "zstd", "compression_level": 3, "version": "2.6"}
            self._writer = pq.ParquetWriter(self._sink, table.schema, **options)
        shapes = shapely.from_wkb(table.column("geometry").to_numpy(zero_copy_only=False))
        self._bounds.append(shapely.total_bounds(shapes).tolist())
        self._kinds |= set(_geometry_types(shapes))
        self._writer.write_table(table, row_group_size=ROW_GROUP)

    def close(self) -> bytes:
        """The file.

        Raises:
            InvalidValueError: no table was written.
        """
        if self._writer is None:
            raise InvalidValueError("got no table, expected one at least")
        bounds = np.array(self._bounds)
        box = [*bounds[:, :2].min(axis=0).tolist(), *bounds[:, 2:].max(axis=0).tolist()]
        column = _geo_column(sorted(self._kinds), WGS84) | {"bbox": box}
        geo = {"version": _GEO_VERSION, "primary_column": "geometry", "columns": {"geometry": column}}
        self._writer.add_key_value_metadata(self._metadata | {_GEO.decode(): orjson.dumps(geo).decode()})
        self._writer.close()
        encoded: bytes = self._sink.getvalue().to_pybytes()
        return encoded


def _geo_column(kinds: list[str], epsg: int) -> dict[str, Any]:
    return {
        "encoding": "WKB",
        "geometry_types": kinds,
        "crs": _projjson(epsg),
        "edges": "planar",
        "covering": {_BOX: {edge: [_BOX, edge] for edge in _EDGES}},
    }


def _box_column(boxes: NDArray[Any]) -> pa.StructArray:
    missing = pa.array(np.isnan(boxes[:, 0]))
    edges = [pa.array(boxes[:, position], pa.float64()) for position in range(4)]
    return pa.StructArray.from_arrays(edges, names=list(_EDGES), mask=missing)


def _geometry_types(shapes: NDArray[Any]) -> list[str]:
    kinds = zip(shapely.get_type_id(shapes).tolist(), shapely.has_z(shapes).tolist(), strict=True)
    return sorted({_TYPES[kind] + (" Z" if solid else "") for kind, solid in kinds})


def _projjson(epsg: int) -> dict[str, Any]:
    """PROJJSON of the CRS; WGS84 as OGC:CRS84, longitude first like the data."""
    crs = CRS.from_user_input("OGC:CRS84" if epsg == WGS84 else epsg)
    return crs.to_json_dict()


def decode_geoparquet(data: bytes, columns: list[str] | None = None) -> tuple[pa.Table, GeoColumn]:
    """Decode a GeoParquet file: the unchanged table, and its geometry column.

    Raises:
        InvalidInputError: not GeoParquet, or a geometry that is not WKB in a CRS with an EPSG code.
    """
    table = decode_parquet(data, columns)
    text = (table.schema.metadata or {}).get(_GEO)
    if text is None:
        raise InvalidInputError("got a Parquet file without `geo` metadata, expected GeoParquet")
    try:
        geo = orjson.loads(text)
        name = geo["primary_column"]
        column = geo["columns"][name]
        encoding, crs = column["encoding"], column.get("crs")
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(f"the `geo` metadata of this Parquet file is broken: {error!r}") from error
    if encoding != "WKB":
        raise InvalidInputError(f"column {name!r}: got the encoding {encoding}, expected WKB")
    return table, GeoColumn(name=name, epsg=_epsg(crs))


def _epsg(crs: dict[str, Any] | None) -> int:
    """EPSG code of PROJJSON; in GeoParquet an absent CRS means longitude and latitude."""
    if crs is None or crs.get("id", {}) == {"authority": "OGC", "code": "CRS84"}:
        return WGS84
    try:
        code = CRS.from_json_dict(crs).to_epsg()
    except CRSError as error:
        raise InvalidInputError(f"the CRS of this GeoParquet file cannot be read: {error}") from error
    if code is None:
        raise InvalidInputError(f"expected a CRS with an EPSG code, got {crs.get('name')!r}")
    return int(code)
