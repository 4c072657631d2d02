"""Validation of a corpus: `audit` checks documents, structure and index against files; `digest` hashes the content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landloom.corpus.audit.blank import blank_notes
from landloom.corpus.audit.embedding_sets import embedding_set_problems
from landloom.corpus.audit.files import file_problems, stray_notes
from landloom.corpus.audit.index import footprints, index_problems, read_index
from landloom.corpus.audit.lineage import lineage_problems
from landloom.corpus.audit.schemas import Schemas
from landloom.corpus.audit.split_sets import split_set_problems
from landloom.corpus.audit.stac import StacAudit
from landloom.corpus.documents import parse_corpus_json
from landloom.corpus.layout import CORPUS, INDEX
from landloom.corpus.published_files import PublishedFiles
from landloom.corpus.root import RootDigest, covered_keys, root_problems
from landloom.errors import CorpusInvalidError, InvalidDocumentError, InvalidInputError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from landloom.corpus.published_files import CorpusStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Result of a validation."""

    problems: tuple[Problem, ...]
    """All problems, each with its file."""
    unchecked: tuple[str, ...]
    """What could not be checked, in words."""
    files: int
    """Number of published files."""
    documents: int
    """Number of STAC documents read."""

    notes: tuple[str, ...] = ()
    """What is no fault: blank chips with their counts, files that are no part of the corpus."""

    @property
    def valid(self) -> bool:
        """Whether there are no problems."""
        return not self.problems

    def demand(self) -> None:
        """Raise if there are problems.

        Raises:
            CorpusInvalidError: with every problem.
        """
        if self.problems:
            raise CorpusInvalidError(self.problems)


def audit(
    store: CorpusStore,
    *,
    schemas: Path | None = None,
    digests: bool = True,
    fetch: Callable[[str], bytes] | None = None,
) -> Audit:
    """Check a whole corpus; nothing is downloaded from elsewhere unless `fetch` is given.

    Args:
        store: the corpus.
        schemas: folder with `stac-extensions/NAME/VERSION/schema.json` and optionally `stac-spec/v1.0.0`; without it
            extensions are reported as unchecked.
        digests: whether every file is read and compared with its digest; else only sizes.
        fetch: downloads the schemas that the folder lacks, from their https address; without it they are reported as
            unchecked.

    Returns:
        Every problem, and what could not be checked.
    """
    if not store.exists(CORPUS):
        missing = Problem(where=CORPUS, what="missing: this is not a corpus")
        return Audit(problems=(missing,), unchecked=(), files=0, documents=0)
    try:
        info = parse_corpus_json(store.get(CORPUS))
    except InvalidDocumentError as error:
        problems = tuple(Problem(where=CORPUS, what=str(problem)) for problem in error.problems)
        return Audit(problems=problems, unchecked=(), files=0, documents=0)
    published = PublishedFiles(store)
    strays: list[str] = []
    found = [*root_problems(store, covered_keys(store))]
    found += file_problems(store, published, digests=digests, strays=strays)
    found += lineage_problems(store, info, published)
    outlines = {}
    try:
        table = read_index(store)
        found += index_problems(store, info, table, published)
        found += split_set_problems(store, table)
        found += embedding_set_problems(store, table)
        outlines = footprints(table)
    except (InvalidDocumentError, InvalidInputError) as error:
        found.append(Problem(where=INDEX, what=str(error)))
    stac = StacAudit(store, info, published, Schemas(schemas, fetch), outlines)
    found += stac.problems()
    blank, uncounted = blank_notes(store, info, published, digests=digests)
    return Audit(
        problems=tuple(found),
        unchecked=(*stac.unchecked(), *uncounted),
        notes=(*blank, *stray_notes(strays)),
        files=published.count,
        documents=stac.documents,
    )


def validate(store: CorpusStore, *, schemas: Path | None = None, digests: bool = True) -> list[Problem]:
    """Every problem of a corpus; see `audit`, which also says what it could not check."""
    return list(audit(store, schemas=schemas, digests=digests).problems)


def digest(store: CorpusStore) -> str:
    """One hash over `manifest/` and `corpus.json`: corpora with the same hash have the same bytes.

    Returns:
        64 hexadecimal digits (SHA-256 over each key, length and digest in the order of keys).
    """
    return RootDigest.read(store, covered_keys(store)).digest
