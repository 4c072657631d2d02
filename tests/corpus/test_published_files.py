"""What manifests name, without holding it: the memory of an audit does not grow with the files of a corpus."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tests.corpus.conftest import compared

from landloom.corpus.manifest import FileEntry, manifest_bytes
from landloom.corpus.published_files import PublishedFiles
from landloom.store.protocol import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = 790
"""Of a tile."""


@dataclass(slots=True)
class Listed:
    """A store that holds manifests, and names files without holding them."""

    uri: str = "memory:"
    manifests: dict[str, bytes] = field(default_factory=dict)
    tiles: list[str] = field(default_factory=list)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        if not prefix or prefix == "manifest":
            yield from (Entry(key=key, size=len(data)) for key, data in sorted(self.manifests.items()))
        for tile in self.tiles:
            if not prefix or prefix == f"imagery/{tile}":
                yield from (Entry(key=entry.path, size=entry.size) for entry in entries(tile))

    def get(self, key: str) -> bytes:
        return self.manifests[key]

    def get_range(self, key: str, start: int, length: int) -> bytes:
        return self.manifests[key][start : start + length]

    def size(self, key: str) -> int:
        return len(self.manifests[key])

    def exists(self, key: str) -> bool:
        return key in self.manifests


def entries(tile: str) -> list[FileEntry]:
    return [
        FileEntry(f"imagery/{tile}/{number // 158:03d}/S2-SR/{number:05d}.tif", 7, "0" * 64) for number in range(FILES)
    ]


def corpus(tiles: int) -> Listed:
    store = Listed(tiles=[f"33N/{number:02d}E-200N" for number in range(tiles)])
    store.manifests["manifest/corpus.parquet"] = manifest_bytes([])
    for tile in store.tiles:
        store.manifests[f"manifest/{tile}.parquet"] = manifest_bytes(entries(tile))
    return store


def peak(tiles: int) -> int:
    store = corpus(tiles)
    tracemalloc.start()
    try:
        published = PublishedFiles(store)
        assert published.count == tiles * FILES
        assert compared(store, published, digests=False)[0] == []
        assert sum(1 for _ in published.paths()) == published.count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_tiles() -> None:
    assert peak(32) < 1.5 * peak(8)


def test_what_is_asked_for_is_found() -> None:
    published = PublishedFiles(corpus(12))
    for tile in published.tiles:
        own = entries(tile)
        assert published.get(own[-1].path) == own[-1]
        assert f"imagery/{tile}/none.tif" not in published
    assert published.get("imagery/34N/00E-200N/x.tif") is None


@pytest.mark.parametrize("named", ["manifest/33N/01E-200N.parquet", "manifest/corpus.parquet"])
def test_a_path_that_two_manifests_name_is_a_problem(named: str) -> None:
    store = corpus(3)
    stolen = entries("33N/00E-200N")[5]
    own = entries("33N/01E-200N") if "01E" in named else []
    store.manifests[named] = manifest_bytes([*own, stolen])
    problems, _ = compared(store, PublishedFiles(store), digests=False)
    assert [(problem.where, problem.what) for problem in problems] == [
        (stolen.path, f"listed by {named} and by another manifest")
    ]
