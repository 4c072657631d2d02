"""Two datastrips of one overpass are one observation in every product; another overpass of the date is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from shapely import box
from shapely.geometry import mapping, shape
from tests.cases.odd_scenes import TERMS, Form, write_catalog, write_recipe, write_scene
from tests.cases.test_scenes import PRODUCTS, truth_at

from landloom.engine.scenes.archives import recipe_archive
from landloom.engine.scenes.choose import choose
from landloom.pipelines.build import build
from landloom.pipelines.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STRIP = "S2A_OPER_MSI_L2A_DS_VGS2_20180605T13{0}000_S20180605T100{0}00_N02.08"
SEAM = 56
"""Row of the scene, within the cell, below which the first datastrip has nothing."""


def strip(archive: Path, name: str, second: int, rows: slice, *, halved: bool, time: str = "10:00") -> None:
    """A scene that shows some rows, with an outline of these rows or of the whole granule."""

    def change(document: dict[str, Any]) -> None:
        document["properties"] |= {"s2:datastrip_id": STRIP.format(second), "platform": "sentinel-2a"}
        west, south, east, north = shape(document["geometry"]).bounds
        middle = (south + north) / 2
        own = box(west, middle, east, north) if rows.start is None else box(west, south, east, middle)
        document["geometry"] = mapping(own) if halved else document["geometry"]

    item = write_scene(archive, name, f"2018-06-05T{time}:0{second}Z", Form())
    document = json.loads(item.read_text(encoding="utf-8"))
    change(document)
    item.write_text(json.dumps(document), encoding="utf-8")
    for file, step in (("B04.tif", 1), ("SCL.tif", 2)):
        with rasterio.open(item.parent / file, "r+") as raster:
            numbers = raster.read(1)
            shown = np.zeros_like(numbers)
            own = slice(*(None if end is None else end // step for end in (rows.start, rows.stop)))
            shown[own] = numbers[own]
            raster.write(shown, 1)


def both(archive: Path, *, halved: bool) -> list[str]:
    strip(archive, "north", 1, slice(None, SEAM), halved=halved)
    strip(archive, "south", 2, slice(SEAM - 8, None), halved=halved)
    return ["north", "south"]


def chips_of(corpus: Path, folder: str) -> list[Path]:
    return sorted(corpus.glob(f"imagery/**/{folder}/*.tif"))


def steps_of(corpus: Path) -> list[dict[str, Any]]:
    (lineage,) = corpus.glob("lineage/**/*.json")
    steps: list[dict[str, Any]] = json.loads(lineage.read_text(encoding="utf-8"))["timesteps"]
    return steps


@pytest.mark.parametrize("halved", [True, False], ids=["two outlines", "one outline"])
@pytest.mark.parametrize("kind", PRODUCTS)
def test_both_are_shown_in_every_product(kind: str, tmp_path: Path, *, halved: bool) -> None:
    write_catalog(tmp_path / "archive", both(tmp_path / "archive", halved=halved))
    products, more, folder = PRODUCTS[kind]
    report = build(write_recipe(tmp_path, products=products, **more))
    chips = [path for path in chips_of(report.corpus, folder) if "2018-06-05" in path.name]
    assert chips
    for chip in chips:
        with rasterio.open(chip) as file:
            np.testing.assert_array_equal(file.read(1), truth_at(chip))
    (step,) = [one for one in steps_of(report.corpus) if one["scenes"]]
    assert [scene["id"] for scene in step["scenes"]] == ["north", "south"]
    assert step["left_out"] == []


GRANULES: dict[str, Any] = {
    "samples": {"draw": "granules", "granules": ["33UUU"], "chips": 1, "size": 48},
    "products": {"s2": {"kind": "granule-series", "bands": ["B04"], "terms": TERMS}},
}


def test_a_filled_series_counts_both_as_one_date(tmp_path: Path) -> None:
    write_catalog(tmp_path / "archive", both(tmp_path / "archive", halved=True))
    report = build(write_recipe(tmp_path, **GRANULES))
    for folder in ("S2-L2A", "S2-FILLED"):
        (chip,) = chips_of(report.corpus, folder)
        with rasterio.open(chip) as file:
            np.testing.assert_array_equal(file.read(1), truth_at(chip), err_msg=folder)
    (observed,) = chips_of(report.corpus, "S2-OBSERVED")
    with rasterio.open(observed) as file:
        np.testing.assert_array_equal(file.read(1) == 1, truth_at(observed) > 0)


def test_a_choice_by_hand_may_name_both(tmp_path: Path) -> None:
    write_catalog(tmp_path / "archive", both(tmp_path / "archive", halved=True))
    project = REGISTRY.open(write_recipe(tmp_path, **GRANULES))
    granules = REGISTRY.sampler(project.recipe.samples).granules(project, project.recipe.samples)
    found = choose(project, recipe_archive(project, "archive"), None, granules)
    assert sorted(found.choice.ids) == ["north", "south"]
    assert {one.id: one.reason for one in found.choice.candidates} == {"north": "all", "south": "with north"}
    (tmp_path / "scenes.csv").write_text(found.choice.to_csv(), encoding="utf-8")
    report = build(write_recipe(tmp_path, **GRANULES, scenes={"file": "scenes.csv"}))
    assert [scene["id"] for step in steps_of(report.corpus) for scene in step["scenes"]] == ["north", "south"]


def state(archive: Path, name: str, **properties: Any) -> None:
    path = archive / name / "item.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["properties"] |= properties
    path.write_text(json.dumps(document), encoding="utf-8")


def break_band(archive: Path) -> list[str]:
    (archive / "north/B04.tif").unlink()
    return ["north", "south"]


def add_overpass(archive: Path) -> list[str]:
    """One that shows more than either datastrip, but less than both."""
    strip(archive, "later", 3, slice(None, SEAM), halved=False, time="11:40")
    state(archive, "later", **{"s2:nodata_pixel_percentage": 40})
    return ["north", "south", "later"]


@pytest.mark.parametrize(
    ("change", "left_out", "reason"),
    [
        (break_band, "north", "north/B04"),
        (add_overpass, "later", "2018-06-05 is taken by north"),
    ],
)
def test_what_is_not_shown_is_named(
    change: Callable[[Path], list[str]], left_out: str, reason: str, tmp_path: Path
) -> None:
    for name in both(tmp_path / "archive", halved=True):
        state(tmp_path / "archive", name, **{"s2:nodata_pixel_percentage": 50})
    names = change(tmp_path / "archive")
    write_catalog(tmp_path / "archive", names)
    report = build(write_recipe(tmp_path, **GRANULES))
    (step,) = steps_of(report.corpus)
    assert [one["id"] for one in step["left_out"]] == [left_out]
    assert reason in step["left_out"][0]["reason"]
    assert {scene["id"] for scene in step["scenes"]} == set(names) - {left_out}
    assert any(reason in note for note in report.notes), report.notes
    (page,) = report.corpus.parent.rglob("report.html")
    assert reason in page.read_text(encoding="utf-8")
