"""Crawling equals pystac's walk, and every link is followed from its own item."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import shapely
from tests.query.faulty import Faulty, serving

from landloom.errors import MissingKeyError, PermanentFaultError
from landloom.model.ids import TileId
from landloom.query.index.rapidai4eo import published_steps
from landloom.query.search import stac_search
from landloom.store.href_documents import HrefDocuments

if TYPE_CHECKING:
    from collections.abc import Callable

    from landloom.model.ids import SampleId

MAY = ("2018-05-01", "2018-06-01")
BOX = (13.28, 52.62, 13.42, 52.72)
"""Holds a part of the tile below."""

MONTHS, FIVE_DAYS = (tuple(step.name for step in published_steps(key)) for key in ("s2", "pfsr"))


def item(sample: SampleId, kind: str, steps: tuple[str, ...], others: tuple[str, ...]) -> dict[str, Any]:
    assets: dict[str, Any] = {}
    for step in steps:
        day = f"{step}-15" if len(step) == 7 else step
        for prefix, role in (("s2", "data"),) if kind == "source_s2" else (("sr", "data"), ("qa", "metadata")):
            href = f"../../../../imagery/{sample.zone}/{sample.tile_name}/{sample}/{prefix}/{step}.tif"
            assets[f"{prefix}_{step}"] = {"href": href, "roles": [role], "datetime": f"{day}T10:30:00Z"}
    if kind == "labels":
        assets = {"labels": {"href": f"labels_{sample}.geojson", "roles": ["labels"]}}
    related = [
        {"rel": "related", "href": f"../../../c_{other}/{sample.zone}/{sample.tile_name}/{sample}.json"}
        for other in others
    ]
    period = {"start_datetime": "2018-01-01T00:00:00Z", "end_datetime": "2020-01-01T00:00:00Z"}
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": f"c_{kind}_{sample}",
        "collection": f"c_{kind}",
        "geometry": shapely.geometry.mapping(sample.footprint),
        "bbox": list(sample.footprint.bounds),
        "properties": {"datetime": None, **period},
        "assets": assets,
        "links": [{"rel": "collection", "href": "collection.json"}, *related],
    }


def collection(name: str, shapes: list[Any], links: list[dict[str, str]]) -> dict[str, Any]:
    bounds = list(shapely.union_all(shapes).bounds)
    interval = [["2018-01-01T00:00:00Z", "2020-01-01T00:00:00Z"]]
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": name,
        "description": name,
        "license": "other",
        "extent": {"spatial": {"bbox": [bounds]}, "temporal": {"interval": interval}},
        "links": links,
    }


@pytest.fixture(scope="session")
def stac(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of the published structure: three products, two zones, three tiles, forty samples each."""
    root = tmp_path_factory.mktemp("stac")
    kinds = {"source_pf": FIVE_DAYS, "source_s2": MONTHS, "labels": ()}
    tiles = [TileId.parse(name) for name in ("33N_16E-243N", "33N_17E-243N", "34N_24E-241N")]
    for kind, steps in kinds.items():
        others = tuple(other for other in ("labels", "source_pf", "source_s2") if other != kind)
        zones: dict[str, list[TileId]] = {}
        for tile in tiles:
            zones.setdefault(str(tile.zone), []).append(tile)
            folder = root / f"c_{kind}" / str(tile.zone) / tile.name
            folder.mkdir(parents=True)
            samples = tile.samples()[::40]
            for sample in samples:
                (folder / f"{sample}.json").write_bytes(orjson.dumps(item(sample, kind, steps, others)))
            links = [{"rel": "item", "href": f"{sample}.json"} for sample in samples]
            document = collection(f"c_{kind}_{tile}", [sample.footprint for sample in samples], links)
            (folder / "collection.json").write_bytes(orjson.dumps(document))
        for zone, own in zones.items():
            links = [{"rel": "child", "href": f"{tile.name}/collection.json"} for tile in own]
            shapes = [tile.grid(10).footprint() for tile in own]
            document = collection(f"c_{kind}_{zone}", shapes, links)
            (root / f"c_{kind}" / zone / "collection.json").write_bytes(orjson.dumps(document))
        links = [{"rel": "child", "href": f"{zone}/collection.json"} for zone in zones]
        document = collection(f"c_{kind}", [tile.grid(10).footprint() for tile in tiles], links)
        (root / f"c_{kind}" / "collection.json").write_bytes(orjson.dumps(document))
    links = [{"rel": "child", "href": f"c_{kind}/collection.json"} for kind in kinds]
    catalog = {"type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "c", "links": links}
    (root / "catalog.json").write_bytes(orjson.dumps(catalog))
    return root


def reading(documents: dict[str, dict[str, Any]]) -> Callable[[str], bytes]:
    return lambda href: orjson.dumps(documents[href])


def walked(collection: Any, geometry: Any) -> list[Any]:
    """The published tutorial's walk."""
    found = []
    if any(shapely.box(*bounds).intersects(geometry) for bounds in collection.extent.spatial.bboxes):
        found = [one for one in collection.get_items() if shapely.geometry.shape(one.geometry).intersects(geometry)]
    for child in collection.get_collections():
        found += walked(child, geometry)
    return found


def test_a_crawl_finds_what_pystac_walks_to(stac: Path) -> None:
    import pystac

    child = pystac.Catalog.from_file(str(stac / "catalog.json")).get_child("c_source_pf")
    assert child is not None
    expected = [one.id for one in walked(child, shapely.box(*BOX))]
    found = stac_search(str(stac / "catalog.json"), region=BOX, collections="c_source_pf")
    assert [one.id for one in found] == expected
    assert 3 < len(expected) < 40


def test_assets_are_chosen_by_time_and_role(stac: Path) -> None:
    root = str(stac / "catalog.json")
    both = stac_search(root, region=BOX, collections="c_source_pf", period=MAY)
    data = stac_search(root, region=BOX, collections="c_source_pf", period=MAY, roles="data")
    assert {len(one.assets) for one in both} == {12}
    assert {len(one.assets) for one in data} == {6}
    assert list(data[0].assets) == [f"sr_2018-05-{day:02d}" for day in (3, 8, 13, 18, 23, 28)]
    assert all(Path(href).is_relative_to(stac.parent) for one in data for href in one.hrefs())


def test_related_items_are_each_items_own(stac: Path) -> None:
    found = stac_search(
        str(stac / "catalog.json"),
        region=BOX,
        collections="c_source_pf",
        period=MAY,
        roles="data",
        related="c_source_s2",
    )
    places = [one.id.removeprefix(f"{one.collection}_") for one in found]
    assert places[::2] == places[1::2]
    assert [one.collection for one in found] == ["c_source_pf", "c_source_s2"] * (len(found) // 2)
    hrefs = [href for one in found for href in one.hrefs()]
    assert len(hrefs) == len(set(hrefs)) == 7 * len(places[::2])
    assert all(place in href for one, place in zip(found, places, strict=True) for href in one.hrefs())


def test_the_published_counts_come_out_from_198_items() -> None:
    samples = TileId.parse("33N_16E-243N").samples()[:198]
    documents = {
        "/catalog.json": {
            "type": "Catalog",
            "links": [{"rel": "item", "href": f"/pf/{sample}.json"} for sample in samples],
        }
    }
    for sample in samples:
        related = [{"rel": "related", "href": f"/{kind}/{sample}.json"} for kind in ("labels", "s2")]
        documents[f"/pf/{sample}.json"] = item(sample, "source_pf", FIVE_DAYS, ()) | {"links": related}
        documents[f"/s2/{sample}.json"] = item(sample, "source_s2", MONTHS, ())
        documents[f"/labels/{sample}.json"] = item(sample, "labels", (), ())
    found = stac_search("/catalog.json", period=MAY, roles="data", read=reading(documents))
    assert {len(one.assets) for one in stac_search("/catalog.json", period=MAY, read=reading(documents))} == {12}
    assert {len(one.assets) for one in found} == {6}
    assert sum(len(one.assets) for one in found) == 1_188
    both = stac_search("/catalog.json", period=MAY, roles="data", related="c_source_s2", read=reading(documents))
    assert len({href for one in both for href in one.hrefs()}) == 1_386
    assert len(both) == 2 * 198
    assert all(one.id.removeprefix(f"{one.collection}_") in href for one in both for href in one.hrefs())
    assert (
        [one.id.removeprefix("c_source_pf_") for one in both[::2]]
        == [one.id.removeprefix("c_source_s2_") for one in both[1::2]]
        == [str(sample) for sample in samples]
    )


def test_extents_that_miss_are_not_entered_and_nothing_is_read_twice(stac: Path) -> None:
    read, counts, lock = HrefDocuments().read, Counter[str](), threading.Lock()

    def counted(href: str) -> bytes:
        with lock:
            counts[href] += 1
        return read(href)

    stac_search(str(stac / "catalog.json"), region=BOX, collections="c_source_pf", read=counted)
    assert set(counts.values()) == {1}
    assert not any("/34N/24E-241N/" in href for href in counts)
    counts.clear()
    assert stac_search(str(stac / "catalog.json"), period=("2030-01-01", "2031-01-01"), read=counted) == []
    assert sum(counts.values()) == 4


def test_documents_are_read_at_once(stac: Path) -> None:
    read, together = HrefDocuments().read, threading.Barrier(4)

    def met(href: str) -> bytes:
        if "/c_labels/33N/16E-243N/33N" in href:  # forty items, read by fours: none goes on alone
            together.wait(timeout=30)
        return read(href)

    root = str(stac / "catalog.json")
    options: dict[str, Any] = {"region": (11.0, 52.0, 15.0, 53.0), "collections": "c_labels"}
    found = stac_search(root, **options, workers=4, read=met)
    assert [one.id for one in found] == [one.id for one in stac_search(root, **options, workers=1)]


def test_the_web_gives_the_same_answers(stac: Path) -> None:
    with serving(Faulty(files=lambda path: (stac / path).read_bytes())) as server:
        found = stac_search(f"{server.address}/catalog.json", region=BOX, collections="c_source_s2", period=MAY)
        local = stac_search(str(stac / "catalog.json"), region=BOX, collections="c_source_s2", period=MAY)
        assert [one.id for one in found] == [one.id for one in local]
        assert all(href.startswith(server.address) for one in found for href in one.hrefs())


def test_circles_end() -> None:
    documents: dict[str, dict[str, Any]] = {
        "/a.json": {"type": "Catalog", "links": [{"rel": "child", "href": "b.json"}]},
        "/b.json": {
            "type": "Catalog",
            "links": [{"rel": "child", "href": "a.json"}, {"rel": "child", "href": "b.json"}],
        },
    }
    assert stac_search("/a.json", read=reading(documents)) == []


def test_broken_catalogues_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingKeyError, match="absent"):
        stac_search(str(tmp_path / "absent.json"))
    (tmp_path / "catalog.json").write_text("[]")
    with pytest.raises(PermanentFaultError, match=r"catalog\.json"):
        stac_search(str(tmp_path / "catalog.json"))
    (tmp_path / "catalog.json").write_text("{")
    with pytest.raises(PermanentFaultError, match=r"catalog\.json"):
        stac_search(str(tmp_path / "catalog.json"))


def test_a_box_across_the_antimeridian_is_entered() -> None:
    extent = {"spatial": {"bbox": [[170, -20, -170, -10]]}, "temporal": {"interval": [[None, None]]}}
    point = {"type": "Point", "coordinates": [-175, -15]}
    documents: dict[str, dict[str, Any]] = {
        "/c.json": {"type": "Collection", "extent": extent, "links": [{"rel": "item", "href": "i.json"}]},
        "/i.json": {"type": "Feature", "id": "i", "geometry": point, "properties": {}, "assets": {}, "links": []},
    }
    assert len(stac_search("/c.json", region=(-176, -16, -174, -14), read=reading(documents))) == 1


@pytest.mark.parametrize("href", ["file:///etc/hostname", "/etc/hostname"])
@pytest.mark.parametrize("where", ["link", "asset"])
def test_a_catalogue_on_the_web_names_nothing_local(where: str, href: str) -> None:
    asset, link = (href, "item.json") if where == "asset" else ("x.tif", href)
    documents = {
        "catalog.json": {"type": "Catalog", "id": "a", "links": [{"rel": "item", "href": link}]},
        "item.json": {"type": "Feature", "id": "b", "properties": {}, "assets": {"x": {"href": asset}}, "links": []},
    }
    web = Faulty(files=lambda path: orjson.dumps(documents[path.rpartition("/")[2]]))
    with serving(web), pytest.raises(PermanentFaultError, match="a file on this machine"):
        stac_search(f"{web.address}/catalog.json")
