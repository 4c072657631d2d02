from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pystac
import pytest
import shapely.geometry
from tests.corpus.conftest import CLC, COPERNICUS, make_contents, make_info, make_samples

from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.corpus.layout import TileKey
from landloom.corpus.stac.collections import TileSummary, root_documents, tile_documents
from landloom.corpus.stac.items import TileContent, item_documents
from landloom.corpus.stac.links import Hrefs
from landloom.errors import InvalidValueError
from landloom.model.ids import ChipId
from landloom.model.product import Product
from landloom.model.sample import Sample
from landloom.model.time import Period, Timestep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.corpus.conftest import World

BASE = "https://example.org/corpus"


@pytest.fixture
def published_version() -> Iterator[None]:
    """Pystac writes STAC 1.1.0 unless it is told otherwise."""
    pystac.set_stac_version("1.0.0")
    yield
    pystac.set_stac_version(None)


@pytest.fixture
def catalog(world: World) -> pystac.Catalog:
    return pystac.Catalog.from_file(world.store.href("stac-v1.0/catalog.json"))


def crawl(collection: pystac.Catalog, geometry: Any) -> list[pystac.Item]:
    """Every item below a collection that meets a geometry, as the published tutorial walks the tree."""
    found: list[pystac.Item] = []
    assert isinstance(collection, pystac.Collection)
    outlines = [shapely.box(bounds[0], bounds[1], bounds[2], bounds[3]) for bounds in collection.extent.spatial.bboxes]
    if any(outline.intersects(geometry) for outline in outlines):
        found += [
            item for item in collection.get_items() if shapely.geometry.shape(item.geometry or {}).intersects(geometry)
        ]
        for nested in collection.get_collections():
            found += crawl(nested, geometry)
    return found


def check_described(item: pystac.Item, name: str) -> None:
    """An asset of the fused series says all that a reader needs."""
    asset, box = item.assets[name], item.properties["proj:bbox"]
    assert {key: value for key, value in asset.to_dict().items() if not key.startswith("file:")} == {
        "href": asset.href,
        "type": "image/tiff; application=geotiff",
        "title": "Fused five-day surface reflectance, 2018-01-03",
        "datetime": "2018-01-03T10:30:00Z",
        "roles": ["data"],
        "bands": [{"name": name} for name in ("blue", "green", "red", "nir")],
        "eo:bands": [{"name": name, "common_name": name} for name in ("blue", "green", "red", "nir")],
        "raster:bands": [{"data_type": "uint16", "nodata": 0, "scale": 0.0001, "offset": 0.0, "unit": "1"}] * 4,
        "proj:shape": [200, 200],
        "proj:transform": [3.0, 0.0, box[0], 0.0, -3.0, box[3]],
    }


def test_the_tutorials_crawl(world: World, catalog: pystac.Catalog) -> None:
    names = [collection.id for collection in catalog.get_collections()]
    assert names[:3] == ["demo_v1_source_pf", "demo_v1_source_s2", "demo_v1_labels"]
    assert names[3:] == ["demo_v1_source_pf_by_date", "demo_v1_source_s2_by_date"]
    berlin = shapely.geometry.box(13.05, 52.35, 13.72, 52.69)
    fused = catalog.get_child("demo_v1_source_pf")
    assert fused is not None
    items = crawl(fused, berlin)
    wanted = [
        str(sample.id)
        for content in world.contents
        for sample in content.samples
        if sample.id.footprint.intersects(berlin)  # type: ignore[attr-defined]
    ]
    assert sorted(item.properties["sample_id"] for item in items) == sorted(wanted)
    assert wanted
    assets = items[0].get_assets()
    first = next(iter(assets))
    assert first == "sr_2018-01-03"
    check_described(items[0], first)
    start, end = datetime(2018, 1, 10, tzinfo=UTC), datetime(2018, 1, 20, tzinfo=UTC)
    timed = {
        key: asset
        for key, asset in assets.items()
        if start < datetime.fromisoformat(asset.extra_fields["datetime"]) < end
    }
    assert list(timed) == ["sr_2018-01-13", "qa_2018-01-13", "sr_2018-01-18", "qa_2018-01-18"]
    assert [key for key, asset in timed.items() if asset.has_role("data")] == ["sr_2018-01-13", "sr_2018-01-18"]


def test_partners_are_found_through_related_links(catalog: pystac.Catalog) -> None:
    fused = catalog.get_child("demo_v1_source_pf")
    assert fused is not None
    for item in fused.get_items(recursive=True):
        partners = [link.resolve_stac_object().target for link in item.links if link.rel == "related"]
        assert [partner.collection_id for partner in partners if isinstance(partner, pystac.Item)] == [
            "demo_v1_labels",
            "demo_v1_source_s2",
        ]
        for partner in partners:
            assert isinstance(partner, pystac.Item)
            assert partner.properties["sample_id"] == item.properties["sample_id"]


def test_label_items_link_one_file(catalog: pystac.Catalog) -> None:
    labels = catalog.get_child("demo_v1_labels")
    assert labels is not None
    item = next(labels.get_items(recursive=True))
    (name,) = item.assets
    asset = item.assets[name]
    assert (name, asset.media_type, asset.roles) == ("labels", "application/geo+json", ["labels", "labels-vector"])
    assert item.properties["label:properties"][0] == "clc_111"
    assert item.properties["title"]


def test_hierarchy_and_collection_assets(catalog: pystac.Catalog) -> None:
    composites, labels = catalog.get_child("demo_v1_source_s2"), catalog.get_child("demo_v1_labels")
    assert isinstance(composites, pystac.Collection)
    assert isinstance(labels, pystac.Collection)
    zones = list(composites.get_collections())
    assert [zone.id for zone in zones] == ["demo_v1_source_s2_33N", "demo_v1_source_s2_34N"]
    (tile,) = zones[0].get_collections()
    assert tile.id == "demo_v1_source_s2_33N_16E-243N"
    assert set(composites.assets) == {"geoparquet-items", "geometries"}
    assert set(labels.assets) == {"geoparquet-items", "labels", "label_mappings"}
    assert set(tile.assets) == {"traceability"}
    for collection in (composites, labels, tile):
        for asset in collection.assets.values():
            assert asset.get_absolute_href()


def test_licences_are_per_product(world: World, catalog: pystac.Catalog) -> None:
    keys = [world.info.layout.stac_collection(collection) for collection in world.info.collections]
    documents = [orjson.loads(world.store.get(key)) for key in keys]
    assert {document["id"]: document["license"] for document in documents} == {
        "demo_v1_source_pf": "CC-BY-NC-SA-3.0",
        "demo_v1_source_s2": "proprietary",
        "demo_v1_labels": "CC-BY-4.0",
    }
    assert "license" not in catalog.to_dict()


def test_products_with_different_terms_in_one_collection_are_various() -> None:
    fused, quality, *others = make_info().products
    info = make_info(products=(fused, ProductInfo(product=quality.product, terms=CLC, timesteps=quality.timesteps)))
    content = make_contents(make_info())[0]
    summary = TileSummary.of(info, content)
    (document,) = [
        orjson.loads(data) for key, data in root_documents(info, [summary]) if key.endswith("_pf/collection.json")
    ]
    assert document["license"] == "various"
    assert document["attribution"] == "Planet; EEA"
    assert others


def test_parsed_items_equal_pystacs_own(published_version: None) -> None:
    del published_version
    info, content = make_info(), make_contents(make_info())[0]
    documents = [orjson.loads(data) for _, data in item_documents(info, content, Hrefs(base_url=BASE))]
    assert len(documents) == 15
    for document in documents:
        item = pystac.Item.from_dict(orjson.loads(orjson.dumps(document)))
        assert item.to_dict(include_self_link=True, transform_hrefs=False) == document


def test_parsed_collections_equal_pystacs_own(published_version: None) -> None:
    del published_version
    info, content = make_info(), make_contents(make_info())[0]
    pairs = [*tile_documents(info, content, BASE), *root_documents(info, [TileSummary.of(info, content)], BASE)]
    checked = 0
    for key, data in pairs:
        if key.endswith("/collection.json"):
            document = orjson.loads(data)
            # Migrating would call the licence "proprietary" by its name in STAC 1.1.
            read = pystac.Collection.from_dict(orjson.loads(data), migrate=False).to_dict(transform_hrefs=False)
            assert {"stac_extensions": [], **read} == document  # pystac drops an empty list
            checked += 1
    assert checked == 11


def test_what_is_missing_has_no_asset(world: World) -> None:
    content = world.contents[0]
    sample = content.samples[2]
    item = orjson.loads(world.store.get(world.info.layout.stac_item("source_s2", sample.id)))
    assert list(item["assets"]) == ["s2_2018-01"]
    assert item["assets"]["s2_2018-01"]["file:size"] > 0


def test_a_sample_without_a_product_has_no_item_and_no_link_to_it() -> None:
    info, content = make_info(), make_contents(make_info())[0]
    exists = {**content.exists, "s2": content.exists["s2"].copy()}
    exists["s2"][0] = False
    partial = TileContent(tile=content.tile, samples=content.samples, exists=exists)
    documents = dict(tile_documents(info, partial))
    lost = content.samples[0].id
    assert info.layout.stac_item("source_s2", lost) not in documents
    fused = orjson.loads(documents[info.layout.stac_item("source_pf", lost)])
    partners = [link["href"] for link in fused["links"] if link["rel"] == "related"]
    assert len(partners) == 1
    assert "demo_v1_labels" in partners[0]


def test_absolute_hrefs_once_published() -> None:
    info, content = make_info(), make_contents(make_info())[0]
    for _, data in tile_documents(info, content, BASE):
        document = orjson.loads(data)
        hrefs = [link["href"] for link in document["links"]] + [a["href"] for a in document.get("assets", {}).values()]
        assert all(href.startswith("https://") for href in hrefs)
        assert any(link["rel"] == "self" for link in document["links"])


def test_the_order_of_samples_does_not_matter() -> None:
    info, content = make_info(), make_contents(make_info())[0]
    order = [3, 1, 4, 0, 2]
    shuffled = TileContent(
        tile=content.tile,
        samples=tuple(content.samples[row] for row in order),
        exists={key: rows[order] for key, rows in content.exists.items()},
        lineage=content.lineage,
    )
    assert dict(tile_documents(info, shuffled)) == dict(tile_documents(info, content))


def test_cubes_alone_are_assets_of_items_and_tiles() -> None:
    info, content = make_info(layouts=("cubes",)), make_contents(make_info())[0]
    documents = dict(tile_documents(info, content))
    item = orjson.loads(documents[info.layout.stac_item("source_s2", content.samples[0].id)])
    assert set(item["assets"]) == {"s2_cube"}
    tile = orjson.loads(documents[info.layout.stac_collection("source_s2", tile=content.tile)])
    assert set(tile["assets"]) == {"traceability", "s2_cube"}


def granule_info() -> CorpusInfo:
    """A corpus of granules: images of two dates, and labels."""
    days = (datetime(2018, 1, 3, 10, 30, tzinfo=UTC), datetime(2018, 1, 8, 10, 30, tzinfo=UTC))
    steps = tuple(Timestep(day, f"{day:%Y-%m-%d}", Period(day, day.replace(hour=11))) for day in days)
    source = Product(
        key="s2",
        folder="S2",
        collection="source_sentinel_2",
        prefix="s2",
        title="Scenes",
        kind="imagery",
        bands=make_info().product("s2").product.bands[:2],
        resolution=10,
    )
    truth = Product(
        key="labels",
        folder=None,
        collection="labels",
        prefix="labels",
        title="Consensus",
        kind="raster-labels",
        resolution=10,
    )
    return make_info(
        name="lcn",
        scheme="granule",
        products=(
            ProductInfo(product=source, terms=COPERNICUS, timesteps=steps, acquired=True),
            ProductInfo(product=truth, terms=CLC, stated_period=Period.year(2018)),
        ),
    )


def test_granules_have_an_item_for_each_date_and_labels_name_their_sources() -> None:
    info = granule_info()
    bounds = (399_960.0, 4_500_000.0, 402_520.0, 4_502_560.0)
    sample = Sample(id=ChipId.parse("37TDK_27"), epsg=32637, bounds=bounds)
    content = TileContent(
        tile=TileKey.parse("37N_37TDK"),
        samples=(sample,),
        exists={"s2": np.array([[True, True]]), "labels": np.array([[True]])},
    )
    documents = {orjson.loads(data)["id"]: orjson.loads(data) for _, data in tile_documents(info, content)}
    first = documents["lcn_v1_source_sentinel_2_37TDK_27_20180103"]
    assert list(first["assets"]) == ["B02", "B03"]
    assert first["properties"]["datetime"] == "2018-01-03T10:30:00Z"
    label = documents["lcn_v1_labels_37TDK_27"]
    assert sum(link["rel"] == "source" for link in label["links"]) == 2
    assert label["assets"]["labels"]["href"].endswith("labels/37N/37TDK/37TDK_27/labels-1.tif")


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="existence of s2"):
        TileContent(
            tile=TileKey.parse("33N_16E-243N"),
            samples=make_samples("33N_16E-243N", 2),
            exists={"s2": np.ones((3, 2), np.bool_)},
        )
