from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.corpus.layout import Layout, StacNames, TileKey
from landloom.errors import InvalidIdentityError, InvalidValueError
from landloom.model.ids import ChipId, SampleId, WindowId
from landloom.model.product import product

SAMPLE = SampleId.parse("33N_16E-243N_29_01")
LAYOUT = Layout(name="rapidai4eo", version="1.0")


def test_published_keys() -> None:
    assert LAYOUT.chip(SAMPLE, product("s2"), "2018-01") == "imagery/33N/16E-243N/33N_16E-243N_29_01/S2-SR/2018-01.tif"
    assert (
        LAYOUT.chip(SAMPLE, product("pfqa"), "2018-01-03")
        == "imagery/33N/16E-243N/33N_16E-243N_29_01/PF-QA/2018-01-03.tif"
    )
    assert LAYOUT.label(SAMPLE) == "labels/33N/16E-243N/labels_33N_16E-243N_29_01.geojson"
    assert LAYOUT.cube(SAMPLE, product("s2")) == "imagery/33N/16E-243N/S2-SR.zarr"
    assert LAYOUT.lineage(SAMPLE, product("s2")) == "lineage/33N/16E-243N/S2-SR.json"
    assert LAYOUT.manifest(SAMPLE) == "manifest/33N/16E-243N.parquet"
    assert LAYOUT.resource("geometries") == "resources/rapidai4eo_geometries.geojson.gz"
    assert LAYOUT.resource("labels", "lcn") == "resources/rapidai4eo_lcn_labels.csv.gz"


def test_published_stac_ids() -> None:
    tile = TileKey.of(SAMPLE)
    assert LAYOUT.collection_id("source_pf", zone=SAMPLE.zone) == "rapidai4eo_v1_source_pf_33N"
    assert LAYOUT.collection_id("source_pf", tile=tile) == "rapidai4eo_v1_source_pf_33N_16E-243N"
    assert LAYOUT.item_id("labels", SAMPLE) == "rapidai4eo_v1_labels_33N_16E-243N_29_01"


def test_granule_scheme_has_an_item_for_each_date() -> None:
    layout = Layout(name="landcovernet", version="1.0", scheme="granule")
    chip = ChipId.parse("37TDK_27")
    assert layout.item_id("source_sentinel_2", chip, "2018-01-03") == (
        "landcovernet_v1_source_sentinel_2_37TDK_27_20180103"
    )
    assert layout.item_id("labels", chip) == "landcovernet_v1_labels_37TDK_27"
    assert layout.chip(chip, product("s2"), "2018-01-03", "B02") == (
        "imagery/37N/37TDK/37TDK_27/S2-SR/2018-01-03_B02.tif"
    )
    assert layout.raster_label(chip, "consensus", "1") == "labels/37N/37TDK/37TDK_27/consensus-1.tif"


def test_patterns_are_data() -> None:
    layout = Layout(name="a", version="2.3", scheme="granule", names=StacNames(item="ref_{collection}_{sample}"))
    assert layout.item_id("labels", "37TDK_27", None) == "ref_a_v2_labels_37TDK_27"


@given(st.sampled_from(["33N_16E-243N_29_01"]), st.sampled_from(["2018-01", "2018-12"]))
def test_keys_are_relative_and_clean(text: str, step: str) -> None:
    sample = SampleId.parse(text)
    for key in (
        LAYOUT.chip(sample, product("s2"), step),
        LAYOUT.stac_item("source_s2", sample),
        LAYOUT.stac_collection("source_s2", tile=sample),
    ):
        assert not key.startswith("/")
        assert ".." not in key


def test_window_scheme_groups_by_anchor() -> None:
    window = WindowId.parse("33N-499980E-5100000N_0001_0002_2018")
    layout = Layout(name="a", version="1.0", scheme="window")
    assert layout.label(window) == (
        "labels/33N/33N-499980E-5100000N/labels_33N-499980E-5100000N_0001_0002_2018.geojson"
    )


def test_refusals() -> None:
    with pytest.raises(InvalidValueError, match="no chips"):
        LAYOUT.chip(SAMPLE, product("labels"), None)
    with pytest.raises(InvalidValueError, match="scheme"):
        Layout(name="a", version="1.0", scheme="hexagons")
    with pytest.raises(InvalidIdentityError):
        TileKey.parse("33N")


@pytest.mark.parametrize("text", ["33N_16E-243N", "37N_37TDK", "33N_33N-499980E-5100000N"])
def test_tile_keys_round_trip(text: str) -> None:
    assert str(TileKey.parse(text)) == text
