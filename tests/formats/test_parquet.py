"""Tables against pyarrow, GeoParquet against geopandas."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.formats.parquet import decode_geoparquet, decode_parquet, encode_geoparquet, encode_parquet

if TYPE_CHECKING:
    from collections.abc import Sequence


def _table(shapes: Sequence[Any], **columns: Any) -> pa.Table:
    ids = [f"s{n:05}" for n in range(len(shapes))]
    return pa.table({"id": ids, "geometry": pa.array(shapely.to_wkb(np.array(shapes)), pa.binary()), **columns})


SHAPES = [
    shapely.box(15, 46, 15.5, 47),
    shapely.MultiPolygon([shapely.box(179, 1, 180, 2), shapely.box(-180, 1, -179, 2)]),
    shapely.Point(3, 4),
    None,
]


def test_geopandas_reads_it() -> None:
    data = encode_geoparquet(_table(SHAPES), metadata={"corpus": "demo"})
    frame = gpd.read_parquet(io.BytesIO(data))
    assert frame["id"].tolist() == ["s00000", "s00001", "s00002", "s00003"]
    assert frame.crs == "OGC:CRS84"
    assert [shape == wanted for shape, wanted in zip(frame.geometry, SHAPES, strict=True)] == [True] * 4
    part = gpd.read_parquet(io.BytesIO(data), bbox=(14, 45, 15.2, 46.5))
    assert part["id"].tolist() == ["s00000"]


def test_metadata_says_what_the_specification_wants() -> None:
    data = encode_geoparquet(_table(SHAPES), metadata={"corpus": "demo"})
    metadata = pq.read_metadata(io.BytesIO(data)).metadata
    assert metadata[b"corpus"] == b"demo"
    geo = orjson.loads(metadata[b"geo"])
    column = geo["columns"]["geometry"]
    assert (geo["version"], geo["primary_column"], column["encoding"]) == ("1.1.0", "geometry", "WKB")
    assert column["geometry_types"] == ["MultiPolygon", "Point", "Polygon"]
    assert column["bbox"] == [-180, 1, 180, 47]
    assert column["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    boxes = decode_parquet(data, ["bbox"]).column("bbox").to_pylist()
    assert boxes[0] == {"xmin": 15, "ymin": 46, "xmax": 15.5, "ymax": 47}
    assert boxes[3] is None


@pytest.mark.parametrize("epsg", [4326, 32633, 3035])
def test_it_comes_back(epsg: int) -> None:
    table = _table(SHAPES, value=[1.5, None, 2, 3])
    again, column = decode_geoparquet(encode_geoparquet(table, epsg=epsg))
    assert (column.name, column.epsg) == ("geometry", epsg)
    assert again.drop_columns(["bbox"]).equals(table)
    twice, _ = decode_geoparquet(encode_geoparquet(again, epsg=epsg))
    assert twice.equals(again)


def test_geopandas_own_files_are_read() -> None:
    frame = gpd.GeoDataFrame({"n": [1, 2]}, geometry=[shapely.Point(1, 2), shapely.Point(3, 4)], crs=32633)
    sink = io.BytesIO()
    frame.to_parquet(sink)
    table, column = decode_geoparquet(sink.getvalue())
    assert (table.num_rows, column.name, column.epsg) == (2, "geometry", 32633)


def test_the_same_table_gives_the_same_bytes_in_groups_of_8192() -> None:
    places = np.random.default_rng(1).uniform(0, 40, (20_000, 2))
    shapes = [shapely.Point(place) for place in places]
    first = encode_geoparquet(_table(shapes), metadata={"b": "2", "a": "1"})
    chunked = pa.concat_tables([_table(shapes)[:777], _table(shapes)[777:]])
    assert encode_geoparquet(chunked, metadata={"a": "1", "b": "2"}) == first
    metadata = pq.read_metadata(io.BytesIO(first))
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [8192, 8192, 3616]
    assert {metadata.row_group(0).column(n).compression for n in range(metadata.num_columns)} == {"ZSTD"}


def test_plain_tables() -> None:
    table = pa.table({"path": ["a", "b"], "bytes": [1, 2]})
    data = encode_parquet(table, metadata={"version": "1"})
    assert decode_parquet(data).equals(table)
    assert decode_parquet(data, ["bytes"]).column_names == ["bytes"]
    assert decode_parquet(encode_parquet(table[:0])).num_rows == 0
    with pytest.raises(InvalidInputError, match="no column size"):
        decode_parquet(data, ["size"])


def test_empty_geoparquet() -> None:
    frame = gpd.read_parquet(io.BytesIO(encode_geoparquet(_table([]))))
    assert len(frame) == 0


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(InvalidValueError, match="'shape'"):
        encode_geoparquet(_table(SHAPES), geometry="shape")
    with pytest.raises(InvalidValueError, match="WKB"):
        encode_geoparquet(pa.table({"geometry": [b"no"]}))
    data = encode_parquet(pa.table({"n": [1]}))
    with pytest.raises(InvalidInputError, match="expected GeoParquet"):
        decode_geoparquet(data)
    for broken in (b"", data[: len(data) // 2], b"PAR1" * 10):
        with pytest.raises(InvalidInputError, match="Parquet"):
            decode_parquet(broken)
