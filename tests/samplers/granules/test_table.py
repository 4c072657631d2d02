"""Tables of granules: read from Parquet and CSV, with continents of their own or of a recipe, and drawn from."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import shapely
from tests.samplers.granules.maps import GRANULES, NAMES

from landloom.errors import InvalidInputError
from landloom.model.granules import granule_footprint
from landloom.model.ids import GranuleId
from landloom.model.recipe import VectorSource
from landloom.samplers.granules.features import SHARES, write_features
from landloom.samplers.granules.section import GranuleChips
from landloom.samplers.granules.table import draw_from_table, read_granules

if TYPE_CHECKING:
    from pathlib import Path


def test_continents_of_a_recipe_replace_those_of_the_table(world_map: str, continents: str, tmp_path: Path) -> None:
    table = write_features(world_map, tmp_path / "t", granules=GRANULES)
    with pytest.raises(InvalidInputError, match="got no continent for any granule"):
        read_granules(str(table))
    own = tmp_path / "shapes.geojson"
    europe = shapely.geometry.mapping(shapely.box(0, 30, 30, 60))
    feature = {"type": "Feature", "properties": {"NAME": "Europe"}, "geometry": europe}
    own.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    for source in (VectorSource(file=continents, column="continent"), VectorSource(file=str(own), column="NAME")):
        settings: dict[str, Any] = {"quotas": {"Europe": 2}, "water": 1.0, "barren": 1.0}
        section = GranuleChips(draw="granules", table=str(table), continents=source, **settings)
        found, _ = draw_from_table(str(table), section, 1)
        assert len(found.granules) == 2
        assert {str(one) for one in found.granules} <= set(NAMES[:4])
    bad = tmp_path / "bad.csv"
    bad.write_text("id,continent\n33TWL,Atlantis\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="Atlantis"):
        read_granules(str(table), VectorSource(file=str(bad), column="continent"))
    as_csv = tmp_path / "granules.csv"
    pyarrow.csv.write_csv(pq.read_table(table), as_csv)
    assert len(read_granules(str(as_csv), VectorSource(file=continents, column="continent"))[0].ids) == len(NAMES)


def rows(ids: list[str], continents: list[str | None]) -> pa.Table:
    """A table of granules with random shares."""
    places = [granule_footprint(GranuleId.parse(name)).centroid for name in ids]
    shares = np.random.default_rng(1).dirichlet(np.ones(len(SHARES)), len(ids))
    columns: dict[str, Any] = {
        "id": ids,
        "continent": pa.array(continents, pa.string()),
        "longitude": [place.x for place in places],
        "latitude": [place.y for place in places],
    }
    return pa.table(columns | {name: shares[:, at] for at, name in enumerate(SHARES)})


def test_both_formats_say_the_same_and_what_has_no_continent_is_left_out(tmp_path: Path) -> None:
    own = rows(list(NAMES[:4]), ["Europe", None, "Europe", "Asia"])
    pq.write_table(own, tmp_path / "t.parquet")
    pyarrow.csv.write_csv(own, tmp_path / "t.csv")
    one, other = (read_granules(str(tmp_path / name))[0] for name in ("t.parquet", "t.csv"))
    assert one.ids == other.ids
    assert {str(name) for name in one.ids} == {NAMES[0], NAMES[2], NAMES[3]}
    assert sorted(one.continents) == sorted(other.continents) == ["Asia", "Europe"]


def test_a_region_holds_the_granules_whose_centre_lies_in_it(tmp_path: Path) -> None:
    pq.write_table(rows(list(NAMES[:4]), ["Europe"] * 4), tmp_path / "t.parquet")
    middle = granule_footprint(GRANULES[0]).centroid
    found, _ = read_granules(str(tmp_path / "t.parquet"), region=middle.buffer(0.1))
    assert [str(name) for name in found.ids] == [NAMES[0]]
    with pytest.raises(InvalidInputError, match="no granule whose centre lies in the region"):
        read_granules(str(tmp_path / "t.parquet"), region=shapely.box(0, 0, 1, 1))


def test_without_quotas_granules_are_shared_out_by_area(tmp_path: Path) -> None:
    """All of them where as many are asked for as there are; the same seed draws the same."""
    pq.write_table(rows(list(NAMES[:4]), ["Europe", "Europe", "Europe", "Asia"]), tmp_path / "t.parquet")
    settings: dict[str, Any] = {"draw": "granules", "table": "t", "water": 1.0, "barren": 1.0, "count": 4}
    section = GranuleChips(**settings)
    drawn = [draw_from_table(str(tmp_path / "t.parquet"), section, seed)[0].granules for seed in (1, 1)]
    assert drawn[0] == drawn[1]
    assert {str(name) for name in drawn[0]} == set(NAMES[:4])


ODD: dict[str, tuple[str, Any, str]] = {
    "no granule": ("id", "Ulm", "expected a granule such as 33TWL"),
    "twice": ("id", NAMES[0], f"got {NAMES[0]} again"),
    "word": ("igbp_3", "much", "got igbp_3 'much', expected a number"),
    "nothing": ("igbp_17", None, "got igbp_17 .*, expected a number"),
    "not finite": ("latitude", "inf", "got latitude .*inf.*, expected a number"),
    "metres": ("longitude", "500000", "got a centre at 500000, .*, expected degrees"),
    "negative": ("igbp_1", "-0.5", "got shares of -0.5 and more"),
    "per cent": ("igbp_1", "40", r"sum to 4\d"),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_an_odd_row_costs_only_itself(tmp_path: Path, form: str, odd: str) -> None:
    column, value, reason = ODD[odd]
    good = rows(list(NAMES[:4]), ["Europe"] * 4).to_pydict()
    texts = pa.table({name: [str(cell) for cell in cells] for name, cells in good.items()})
    cells = texts[column].to_pylist()
    cells[1] = value
    bad = texts.set_column(texts.column_names.index(column), column, pa.array(cells, pa.string()))
    path = tmp_path / f"t.{form}"
    if form == "csv":
        pyarrow.csv.write_csv(bad, path)
    else:
        pq.write_table(bad, path)
    found, (left,) = read_granules(str(path))
    assert {str(name) for name in found.ids} == {NAMES[0], *NAMES[2:4]}
    assert left.where == f"{path}, {'line 3' if form == 'csv' else 'row 1'}"
    assert re.search(reason, left.what)


def test_rows_of_other_lengths_cost_only_themselves_whatever_separates_cells(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    pyarrow.csv.write_csv(rows(list(NAMES[:4]), ["Europe"] * 4), path)
    head, *lines = path.read_text(encoding="utf-8").replace(",", ";").splitlines()
    lines[1] += ";0.1"
    lines[2] = lines[2].rpartition(";")[0]
    path.write_text("\n".join(["sep=;", head, *lines]), encoding="utf-8")
    found, left = read_granules(str(path))
    assert {str(name) for name in found.ids} == {NAMES[0], NAMES[3]}
    assert [str(one) for one in left] == [
        f"{path}, line 4: got 22 cells, expected 21",
        f"{path}, line 5: got igbp_17 '', expected a number",
    ]


def test_a_table_without_any_row_to_use_is_an_error_that_names_some(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    header = ",".join(["id", "continent", "longitude", "latitude", *SHARES])
    path.write_text(f"{header}\nUlm,Europe\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"no row that can be used:\n  - .*line 2: got .*, expected a granule"):
        read_granules(str(path))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.parquet", None, "cannot be read: No such file"),
        ("bad.parquet", b"no table", "cannot be read"),
        ("few.csv", b"id,longitude\n33TWL,15\n", "got no column continent, latitude, igbp_1, igbp_2"),
    ],
)
def test_what_is_no_such_table_is_said(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInputError, match=message):
        read_granules(str(tmp_path / name))
