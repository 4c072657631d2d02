"""Each way in which files and manifests can disagree is one problem that names the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.corpus.conftest import compared

from landloom.corpus.audit.files import is_foreign, stray_notes
from landloom.corpus.manifest import FileEntry, manifest_bytes
from landloom.corpus.published_files import PublishedFiles
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

TILE = "33N/16E-243N"
CHIP = f"imagery/{TILE}/33N_16E-243N_29_01/S2-SR/2018-01.tif"
TABLE = "resources/demo_labels.csv"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    made = LocalStore(tmp_path)
    for key in (CHIP, TABLE):
        made.put(key, key.encode())
    made.put(f"manifest/{TILE}.parquet", manifest_bytes([FileEntry.of(CHIP, CHIP.encode())]))
    made.put("manifest/corpus.parquet", manifest_bytes([FileEntry.of(TABLE, TABLE.encode())]))
    made.put("corpus.json", b"{}")
    made.put(".landloom/journal.sqlite", b"state")
    return made


def problems(store: LocalStore, *, digests: bool = True) -> list[tuple[str, str]]:
    return [(one.where, one.what) for one in compared(store, PublishedFiles(store), digests=digests)[0]]


def test_what_is_listed_and_there_is_right(store: LocalStore) -> None:
    assert problems(store) == []


@pytest.mark.parametrize("key", [CHIP, TABLE])
def test_missing_longer_and_changed_files_are_named(store: LocalStore, key: str) -> None:
    content = store.get(key)
    store.put(key, content.upper())
    assert problems(store, digests=False) == []
    ((where, what),) = problems(store)
    assert (where, what[:11]) == (key, "got sha256 ")
    store.put(key, content + b"x")
    assert problems(store) == [(key, f"got {len(content) + 1} bytes, expected {len(content)}")]
    store.delete(key)
    assert problems(store) == [(key, "missing, but listed in a manifest")]


@pytest.mark.parametrize("key", [f"imagery/{TILE}/stray.tif", "resources/stray.csv", "imagery/34N/01E-200N/a.tif", "x"])
def test_files_of_no_manifest_are_noted_and_no_problem(store: LocalStore, key: str) -> None:
    store.put(key, b"1")
    assert problems(store) == []
    _, strays = compared(store, PublishedFiles(store), digests=False)
    assert strays == [key]
    assert stray_notes(strays) == [f"{key}: in no manifest, so it is not part of the corpus"]


@pytest.mark.parametrize(
    "name",
    [
        "2018-01.tif.aux.xml",
        ".DS_Store",
        "._2018-01.tif",
        "Thumbs.db",
        "desktop.ini",
        "2018-01.tif.ovr",
        ".ipynb_checkpoints/notes.txt",
        "2018-01.thumb.jpg",
        "style.qml",
    ],
)
def test_files_of_other_programs_are_ignored_by_name(name: str) -> None:
    path = f"imagery/{TILE}/{name}"
    assert is_foreign(path)
    assert stray_notes([path, path]) == [f"2 files of other programs ignored: {path}, {path}"]


def test_a_corpus_without_manifests_has_none(tmp_path: Path) -> None:
    assert ("manifest", "no manifest lists any file") in problems(LocalStore(tmp_path / "empty"))
