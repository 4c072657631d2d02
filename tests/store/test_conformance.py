"""What every store promises, held by each of them."""

from __future__ import annotations

import multiprocessing
import pickle
import uuid
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import pytest

from landloom.errors import MissingKeyError, StoreError
from landloom.store.local import LocalStore
from landloom.store.open import open_store
from landloom.store.protocol import Store

if TYPE_CHECKING:
    from pathlib import Path


class StoreTests:
    """Subclass it with a fixture `store`: an empty one."""

    def test_it_is_a_store(self, store: Store) -> None:
        assert isinstance(store, Store)

    def test_what_is_put_is_got(self, store: Store) -> None:
        store.put("a/b/c.bin", b"\0one")
        store.put("empty", b"")
        store.put("view", memoryview(b"xyz")[1:])
        assert [store.get(key) for key in ("a/b/c.bin", "empty", "view")] == [b"\0one", b"", b"yz"]
        assert [store.size(key) for key in ("a/b/c.bin", "empty", "view")] == [4, 0, 2]

    def test_put_replaces(self, store: Store) -> None:
        store.put("a", b"long and old")
        store.put("a", b"new")
        assert store.get("a") == b"new"
        assert [entry.size for entry in store.list()] == [3]

    @pytest.mark.parametrize(("start", "length"), [(0, 10), (0, 1), (3, 4), (9, 1), (5, 0)])
    def test_ranges(self, store: Store, start: int, length: int) -> None:
        store.put("a", b"0123456789")
        assert store.get_range("a", start, length) == b"0123456789"[start : start + length]

    @pytest.mark.parametrize(("start", "length"), [(0, 11), (8, 3), (20, 1)])
    def test_ranges_beyond_the_end_are_errors(self, store: Store, start: int, length: int) -> None:
        store.put("a", b"0123456789")
        with pytest.raises(StoreError, match="too short"):
            store.get_range("a", start, length)

    def test_a_missing_key_says_so(self, store: Store) -> None:
        store.put("folder/a", b"1")
        for key in ("nothing", "folder", "folder/a/b"):
            assert not store.exists(key)
            for read in (store.get, store.size, lambda key: store.get_range(key, 0, 1)):
                with pytest.raises(MissingKeyError):
                    read(key)

    def test_list_sorts_by_key_and_names_whole_parts(self, store: Store) -> None:
        for key in ("a/b", "a-b", "a.b", "a/b-c/d", "ab", "a/é", "b"):
            store.put(key, b"12")
        assert [entry.key for entry in store.list()] == ["a-b", "a.b", "a/b", "a/b-c/d", "a/é", "ab", "b"]
        assert [entry.key for entry in store.list("a")] == ["a/b", "a/b-c/d", "a/é"]
        assert [entry.key for entry in store.list("a/b-c/")] == ["a/b-c/d"]
        assert [entry.size for entry in store.list("a/b-c")] == [2]
        assert list(store.list("nowhere")) == []

    def test_delete_and_delete_again(self, store: Store) -> None:
        store.put("a/b", b"1")
        store.put("a/c", b"1")
        store.delete("a/b")
        store.delete("a/b")
        store.delete("never/was")
        assert [entry.key for entry in store.list()] == ["a/c"]
        assert not store.exists("a/b")
        assert store.exists("a/c")

    @pytest.mark.parametrize("key", ["../a", "a/../../b", "/etc/passwd", "", "a//b", "a/./b", "a\\b", "a/", "\0"])
    def test_keys_that_escape_are_refused(self, store: Store, key: str) -> None:
        for use in (store.get, store.delete, store.href, store.exists, lambda key: store.put(key, b"")):
            with pytest.raises(StoreError, match="expected a relative path"):
                use(key)
        assert list(store.list()) == []

    def test_href_begins_with_the_uri(self, store: Store) -> None:
        assert store.href("a/b.tif") == f"{store.uri}/a/b.tif"


class TestLocal(StoreTests):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return LocalStore(tmp_path / "root")


class TestMemory(StoreTests):
    @pytest.fixture
    def store(self) -> Store:
        return open_store(f"memory://{uuid.uuid4().hex}")

    def test_it_stays_in_its_process(self, store: Store) -> None:
        with pytest.raises(StoreError, match="one process"):
            pickle.dumps(store)


class TestS3(StoreTests):
    @pytest.fixture
    def store(self, s3: str) -> Store:
        return open_store(f"{s3}/{uuid.uuid4().hex}/")

    def test_it_travels_to_other_processes(self, store: Store) -> None:
        store.put("a", b"1")
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            assert pool.submit(store.get, "a").result() == b"1"

    def test_etags_name_the_bytes(self, store: Store) -> None:
        for key, data in (("a", b"same"), ("b", b"same"), ("c", b"other")):
            store.put(key, data)
        a, b, c = (entry.etag for entry in store.list())
        assert a is not None
        assert a == b != c


class TestAzure(StoreTests):
    @pytest.fixture
    def store(self, azure: str) -> Store:
        return open_store(f"{azure}/{uuid.uuid4().hex}/")

    def test_it_travels_to_other_processes(self, store: Store) -> None:
        store.put("a", b"1")
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            assert pool.submit(store.get, "a").result() == b"1"


class TestGoogle(StoreTests):
    @pytest.fixture
    def store(self, gs: str) -> Store:
        return open_store(f"{gs}/{uuid.uuid4().hex}/")

    def test_it_travels_to_other_processes(self, store: Store) -> None:
        store.put("a", b"1")
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            assert pool.submit(store.get, "a").result() == b"1"

    def test_a_listing_goes_on_after_a_page(self, store: Store) -> None:
        for number in range(45):
            store.put(f"{number:04d}", b"1")
        assert len(list(store.list())) == 45
        assert not store.create("0000", b"2")
