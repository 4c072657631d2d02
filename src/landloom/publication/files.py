"""Published files of a corpus: written tile by tile, with manifests and corpus.json last.

A file is on the disk before it gets its name, and a store takes one request for each: writing one after the other would
be waiting most of the time. Those of a tile are written many at a time, and all of them are there before its manifest.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from landloom.corpus import layout as keys
from landloom.corpus.card import Numbers, card
from landloom.corpus.croissant import croissant
from landloom.corpus.documents import corpus_json
from landloom.corpus.layout import TileKey
from landloom.corpus.manifest import FileEntry, manifest_bytes, read_manifest
from landloom.corpus.qgis.project import QgisDocuments, Shown
from landloom.corpus.resources import resource_files
from landloom.corpus.root import RootDigest, covered_keys
from landloom.corpus.stac.collections import TileSummary, root_documents, tile_documents
from landloom.corpus.stac.items_table import ItemTables
from landloom.corpus.stac.slim_items import items_tables
from landloom.corpus.stac.tile_shares import TileShares
from landloom.errors import InvalidDocumentError, MissingKeyError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future

    import pyarrow as pa

    from landloom.corpus.info import CorpusInfo
    from landloom.corpus.stac.items import TileContent
    from landloom.store.protocol import Store


WRITERS: Final = 16
"""Files that are written at a time."""
_WAITING: Final = 512
"""Files at most that wait to be written."""


class Files(Protocol):
    """Receives the files that a corpus publishes, tile by tile; the empty name stands for files of no tile."""

    def put(self, tile: str, key: str, data: bytes) -> FileEntry:
        """Add a file."""
        ...

    def entries(self, tile: str) -> list[FileEntry]:
        """Files of a tile so far."""
        ...

    def close(self, tile: str) -> None:
        """All files of a tile have been added: its manifest can be written."""
        ...


@dataclass(slots=True, kw_only=True)
class CorpusWriter:
    """A corpus being written: its description and the files of open tiles; only counts of closed tiles."""

    info: CorpusInfo
    store: Store
    files: dict[str, list[FileEntry]] = field(default_factory=dict)
    """Open tile → its files; the empty name stands for files of no tile."""
    parts: Counter[str] = field(default_factory=Counter)
    """Folder at the root → number of its files in closed tiles; `cards` for files outside of any folder."""
    sizes: Counter[str] = field(default_factory=Counter)
    """Folder at the root → bytes of the same files."""
    manifests: set[str] = field(default_factory=set)
    """Manifests written."""
    sealed: bool = True
    """Whether a root digest may lie there."""
    damaged: list[str] = field(default_factory=list)
    """Manifests of the last build that could not be read."""
    _pool: ThreadPoolExecutor | None = None
    _flying: list[Future[None]] = field(default_factory=list)

    def put(self, tile: str, key: str, data: bytes) -> FileEntry:
        """Write a file and remember it for the manifest; it is there when the tile is closed.

        Raises:
            StoreError: it, or one before it, cannot be written.
        """
        self._unseal()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(WRITERS, "writing")
        self._flying.append(self._pool.submit(self.store.put, key, data))
        if len(self._flying) >= _WAITING:
            self._wait(_WAITING // 2)
        entry = FileEntry.of(key, data)
        self.files.setdefault(tile, []).append(entry)
        return entry

    def entries(self, tile: str) -> list[FileEntry]:
        """Files of an open tile so far."""
        return self.files.get(tile, [])

    def close(self, tile: str) -> None:
        """Write the manifest of a tile; after that of no tile, corpus.json: the corpus is complete.

        Files of the last build that this one does not make are removed first: a manifest lists all existing files at
        any time. One that is damaged is written anew, as one that is missing.
        """
        self._unseal()
        self._wait()
        entries, manifest = self.files.pop(tile, []), self.info.layout.manifest(TileKey.parse(tile) if tile else None)
        self._drop(manifest, {entry.path for entry in entries})
        self.store.put(manifest, manifest_bytes(entries))
        self.manifests.add(manifest)
        for entry in entries:
            part = entry.path.split("/")[0] if "/" in entry.path else "cards"
            self.parts[part] += 1
            self.sizes[part] += entry.size
        if not tile:
            self.store.put(keys.CORPUS, corpus_json(self.info))
            self._seal()
            self._end()

    def _wait(self, count: int | None = None) -> None:
        """Wait until the files that were added first, or all, are written; the first failure stops the others."""
        try:
            for future in self._flying[:count]:
                future.result()
        except BaseException:
            self._end()
            raise
        del self._flying[:count]

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._pool = None

    def _unseal(self) -> None:
        """Take the root digest away before anything that it covers changes: a writer that is killed leaves none."""
        if self.sealed:
            self.store.delete(keys.ROOT)
            self.sealed = False

    def _seal(self) -> None:
        """Cover manifests and corpus.json by the root digest."""
        self.store.put(keys.ROOT, RootDigest.read(self.store, covered_keys(self.store)).encode())
        self.sealed = True

    def sweep(self) -> None:
        """Remove tiles of an earlier build that are not in this one."""
        stale = sorted({entry.key for entry in self.store.list("manifest")} - self.manifests)
        if not stale:
            return
        self._unseal()
        for key in stale:
            self._drop(key, set())
            self.store.delete(key)
        self._seal()

    def _drop(self, manifest: str, kept: set[str]) -> None:
        """Remove the files of a manifest but some; of one that is damaged nobody knows them."""
        try:
            before = read_manifest(self.store.get(manifest), manifest)
        except MissingKeyError:
            return
        except InvalidDocumentError:
            self.damaged.append(manifest)
            return
        for entry in before:
            if entry.path not in kept:
                self.store.delete(entry.path)


def write_documents(
    files: Files,
    info: CorpusInfo,
    contents: Iterable[TileContent],
    table: pa.Table,
    *,
    items: bool,
    base_url: str | None = None,
) -> None:
    """Write everything that is derived from data files and index: resources, catalogue, cards, manifests.

    Args:
        files: receives them; a tile is closed before the next one is requested, and files of no tile come last.
        info: the corpus.
        contents: its tiles.
        table: its index, already written.
        items: whether the JSON items and full tables of them are written, or slim tables.
        base_url: public address of the corpus; None for relative hrefs.
    """
    resources = {entry.path: entry for entry in (files.put("", *item) for item in resource_files(info, table).items())}
    summaries, shares, tables = [], TileShares(info, table), ItemTables(info=info, base_url=base_url)
    qgis = QgisDocuments(info=info, shown=Shown.of(info, table.column("tile").unique().to_pylist()))
    for plain in contents:
        content = shares.of(plain)
        for key, data in qgis.of_tile(content):
            files.put(str(content.tile), key, data)
        for key, data in tile_documents(info, content, base_url, items=items):
            files.put(str(content.tile), key, data)
        if items:
            tables.add(content)
        summaries.append(TileSummary.of(info, content))
        files.close(str(content.tile))
    rows = tables.files() if items else items_tables(info, table, base_url)
    made = resources | {key: files.put("", key, data) for key, data in rows}
    for key, data in root_documents(info, summaries, base_url, files=made):
        files.put("", key, data)
    for key, data in qgis.last():
        files.put("", key, data)
    numbers = Numbers.of(info, table)
    files.put("", keys.CARD, card(info, numbers))
    own = {entry.path: entry for entry in files.entries("")}
    files.put("", keys.CROISSANT, croissant(info, numbers, own, base_url))
    files.close("")
