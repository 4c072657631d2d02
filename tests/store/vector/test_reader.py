"""The vector reader on every format that it promises, and what it says of files that it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from landloom.errors import InvalidInputError, MissingKeyError, NotFoundError, StoreError
from landloom.store.vector import UNREAD, Told, frame_crs, layers_with_geometry, read_vector

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def frame() -> geopandas.GeoDataFrame:
    squares = shapely.box([0, 20, 40], [0, 0, 0], [10, 30, 50], [10, 10, 10])
    return geopandas.GeoDataFrame(
        {"id": [2**53 + 1, 2, 3], "code": ["0513", "0514", "0513"]},
        geometry=shapely.transform(squares, lambda v: v + np.array([500_000, 5_000_000])),
        crs=32633,
    )


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson", ".parquet"])
def test_formats_come_back_as_they_were(frame: geopandas.GeoDataFrame, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"parcels{suffix}"
    frame.to_parquet(file) if suffix == ".parquet" else frame.to_file(file)
    read = read_vector(file)
    assert frame_crs(read) == 32633
    assert read["code"].tolist() == frame["code"].tolist()
    assert read["id"].tolist() == frame["id"].tolist()
    assert all(a.equals(b) for a, b in zip(read.geometry, frame.geometry, strict=True))


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", ".csv"])
def test_columns_and_boxes_select(frame: geopandas.GeoDataFrame, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"parcels{suffix}"
    if suffix == ".csv":
        _as_csv(frame, [32633] * 3).to_csv(file, index=False)
    else:
        frame.to_parquet(file) if suffix == ".parquet" else frame.to_file(file)
    read = read_vector(file, columns=["id"], bbox=(500_015, 5_000_000, 500_035, 5_000_010))
    assert list(read.columns) == ["id", "geometry"]
    assert read["id"].tolist() == [2]
    degrees = tuple(frame.geometry[[2]].to_crs(4326).total_bounds)
    assert read_vector(file, bbox=degrees, bbox_crs=4326)["id"].tolist() == [3]
    with pytest.raises(NotFoundError, match=r"parcels.*nearest: code"):
        read_vector(file, columns=["cod"])


def _as_csv(frame: geopandas.GeoDataFrame, crs: list[object]) -> pd.DataFrame:
    table = pd.DataFrame(frame.drop(columns="geometry"))
    table["crs"] = pd.Series(crs, dtype=object)
    return table.assign(year=2020, geometry=frame.geometry.to_wkt(rounding_precision=-1))


def test_the_canonical_csv_keeps_leading_zeros_and_64_bit_ids(frame: geopandas.GeoDataFrame, tmp_path: Path) -> None:
    file = tmp_path / "parcels.csv"
    _as_csv(frame, ["EPSG:32633", "32633", 32633]).to_csv(file, index=False)
    read = read_vector(file)
    assert frame_crs(read) == 32633
    assert "crs" not in read.columns
    assert read["code"].tolist() == ["0513", "0514", "0513"]
    assert read["id"].tolist() == [2**53 + 1, 2, 3]
    assert read["year"].tolist() == [2020] * 3
    assert shapely.equals(read.geometry.to_numpy(), frame.geometry.to_numpy()).all()


def test_a_csv_of_several_crs_keeps_the_column(frame: geopandas.GeoDataFrame, tmp_path: Path) -> None:
    file = tmp_path / "parcels.csv"
    _as_csv(frame, [32633, 32634, 32633]).to_csv(file, index=False)
    read = read_vector(file)
    assert read.crs is None
    assert read["crs"].tolist() == [32633, 32634, 32633]
    near = read_vector(file, bbox=(500_015, 5_000_000, 500_035, 5_000_010), bbox_crs=32633)
    assert near["id"].tolist() == []


def test_a_csv_may_miss_ids_and_geometries(frame: geopandas.GeoDataFrame, tmp_path: Path) -> None:
    file = tmp_path / "parcels.csv"
    table = _as_csv(frame, [32633] * 3)
    table["id"] = [str(2**53 + 1), None, "3"]
    table.loc[1, "geometry"] = None
    table.to_csv(file, index=False)
    read = read_vector(file)
    assert read["id"].isna().tolist() == [False, True, False]
    assert int(read["id"][0]) == 2**53 + 1
    assert read.geometry.isna().tolist() == [False, True, False]


def test_a_csv_with_bad_text_names_the_rows(frame: geopandas.GeoDataFrame, tmp_path: Path) -> None:
    file = tmp_path / "parcels.csv"
    table = _as_csv(frame, [32633] * 3)
    table.loc[2, "geometry"] = "POLYGON ((0 0, 1 1"
    table.to_csv(file, index=False)
    read = read_vector(file)
    assert read.geometry.isna().tolist() == [False, False, True]
    assert read.attrs[UNREAD] == {2: "got geometry that is no WKT"}
    _as_csv(frame, [32633, None, 32633]).to_csv(file, index=False)
    with pytest.raises(InvalidInputError, match=r"no CRS in rows \[1\]"):
        read_vector(file)
    table.drop(columns="geometry").to_csv(file, index=False)
    with pytest.raises(InvalidInputError, match="expected `geometry` with WKT"):
        read_vector(file)


def test_the_only_layer_with_geometry_is_taken(frame: geopandas.GeoDataFrame, tmp_path: Path) -> None:
    file = tmp_path / "labels.gpkg"
    frame.to_file(file, layer="clc")
    pyogrio.write_dataframe(pd.DataFrame({"style": ["red"]}), file, layer="layer_styles", append=True)
    assert layers_with_geometry(file) == ("clc",)
    assert len(read_vector(file)) == 3
    frame.iloc[:1].to_file(file, layer="clip")
    with pytest.raises(InvalidInputError, match=r"labels\.gpkg has several layers with geometry: clc, clip"):
        read_vector(file)
    assert len(read_vector(file, layer="clip")) == 1
    with pytest.raises(NotFoundError, match="nearest: clc, clip"):
        read_vector(file, layer="layer_styles")


def test_a_file_without_crs_is_named(frame: geopandas.GeoDataFrame, tmp_path: Path) -> None:
    file = tmp_path / "nowhere.shp"
    with pytest.warns(UserWarning, match="crs"):
        frame.set_crs(None, allow_override=True).to_file(file)
    with pytest.raises(InvalidInputError, match=r"nowhere\.shp has no CRS"):
        read_vector(file)
    assert frame_crs(read_vector(file, told=Told(crs=32633))) == 32633


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingKeyError, match=r"none\.gpkg"):
        read_vector(tmp_path / "none.gpkg")
    broken = tmp_path / "broken.gpkg"
    broken.write_bytes(b"no geopackage")
    with pytest.raises(StoreError, match=r"broken\.gpkg"):
        read_vector(broken)
    table = tmp_path / "table.parquet"
    pq.write_table(pa.table({"id": [1], "geometry": [b""]}), table)
    with pytest.raises(InvalidInputError, match="expected GeoParquet"):
        read_vector(table)
    with pytest.raises(InvalidInputError, match="no CRS"):
        frame_crs(geopandas.GeoDataFrame(geometry=[]))


def test_real_layers(shared_data: Path) -> None:
    clc = shared_data / "clc_lanjaron" / "clc.gpkg"
    assert layers_with_geometry(clc) == ("clc", "lanjaron")
    assert len(read_vector(clc, layer="clc")) == 136
    esch = read_vector(shared_data / "parcels" / "eodal_esch_2020" / "ZH_Polygons_2020_ESCH_EPSG32632.shp")
    assert (len(esch), frame_crs(esch), esch["NUTZUNGSCO"][0]) == (281, 32632, "0513")
    lulc = read_vector(shared_data / "parcels" / "eogrow_azerbaijan" / "test_area_lulc.geojson")
    assert (len(lulc), frame_crs(lulc)) == (1704, 32638)


def test_text_larger_than_memory_wants_a_box(tmp_path: Path) -> None:
    """40 GB on paper: a sparse file, of which nothing but the size is looked at."""
    path = tmp_path / "parcels.csv"
    with path.open("wb") as file:
        file.write(b"id,crs,geometry\n")
        file.truncate(4 * 10**12)
    with pytest.raises(InvalidInputError, match=r"4,000\.0 GB of text do not fit"):
        read_vector(path)
