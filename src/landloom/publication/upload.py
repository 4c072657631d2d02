"""Sending the files of a corpus to where it is published: what is there stays, and one publish wins."""

from __future__ import annotations

from concurrent.futures import as_completed
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import orjson

from landloom.corpus.documents import corpus_json
from landloom.corpus.layout import CORPUS, INDEX, ROOT, STATE, TileKey
from landloom.corpus.manifest import FileEntry, manifest_bytes, read_manifest
from landloom.corpus.root import MANIFESTS, RootDigest
from landloom.engine.executors import inline
from landloom.errors import CorpusInvalidError, ForeignCorpusError, MissingKeyError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from concurrent.futures import Executor

    from landloom.corpus.finished import FinishedCorpus
    from landloom.engine.run import Listener
    from landloom.store.protocol import Store

MARKER: Final = f"{STATE}/publishing.json"
"""Present at the target during a publish: name and version of the corpus being published."""
NOTE: Final = f"{STATE}/publishing.parquet"
"""Names what the tile in work may have left there: a manifest of files that are not proved to be whole."""


@dataclass(slots=True, kw_only=True)
class Upload:
    """Receives the files of a corpus and sends those of a tile as soon as all are known."""

    there: FinishedCorpus
    """The corpus."""
    goal: Store
    listener: Listener
    pool: Executor = field(default_factory=inline)
    manifests: set[str] = field(default_factory=set)
    """Keys of the manifests at the target."""
    kept: dict[str, tuple[FileEntry, ...]] = field(default_factory=dict)
    """Tile → files that are sent unchanged."""
    made: dict[str, dict[str, tuple[FileEntry, bytes]]] = field(default_factory=dict)
    """Tile → path → file that was made for this publication."""
    sealed: list[FileEntry] = field(default_factory=list)
    """What the root digest covers, as it lies at the goal."""
    run: str = field(default_factory=lambda: uuid4().hex)
    """Tells this run from another one at the same goal."""
    uploaded: int = 0
    size: int = 0
    unchanged: int = 0
    removed: int = 0

    def demand_alone(self) -> None:
        """See that no other publish has taken over.

        Raises:
            ForeignCorpusError: one has.
        """
        try:
            run = orjson.loads(self.goal.get(MARKER)).get("run")
        except (MissingKeyError, ValueError):
            run = None
        if run != self.run:
            raise ForeignCorpusError(f"{self.goal.uri}: another publish to this address has taken over; this one stops")

    def demand_unpublished(self) -> None:
        """See that no other publish has finished while this one took over.

        Raises:
            ForeignCorpusError: one has.
        """
        if self.goal.exists(self.there.info.layout.stac_root):
            self.goal.delete(MARKER)
            raise ForeignCorpusError(f"{self.goal.uri}: was published meanwhile by another one; this one stops")

    def clean(self) -> None:
        """Remove the remains of an interrupted publish: incomplete tiles, and tiles that this corpus does not have."""
        self.manifests = {entry.key for entry in self.goal.list(MANIFESTS)}
        layout = self.there.info.layout
        own = {layout.manifest(None), *(layout.manifest(TileKey.parse(tile)) for tile in self.there.tiles)}
        for key in sorted(self.manifests - own):
            self._remove(entry.path for entry in read_manifest(self.goal.get(key), key))
            self.goal.delete(key)
            self.manifests.remove(key)
        if self.goal.exists(NOTE):
            noted = {entry.path for entry in read_manifest(self.goal.get(NOTE), NOTE)}
            for key in self.manifests:
                noted -= {entry.path for entry in read_manifest(self.goal.get(key), key)}
            self._remove(noted)

    def keep(self, tile: str, entries: tuple[FileEntry, ...]) -> None:
        """Add files of a tile that are sent unchanged."""
        self.kept[tile] = entries

    def put(self, tile: str, key: str, data: bytes) -> FileEntry:
        """Add a file made for this publication."""
        entry = FileEntry.of(key, data)
        self.made.setdefault(tile, {})[key] = entry, data
        return entry

    def entries(self, tile: str) -> list[FileEntry]:
        """Files of a tile so far."""
        return [*self.kept.get(tile, ()), *(entry for entry, _ in self.made.get(tile, {}).values())]

    def close(self, tile: str) -> None:
        """Send missing files, then the manifest; for files of no tile, corpus.json before it and catalog.json after."""
        layout = self.there.info.layout
        wanted = self.entries(tile)
        made = self.made.pop(tile, {})
        self.kept.pop(tile, None)
        key = layout.manifest(TileKey.parse(tile) if tile else None)
        manifest = manifest_bytes(wanted)
        self.sealed += [FileEntry.of(key, manifest), *(entry for entry in wanted if entry.path == INDEX)]
        self.demand_alone()
        if tile and key in self.manifests and self.goal.get(key) == manifest:
            self._pass_over(wanted)
            return
        proved = self._note(key, wanted)
        first = [entry for entry in wanted if entry.path != layout.stac_root]
        self._pass_over([entry for entry in first if entry in proved])
        self._send([entry for entry in first if entry not in proved], made)
        self._remove({entry.path for entry in proved} - {entry.path for entry in wanted})
        self.demand_alone()
        if tile:
            self.write(key, manifest)
        else:
            self._finish(key, manifest, made[layout.stac_root])

    def _finish(self, key: str, manifest: bytes, catalog: tuple[FileEntry, bytes]) -> None:
        """Send what makes a publication.

        Raises:
            ForeignCorpusError: another publish was first.
        """
        document = corpus_json(self.there.info)
        self.write(CORPUS, document)
        self.write(key, manifest)
        self.write(ROOT, RootDigest.of([*self.sealed, FileEntry.of(CORPUS, document)]).encode())
        self.demand_alone()
        entry, data = catalog
        if not self.goal.create(entry.path, data):
            raise ForeignCorpusError(f"{self.goal.uri}: was published meanwhile by another one; this one stops")
        self.uploaded += 1
        self.size += entry.size
        self.listener.advanced(entry.path, None)

    def _note(self, key: str, wanted: list[FileEntry]) -> set[FileEntry]:
        """Note the files about to be written under a manifest, and remove that manifest.

        Returns:
            Files that are verified to exist.
        """
        proved = set(read_manifest(self.goal.get(key), key)) if key in self.manifests else set()
        known = {entry.path: entry for entry in (*proved, *wanted)}
        self.goal.put(NOTE, manifest_bytes(known.values()))
        if key in self.manifests:
            self.goal.delete(key)
        return proved

    def _pass_over(self, entries: list[FileEntry]) -> None:
        self.unchanged += len(entries)
        for entry in entries:
            self.listener.advanced(entry.path, None)

    def _send(self, entries: list[FileEntry], made: Mapping[str, tuple[FileEntry, bytes]]) -> None:
        """Send files concurrently; the first failure stops the rest."""
        flying = [self.pool.submit(self._one, entry, made.get(entry.path)) for entry in entries]
        try:
            for future in as_completed(flying):
                entry = future.result()
                self.uploaded += 1
                self.size += entry.size
                self.listener.advanced(entry.path, None)
        finally:
            for future in flying:
                future.cancel()

    def _one(self, entry: FileEntry, made: tuple[FileEntry, bytes] | None) -> FileEntry:
        data = self.there.store.get(entry.path) if made is None else made[1]
        if made is None and FileEntry.of(entry.path, data) != entry:
            raise CorpusInvalidError([Problem(where=entry.path, what="its bytes do not match the manifest")])
        self.write(entry.path, data)
        return entry

    def write(self, key: str, data: bytes) -> None:
        """Write a file, unless it is there; other bytes are replaced only while no other publish has taken over.

        Raises:
            ForeignCorpusError: another one has, and wrote other bytes.
        """
        if self.goal.create(key, data) or self.goal.get(key) == data:
            return
        self.demand_alone()
        self.goal.put(key, data)

    def _remove(self, paths: Iterable[str]) -> None:
        for path in sorted(paths):
            self.goal.delete(path)
            self.removed += 1
