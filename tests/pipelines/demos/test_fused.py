"""The demo of all three products, and the published tutorial's sections 3 and 4 on its corpus."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely.geometry
from pystac import Catalog

from landloom import PRODUCTS, get_asset_hrefs
from landloom.pipelines.demos.fused import demo_spec, run_demo_fused
from landloom.products.fused.withheld import OTHERS

if TYPE_CHECKING:
    from landloom.pipelines.demos.fused import FusedDemo

CELLS = 1
"""Samples along a side."""
BERLIN = (13.05, 52.35, 13.72, 52.69)
"""The box of the tutorial."""
MAY = (pd.to_datetime("2018-05-01T00:00:00Z"), pd.to_datetime("2018-06-01T00:00:00Z"))
"""Its period."""
COUNTS = {"source_pf": 146 + 146, "source_s2": 12, "labels": 1}
"""Assets of a sample's items: series and quality, composites, labels."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> FusedDemo:
    """The demo with fewer samples and scenes."""
    return run_demo_fused(tmp_path_factory.mktemp("demo"), spec=demo_spec(cells=CELLS, step=60))


@pytest.fixture(scope="module")
def catalog(demo: FusedDemo) -> Catalog:
    return Catalog.from_file(str(demo.build.corpus / "stac-v1.0" / "catalog.json"))


def test_all_products_are_built_validated_and_judged(demo: FusedDemo) -> None:
    samples = CELLS * CELLS
    assert demo.build.samples == samples
    assert {part: files for part, files, _ in demo.build.parts}["imagery"] == samples * (146 + 146 + 12)
    document = json.loads(json.dumps(demo.document(), default=str))
    assert set(document["evaluation"]["all"]["rmse"]) == {"fused", *OTHERS}
    assert demo.picture.read_bytes().startswith(b"\x89PNG")
    lineage = (demo.build.corpus / "lineage/33N/16E-243N/PF-SR.json").read_text(encoding="utf-8")
    assert "_33UUU_" in lineage
    assert '"LC08_L2SP_' in lineage, "the second sensor is used"


def items_intersecting_geometry(collection: Any, geometry: Any) -> list[Any]:
    """The tutorial's function, as published."""
    intersecting_items = []
    collection_bboxes = [shapely.geometry.box(*bounds) for bounds in collection.extent.spatial.bboxes]
    if any([bbox.intersects(geometry) for bbox in collection_bboxes]):  # noqa: C419 - as published
        for item in collection.get_items():
            item_geometry = shapely.geometry.shape(item.geometry)
            if item_geometry.intersects(geometry):
                intersecting_items.append(item)
        for subcollection in collection.get_collections():
            intersecting_items += items_intersecting_geometry(subcollection, geometry)
    return intersecting_items


def test_section_3_querying_with_stac(catalog: Catalog) -> None:
    assert {collection.id for collection in catalog.get_collections()} == {
        f"rapidai4eo_v1_{name}"
        for name in ("source_pf", "source_s2", "labels", "source_pf_by_date", "source_s2_by_date")
    }
    berlin_bbox = shapely.geometry.box(*BERLIN)
    pf_collection = catalog.get_child("rapidai4eo_v1_source_pf")
    berlin_pf_items = items_intersecting_geometry(pf_collection, berlin_bbox)
    assert len(berlin_pf_items) == CELLS * CELLS
    assert "rapidai4eo_v1_source_pf_33N_16E-243N_29_01" in {item.id for item in berlin_pf_items}
    assert items_intersecting_geometry(pf_collection, shapely.geometry.box(0, 50, 1, 51)) == []


def example_items(catalog: Catalog) -> list[Any]:
    collection = catalog.get_child("rapidai4eo_v1_source_pf")
    return items_intersecting_geometry(collection, shapely.geometry.box(*BERLIN))


def test_section_3_assets_of_an_item(catalog: Catalog) -> None:
    example_pf_item = example_items(catalog)[0]
    example_pf_assets = example_pf_item.get_assets()
    assert list(example_pf_assets)[:5] == [
        "sr_2018-01-03",
        "qa_2018-01-03",
        "sr_2018-01-08",
        "qa_2018-01-08",
        "sr_2018-01-13",
    ]
    assert example_pf_assets["qa_2018-01-03"].to_dict()["datetime"] == "2018-01-03T10:30:00Z"
    time_filtered_assets = {
        k: v for k, v in example_pf_assets.items() if MAY[0] < pd.to_datetime(v.extra_fields["datetime"]) < MAY[1]
    }
    assert len(time_filtered_assets) == 12
    role_filtered_assets = {k: v for k, v in time_filtered_assets.items() if v.has_role("data")}
    assert list(role_filtered_assets) == [f"sr_2018-05-{day:02d}" for day in (3, 8, 13, 18, 23, 28)]


def test_section_3_related_items(catalog: Catalog) -> None:
    berlin_pf_items = example_items(catalog)
    example_pf_item = berlin_pf_items[0]
    role_filtered_assets = [f"sr_2018-05-{day:02d}" for day in (3, 8, 13, 18, 23, 28)]
    related_items = [link.resolve_stac_object().target for link in example_pf_item.links if link.rel == "related"]
    assert {item.collection_id for item in related_items} == {"rapidai4eo_v1_labels", "rapidai4eo_v1_source_s2"}
    query_pfs2_hrefs = []
    for pf_item in berlin_pf_items:
        query_pfs2_hrefs += [pf_item.assets[k].href for k in role_filtered_assets]
        for item in (link.resolve_stac_object().target for link in pf_item.links if link.rel == "related"):
            if item.collection_id == "rapidai4eo_v1_source_s2":
                query_pfs2_hrefs += [
                    v.href for v in item.assets.values() if MAY[0] < pd.to_datetime(v.extra_fields["datetime"]) < MAY[1]
                ]
    assert len(query_pfs2_hrefs) == CELLS * CELLS * (6 + 1)


def test_every_sample_has_the_published_counts(demo: FusedDemo, catalog: Catalog) -> None:
    for name, count in COUNTS.items():
        collection = catalog.get_child(f"rapidai4eo_v1_{name}")
        assert collection is not None
        items = list(collection.get_items(recursive=True))
        assert len(items) == CELLS * CELLS
        for item in items:
            assert len(item.assets) == count, item.id
            for asset in item.assets.values():
                assert (demo.build.corpus / str(asset.get_absolute_href()).removeprefix("file://")).is_file()


def test_section_4_optimized_queries(demo: FusedDemo) -> None:
    resources = demo.build.corpus / "resources"
    with gzip.open(resources / "rapidai4eo_geometries.geojson.gz") as fs:
        geometries = gpd.read_file(fs).set_index("sample_id")
    labels = pd.read_csv(resources / "rapidai4eo_labels.csv.gz").set_index("sample_id")
    labels_mapping = pd.read_csv(resources / "rapidai4eo_label_mappings.csv").set_index("index")

    spatially_filtered_ids = geometries[geometries.geometry.intersects(shapely.geometry.box(*BERLIN))].index
    count = spatially_filtered_ids.size
    assert count == CELLS * CELLS
    assert PRODUCTS == ["pfsr", "pfqa", "s2"]
    hrefs = get_asset_hrefs(spatially_filtered_ids)
    assert len(hrefs) == count * (146 + 146 + 12)
    base = hrefs[0].split("imagery/")[0]
    assert all((demo.build.corpus / href.removeprefix(base)).is_file() for href in hrefs), "every one is a file here"
    assert len(get_asset_hrefs(spatially_filtered_ids, products=["pfsr", "s2"])) == count * (146 + 12)
    assert len(get_asset_hrefs(spatially_filtered_ids, products="s2")) == count * 12
    year = (pd.to_datetime("2018-01-01T00:00:00Z"), pd.to_datetime("2019-01-01T00:00:00Z"))
    assert len(get_asset_hrefs(spatially_filtered_ids, products=["pfsr", "s2"], temporal_filter=year)) == count * 85

    largest = labels.loc[spatially_filtered_ids].sum().idxmax()
    assert labels_mapping.loc[largest, "class_name"]
    some = labels[labels[largest] > 0.2].index
    assert len(get_asset_hrefs(some, products="pfsr")) == some.size * 146
    classes = labels_mapping[labels_mapping.clc_level1_id == int(largest[4])].index
    assert (labels.loc[spatially_filtered_ids][classes].sum(axis=1) <= 1 + 1e-9).all()
