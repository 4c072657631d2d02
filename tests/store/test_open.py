"""From a path or URI to its store: the same bytes through every way of naming a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.errors import InvalidInputError
from landloom.store.local import LocalStore
from landloom.store.objects import ObjectStore
from landloom.store.open import open_store
from landloom.store.web import WebStore

if TYPE_CHECKING:
    from pathlib import Path


def test_all_names_of_a_folder_open_it(tmp_path: Path) -> None:
    folder = tmp_path / "ä b"
    folder.mkdir()
    (folder / "x").write_bytes(b"1")
    host = folder.as_uri().replace("file://", "file://localhost")
    for uri in (folder, str(folder), folder.as_uri(), host):
        store = open_store(uri)
        assert isinstance(store, LocalStore)
        assert store.get("x") == b"1"


def test_a_memory_store_is_new_each_time() -> None:
    first = open_store("memory://")
    first.put("a", b"1")
    assert not open_store("memory://").exists("a")


@pytest.mark.parametrize("uri", ["s3://bucket/prefix", "az://container/x", "gs://bucket", "https://example.org/x"])
def test_addresses_of_object_stores_open_nothing_yet(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")
    store = open_store(uri)
    assert isinstance(store, ObjectStore | WebStore)
    assert store.uri == uri


@pytest.mark.parametrize("uri", ["ftp://example.org/x", "file://elsewhere/x"])
def test_other_schemes_and_other_machines_are_refused(uri: str) -> None:
    with pytest.raises(InvalidInputError):
        open_store(uri)
