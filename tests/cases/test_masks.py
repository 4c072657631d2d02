"""One section of masks for all products: by words, combined, of any band, with unknown values, for several sensors."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.cases.sensor_archives import CASES, CELLS, DAYS, TERMS, Case, recipe, write_archive
from tests.cases.test_files import LAYOUTS, OWN, PLANET
from tests.cases.test_sensors import built, require_truth

from landloom.errors import MissingExtraError, RecipeError
from landloom.pipelines.build import build
from landloom.pipelines.registry import Recipe
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from pathlib import Path

HLS, LANDSAT = CASES["hls-l30"], CASES["landsat"]
pytestmark = pytest.mark.filterwarnings("ignore:All-NaN slice")


def archived(folder: Path, case: Case) -> dict[str, Any]:
    folder.mkdir()
    return {"kind": "static", "href": str(write_archive(folder, case)), "sensor": case.sensor}


def lineage(corpus: Path, product: str = "OWN") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((corpus / f"lineage/33N/16E-243N/{product}.json").read_bytes())
    return found


@pytest.mark.parametrize(
    ("case", "mask", "clear"),
    [
        (HLS, {"source": "fmask"}, HLS.clear),
        (HLS, {"source": "fmask", "clear": ["adjacent", "snow", "water"]}, (*HLS.clear, 4, 68)),
        (HLS, {"source": "fmask", "clear": [5]}, (0, 32, 64, 224)),
        (LANDSAT, {"source": "qa_pixel", "clear": ["dilated-cloud", "water"]}, (21_824, 21_826)),
        (HLS, [{"source": "fmask"}, {"source": "fmask", "clear": ["water"]}], (0, 32, 64, 224)),
    ],
)
def test_words_say_what_counts_as_usable(case: Case, mask: Any, clear: tuple[int, ...], tmp_path: Path) -> None:
    document = recipe(archived(tmp_path / "archive", case), case.bands, mask=mask)
    corpus = built(tmp_path, document)
    chosen = Corpus.open(corpus).query()
    _, values = case.truth()
    count = np.isin(values[:, 20:40, 10:30], clear).sum(axis=0)
    np.testing.assert_array_equal(chosen.cube(str(CELLS[0]), "count_own").values[0, 0], count)
    told = lineage(corpus)["timesteps"][0]["masks"]
    assert set(told) == {scene["id"] for scene in lineage(corpus)["timesteps"][0]["scenes"]}
    assert all(set(masks) == {"Fmask" if case is HLS else "QA_PIXEL"} for masks in told.values())


def test_one_section_holds_for_all_products_of_all_sensors(tmp_path: Path) -> None:
    """Each mask is used for the sensor that has it; the composites are those of the sensors' own rules."""
    document = recipe({}, HLS.bands)
    del document["archive"]
    document["archives"] = {name: archived(tmp_path / name, case) for name, case in (("a", HLS), ("b", LANDSAT))}
    document["mask"] = [{"source": "fmask"}, {"source": "qa_pixel"}]
    product = document["products"]["own"]
    document["products"] = {
        "own": product | {"archive": "a"},
        "other": product | {"archive": "b", "bands": list(LANDSAT.bands)},
    }
    corpus = built(tmp_path, document)
    require_truth(corpus, HLS)
    median, _ = LANDSAT.expected(CELLS[0])
    np.testing.assert_array_equal(Corpus.open(corpus).query().cube(str(CELLS[0]), "other").values[0], median)
    again = json.loads((corpus / "corpus.json").read_bytes())["recipe"]
    assert [len(one["mask"]) for one in again["products"].values()] == [1, 1]
    assert Recipe.parse(again).document() == again


@pytest.mark.parametrize("layout", ["bands", "netcdf"])
def test_unknown_values_are_not_usable_and_named(layout: str, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    archive = {"kind": "files", "own_sensor": OWN, **LAYOUTS[layout](tmp_path / "files", PLANET)}
    (tmp_path / "landloom.yaml").write_text(json.dumps(recipe(archive, PLANET.bands)), encoding="utf-8")
    result = build(tmp_path)
    require_truth(result.corpus, PLANET)
    assert sum("udm: unknown values 77 are not usable" in note for note in result.notes) == 4
    told = lineage(result.corpus)["timesteps"][0]["masks"]
    assert [masks["udm"] for masks in told.values()] == ["unknown values 77 are not usable"] * 4


def test_any_band_can_be_a_mask_beside_the_sensors_own(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    own = OWN | {"bands": ["red", {"name": "nir", "file": "N"}, {"name": "again", "file": "udm"}]}
    own = own | {"mask": OWN["mask"] | {"file": "udm2"}}
    case = replace(PLANET, cloudy=(1, 3))
    archive = LAYOUTS["bands"](tmp_path / "files", case)
    for path in sorted((tmp_path / "files").glob("*udm.tif")):
        (path.parent / path.name.replace("udm", "udm2")).write_bytes(path.read_bytes())
    masks = [{"source": "band"}, {"source": "band", "band": "again", "clear": [4, 1]}]
    archive |= {"kind": "files", "own_sensor": own}
    corpus = built(tmp_path, recipe(archive, PLANET.bands, mask=masks))
    _, values = case.truth()
    count = (values[:, 20:40, 10:30] == 4).sum(axis=0)
    np.testing.assert_array_equal(Corpus.open(corpus).query().cube(str(CELLS[0]), "count_own").values[0, 0], count)


def test_scenes_with_too_few_clear_pixels_are_left_out_by_name(tmp_path: Path) -> None:
    numbers, values = HLS.truth()
    seen, clear = (values != HLS.missing).sum(axis=(1, 2)), np.isin(values, HLS.clear).sum(axis=(1, 2))
    shares = np.sort(clear / seen)
    least = float(shares[1:3].mean())
    mask = {"source": "fmask", "least_clear": least}
    corpus = built(tmp_path, recipe(archived(tmp_path / "archive", HLS), HLS.bands, mask=mask))
    [step] = lineage(corpus)["timesteps"]
    assert len(numbers) == 4
    assert {one["id"] for one in step["left_out"]} == {
        HLS.item_name(day) for day, share in zip(DAYS, clear / seen, strict=True) if share < least
    }
    assert all("% clear, expected at least" in one["reason"] for one in step["left_out"])


@pytest.mark.parametrize(
    ("mask", "where", "what"),
    [
        ({"source": "scl"}, "products.own.mask.0.source", "HLS L30 has no scl"),
        ([{"source": "fmask"}, {"source": "qa_pixel"}], "products.own.mask.1.source", "HLS L30 has no qa_pixel"),
        ({"source": "fmask", "clear": ["snowman"]}, "products.own.mask.0.clear", "snowman"),
        ({"source": "fmask", "clear": [9]}, "products.own.mask.0.clear", "'9'"),
        ({"source": "fmask", "band": "B04"}, "products.own.mask.0", "which has its own"),
        ({"source": "band"}, "products.own.mask.0.source", "described mask"),
        ({"source": "band", "band": "B08"}, "products.own.mask.0.band", "HLS L30 has no B08"),
        ({"source": "band", "band": "B04"}, "products.own.mask.0.clear", "expected the values of B04"),
        ({"source": "csmask", "least_clear": 0.5}, "products.own.mask.0", "csmask"),
        ({"source": "cloud9"}, "products.own.mask.0.source", "got 'cloud9'"),
    ],
)
def test_masks_that_cannot_be_are_said_when_the_recipe_is_read(mask: Any, where: str, what: str) -> None:
    archive = {"kind": "static", "href": "c.json", "sensor": "hls-l30"}
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(recipe(archive, HLS.bands, mask=mask))
    assert [one.where for one in caught.value.problems] == [where]
    assert what in caught.value.problems[0].what


def test_a_common_mask_that_a_product_has_nothing_of_is_refused() -> None:
    document = recipe({"kind": "static", "href": "c.json", "sensor": "hls-l30"}, HLS.bands)
    with pytest.raises(RecipeError, match="got scl, none of which HLS L30 of products"):
        Recipe.parse(document | {"mask": {"source": "scl"}})
    document["archive"] = {"kind": "static", "href": "c.json"}
    document["products"]["own"] |= {"bands": ["B04"], "clear": [4]}
    with pytest.raises(RecipeError, match="got clear beside mask: say there"):
        Recipe.parse(document | {"mask": {"source": "scl"}})


@pytest.mark.skipif(importlib.util.find_spec("ukis_csmask") is not None, reason="the extra csmask is installed")
def test_the_network_is_an_extra_that_is_named_before_anything_is_built(tmp_path: Path) -> None:
    document = recipe(archived(tmp_path / "archive", HLS), HLS.bands, mask={"source": "csmask"})
    (tmp_path / "landloom.yaml").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(MissingExtraError, match=r"landloom\[csmask\]"):
        build(tmp_path)


def test_fused_series_use_the_mask_of_each_sensor() -> None:
    document = recipe({}, ())
    del document["archive"]
    document["archives"] = {
        "a": {"kind": "static", "href": "a.json", "sensor": "hls-s30"},
        "b": {"kind": "static", "href": "b.json", "sensor": "landsat-c2-l2"},
    }
    fused = {"kind": "fused", "archive": "a", "second": "b", "resolution": 30, "terms": TERMS}
    document["products"] = {"pfsr": fused | {"mask": [{"source": "fmask"}, {"source": "qa_pixel"}]}}
    assert len(Recipe.parse(document).document()["products"]["pfsr"]["mask"]) == 2
    document["products"]["pfsr"]["mask"] = {"source": "fmask"}
    with pytest.raises(RecipeError, match="got fmask, none of which Landsat 8/9 of products"):
        Recipe.parse(document)
