"""`publish`: upload a corpus for others, with absolute addresses instead of relative paths.

Order, for each tile: a note of the files about to be written, the files, their manifest. Then the files of no tile,
`corpus.json`, their manifest, the root digest, and `catalog.json` last: it marks the publication as complete. While it
is missing, a publish can be killed and run again; once it exists, nothing under that address is ever written again.

Of two publishers at once the later one takes over: each writes its name into the marker, looks before and after every
tile whether it still stands there, and stops where it does not. Every file is written only where there is none: a
request of the earlier one that arrives late replaces nothing. Only remains of an interrupted publish are replaced and
removed, right after a look at the marker: object stores have no conditional deletion.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import orjson

from landloom.corpus.audit.validate import audit
from landloom.corpus.documents import parse_corpus_json
from landloom.corpus.embedding_set import FOLDER as EMBEDDINGS
from landloom.corpus.finished import FinishedCorpus, tile_content
from landloom.corpus.layout import CORPUS, CROISSANT, INDEX, STAC
from landloom.corpus.manifest import FileEntry, read_manifest
from landloom.corpus.root import MANIFESTS, RootDigest, covered_keys, root_of
from landloom.corpus.split_set import FOLDER as SPLIT_SETS
from landloom.engine.run import Silent
from landloom.errors import (
    ForeignCorpusError,
    InvalidInputError,
)
from landloom.model.address import public, shown
from landloom.publication.files import write_documents
from landloom.publication.upload import MARKER, NOTE, Upload
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.corpus.info import CorpusInfo
    from landloom.corpus.stac.items import TileContent
    from landloom.engine.executors import Factory
    from landloom.engine.run import Listener
    from landloom.store.protocol import Store

BASES: Final = frozenset({"https", "http", "s3", "gs", "az", "abfs", "abfss"})
"""Schemes of addresses that readers may be given."""
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
    """The root digest of what is published: it covers every file."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def publish(
    corpus: str,
    target: str,
    base_url: str,
    *,
    workers: int = WORKERS,
    listener: Listener | None = None,
    factory: Factory | None = None,
) -> PublishReport:
    """Publish a corpus.

    Args:
        corpus: folder or address of the corpus.
        target: target address of its files: `s3://bucket/folder`, `az://container/folder`, `file:///folder`, …
        base_url: public address of the files; every href in the catalogue starts with it.
        workers: number of concurrent transfers.
        listener: receives progress.
        factory: makes the executor that checks the corpus first; by default this process does.

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
        raise ForeignCorpusError(f"{target}: is the corpus itself; publish it to another place")
    found = audit(there.store, digests=False, factory=factory)  # every file is held to its digest when it is sent
    found.demand()
    upload = Upload(there=there, goal=goal, listener=shown, unchanged=found.files)
    if not _is_published(there, goal, base):
        _begin(there.info, goal, upload.run)
        upload.unchanged = 0
        upload.demand_unpublished()
        upload.clean()
        shown.started("publishing", found.files)
        with ThreadPoolExecutor(workers) as upload.pool:
            upload.put("", INDEX, there.store.get(INDEX))
            write_documents(
                upload, there.info, _contents(there, upload), there.table, items=there.json_items, base_url=base
            )
    _send_later_tables(there.store, goal)
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
        digest=(root_of(goal) or RootDigest.read(goal, covered_keys(goal))).digest,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPreview:
    """What a publication would send."""

    target: str
    files: int
    """Number of files of the corpus, documents of the catalogue included."""
    size: int
    """Bytes of the files that are there already; the catalogue is written anew."""
    is_published: bool
    """Whether this same corpus is there, so that nothing would be sent."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def preview(corpus: str, target: str, base_url: str, *, factory: Factory | None = None) -> PublishPreview:
    """Check corpus, target and address as `publish` does, and count what it would send; nothing is written.

    Args:
        corpus: as of `publish`.
        target: as of `publish`.
        base_url: as of `publish`.
        factory: as of `publish`.

    Raises:
        InvalidInputError: the base URL is not an absolute address.
        CorpusError: there is no corpus.
        CorpusInvalidError: the corpus is invalid.
        ForeignCorpusError: the target contains a different published version, or something else.
    """
    base = _checked(base_url)
    there, goal = FinishedCorpus.open(corpus), open_store(target)
    if goal.uri == there.store.uri:
        raise ForeignCorpusError(f"{target}: is the corpus itself; publish it to another place")
    audit(there.store, digests=False, factory=factory).demand()
    is_published = _is_published(there, goal, base)
    if not is_published:
        _demand_ours(there.info, goal)
    entries = [entry for tile in ("", *there.tiles) for entry in there.entries(tile)]
    return PublishPreview(
        target=target,
        files=len(entries),
        size=sum(entry.size for entry in entries if not entry.path.startswith(f"{STAC}/")),
        is_published=is_published,
    )


def _checked(base_url: str) -> str:
    """The address under which readers reach a corpus, without a slash at its end.

    Raises:
        InvalidInputError: it is no such address, or one that must not be published.
    """
    try:
        parts = urlsplit(base_url)
        valid = parts.scheme in BASES and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        parts, valid = urlsplit(""), False
    path = unquote(parts.path)
    odd = any(not letter.isprintable() or letter.isspace() or letter in "\\<>\"'`{}|^" for letter in base_url + path)
    if not valid or odd or parts.query or parts.fragment or not {".", ".."}.isdisjoint(path.split("/")):
        raise InvalidInputError(
            f"got base URL {shown(base_url)!r}, expected an absolute address such as https://example.org/demo"
        )
    if public(base_url) != base_url:
        raise InvalidInputError(
            f"got a base URL with user information, {shown(base_url)!r}: it would be published in every link"
        )
    return base_url.rstrip("/")


def _begin(info: CorpusInfo, goal: Store, run: str) -> None:
    """Mark the target as ours, or take it over from another run.

    Raises:
        ForeignCorpusError: it contains something else.
    """
    marker = orjson.dumps({"name": info.name, "version": info.version, "run": run})
    _demand_ours(info, goal)
    if not goal.create(MARKER, marker):
        goal.put(MARKER, marker)


def _demand_ours(info: CorpusInfo, goal: Store) -> None:
    """Refuse a target that contains something else than an unfinished publication of this corpus."""
    if goal.exists(MARKER):
        name = orjson.loads(goal.get(MARKER))["name"]
        if name != info.name:
            raise ForeignCorpusError(f"{goal.uri}: the corpus {name} is being published there, not {info.name}")
        return
    first = next(iter(goal.list()), None)
    if first is not None:
        raise ForeignCorpusError(
            f"{goal.uri}: contains files of something else, such as {first.key}; choose another target"
        )


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


def _send_later_tables(store: Store, goal: Store) -> None:
    """Send split sets and embeddings, which may have been made after the corpus was published.

    Raises:
        ForeignCorpusError: another set of a name is published there.
    """
    for entry in (*store.list(f"{SPLIT_SETS}/"), *store.list(f"{EMBEDDINGS}/")):
        content = store.get(entry.key)
        if not goal.create(entry.key, content) and goal.get(entry.key) != content:
            raise ForeignCorpusError(
                f"{goal.uri}/{entry.key}: another set of this name is published there and is never overwritten: "
                "give this one another name"
            )


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
        yield tile_content(there.info, tile, samples, exists[tile], entries, there.store.get)
