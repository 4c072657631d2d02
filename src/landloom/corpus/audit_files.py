"""Files against manifests: what is published is there, whole, and nothing else is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from landloom.corpus.layout import CORPUS, STATE
from landloom.corpus.manifest import read_manifest
from landloom.errors import InvalidDocumentError, MissingKeyError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from landloom.corpus.audit import Corpus
    from landloom.corpus.manifest import FileEntry

UNLISTED: Final = ("manifest/", f"{STATE}/", "report.html", CORPUS)
"""Keys that no manifest needs to name: manifests themselves, build state, and `corpus.json` that holds with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAudit:
    """Manifests of a corpus, and the files that a store lists."""

    store: Corpus
    published: Mapping[str, FileEntry]
    """Path → what its manifest says."""
    broken: tuple[Problem, ...]
    """Manifests that cannot be read, and paths that two of them name."""

    @classmethod
    def of(cls, store: Corpus) -> Self:
        """Read every manifest."""
        published: dict[str, FileEntry] = {}
        broken = []
        for listed in store.list("manifest"):
            try:
                entries = read_manifest(store.get(listed.key), listed.key)
            except InvalidDocumentError as error:
                broken += [Problem(where=listed.key, what=problem.what) for problem in error.problems]
                continue
            twice = [entry.path for entry in entries if entry.path in published]
            broken += [Problem(where=path, what=f"named by {listed.key} and by another manifest") for path in twice]
            published |= {entry.path: entry for entry in entries}
        return cls(store=store, published=published, broken=tuple(broken))

    def problems(self, *, digests: bool) -> Iterator[Problem]:
        """Everything that manifests and files disagree on."""
        yield from self.broken
        if not self.published:
            yield Problem(where="manifest", what="no manifest names any file")
        sizes = {listed.key: listed.size for listed in self.store.list()}
        for path, entry in self.published.items():
            if path not in sizes:
                yield Problem(where=path, what="missing, though a manifest names it")
            elif sizes[path] != entry.size:
                yield Problem(where=path, what=f"got {sizes[path]} bytes, wanted {entry.size}")
            elif digests:
                yield from self._digest(path, entry)
        for path in sizes:
            if path not in self.published and not path.startswith(UNLISTED):
                yield Problem(where=path, what="is in no manifest, so it is not part of the corpus")

    def _digest(self, path: str, entry: FileEntry) -> Iterator[Problem]:
        try:
            got = hashlib.sha256(self.store.get(path)).hexdigest()
        except MissingKeyError:
            yield Problem(where=path, what="went away while it was checked")
            return
        if got != entry.sha256:
            yield Problem(where=path, what=f"got sha256 {got}, wanted {entry.sha256}")
