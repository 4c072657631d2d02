"""The demo of granules as LandCoverNet published it: names, assets, links, taxonomy; and a variant by settings."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pystac
import pytest
import rasterio
import yaml

from landloom.corpus.audit.validate import audit
from landloom.errors import RecipeError
from landloom.pipelines.build import build
from landloom.pipelines.demos.landcovernet import demo_spec
from landloom.pipelines.registry import Recipe
from landloom.pipelines.starters import write_starter
from landloom.simulate.archive import simulate_archive
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

BANDS = {"B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12"}
SOURCE = re.compile(r"small_v1_source_sentinel_2_(\d{2}[A-Z]{3})_(\d{2})_(2018\d{4})")
LABEL = re.compile(r"small_v1_labels_(\d{2}[A-Z]{3})_(\d{2})")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layout") / "archive"
    simulate_archive(demo_spec(pixels=180, step=40), folder)
    return folder


def made(archive: Path, folder: Path, **stac: Any) -> Path:
    (folder / "archive").symlink_to(archive)
    write_starter("demo-landcovernet", folder / "landloom.yaml")
    recipe: dict[str, Any] = yaml.safe_load((folder / "landloom.yaml").read_text(encoding="utf-8"))
    recipe["name"] = "small"
    recipe["samples"] |= {"granules": ["33UUR"], "chips": 2, "size": 66}
    recipe["scenes"]["policy"] = "monthly + 1"
    recipe["guess"] |= {"trees": 3, "least": 10, "held_out": 0}
    recipe["stac"] = stac
    (folder / "landloom.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return build(folder).corpus


@pytest.fixture(scope="module")
def corpus(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(archive, tmp_path_factory.mktemp("published"))


def test_every_id_and_asset_follows_the_published_patterns(corpus: Path) -> None:
    catalog = pystac.Catalog.from_file(str(corpus / "stac-v1.0/catalog.json"))
    collections = {one.id for one in catalog.get_collections()}
    assert {"small_v1_source_sentinel_2", "small_v1_labels"} <= collections
    items = {item.id: item for item in catalog.get_items(recursive=True)}
    source = {name: found for name in items if (found := SOURCE.fullmatch(name))}
    labels = {name: found for name in items if (found := LABEL.fullmatch(name))}
    assert {one[1] + one[2] for one in labels.values()} == {"33UUR00", "33UUR01"}
    assert len(source) >= 10
    for name in source:
        assert items[name].assets.keys() == BANDS | {"SCL"}
        assert items[name].datetime is not None
    for name, found in labels.items():
        assert {"labels", "source_dates"} <= items[name].assets.keys()
        mine = {one for one, other in source.items() if other[2] == found[2]}
        links = {str(link.href).rsplit("/", 1)[-1] for link in items[name].get_links("source")}
        assert {f"{one}.json" for one in mine} <= links
        with (corpus / f"labels/33N/33UUR/33UUR_{found[2]}/source_dates-1.csv").open(newline="") as file:
            dates = [row["date"].replace("-", "") for row in csv.DictReader(file)]
        assert dates == sorted(source[one][3] for one in mine)


def test_pystac_opens_it_and_every_document_is_valid_offline(corpus: Path, shared_schemas: Path) -> None:
    catalog = pystac.Catalog.from_file(str(corpus / "stac-v1.0/catalog.json"))
    seen = 0
    for item in catalog.get_items(recursive=True):
        again = pystac.Item.from_dict(item.to_dict())
        assert (again.id, again.assets.keys()) == (item.id, item.assets.keys())
        seen += 1
    checked = audit(open_store(str(corpus)), schemas=shared_schemas, digests=True)
    assert (checked.problems, checked.unchecked) == ((), ())
    assert checked.documents > seen > 10


def test_labels_hold_class_and_percent_and_the_collection_their_taxonomy(corpus: Path) -> None:
    with rasterio.open(corpus / "labels/33N/33UUR/33UUR_00/labels-1.tif") as file:
        labels, percent = file.read()
        assert file.descriptions == ("class", "confidence")
        assert (file.count, file.crs.to_epsg(), file.res) == (2, 32633, (10.0, 10.0))
    assert set(np.unique(labels)) <= set(range(8))
    assert percent.max() <= 100
    assert percent[labels > 0].min() > 14
    text = (corpus / "stac-v1.0/small_v1_labels/collection.json").read_text(encoding="utf-8")
    for name in ("Water", "Cultivated Vegetation", "Woody Vegetation", "(Semi) Natural Vegetation"):
        assert name in text


def test_a_published_variant_is_a_change_of_settings(archive: Path, tmp_path: Path) -> None:
    corpus = made(
        archive,
        tmp_path,
        dated_item="{collection}-{sample}-{timestep}",
        item="{collection}-{sample}",
        band_asset="{band}_{timestep}",
        label_link="derived_from",
    )
    catalog = pystac.Catalog.from_file(str(corpus / "stac-v1.0/catalog.json"))
    items = {item.id: item for item in catalog.get_items(recursive=True)}
    label = items["small_v1_labels-33UUR_00"]
    name = next(name for name in items if name.startswith("small_v1_source_sentinel_2-33UUR_00-2018-"))
    date = name[-10:]
    assert items[name].assets.keys() == {f"{band}_{date}" for band in BANDS | {"SCL"}}
    assert any(str(link.href).endswith(f"{name}.json") for link in label.get_links("derived_from"))
    assert audit(open_store(str(corpus))).problems == ()


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ({"dated_item": "{collection}_{sample}"}, "date or timestep"),
        ({"item": "{sample}"}, "with collection"),
        ({"band_asset": "{band}_{year}"}, "out of"),
        ({"item": "{collection"}, r"\w+ a pattern"),
        ({"label_link": "Source Of"}, "label_link"),
    ],
)
def test_patterns_that_cannot_name_things_apart_are_refused(
    tmp_path: Path, pattern: dict[str, str], reason: str
) -> None:
    write_starter("demo-landcovernet", tmp_path / "landloom.yaml")
    recipe: dict[str, Any] = yaml.safe_load((tmp_path / "landloom.yaml").read_text(encoding="utf-8"))
    with pytest.raises(RecipeError, match=reason):
        Recipe.parse(recipe | {"stac": pattern})
