"""Letters with accents are the same, whether written as one character or as two, wherever text enters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from unicodedata import normalize

import geopandas
import pytest
import shapely

from landloom.engine.sources.parcels import classes_file, read_parcels
from landloom.labels.classes import class_mapping
from landloom.model.taxonomy import LandClass, Taxonomy
from landloom.store.vector import read_vector
from landloom.store.vector.tables import column_names, table_rows

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = "Grünland", normalize("NFD", "Grünland")
FORMS = [(ONE, TWO), (TWO, ONE), (TWO, TWO)]


@pytest.mark.parametrize(("written", "asked"), FORMS)
def test_classes_of_a_taxonomy(written: str, asked: str) -> None:
    """As plug-ins, and `corpus.json` of others, bring them."""
    groups = (LandClass(code=written, name=written), LandClass(code="9", name="nothing"))
    classes = (
        LandClass(code=written, name=f"{written} ", parents=(asked,)),
        LandClass(code="0", name="nothing", parents=("9",)),
    )
    own = Taxonomy(name="x", prefix="x", nodata="0", classes=classes, groups=groups)
    assert own.codes() == (ONE, "0")
    assert (own.land_class(asked).name, own.land_class(asked).parents) == (ONE, (ONE,))
    assert own.parse_code(asked) == ONE


@pytest.mark.parametrize(("written", "asked"), FORMS)
@pytest.mark.parametrize("suffix", [".csv", ".yaml", ".json"])
def test_values_of_a_class_map(written: str, asked: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"classes{suffix}"
    text = f"value,code\n{written},7\n" if suffix == ".csv" else json.dumps({written: 7}, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    assert classes_file(path)[0] == {ONE: 7}
    assert class_mapping([asked], classes_file(path)[0]).apply([asked]).tolist() == [7]


@pytest.mark.parametrize(("written", "asked"), FORMS)
@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".parquet", ".fgb"])
def test_columns_and_values_of_parcels(written: str, asked: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"p{suffix}"
    frame = geopandas.GeoDataFrame({written: [written]}, geometry=[shapely.box(0, 0, 90, 90)], crs=32633)
    if suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    assert read_vector(path)[ONE].tolist() == [ONE]
    found = read_parcels(str(path), columns={"ground_truth": asked}, classes={asked: 7})
    assert found.mapping is not None
    assert found.mapping.codes == {ONE: 7}


@pytest.mark.parametrize("written", [ONE, TWO])
def test_tables_of_text(written: str) -> None:
    text = f"{written};id\n{written};1\n"
    assert (column_names(text), table_rows(text)) == ([ONE, "id"], [{ONE: ONE, "id": "1"}])
