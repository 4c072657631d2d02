"""Stores behind a network: web servers, refusals, passing faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.errors import MissingKeyError, StoreError, TransientFaultError
from landloom.store.objects import ObjectStore
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web import FaultyServer


def test_a_web_server_is_read_by_key(faulty: FaultyServer, tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "c.txt").write_bytes(b"0123456789")
    store = open_store(faulty.address + "/")
    assert store.get("a b/c.txt") == b"0123456789"
    assert store.get_range("a b/c.txt", 2, 3) == b"234"
    assert store.size("a b/c.txt") == 10
    assert store.href("a b/c.txt") == f"{faulty.address}/a%20b/c.txt"
    with pytest.raises(MissingKeyError):
        store.get("nothing")
    with pytest.raises(StoreError, match="does not list"):
        next(iter(store.list()))


def test_an_absent_server_is_a_passing_fault() -> None:
    store = ObjectStore("http://127.0.0.1:1")
    with pytest.raises(TransientFaultError, match=r"127\.0\.0\.1:1/a"):
        store.get("a")


def test_a_missing_bucket_is_no_passing_fault(s3: str) -> None:
    store = open_store(f"{s3}-which-nobody-made")
    with pytest.raises(StoreError):
        store.put("a", b"1")
    with pytest.raises(MissingKeyError):
        store.get("a")
