"""`publish`: upload a corpus for others, with absolute addresses instead of relative paths.

Order, for each tile: a note of the files about to be written, the files, their manifest. Then the files of no tile,
`corpus.json`, their manifest, and `catalog.json` last: it marks the publication as complete. While it is missing, a
publish can be killed and run again; once it exists, nothing under that address is ever written again.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import orjson

from landloom.corpus.audit.validate import MANIFESTS, audit
from landloom.corpus.audit.validate import digest as corpus_digest
from landloom.corpus.documents import corpus_json, parse_corpus_json
from landloom.corpus.finished import FinishedCorpus, tile_content
from landloom.corpus.layout import CORPUS, CROISSANT, INDEX, STAC, STATE, TileKey
from landloom.corpus.manifest import FileEntry, manifest_bytes, read_manifest
from landloom.engine.executors import inline
from landloom.engine.run import Silent
from landloom.errors import (
    CorpusInvalidError,
    ForeignCorpusError,
    InvalidInputError,
    Problem,
)
from landloom.publication.files import write_documents
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from concurrent.futures import Executor

    from landloom.corpus.info import CorpusInfo
    from landloom.corpus.stac.items import TileContent
    from landloom.engine.run import Listener
    from landloom.store.protocol import Store

MARKER: Final = f"{STATE}/publishing.json"
"""Present at the target during a publish: name and version of the corpus being published."""
NOTE: Final = f"{STATE}/publishing.parquet"
"""Lists what the tile in work may have left there: a manifest of files that may be incomplete."""
WORKERS: Final = 16
"""Default number of concurrent transfers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReport:
    """Result of a publish."""

    target: str
    base_url: str
    name: str
    version: str
    uploaded: int
    """Number of files written, without manifests and corpus.json."""
    size: int
    """Their size in bytes."""
    unchanged: int
    """Number of files that already existed."""
    removed: int
    """Number of files left by an interrupted publish that are not part of this corpus."""
    digest: str
    """One hash over the published manifests and corpus.json."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def publish(
    corpus: str, target: str, base_url: str, *, workers: int = WORKERS, listener: Listener | None = None
) -> PublishReport:
    """Publish a corpus.

    Args:
        corpus: folder or address of the corpus.
        target: target address of its files: `s3://bucket/folder`, `az://container/folder`, `file:///folder`, …
        base_url: public address of the files; every href in the catalogue starts with it.
        workers: number of concurrent transfers.
        listener: receives progress.

    Returns:
        Summary; nothing is written if the same corpus has already been published there.

    Raises:
        InvalidInputError: the base URL is not an absolute address.
        CorpusError: there is no corpus.
        CorpusInvalidError: the corpus is invalid, or a file does not match its manifest.
        ForeignCorpusError: the target contains a different published version, or something else.
        TransientFaultError: the target does not answer; the next publish continues.

    Example:
        >>> publish("corpus", "file:///srv/first/1.0", "first/1.0")
        Traceback (most recent call last):
        landloom.errors.InvalidInputError: got base URL 'first/1.0', expected an absolute address such as ...
    """
    base = _checked(base_url)
    shown = listener or Silent()
    there, goal = FinishedCorpus.open(corpus), open_store(target)
    if goal.uri == there.store.uri:
        raise ForeignCorpusError(f"{target}: is the corpus itself; choose another target")
    found = audit(there.store)
    found.demand()
    upload = Upload(there=there, goal=goal, listener=shown, unchanged=found.files)
    if not _is_published(there, goal, base):
        _begin(there.info, goal)
        upload.unchanged = 0
        upload.clean()
        shown.started("publishing", found.files)
        with ThreadPoolExecutor(workers) as upload.pool:
            upload.put("", INDEX, there.store.get(INDEX))
            write_documents(
                upload, there.info, _contents(there, upload), there.table, items=there.json_items, base_url=base
            )
    goal.delete(NOTE)
    goal.delete(MARKER)
    return PublishReport(
        target=target,
        base_url=base,
        name=there.info.name,
        version=there.info.version,
        uploaded=upload.uploaded,
        size=upload.size,
        unchanged=upload.unchanged,
        removed=upload.removed,
        digest=corpus_digest(goal),
    )


def _checked(base_url: str) -> str:
    parts = urlsplit(base_url)
    if not parts.scheme or not (parts.netloc or parts.scheme == "file") or parts.query or parts.fragment:
        raise InvalidInputError(
            f"got base URL {base_url!r}, expected an absolute address such as https://example.org/demo"
        )
    return base_url.rstrip("/")


def _begin(info: CorpusInfo, goal: Store) -> None:
    """Mark the target as ours, or check that it is.

    Raises:
        ForeignCorpusError: it contains something else.
    """
    if goal.exists(MARKER):
        name = orjson.loads(goal.get(MARKER))["name"]
        if name != info.name:
            raise ForeignCorpusError(f"{goal.uri}: the corpus {name} is being published there, not {info.name}")
    else:
        first = next(iter(goal.list()), None)
        if first is not None:
            raise ForeignCorpusError(
                f"{goal.uri}: contains files of something else, such as {first.key}; choose another target"
            )
    goal.put(MARKER, orjson.dumps({"name": info.name, "version": info.version}))


def _is_published(there: FinishedCorpus, goal: Store, base_url: str) -> bool:
    """Whether this same corpus is published at the target.

    Raises:
        ForeignCorpusError: another corpus, another version, other bytes, or the same under another address.
    """
    info = there.info
    root = info.layout.stac_root
    if not goal.exists(root):
        return False
    found = parse_corpus_json(goal.get(CORPUS))
    own, other = f"{info.name} {info.version}", f"{found.name} {found.version}"
    if own != other:
        raise ForeignCorpusError(f"{goal.uri}: {other} is published there; publish {own} under another address")
    links = orjson.loads(goal.get(root))["links"]
    address = next((link["href"] for link in links if link["rel"] == "self"), "")
    if not address:
        raise ForeignCorpusError(f"{goal.uri}: contains a corpus that was never published; choose another target")
    if address != f"{base_url}/{root}":
        raise ForeignCorpusError(
            f"{goal.uri}: {own} is published there as {address.removesuffix('/' + root)}, not as {base_url}"
        )
    if goal.get(CORPUS) != there.store.get(CORPUS) or not _same_data(there, goal):
        raise ForeignCorpusError(
            f"{goal.uri}: {own} is published there with another digest; a published version is never overwritten: "
            "give this corpus another version and publish it under another address"
        )
    return True


def _same_data(there: FinishedCorpus, goal: Store) -> bool:
    """Whether manifests list the same bytes, except for files with addresses."""
    here = [entry.key for entry in there.store.list(MANIFESTS)]
    if here != [entry.key for entry in goal.list(MANIFESTS)]:
        return False
    return all(_lasting(there.store, key) == _lasting(goal, key) for key in here)


def _lasting(store: Store, key: str) -> list[FileEntry]:
    entries = read_manifest(store.get(key), key)
    return [entry for entry in entries if not entry.path.startswith(f"{STAC}/") and entry.path != CROISSANT]


def _contents(there: FinishedCorpus, upload: Upload) -> Iterator[TileContent]:
    exists = there.exists()
    for tile, samples in there.tiles.items():
        entries = there.data(tile)
        upload.keep(tile, entries)
        yield tile_content(there.info, tile, samples, exists[tile], entries)


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
    """Tile → path → file made for this publication."""
    uploaded: int = 0
    size: int = 0
    unchanged: int = 0
    removed: int = 0

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
        if tile and key in self.manifests and self.goal.get(key) == manifest:
            self._pass_over(wanted)
            return
        proved = self._note(key, wanted)
        first = [entry for entry in wanted if entry.path != layout.stac_root]
        self._pass_over([entry for entry in first if entry in proved])
        self._send([entry for entry in first if entry not in proved], made)
        self._remove({entry.path for entry in proved} - {entry.path for entry in wanted})
        if not tile:
            self.goal.put(CORPUS, corpus_json(self.there.info))
        self.goal.put(key, manifest)
        if not tile:
            self._send([entry for entry in wanted if entry.path == layout.stac_root], made)

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
        self.goal.put(entry.path, data)
        return entry

    def _remove(self, paths: Iterable[str]) -> None:
        for path in sorted(paths):
            self.goal.delete(path)
            self.removed += 1
