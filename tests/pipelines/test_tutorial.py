"""The journey of the published tutorial (RapidAI4EO tutorial, sections 3 and 4) on a corpus that was really built.

Only the base address, boxes, period and names of products differ: the calls are those that its reader makes.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pystac
import shapely.geometry

from landloom import Corpus, get_asset_hrefs

if TYPE_CHECKING:
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry


def crawl(collection: pystac.Collection, geometry: BaseGeometry) -> list[pystac.Item]:
    """Walk a collection whose extent meets a geometry, and the collections below it."""
    boxes = [
        shapely.geometry.box(bounds[0], bounds[1], bounds[2], bounds[3]) for bounds in collection.extent.spatial.bboxes
    ]
    if not any(box.intersects(geometry) for box in boxes):
        return []
    found = [
        item for item in collection.get_items() if shapely.geometry.shape(item.geometry or {}).intersects(geometry)
    ]
    for below in collection.get_collections():
        found += crawl(below, geometry)
    return found


def west_half(corpus: Path) -> tuple[BaseGeometry, set[str]]:
    """A box around the western tile, and the ids in it by brute force."""
    frame = gpd.read_parquet(corpus / "index" / "samples.parquet")
    west = frame[frame["zone"] == "32N"]
    box = shapely.geometry.box(*west.total_bounds)
    return box, set(frame[frame.geometry.intersects(box)]["id"])


def test_section_3_the_catalogue(tiny_corpus: Path) -> None:
    catalog = pystac.Catalog.from_file(str(tiny_corpus / "stac-v1.0" / "catalog.json"))
    assert [child.id for child in catalog.get_collections()] == ["tiny_v1_source_s2", "tiny_v1_labels"]
    box, wanted = west_half(tiny_corpus)
    collection = catalog.get_child("tiny_v1_source_s2")
    assert isinstance(collection, pystac.Collection)
    items = crawl(collection, box)
    assert {item.id.removeprefix("tiny_v1_source_s2_") for item in items} == wanted
    start, end = pd.to_datetime("2018-07-01T00:00:00Z"), pd.to_datetime("2018-08-01T00:00:00Z")
    for item in items:
        july = {
            key: asset
            for key, asset in item.get_assets().items()
            if start < pd.to_datetime(asset.extra_fields["datetime"]) < end
        }
        assert set(july) == {"s2_2018-07", "count_2018-07"}
        assert [key for key, asset in july.items() if asset.has_role("data")] == ["s2_2018-07"]
        related = [link.resolve_stac_object().target for link in item.links if link.rel == "related"]
        assert [partner.collection_id for partner in related if isinstance(partner, pystac.Item)] == ["tiny_v1_labels"]
        label: Any = related[0]
        assert label.id.removeprefix("tiny_v1_labels_") == item.id.removeprefix("tiny_v1_source_s2_")
        assert set(label.assets) == {"labels"}
        assert label.assets["labels"].roles == ["labels", "labels-vector"]


def test_section_4_the_resource_files(tiny_corpus: Path) -> None:
    resources = tiny_corpus / "resources"
    with gzip.open(resources / "tiny_geometries.geojson.gz") as stream:
        geometries = gpd.read_file(stream).set_index("sample_id")
    labels = pd.read_csv(resources / "tiny_labels.csv.gz").set_index("sample_id")
    mapping = pd.read_csv(resources / "tiny_label_mappings.csv").set_index("index")
    box, wanted = west_half(tiny_corpus)
    spatial = geometries[geometries.geometry.intersects(box)].index
    assert set(spatial) == wanted
    forest = mapping[mapping.clc_level2_id == 31].index.to_numpy()
    assert list(forest) == ["clc_311", "clc_312", "clc_313"]
    shares = labels.loc[spatial][forest].sum(axis=1)
    corpus = Corpus.open(str(tiny_corpus))
    ours = corpus.query(region=box, where="clc_311 + clc_312 + clc_313 > 0.2").ids
    assert set(ours) == set(shares[shares > 0.2].index)
    hrefs = get_asset_hrefs(list(spatial), products="s2")
    assert len(hrefs) == 12 * len(spatial)
