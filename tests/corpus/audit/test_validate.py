from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson
import pytest
from tests.corpus.conftest import make_info, seal, write_world

from landloom.corpus.audit.schemas import Schemas
from landloom.corpus.audit.validate import audit, digest, validate
from landloom.corpus.documents import label_geojson
from landloom.corpus.layout import CORPUS, INDEX
from landloom.corpus.manifest import FileEntry, manifest_bytes, read_manifest
from landloom.engine.executors import processes
from landloom.errors import CorpusInvalidError, InvalidInputError
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.corpus.conftest import World

CHIP = "imagery/33N/16E-243N/33N_16E-243N_12_15/S2-SR/2018-01.tif"
ITEM = "stac-v1.0/demo_v1_source_s2/33N/16E-243N/demo_v1_source_s2_33N_16E-243N_12_15.json"
LABEL = "labels/33N/16E-243N/labels_33N_16E-243N_12_15.geojson"
MANIFEST = "manifest/33N/16E-243N.parquet"


@pytest.fixture
def store(world: World, tmp_path: Path) -> LocalStore:
    """A copy of the corpus that a test may spoil."""
    shutil.copytree(world.store.root, tmp_path / "corpus")
    return LocalStore(tmp_path / "corpus")


def republish(store: LocalStore, path: str, content: bytes) -> None:
    """Change a file and the manifest with it, so that only what it says is wrong."""
    store.put(path, content)
    key = MANIFEST if "16E-243N" in path else "manifest/corpus.parquet"
    entries = [entry for entry in read_manifest(store.get(key)) if entry.path != path]
    store.put(key, manifest_bytes([*entries, FileEntry.of(path, content)]))
    seal(store)


def found(store: LocalStore, *, digests: bool = False) -> dict[str, str]:
    problems: dict[str, str] = {}
    for problem in validate(store, digests=digests):
        problems.setdefault(problem.where, problem.what)
    return problems


def test_valid_in_full_offline(world: World, shared_schemas: Path) -> None:
    result = audit(world.store, schemas=shared_schemas, digests=True)
    assert result.problems == ()
    assert result.unchecked == ()
    assert result.documents == 48


def test_workers_find_the_same_in_the_same_order(tmp_path: Path) -> None:
    """In every part of the audit, in every tile; a worker opens the corpus itself."""
    tiles = [f"{zone}N_{east}E-241N" for zone in (33, 34) for east in (16, 20, 24)]
    store = write_world(LocalStore(tmp_path / "corpus"), make_info(), tiles=tiles).store
    assert audit(store).problems == ()
    for number, path in enumerate(sorted((tmp_path / "corpus").rglob("*"))):
        if path.is_file() and number % 7 == 3 and path.name != CORPUS and "index" not in path.parts:
            path.write_bytes(path.read_bytes()[: -1 - number % 2])
    (tmp_path / "corpus" / "imagery" / "stray.tif").write_bytes(b"x")
    started: list[int] = []

    @contextmanager
    def two() -> Iterator[ThreadPoolExecutor]:
        started.append(2)
        with ThreadPoolExecutor(2) as pool:
            yield pool

    alone, together = audit(store, digests=False), audit(store, digests=False, factory=two)
    assert started == [2]
    assert together == alone
    parts = {problem.where.split("/")[0] for problem in alone.problems}
    assert {"imagery", "labels", "lineage", "stac-v1.0"} <= parts
    assert len(alone.problems) > 40
    assert audit(store, factory=processes(2)) == audit(store)


def test_valid_in_full_offline_once_published(tmp_path: Path, shared_schemas: Path) -> None:
    world = write_world(LocalStore(tmp_path), make_info(), "https://example.org/corpus/")
    result = audit(world.store, schemas=shared_schemas, digests=True)
    assert result.problems == ()
    assert result.unchecked == ()


def test_valid_in_full_with_what_is_installed(world: World, store: LocalStore) -> None:
    assert audit(world.store).unchecked == ()
    made_up = "https://example.org/extension/v1.0.0/schema.json"
    item = orjson.loads(store.get(ITEM))
    republish(store, ITEM, orjson.dumps({**item, "stac_extensions": [*item["stac_extensions"], made_up]}))
    result = audit(store, digests=False)
    assert [line for line in result.unchecked if made_up in line and "no schema" in line] == list(result.unchecked)
    assert len(result.unchecked) == 1


def test_digest_names_the_bytes(world: World, store: LocalStore, tmp_path: Path) -> None:
    again = write_world(LocalStore(tmp_path / "again"), make_info())
    assert digest(world.store) == digest(store) == digest(again.store)
    republish(store, CHIP, b"other")
    assert digest(store) != digest(world.store)
    store.put(".landloom/journal.sqlite", b"state")
    assert "state" not in "".join(found(store))


def test_a_missing_a_short_and_a_strange_file(store: LocalStore) -> None:
    store.delete(CHIP)
    store.put(LABEL, store.get(LABEL)[:-3])
    store.put("imagery/33N/16E-243N/stray.tif", b"x")
    store.put("imagery/33N/16E-243N/.DS_Store", b"x")
    store.put(f"{CHIP}.aux.xml", b"x")
    problems = found(store)
    assert problems == {CHIP: "missing, but listed in a manifest", LABEL: problems[LABEL]}
    assert "bytes, expected" in problems[LABEL]
    notes = audit(store).notes
    assert "imagery/33N/16E-243N/stray.tif: in no manifest, so it is not part of the corpus" in notes
    assert any(note.startswith("2 files of other programs ignored: ") for note in notes)


def test_a_flipped_byte_needs_digests(store: LocalStore) -> None:
    store.put(CHIP, bytes(len(store.get(CHIP))))
    assert found(store) == {}
    assert list(found(store, digests=True)) == [CHIP]


def test_index_and_files_disagree(store: LocalStore) -> None:
    entries = [entry for entry in read_manifest(store.get(MANIFEST)) if entry.path != CHIP]
    extra = FileEntry.of(CHIP.replace("2018-01", "2019-01"), b"y")
    store.put(extra.path, b"y")
    store.delete(CHIP)
    store.put(MANIFEST, manifest_bytes([*entries, extra]))
    problems = [str(problem) for problem in validate(store)]
    assert f"{CHIP}: in the index, but not in a manifest" in problems
    assert f"{extra.path}: in a manifest, but not in the index" in problems
    assert any(line.startswith(ITEM) and "asset s2_2018-01" in line for line in problems)


def test_labels_that_are_not_those_of_the_index(store: LocalStore) -> None:
    republish(store, LABEL, label_geojson("33N_16E-243N_12_15", {"type": "Point"}, ["clc_111"], [1_000_000]))
    assert found(store)[LABEL] == "its fractions do not match the index"
    republish(store, LABEL, b"{}")
    assert "not a label Feature" in found(store)[LABEL]


def test_an_item_moved_elsewhere(store: LocalStore) -> None:
    document = orjson.loads(store.get(ITEM))
    document["geometry"]["coordinates"][0][1][0] += 0.01
    republish(store, ITEM, orjson.dumps(document))
    assert found(store)[ITEM] == "geometry: is not the footprint of its sample"


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"bbox": None}, "bbox"),
        ({"properties": {"sample_id": "33N_16E-243N_12_15"}}, "datetime"),
        ({"links": [{"rel": "item", "href": "./nowhere.json"}]}, "resolves to nothing"),
        ({"type": "Point"}, "expected one of"),
        ({"id": "demo_v1"}, "has the id"),
    ],
)
def test_a_document_against_its_schema_and_its_links(store: LocalStore, change: dict[str, object], wanted: str) -> None:
    document = orjson.loads(store.get(ITEM)) | change
    republish(store, ITEM, orjson.dumps({name: value for name, value in document.items() if value is not None}))
    assert any(wanted in problem.what for problem in validate(store))


def test_an_index_that_is_none(store: LocalStore) -> None:
    republish(store, INDEX, b"nothing")
    assert "as Parquet" in found(store)[INDEX]
    store.delete(INDEX)
    assert "missing" in found(store)[INDEX]


def test_resource_files_are_what_the_index_gives(store: LocalStore) -> None:
    republish(store, "resources/demo_label_mappings.csv", b"index\n")
    assert found(store) == {
        "resources/demo_label_mappings.csv": "does not match the index",
        "stac-v1.0/demo_v1_labels/collection.json": "asset label_mappings: got 1759 bytes, expected 6",
    }


def test_what_is_no_corpus(store: LocalStore, tmp_path: Path) -> None:
    (problem,) = validate(LocalStore(tmp_path / "empty"))
    assert str(problem) == "corpus.json: missing: this is not a corpus"
    store.put(CORPUS, b"{}")
    with pytest.raises(CorpusInvalidError, match="format"):
        audit(store).demand()


def test_a_folder_without_schemas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="stac-extensions"):
        Schemas(tmp_path)
