"""Reading parcels near a grid, and the tables that explain them and read back."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from tests.products.parcels.squares import COLUMNS, GRID, squares

from landloom.engine.sources.parcels import MARGIN, classes_csv, classes_file, read_parcels, rejected_csv
from landloom.errors import InvalidInputError
from landloom.labels.classes import class_mapping
from landloom.labels.parcel_table import Rejected
from landloom.labels.parcels import parcels_of
from landloom.model.grid import Grid
from landloom.store.vector import Told
from landloom.store.vector.cells import nfc


def test_far_parcels_end_clearly(tmp_path: Path) -> None:
    squares().to_file(tmp_path / "parcels.gpkg")
    elsewhere = Grid.of_bounds(32633, (700_000, 5_000_000, 701_000, 5_001_000), 10)
    with pytest.raises(InvalidInputError, match="no parcel lies near"):
        read_parcels(str(tmp_path / "parcels.gpkg"), elsewhere, columns=COLUMNS)


@pytest.mark.parametrize("epsg", [32633, 3035, 4326])
def test_what_lies_near_a_grid_is_read_whole_and_no_less(tmp_path: Path, epsg: int) -> None:
    """Whatever the file's CRS: every parcel that comes within the margin, with its own geometry."""
    squares().to_crs(epsg).to_file(tmp_path / "parcels.gpkg")
    grid = GRID.window(300, 300, 200, 200)
    every = read_parcels(str(tmp_path / "parcels.gpkg"), columns=COLUMNS)
    near = read_parcels(str(tmp_path / "parcels.gpkg"), grid, columns=COLUMNS)
    own = every.in_crs(32633)
    wanted = own.ids[shapely.intersects(own.geometries, shapely.box(*grid.bounds))]
    close = own.ids[shapely.dwithin(own.geometries, shapely.box(*grid.bounds), 2 * MARGIN)]
    assert 0 < len(near) < len(every)
    assert set(wanted.tolist()) <= set(near.ids.tolist()) <= set(close.tolist())


def test_a_file_that_does_not_say_its_crs_may_be_told(tmp_path: Path) -> None:
    triangle = "POLYGON ((500000 5000000, 500100 5000000, 500000 5000100, 500000 5000000))"
    rows = ["id,ground_truth,geometry", f'1,maize,"{triangle}"']
    (tmp_path / "parcels.csv").write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(InvalidInputError, match="CRS"):
        read_parcels(str(tmp_path / "parcels.csv"))
    assert read_parcels(str(tmp_path / "parcels.csv"), told=Told(crs=32633)).crs.tolist() == [32633]


NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=8)
NAMES = NAMES.map(lambda text: nfc(text).strip())


@given(st.dictionaries(NAMES.filter(bool), st.integers(1, 200), min_size=1, max_size=6))
def test_a_mapping_reads_back_as_it_was_written(codes: dict[str, int]) -> None:
    """As the table that is published, and as YAML and JSON that a person writes."""
    mapping = class_mapping(set(codes), codes)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "classes.csv"
        path.write_bytes(classes_csv(mapping.rows()))
        named, special = classes_file(path)
        assert named == dict(mapping.codes)
        again = class_mapping(set(codes), named, **special)  # type: ignore[arg-type]
        assert again.rows() == mapping.rows()
        (Path(folder) / "classes.json").write_text(json.dumps(codes, ensure_ascii=False), encoding="utf-8")
        assert classes_file(Path(folder) / "classes.json") == ({nfc(name): code for name, code in codes.items()}, {})


def test_a_mapping_reads_back_with_what_is_not_named_in_it(tmp_path: Path) -> None:
    frame = squares()
    parcels = parcels_of(frame, columns=COLUMNS, classes={"maize": 5, "wheat": 5}, unmapped="ignore")
    assert parcels.mapping is not None
    (tmp_path / "classes.csv").write_bytes(classes_csv(parcels.mapping.rows()))
    classes, codes = classes_file(tmp_path / "classes.csv")
    assert classes == {"maize": 5, "meadow": 255, "wheat": 5}
    again = parcels_of(frame, columns=COLUMNS, classes=classes, codes=codes)
    np.testing.assert_array_equal(again.values, parcels.values)


def test_numbers_in_yaml_are_classes_as_text_is(tmp_path: Path) -> None:
    (tmp_path / "classes.yaml").write_text("maize: 1\n'0513': 2\n3: 9\n")
    named, _ = classes_file(tmp_path / "classes.yaml")
    assert (named["maize"], named["3"], named["0513"]) == (1, 9, 2)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("none.csv", None),
        ("a.csv", "name,number\nmaize,1\n"),
        ("b.csv", "value,code\nmaize,one\n"),
        ("c.yaml", "- maize\n"),
        ("d.yaml", "maize: [1]\n"),
    ],
)
def test_what_is_no_mapping_is_said(tmp_path: Path, name: str, text: str | None) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInputError, match="the columns value and code, or a mapping"):
        classes_file(tmp_path / name)


def test_the_table_of_rejected_parcels_names_their_fate() -> None:
    rows = rejected_csv(
        [Rejected(id="7", ground_truth="maize, late", reason="no area")],
        [Rejected(id="8", ground_truth="wheat", reason="Self-intersection")],
    )
    assert rows.decode().splitlines() == [
        "id,ground_truth,fate,reason",
        '7,"maize, late",rejected,no area',
        "8,wheat,repaired,Self-intersection",
    ]


def test_rows_are_read_as_geopandas_reads_them(tmp_path: Path) -> None:
    squares().to_parquet(tmp_path / "parcels.parquet")
    found = read_parcels(str(tmp_path / "parcels.parquet"), columns=COLUMNS)
    frame = geopandas.read_parquet(tmp_path / "parcels.parquet")
    kept = frame[frame.is_valid]
    assert found.ids.tolist() == sorted(kept["key"])
    assert len(found.rejected) == len(frame) - len(kept) == 1
