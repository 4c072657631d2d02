"""Files of a corpus: what a manifest names is there and nothing else, and the published tutorial runs on them.

The journey is that of the RapidAI4EO tutorial, sections 3 and 4, on a corpus that was really built. Only the base
address, boxes, period and names of products differ: the calls are those that its reader makes.
"""

from __future__ import annotations

import gzip
import threading
import time
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import geopandas as gpd
import pandas as pd
import pystac
import pytest
import shapely.geometry
from hypothesis import given
from hypothesis import strategies as st
from tests.corpus.conftest import make_info

from landloom import Corpus, get_asset_hrefs
from landloom.corpus.documents import corpus_json
from landloom.corpus.finished import FinishedCorpus, tile_content
from landloom.corpus.layout import INDEX, TileKey
from landloom.corpus.manifest import FileEntry, read_manifest
from landloom.corpus.root import covered_keys
from landloom.errors import StoreError
from landloom.publication.files import WRITERS, CorpusWriter, write_documents
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

    from landloom.corpus.stac.items import TileContent
    from landloom.store.protocol import Store


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
    assert [child.id for child in catalog.get_collections()] == [
        "tiny_v1_source_s2",
        "tiny_v1_labels",
        "tiny_v1_source_s2_by_date",
    ]
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


# Manifests --------------------------------------------------------------------------------------------------------

TILES = ("32N_32UPA", "33N_33UUR", "33N_33UVR")


def named(store: LocalStore) -> set[str]:
    """What all manifests name."""
    keys = [entry.key for entry in store.list("manifest")]
    return {entry.path for key in keys for entry in read_manifest(store.get(key), key)}


def there(store: LocalStore) -> set[str]:
    """Every file but those that the root digest covers, and itself."""
    return {entry.key for entry in store.list()} - {*covered_keys(store), "digest.json"}


@given(
    st.lists(st.dictionaries(st.sampled_from(TILES), st.sets(st.integers(0, 5)), min_size=1), min_size=1, max_size=3)
)
def test_after_every_build_manifests_name_just_what_is_there(builds: list[dict[str, set[int]]]) -> None:
    """Whatever an earlier one had: tiles and files that this one does not have are gone."""
    info = make_info()
    with TemporaryDirectory() as folder:
        store = LocalStore(folder)
        for number, tiles in enumerate(builds):
            publication = CorpusWriter(info=info, store=store)
            for tile, files in sorted(tiles.items()):
                for file in sorted(files):
                    publication.put(tile, f"labels/{tile}/{file}.txt", f"{number}".encode())
                assert len(publication.entries(tile)) == len(files)
                publication.close(tile)
                assert publication.entries(tile) == []
            publication.put("", "README.md", b"x")
            publication.close("")
            publication.sweep()
            assert named(store) == there(store)
            wanted = {f"labels/{tile}/{file}.txt" for tile, files in tiles.items() for file in files}
            assert named(store) == {*wanted, "README.md"}
            assert publication.parts == {
                name: count for name, count in (("labels", len(wanted)), ("cards", 1)) if count
            }
            assert publication.sizes["cards"] == 1
            assert store.get("corpus.json") == corpus_json(info)


class Recording:
    """Takes files in memory, and remembers the order."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.closed: list[str] = []

    def put(self, tile: str, key: str, data: bytes) -> FileEntry:
        assert tile not in self.closed, "a tile is closed once all of its files were put"
        self.files.setdefault(tile, {})[key] = data
        return FileEntry.of(key, data)

    def entries(self, tile: str) -> list[FileEntry]:
        return [FileEntry.of(key, data) for key, data in self.files.get(tile, {}).items()]

    def close(self, tile: str) -> None:
        self.closed.append(tile)


def test_documents_are_those_of_the_corpus_tile_by_tile_and_those_of_no_tile_last(tiny_corpus: Path) -> None:
    corpus, files = FinishedCorpus.open(str(tiny_corpus)), Recording()
    exists = corpus.exists()
    asked: list[str] = []

    def contents() -> Iterator[TileContent]:
        for tile, samples in corpus.tiles.items():
            assert files.closed == asked, "one tile is in work at a time"
            asked.append(tile)
            yield tile_content(corpus.info, tile, samples, exists[tile], corpus.data(tile), corpus.store.get)

    files.put("", INDEX, corpus.store.get(INDEX))
    write_documents(files, corpus.info, contents(), corpus.table, items=True)
    assert files.closed == [*corpus.tiles, ""]
    written = {key: data for own in files.files.values() for key, data in own.items()}
    assert {key.split("/")[0] for key in written} == {
        "index",
        "resources",
        "stac-v1.0",
        "README.md",
        "croissant.json",
        "corpus.qgz",
        "qgis",
    }
    for key, data in written.items():
        assert (tiny_corpus / key).read_bytes() == data, key


def test_without_items_there_are_collections_and_tables_alone(tiny_corpus: Path) -> None:
    corpus, files = FinishedCorpus.open(str(tiny_corpus)), Recording()
    exists = corpus.exists()
    tiles = (
        tile_content(corpus.info, tile, samples, exists[tile], corpus.data(tile), corpus.store.get)
        for tile, samples in corpus.tiles.items()
    )
    write_documents(files, corpus.info, tiles, corpus.table, items=False)
    names = {key.rpartition("/")[2] for own in files.files.values() for key in own if key.startswith("stac-v1.0")}
    assert names == {"catalog.json", "collection.json", "items.parquet"}


class SlowStore:
    """A store as far away as the next cloud, which refuses one key."""

    def __init__(self, root: Path, refused: str = "") -> None:
        self.refused = refused
        self._store = LocalStore(root)
        self.order: list[str] = []
        self.now = self.most = 0
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put(self, key: str, data: bytes | memoryview) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.01)
        if key == self.refused:
            raise StoreError(f"{key}: refused")
        self._store.put(key, data)
        with self._lock:
            self.order.append(key)
            self.now -= 1


def test_files_are_written_many_at_a_time_and_their_manifest_last(tmp_path: Path) -> None:
    store, info = SlowStore(tmp_path), make_info()
    writer = CorpusWriter(info=info, store=cast("Store", store))
    keys = [f"lineage/{number}.json" for number in range(40)]
    for key in keys:
        writer.put("33N_16E-243N", key, key.encode())
    writer.close("33N_16E-243N")
    assert set(store.order[:-1]) == set(keys)
    assert store.order[-1] == info.layout.manifest(TileKey.parse("33N_16E-243N"))
    assert 4 < store.most <= WRITERS


def test_a_file_that_cannot_be_written_leaves_its_tile_without_a_manifest(tmp_path: Path) -> None:
    store = SlowStore(tmp_path, "lineage/7.json")
    writer = CorpusWriter(info=make_info(), store=cast("Store", store))
    for number in range(10):
        writer.put("33N_16E-243N", f"lineage/{number}.json", b"{}")
    with pytest.raises(StoreError, match="refused"):
        writer.close("33N_16E-243N")
    assert not any(key.startswith("manifest/") for key in store.order)
