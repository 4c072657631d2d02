"""Scenes in every type and spelling: the right numbers, or left out by name; one odd scene costs only itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from tests.cases.odd_scenes import CELL, HOLE, RAMP, TERMS, Form, write_catalog, write_recipe, write_scene

from landloom.errors import LandloomError
from landloom.pipelines.build import build

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

TRUTH = RAMP.copy()
TRUTH[HOLE] = 0
DECLARED = {"raster:bands": [{"scale": 0.0001, "offset": -0.1}]}
FORMS = {
    "plain": Form(),
    "nodata-0": Form(nodata=0),
    "nodata-7": Form(fill=7, nodata=7),
    "nodata-65535": Form(fill=65_535, nodata=65_535),
    "nodata-of-the-item": Form(fill=7, asset={"raster:bands": [{"nodata": 7}]}),
    "int16": Form(dtype="int16", fill=-9999, nodata=-9999),
    "int16-undeclared": Form(dtype="int16", fill=-9999),
    "int32": Form(dtype="int32", fill=-(2**31), nodata=-(2**31)),
    "uint32": Form(dtype="uint32", fill=2**32 - 1, nodata=2**32 - 1),
    "float32-reflectance": Form(dtype="float32", factor=1e-4, fill=np.nan, nodata=np.nan),
    "float64-reflectance": Form(dtype="float64", factor=1e-4, fill=-9999, nodata=-9999),
    "float32-numbers": Form(dtype="float32", fill=np.nan),
    "scale-in-the-file": Form(factor=0.1, fill=0, tags=(0.001, 0.0)),
    "offset-in-the-file": Form(plus=1000, tags=(0.0001, -0.1)),
    "offset-in-the-item": Form(plus=1000, asset=DECLARED),
    "offset-in-both": Form(plus=1000, asset=DECLARED, tags=(0.0001, -0.1)),
    "offset-applied-as-text": Form(asset=DECLARED, properties={"earthsearch:boa_offset_applied": "True"}),
    "baseline-as-a-number": Form(asset=DECLARED, properties={"s2:processing_baseline": 2.06}),
    "baseline-with-an-n": Form(plus=1000, asset=DECLARED, properties={"s2:processing_baseline": "N0500"}),
    "scale-of-the-item": Form(dtype="int16", factor=2, fill=0, asset={"raster:bands": [{"scale": 0.00005}]}),
    "jpeg-2000": Form(driver="JP2OpenJPEG"),
    "jpeg-2000-int16": Form(driver="JP2OpenJPEG", dtype="int16", fill=-9999),
    "second-band": Form(stacked=True),
}
"""Form → the same reflectance, with the same hole."""
STEPS = {"scale-in-the-file": 10}
"""Forms whose numbers are coarser than 1/10,000."""
PRODUCTS: Mapping[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "composite": (
        {"s2": {"kind": "composite", "bands": ["B04"], "dilate": 0, "cadence": "1 days", "terms": TERMS}},
        {},
        "S2-SR",
    ),
    "series": ({"native": {"kind": "series", "bands": ["B04"], "terms": TERMS}}, {}, "S2-10M"),
    "granule-series": (
        {"s2": {"kind": "granule-series", "bands": ["B04"], "filled": False, "terms": TERMS}},
        {
            "samples": {"draw": "granules", "granules": ["33UUU"], "chips": 1, "size": 48},
            "scenes": {"policy": "all"},
        },
        "S2-L2A",
    ),
}


def truth_at(path: Path) -> NDArray[np.int64]:
    """What a chip has to show, by where it lies."""
    from tests.cases.odd_scenes import NORTH, WEST

    with rasterio.open(path) as file:
        row, column = round((NORTH - file.transform.f) / 10), round((file.transform.c - WEST) / 10)
        shape = file.shape
    found: NDArray[np.int64] = TRUTH[row : row + shape[0], column : column + shape[1]]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", PRODUCTS)
def test_every_form_shows_the_same_in_every_product(kind: str, tmp_path: Path) -> None:
    names = {f"{number + 1:02d}": form for number, form in enumerate(FORMS)}
    for day, form in names.items():
        write_scene(tmp_path / "archive", f"d{day}", f"2018-06-{day}T10:00:00Z", FORMS[form])
    write_catalog(tmp_path / "archive", [f"d{day}" for day in names])
    products, more, folder = PRODUCTS[kind]
    report = build(write_recipe(tmp_path, products=products, **more))
    chips = {path.stem[8:10]: path for path in report.corpus.glob(f"imagery/**/{folder}/*.tif")}
    assert chips.keys() >= names.keys(), report.notes
    for day, form in names.items():
        with rasterio.open(chips[day]) as file:
            found = file.read(1).astype(np.int64)
        wanted, step = truth_at(chips[day]), STEPS.get(form, 1)
        assert ((found == 0) == (wanted == 0)).all(), form
        assert np.abs(found - wanted).max() <= step / 2, form
    (lineage,) = report.corpus.glob("lineage/**/*.json")
    steps = json.loads(lineage.read_text(encoding="utf-8"))["timesteps"]
    stored = {scene["id"][1:]: scene.get("stored", {}).get("B04") for step in steps for scene in step["scenes"]}
    assert [form for day, form in names.items() if stored[day] is None] == [
        form for form in names.values() if form in UNTOUCHED
    ]
    assert stored["10"] == "float32, x 10000"


UNTOUCHED = {
    "plain",
    "nodata-0",
    "offset-in-the-item",
    "offset-in-both",
    "offset-applied-as-text",
    "baseline-as-a-number",
    "baseline-with-an-n",
    "jpeg-2000",
    "second-band",
}
"""Forms that cost no conversion beyond the offset."""


@pytest.mark.parametrize(
    ("form", "why"),
    [
        (Form(dtype="uint8", factor=0.05), "uint8 numbers without a scale"),
        (Form(dtype="complex64"), "complex64 numbers"),
        (Form(dtype="float32", factor=0.01), "float32 numbers around"),
        (Form(tags=(-0.0001, 0.0)), "expected finite numbers, a scale above 0"),
        (Form(asset={"raster:bands": [{"scale": 0.0001, "offset": -1000}]}), "expected one that leaves reflectance"),
        (Form(asset={"raster:bands": [{"scale": "big"}]}), "scale: got 'big'"),
        (Form(asset={"href": "./gone.tif"}), "gone.tif|No such file"),
        (Form(properties={"datetime": "soon"}), "datetime"),
        (Form(properties={"platform": "terra"}), "got 'terra', expected Sentinel-2"),
        (Form(properties={"platform": "landsat-8"}), "got 'landsat-8', expected Sentinel-2"),
        (Form(properties={"s2:product_type": "S2MSI1C"}), "L1C"),
        (Form(properties={"processing:level": "L2A", "s2:product_type": "S2MSI1C"}), "expected one processing level"),
    ],
)
def test_an_odd_scene_costs_only_itself_by_name(form: Form, why: str, tmp_path: Path) -> None:
    import re

    write_scene(tmp_path / "archive", "sound", "2018-06-05T10:00:00Z", Form())
    write_scene(tmp_path / "archive", "odd", "2018-06-15T10:00:00Z", form)
    write_catalog(tmp_path / "archive", ["odd", "sound"])
    report = build(write_recipe(tmp_path))
    assert any(re.search(why, note) and "odd" in note for note in report.notes), report.notes
    with rasterio.open(next(report.corpus.glob("imagery/**/S2-SR/2018-06.tif"))) as file:
        assert (file.read(1) == truth_at(next(report.corpus.glob("imagery/**/S2-SR/2018-06.tif")))).all()


def test_alone_it_ends_the_build_with_the_reason(tmp_path: Path) -> None:
    write_scene(tmp_path / "archive", "odd", "2018-06-15T10:00:00Z", Form(properties={"platform": "landsat-8"}))
    write_catalog(tmp_path / "archive", ["odd"])
    with pytest.raises(LandloomError, match="landsat-8"):
        build(write_recipe(tmp_path))


@pytest.mark.parametrize(
    "properties",
    [
        {"eo:cloud_cover": 100.00000000000001},
        {"eo:cloud_cover": -1},
        {"eo:cloud_cover": "12.5"},
        {"s2:nodata_pixel_percentage": 100.2},
        {"created": "soon", "sat:relative_orbit": "R022"},
        {"datetime": "2018-06-15T10:00:60Z"},
        {"datetime": "2018/06/15 10:00:00 UTC"},
        {"datetime": "2018-166T10:00:00Z"},
        {"platform": "S2A"},
        {"platform": ["Sentinel-2A"]},
        {"proj:epsg": "EPSG:32633"},
        {"proj:epsg": "UTM 33"},
        {"grid:code": "nowhere"},
    ],
)
@pytest.mark.parametrize("classes", ["uint8", "int16", "float32"])
def test_what_nothing_needs_costs_no_scene(properties: dict[str, Any], classes: str, tmp_path: Path) -> None:
    from tests.cases.odd_scenes import GRID

    from landloom.archive.open import open_archive
    from landloom.engine.pixels.masks import PixelMask
    from landloom.engine.pixels.reading import SceneReader
    from landloom.model.time import Period

    write_scene(tmp_path, "odd", "2018-06-15T10:00:00Z", Form(properties=properties), classes)
    write_catalog(tmp_path, ["odd"])
    archive = open_archive("static", str(tmp_path / "catalog.json"), sensor="sentinel-2-l2a")
    (scene,) = archive.search(CELL.footprint, Period.year(2018))
    with SceneReader(scene, bands=["B04"], mask=PixelMask()) as reader:
        seen = reader.observe(GRID)
    assert seen is not None
    assert (seen.valid == (TRUTH[30:90, 30:90] > 0)).all()
