"""No type is guessed on the way in: keys, ids, years, cells and lists are what is written, or are refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.cases.vector_files import FORMS, GRID, parcels

from landloom.engine.project import Project
from landloom.engine.sources.parcels import classes_file, read_parcels
from landloom.errors import InvalidInputError, LandloomError, RecipeError
from landloom.labels.parcel_table import LabelYear
from landloom.labels.parcels import parcels_of
from landloom.model.recipe import parse_document
from landloom.pipelines.registry import Recipe
from landloom.samplers.cells.sampler import _named
from landloom.samplers.cells.section import ListedCells

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

CELL = "33N_16E-243N_29_01"
MISREAD = {"0110": "72", "NO": "false", "on": "true", "12:30": "750", "1_000": "1000", "~": "null", "1.10": "1.1",
           "null": "null", "0x1A": "26", "+7": "7", ".inf": "Infinity", "0b11": "3", "yes": "true"}  # fmt: skip


@pytest.mark.parametrize("key", MISREAD)
@pytest.mark.parametrize("place", ["classes: {%s: 1}", "a: [{b: {%s: 1}}]", "%s: 1"])
def test_a_key_that_yaml_reads_as_something_else_is_refused(key: str, place: str) -> None:
    _, (problem,) = parse_document(place % key, "recipe")
    assert problem.what == f"got a key that YAML reads as {MISREAD[key]}, expected it in quotes: '{key}'"
    assert problem.where.endswith(key)
    assert parse_document(place % f"'{key}'", "recipe")[1] == []


def test_numbers_that_yaml_reads_as_others_are_refused() -> None:
    _, problems = parse_document("seed: 010\nclasses: {3: 0017, 4: 1_000, 5: 12:30}\nlist: [1, 08]", "recipe")
    assert [problem.where for problem in problems] == ["seed", "classes.3", "classes.5"]
    assert problems[0].what == "got 010, which YAML reads as 8; expected 8, or '010' in quotes"


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1)


@given(st.dictionaries(WORDS, st.integers() | WORDS, max_size=5))
def test_what_a_program_writes_is_read_as_it_was(document: dict[str, Any]) -> None:
    if document:
        assert parse_document(yaml.safe_dump(document, allow_unicode=True), "x") == (document, [])


def test_every_mapping_of_a_recipe_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "landloom.yaml").write_text(
        "\ufeffname: x\nparcels: {classes: {NO: 1}, columns: {on: y}}\n", encoding="utf-8"
    )
    with pytest.raises(RecipeError) as refused:
        Project.open(tmp_path, Recipe)
    said = str(refused.value)
    assert "parcels.classes.NO: got a key that YAML reads as false" in said
    assert "parcels.columns.on: got a key that YAML reads as true" in said
    for name in ("classes.yaml", "classes.json"):
        (tmp_path / name).write_text("{NO: 1}", encoding="utf-8")
        with pytest.raises(InvalidInputError, match="YAML reads as false"):
            classes_file(tmp_path / name)
    (tmp_path / "classes.csv").write_text("value;code\r\nNO;1\r\n0110;2\r\n", encoding="utf-16")
    assert classes_file(tmp_path / "classes.csv")[0] == {"NO": 1, "0110": 2}


@pytest.mark.parametrize("form", ["gpkg", "csv", "parquet"])
def test_a_row_whose_time_cannot_be_read_is_rejected(form: str, tmp_path: Path) -> None:
    years = FORMS[form](parcels().assign(y=["2018", "2018/19", "2018-05-01"]), tmp_path)
    roles = {"ground_truth": "crop", "year": "y"}
    found = read_parcels(str(years), columns=roles, period=LabelYear(year=2018))
    assert (len(found), [row.reason for row in found.rejected]) == (
        2,
        ["year: got '2018/19', expected a year such as 2018"],
    )
    days = FORMS[form](parcels().assign(f=["01.01.2018", "20190101", "01/02/2018"]), tmp_path)
    found = read_parcels(
        str(days), columns=roles | {"valid_from": "f", "year": "f"}, period=("2018-01-01", "2018-07-01")
    )
    assert len(found) == 1
    assert {row.reason.partition(":")[0].partition(",")[0] for row in found.rejected} == {
        "year",
        "valid 2019-01-01 to 2019-12-31",
    }


def test_cells_that_are_no_cells_are_rejected(tmp_path: Path) -> None:
    frame = parcels().assign(crop=["a", "b", "c"])
    frame["crop"] = [["a", "b"], ["c"], None]
    found = parcels_of(frame, columns={"ground_truth": "crop"})
    assert sorted(row.reason for row in found.rejected) == [
        "got a list as ground_truth, expected text or a number",
        "got a list as ground_truth, expected text or a number",
        "no ground truth",
    ]
    path = FORMS["geojson"](frame, tmp_path)
    read = read_parcels(str(path), columns={"ground_truth": "crop"})
    assert [row.reason for row in read.rejected] == [row.reason for row in found.rejected]


def test_truth_values_are_classes_as_text(tmp_path: Path) -> None:
    path = FORMS["gpkg"](parcels().assign(crop=[True, False, True]), tmp_path)
    found = read_parcels(str(path), columns={"ground_truth": "crop"}, classes={"true": 1, "false": 2})
    assert found.values.tolist() == [1, 1, 2]


def squares(ids: Any) -> geopandas.GeoDataFrame:
    shapes = [shapely.box(500_000 + 30 * i, 5_800_000, 500_020 + 30 * i, 5_800_030) for i in range(len(ids))]
    return geopandas.GeoDataFrame({"id": ids, "ground_truth": 1}, geometry=shapes, crs=32633)


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=9, unique=True))
def test_whole_ids_stay_as_they_are_in_every_part(ids: list[int]) -> None:
    whole = parcels_of(squares(ids))
    part = parcels_of(squares(ids).iloc[: (len(ids) + 1) // 2])
    assert whole.ids.tolist() == sorted(ids)
    assert set(part.ids.tolist()) <= set(whole.ids.tolist())
    assert whole.names == ()
    assert whole.nobody not in whole.ids


def test_zero_is_nobody_only_where_it_is_said(tmp_path: Path, run: Callable[..., Ran]) -> None:
    for ids, nobody in (([0, 1, 2], -1), ([1, 2, 3], 0)):
        squares(ids).to_file(tmp_path / "p.gpkg")
        done = run("parcels", "rasterise", tmp_path / "p.gpkg", *GRID, "--out", tmp_path / "out")
        assert ("stands for none" in done.out) == (nobody == -1)
        with rasterio.open(tmp_path / "out" / "ids.tif") as file:
            drawn = file.read(1)
            assert file.nodata == (nobody or None)
        assert set(np.unique(drawn).tolist()) == {nobody, *ids}
    squares(["b", "a", "c"]).to_file(tmp_path / "p.gpkg")
    done = run("parcels", "rasterise", tmp_path / "p.gpkg", *GRID, "--out", tmp_path / "out")
    assert "ids.csv says which" in done.out


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_of_samples_may_begin_with_a_mark(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text(f"{CELL}\r\n# none\r\n", encoding=encoding)
    project = Project(recipe=None, folder=tmp_path)  # type: ignore[arg-type]
    section = ListedCells(draw="list", file="ids.txt")
    assert _named(project, section) == [("ids.txt, line 1", CELL)]
    (tmp_path / "ids.txt").write_text("\n# none\n", encoding=encoding)
    with pytest.raises(LandloomError, match=r"ids\.txt: names no sample"):
        _named(project, section)
