"""Taxonomies and crosswalks against the published tables and the laws of summing."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidValueError, NotFoundError
from landloom.model.crosswalk import crosswalk
from landloom.model.taxonomy import LandClass, Taxonomy, taxonomy

if TYPE_CHECKING:
    from pathlib import Path


def test_clc_is_the_published_mapping_table() -> None:
    clc = taxonomy("clc")
    assert len(clc.codes()) == 45
    assert clc.codes()[0] == "111"
    assert clc.codes()[-1] == clc.nodata == "999"
    assert clc.codes(1) == ("1", "2", "3", "4", "5", "9")
    assert len(clc.codes(2)) == 16
    assert all(item.parents == (item.code[0], item.code[:2]) for item in clc.classes)
    assert clc.land_class("243").name.startswith("Land principally occupied by agriculture with ")
    assert clc.land_class("331").name == "Beaches dunes sands"
    assert clc.columns()[-1] == "clc_999"


def test_clc_grid_codes_count_the_classes() -> None:
    clc = taxonomy("clc")
    assert [clc.grid_codes[number] for number in range(1, 45)] == list(clc.codes()[:-1])
    assert clc.grid_codes[48] == "999"
    assert 45 not in clc.raster_codes
    assert clc.raster_codes[1] == clc.raster_codes[111] == "111"


def test_landcovernet_levels_are_those_of_the_paper() -> None:
    lcn = taxonomy("landcovernet")
    by_code = {item.code: item.parents for item in lcn.classes}
    assert by_code["1"] == ("bare", "water")
    assert by_code["2"] == by_code["3"] == ("bare", "bare_ground")
    assert by_code["4"] == ("bare", "snow")
    assert by_code["5"] == ("vegetation", "woody")
    assert by_code["6"] == by_code["7"] == ("vegetation", "non_woody")
    assert lcn.codes(2) == ("no_data", "snow", "water", "bare_ground", "woody", "non_woody")


@pytest.mark.parametrize("value", ["311", 311, 311.0, np.float32(311), np.int64(311), " 311"])
def test_codes_are_read_as_sources_spell_them(value: object) -> None:
    assert taxonomy("clc").parse_code(value) == "311"


@pytest.mark.parametrize("value", ["31", 23, 311.5, None, float("nan"), True, "clc_311", ""])
def test_what_is_no_code_is_refused(value: object) -> None:
    with pytest.raises(NotFoundError, match="no class of clc"):
        taxonomy("clc").parse_code(value)


@given(st.lists(st.integers(0, 10**6), min_size=45, max_size=45), st.integers(1, 3))
def test_aggregation_keeps_the_sum_and_the_groups(values: list[int], level: int) -> None:
    clc = taxonomy("clc")
    given_values = np.array([values, values[::-1]], dtype=np.int64)
    summed = clc.aggregate(given_values, level)
    assert summed.dtype == np.int64
    assert (summed.sum(axis=1) == given_values.sum(axis=1)).all()
    expected = dict.fromkeys(clc.codes(level), 0)
    for code, value in zip(clc.codes(), values, strict=True):
        expected[code[:level]] += value
    assert summed[0].tolist() == list(expected.values())


def test_unknown_names_are_named() -> None:
    with pytest.raises(NotFoundError, match="landcovernet"):
        taxonomy("landcover")
    with pytest.raises(NotFoundError, match="igbp17_landcovernet"):
        crosswalk("igbp_landcovernet")
    with pytest.raises(NotFoundError, match="level"):
        taxonomy("clc").codes(4)


def test_a_taxonomy_with_a_dangling_parent_is_refused() -> None:
    with pytest.raises(NotFoundError, match="no class of small"):
        Taxonomy(name="small", prefix="s", classes=(LandClass(code="1", name="a", parents=("x",)),), nodata="1")
    with pytest.raises(InvalidValueError, match="nodata"):
        Taxonomy(name="small", prefix="s", classes=(LandClass(code="1", name="a"),), nodata="2")


def test_class_names_match_the_tables_of_landcovernet_europe(shared_data: Path) -> None:
    with (shared_data / "landcovernet_eu/region_label_freq.csv").open(encoding="utf-8") as stream:
        header = next(csv.reader(stream))
    assert [item.name for item in taxonomy("landcovernet").classes] == header[1:]
