"""Another sensor: Landsat 8 Collection 2 from a small archive, composites with its own mask and scale."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
import yaml
from affine import Affine

from landloom.corpus.audit.validate import audit
from landloom.errors import RecipeError
from landloom.model.ids import SampleId
from landloom.pipelines.build import build
from landloom.pipelines.registry import Recipe
from landloom.query.corpus import Corpus
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CELLS = [SampleId.parse(f"33N_16E-243N_29_0{column}") for column in (1, 2)]
TERMS = {"licence": "CC0-1.0", "attribution": "nobody"}
SIZE = 60
CLEAR, CLOUD, SHADOW, DILATED, CIRRUS, FILL, SNOW = 21_824, 22_280, 23_888, 21_826, 54_596, 1, 30_048
"""Values of QA_PIXEL as the Collection 2 guide lists them (table 6-3); snow is clear ground."""
DAYS = ("2018-06-03", "2018-06-12", "2018-06-19", "2018-06-28")


def truth() -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """(scene, band, y, x) stored numbers of red and near infrared, and (scene, y, x) QA_PIXEL."""
    rng = np.random.default_rng(8)
    numbers = rng.integers(8_000, 30_000, (len(DAYS), 2, SIZE, SIZE), dtype=np.uint16)
    flags = rng.choice(
        np.array([CLEAR, CLOUD, SHADOW, DILATED, CIRRUS, FILL, SNOW], np.uint16),
        (len(DAYS), SIZE, SIZE),
        p=[0.5, 0.1, 0.1, 0.1, 0.05, 0.05, 0.1],
    )
    numbers[np.broadcast_to(flags[:, None] == FILL, numbers.shape)] = 0
    return numbers, flags


def write_archive(folder: Path) -> Path:
    """A static STAC with items as Earth Search writes them."""
    numbers, flags = truth()
    own = CELLS[0].grid(30)
    origin = Affine(30, 0, own.west - 300, 0, -30, own.north + 600)
    profile = {"driver": "GTiff", "width": SIZE, "height": SIZE, "count": 1, "dtype": "uint16", "crs": "EPSG:32633"}
    links = []
    outline = CELLS[0].grid(600).footprint().buffer(0.02)
    for number, day in enumerate(DAYS):
        name = f"LC08_L2SP_193023_{day.replace('-', '')}_02_T1"
        files = {"red": numbers[number, 0], "nir08": numbers[number, 1], "qa_pixel": flags[number]}
        for key, array in files.items():
            with rasterio.open(folder / f"{name}_{key}.tif", "w", transform=origin, **profile) as file:
                file.write(array, 1)
        item = {
            "type": "Feature",
            "stac_version": "1.0.0",
            "id": name,
            "bbox": list(outline.bounds),
            "geometry": json.loads(json.dumps(outline.__geo_interface__)),
            "properties": {
                "datetime": f"{day}T10:02:11Z",
                "platform": "landsat-8",
                "proj:epsg": 32633,
                "eo:cloud_cover": 20,
            },
            "assets": {key: {"href": f"./{name}_{key}.tif"} for key in files},
            "links": [],
        }
        (folder / f"{name}.json").write_text(json.dumps(item), encoding="utf-8")
        links.append({"rel": "item", "href": f"./{name}.json"})
    catalog = {"type": "Catalog", "stac_version": "1.0.0", "id": "landsat", "description": "d", "links": links}
    (folder / "catalog.json").write_text(json.dumps(catalog), encoding="utf-8")
    return folder / "catalog.json"


def recipe(catalog: Path | str, **changes: Any) -> dict[str, Any]:
    product = {"kind": "composite", "bands": ["B4", "B5"], "resolution": 30, "dilate": 0, "terms": TERMS}
    return {
        "name": "landsat",
        "version": "1.0",
        "region": {"bounds": [13.2, 52.6, 13.4, 52.8]},
        "period": {"start": "2018-06-01", "end": "2018-07-01"},
        "samples": {"draw": "list", "ids": [str(cell) for cell in CELLS]},
        "archive": {"kind": "static", "href": str(catalog), "sensor": "landsat-c2-l2"},
        "products": {"landsat": product | changes},
        "publication": {"title": "t", "description": "d"},
    }


def expected(cell: SampleId) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The median and the count, by the definition."""
    numbers, flags = truth()
    grid, first = cell.grid(30), CELLS[0].grid(30)
    row, column = int((first.north + 600 - grid.north) // 30), int((grid.west - first.west + 300) // 30)
    window = np.s_[..., row : row + 20, column : column + 20]
    valid = (flags[window] & 0b11111) == 0
    reflectance = (numbers[window].astype(np.int64) * 275 - 2_000_000 + 500) // 1_000  # 0.0000275 n - 0.2, halves up
    stacked = np.where(valid[:, None], reflectance, np.nan)
    with np.errstate(all="ignore"):
        median = np.floor(np.nanmedian(stacked, axis=0))
    return np.nan_to_num(median).astype(np.int64), valid.sum(axis=0)


@pytest.mark.filterwarnings("ignore:All-NaN slice")
def test_composites_are_medians_of_what_qa_pixel_leaves(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    document = recipe(write_archive(tmp_path / "archive"))
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    corpus = build(tmp_path).corpus
    assert audit(LocalStore(corpus), digests=True).problems == ()
    chosen = Corpus.open(corpus).query()
    for cell in CELLS:
        median, count = expected(cell)
        assert (chosen.cube(str(cell), "landsat").values[0] == median).all()
        assert (chosen.cube(str(cell), "count_landsat").values[0, 0] == count).all()
    assert count.min() == 0
    assert count.max() == len(DAYS)


def test_all_seven_bands_by_default() -> None:
    document = recipe("catalog.json")
    del document["products"]["landsat"]["bands"]
    assert Recipe.parse(document).products["landsat"].bands == ("B1", "B2", "B3", "B4", "B5", "B6", "B7")  # type: ignore[attr-defined]


def test_the_preset_knows_its_sensor() -> None:
    document = recipe("")
    document["archive"] = {"kind": "landsat-look"}
    assert Recipe.parse(document).products["landsat"].bands == ("B4", "B5")  # type: ignore[attr-defined]


@pytest.mark.parametrize(("changes", "where"), [({"bands": ["B04"]}, "bands"), ({"clear": [4, 5]}, "clear")])
def test_what_the_sensor_does_not_have_is_refused(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(recipe("catalog.json", **changes))
    assert [problem.where for problem in caught.value.problems] == [f"products.landsat.{where}"]
