"""`digest.json`: what covers everything that is published.

Manifests cover every file but themselves and `corpus.json`. This document names those with sizes and digests, the index
too, by which a corpus is opened, and one digest over all of them: two corpora with the same one hold the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import orjson

from landloom.corpus.layout import CORPUS, INDEX, ROOT
from landloom.corpus.manifest import FileEntry
from landloom.errors import CorpusError, InvalidDocumentError, MissingKeyError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from landloom.corpus.published_files import CorpusStore
    from landloom.store.protocol import Readable

MANIFESTS: Final = "manifest"
"""Folder of the manifests."""
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RootDigest:
    """The manifests, `corpus.json` and the index, by key."""

    files: Mapping[str, FileEntry]
    """Key → size and digest."""

    @classmethod
    def of(cls, entries: Iterable[FileEntry]) -> Self:
        """From entries in any order."""
        return cls(files={entry.path: entry for entry in sorted(entries)})

    @classmethod
    def read(cls, store: Readable, keys: Iterable[str]) -> Self:
        """From the files themselves."""
        return cls.of(FileEntry.of(key, store.get(key)) for key in keys)

    @property
    def digest(self) -> str:
        """64 hexadecimal digits: SHA-256 over each key, length and digest in the order of keys."""
        total = hashlib.sha256()
        for key in sorted(self.files):
            total.update(f"{key}\0{self.files[key].size}\0{self.files[key].sha256}\n".encode())
        return total.hexdigest()

    def encode(self) -> bytes:
        """The document.

        Example:
            >>> root = RootDigest.of([FileEntry.of("corpus.json", b"{}")])
            >>> RootDigest.parse(root.encode()) == root
            True
        """
        rows = [asdict(self.files[key]) for key in sorted(self.files)]
        document = {"format": _FORMAT, "digest": self.digest, "files": rows}
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read the document.

        Raises:
            InvalidDocumentError: no such document, or its rows do not have the digest that it states.
        """
        try:
            document: Any = orjson.loads(content)
            root = cls.of(
                FileEntry(str(row["path"]), int(row["size"]), str(row["sha256"])) for row in document["files"]
            )
            stated = document["digest"]
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidDocumentError(ROOT, [Problem(where="", what=f"cannot be read: {error!r}")]) from error
        if root.digest != stated or root.encode() != content:
            what = f"got rows of the digest {root.digest}, expected {stated}"
            raise InvalidDocumentError(ROOT, [Problem(where="digest", what=what)])
        return root

    def check(self, key: str, content: bytes) -> bytes:
        """The content of a file that this document names, if it is what it should be.

        Raises:
            CorpusError: it is not, or is not named.
        """
        expected = self.files.get(key)
        if expected != FileEntry.of(key, content):
            what = "is not named by" if expected is None else "is not what it should be by"
            raise CorpusError(f"{key} {what} {ROOT}; the corpus was damaged, or changed while it was read")
        return content


def root_of(store: Readable) -> RootDigest | None:
    """The root digest of a corpus; None of one that an earlier version wrote without it.

    Raises:
        InvalidDocumentError: it is damaged.
    """
    try:
        return RootDigest.parse(store.get(ROOT))
    except MissingKeyError:
        return None


def check_index(store: Readable) -> None:
    """See that `corpus.json` and the index are what the root digest says; nothing of a corpus without one.

    Raises:
        CorpusError: they are not.
        InvalidDocumentError: the root digest is damaged.
        MissingKeyError: one of them is not there.
    """
    root = root_of(store)
    if root is None:
        return
    for key in (CORPUS, INDEX):
        root.check(key, store.get(key))


def covered_keys(store: CorpusStore) -> list[str]:
    """Keys of a corpus that its root digest has to name."""
    documents = (key for key in (CORPUS, INDEX) if store.exists(key))
    return sorted([*documents, *(entry.key for entry in store.list(MANIFESTS))])


def root_problems(store: Readable, keys: Iterable[str]) -> Iterator[Problem]:
    """Everything that the root digest and the files that it covers disagree on.

    Args:
        store: the corpus.
        keys: from `covered_keys`.
    """
    try:
        root = root_of(store)
    except InvalidDocumentError as error:
        yield from (Problem(where=ROOT, what=str(problem)) for problem in error.problems)
        return
    if root is None:
        yield Problem(where=ROOT, what="missing: nothing covers manifests and corpus.json; build or publish again")
        return
    found = RootDigest.read(store, keys)
    for key in sorted({*root.files, *found.files}):
        if root.files.get(key) == found.files.get(key):
            continue
        if key not in found.files:
            yield Problem(where=key, what=f"missing, though {ROOT} names it")
        elif key not in root.files:
            yield Problem(where=key, what=f"is not named by {ROOT}")
        else:
            got, expected = found.files[key].sha256, root.files[key].sha256
            yield Problem(where=key, what=f"got sha256 {got}, expected {expected} by {ROOT}")
