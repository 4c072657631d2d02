"""A folder as a store: whole files or none."""

from __future__ import annotations

import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from landloom.errors import InvalidInputError, StoreError
from landloom.model.keys import UNFINISHED
from landloom.store.local import LocalStore
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def no_file_over_a_kilobyte() -> Iterator[None]:
    """The system refuses longer files: as a full disk does, in the middle of a write.

    Not a fixture: the test report may be such a file itself.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("a/b", b"old")
    with no_file_over_a_kilobyte(), pytest.raises(StoreError, match=r"no space left to write 'a/b'"):
        store.put("a/b", bytes(4096))
    assert store.get("a/b") == b"old"
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b"]


def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("a", b"1")
    store.put("c/d", b"1")
    for key in ("a/b", "c"):
        with pytest.raises(StoreError, match=f"'{key}'"):
            store.put(key, b"2")
    assert [entry.key for entry in store.list()] == ["a", "c/d"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "c", "d"]


def test_what_a_killed_writer_left_is_not_listed_and_can_be_swept(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("a/b", b"1")
    (tmp_path / "a" / f".b.0{UNFINISHED}").write_bytes(b"half")
    (tmp_path / "a" / ".hidden").write_bytes(b"yes")
    assert [entry.key for entry in store.list()] == ["a/.hidden", "a/b"]
    assert store.sweep() == 1
    assert store.sweep() == 0
    assert _names(tmp_path / "a") == [".hidden", "b"]


def test_deleting_removes_the_folders_that_it_empties(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "root")
    store.put("a/b/c", b"1")
    store.put("a/d", b"1")
    store.delete("a/b/c")
    assert _names(tmp_path / "root" / "a") == ["d"]
    store.delete("a/d")
    assert (tmp_path / "root").is_dir()
    assert _names(tmp_path / "root") == []


def test_long_names_fit(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("n" * 250, b"1")
    assert store.get("n" * 250) == b"1"


def test_open_knows_paths_and_file_urls(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    stores = [open_store(folder), open_store(str(folder)), open_store(folder.as_uri())]
    assert {store.uri for store in stores} == {str(folder)}
    assert stores[0] == stores[2]


@pytest.mark.parametrize(
    ("uri", "message"),
    [("ftp://host/a", "a path or s3://"), ("file://elsewhere/a", "a file URL on this machine")],
)
def test_open_refuses_what_it_does_not_know(uri: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        open_store(uri)
