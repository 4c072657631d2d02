"""Every sensor from a small archive: composites, series and granules with its own mask, scale and nodata."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tests.cases.sensor_archives import CASES, CELLS, TERMS, Case, recipe, write_archive

from landloom.archive.open import open_archive
from landloom.corpus.audit.validate import audit
from landloom.engine.pixels.masks import PixelMask
from landloom.engine.project import Project
from landloom.engine.scenes.granules import GranuleReader
from landloom.errors import LandloomError, RecipeError
from landloom.model.time import Period
from landloom.pipelines.build import build
from landloom.pipelines.registry import REGISTRY, Recipe
from landloom.query.corpus import Corpus
from landloom.store.local import LocalStore


def built(folder: Path, document: dict[str, Any]) -> Path:
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    corpus = build(folder).corpus
    assert audit(LocalStore(corpus), digests=True).problems == ()
    return corpus


def require_truth(corpus: Path, case: Case) -> None:
    chosen = Corpus.open(corpus).query()
    for cell in CELLS:
        median, count = case.expected(cell)
        np.testing.assert_array_equal(chosen.cube(str(cell), "own").values[0], median)
        np.testing.assert_array_equal(chosen.cube(str(cell), "count_own").values[0, 0], count)


@pytest.mark.filterwarnings("ignore:All-NaN slice")
@pytest.mark.parametrize("name", CASES)
def test_composites_are_medians_of_what_the_sensors_mask_leaves(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    (tmp_path / "archive").mkdir()
    archive = {"kind": "static", "href": str(write_archive(tmp_path / "archive", case)), "sensor": case.sensor}
    require_truth(built(tmp_path, recipe(archive, case.bands)), case)


@pytest.mark.parametrize("name", CASES)
def test_series_of_any_sensor_are_named_by_their_section(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    (tmp_path / "archive").mkdir()
    archive = {"kind": "static", "href": str(write_archive(tmp_path / "archive", case)), "sensor": case.sensor}
    document = recipe(archive, case.bands)
    document["products"] = {"own": {"kind": "series", "bands": list(case.bands), "terms": TERMS}}
    chosen = Corpus.open(built(tmp_path, document)).query()
    numbers, mask = case.truth()
    found = chosen.cube(str(CELLS[0]), "own_30m").values
    own = case.reflectance(numbers[:, :, 20:40, 10:30])
    seen = mask[:, 20:40, 10:30] != case.missing
    np.testing.assert_array_equal(found, np.where(seen[:, None], own, 0))
    valid = np.isin(mask[:, 20:40, 10:30], case.clear)
    np.testing.assert_array_equal(chosen.cube(str(CELLS[0]), "own_valid").values[:, 0], valid)


@pytest.mark.parametrize("kind", ["composite", "series", "granule-series"])
@pytest.mark.parametrize(
    ("archive", "band", "title"),
    [
        ({"kind": "lp-daac"}, "B09", "HLS S30"),
        ({"kind": "lp-daac", "collection": "HLSL30_2.0"}, "B8A", "HLS L30"),
        ({"kind": "planetary-computer", "collection": "hls2-l30"}, "B08", "HLS L30"),
        ({"kind": "planetary-computer", "collection": "landsat-c2-l2"}, "B04", "Landsat 8/9"),
        ({"kind": "earth-search", "collection": "landsat-c2-l2"}, "B04", "Landsat 8/9"),
        ({"kind": "earth-search"}, "B4", "Sentinel-2"),
    ],
)
def test_a_band_that_the_sensor_lacks_is_named(kind: str, archive: dict[str, Any], band: str, title: str) -> None:
    document = recipe(archive, ())
    document["products"] = {"own": {"kind": kind, "bands": [band], "terms": TERMS}}
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(document)
    [problem] = [one for one in caught.value.problems if one.where == "products.own.bands"]
    assert problem.what.endswith(f"{title} has no {band}")


@pytest.mark.parametrize("allowed", [True, False])
def test_a_sensor_without_any_scene_in_the_period_is_named(*, allowed: bool, tmp_path: Path) -> None:
    document = recipe({}, ())
    del document["archive"]
    document["archives"] = {}
    document["products"] = {}
    for name in ("hls-s30", "landsat"):
        case, folder = CASES[name], tmp_path / name
        folder.mkdir()
        archive = {"kind": "static", "href": str(write_archive(folder, case)), "sensor": case.sensor}
        document["archives"][name] = archive
        own = {"kind": "composite", "archive": name, "bands": list(case.bands), "resolution": 30, "terms": TERMS}
        document["products"][name.replace("-", "_")] = own
    document["products"]["landsat"]["period"] = {"start": "2017-06-01", "end": "2017-07-01"}
    document["allow_blank"] = allowed
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    if allowed:
        assert any("products.landsat: its archive has no scene" in note for note in build(tmp_path).notes)
        return
    with pytest.raises(LandloomError, match="landsat"):
        build(tmp_path)


def test_the_recipes_of_the_guide_can_be_read() -> None:
    page = (Path(__file__).parents[2] / "docs/howto/sensors.md").read_text(encoding="utf-8")
    found = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    assert len(found) == 5
    for part in found:
        document = recipe({}, ()) | part
        if "archives" in part:
            del document["archive"]
        document["products"] = {key: section | {"terms": TERMS} for key, section in part["products"].items()}
        assert Recipe.parse(document).products


@pytest.mark.parametrize("name", ["hls-s30", "landsat"])
def test_chips_of_granules_publish_the_values_of_the_sensors_own_layer(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    archive = open_archive("static", str(write_archive(tmp_path, case)), sensor=case.sensor)
    grid = CELLS[0].grid(30)
    found = archive.search(grid.footprint(), Period.year(2018))
    numbers, mask = case.truth()
    with GranuleReader(found, case.bands, PixelMask()) as reader:
        window = reader.window(grid)
    seen = mask[:, 20:40, 10:30] != case.missing
    nothing = case.missing if name == "hls-s30" else 0
    stored = np.where(seen | (name == "landsat"), mask[:, 20:40, 10:30], nothing)
    np.testing.assert_array_equal(window.scl, stored)
    np.testing.assert_array_equal(window.valid, np.isin(mask[:, 20:40, 10:30], case.clear))
    own = np.where(seen[:, None], case.reflectance(numbers[:, :, 20:40, 10:30]), 0)
    np.testing.assert_array_equal(window.bands, own)


def test_granule_series_of_another_sensor_are_named_by_their_section() -> None:
    document = recipe({"kind": "lp-daac"}, ())
    document["samples"] = {"draw": "granules", "granules": ["33UUT"], "chips": 2}
    document["products"] = {"hls": {"kind": "granule-series", "bands": ["B04", "B8A"], "terms": TERMS}}
    made = Recipe.parse(document)
    requests = REGISTRY.requests(Project(recipe=made, folder=Path()))
    [items] = [request.kind.describe(request) for request in requests]
    named = {item.key: (item.product.dtype, item.product.nodata) for item in items}
    assert named == {
        "hls_scenes": ("uint16", 0),
        "hls_classes": ("uint16", 255),
        "hls_filled": ("uint16", 0),
        "hls_observed": ("uint8", None),
    }
