"""Validation of a corpus: `audit` checks documents, structure and index against files; `digest` hashes the content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landloom.corpus.audit.blank import blank_notes
from landloom.corpus.audit.embedding_sets import embedding_set_problems
from landloom.corpus.audit.files import manifest_problems, other_files, stray_notes
from landloom.corpus.audit.index import footprints, index_problems, read_index, rows_of_tiles
from landloom.corpus.audit.lineage import lineage_of_tiles
from landloom.corpus.audit.schemas import Schemas
from landloom.corpus.audit.split_sets import split_set_problems
from landloom.corpus.audit.stac import StacAudit
from landloom.corpus.audit.tiles import FEW, TileChecks, TileRows, check_tiles, check_tiles_with
from landloom.corpus.documents import parse_corpus_json
from landloom.corpus.layout import CORPUS, INDEX
from landloom.corpus.published_files import PublishedFiles
from landloom.corpus.root import RootDigest, covered_keys, root_problems
from landloom.errors import CorpusInvalidError, InvalidDocumentError, InvalidInputError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from landloom.corpus.audit.tiles import TileFindings
    from landloom.corpus.info import CorpusInfo
    from landloom.corpus.published_files import CorpusStore

    Factory = Callable[[], AbstractContextManager[Executor]]


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
    factory: Factory | None = None,
) -> Audit:
    """Check a whole corpus; nothing is downloaded from elsewhere unless `fetch` is given.

    Args:
        store: the corpus.
        schemas: folder with `stac-extensions/NAME/VERSION/schema.json` and optionally `stac-spec/v1.0.0`; without it
            extensions are reported as unchecked.
        digests: whether every file is read and compared with its digest; else only sizes.
        fetch: downloads the schemas that the folder lacks, from their https address; without it they are reported as
            unchecked.
        factory: makes an executor whose workers check the tiles, and open the corpus by its address; by default, of few
            tiles, and where schemas are downloaded, this process does. The result is the same.

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
    table, outlines, unread = _index(store)
    given = _given(info, published, table, outlines)
    checks = TileChecks(info=info, published=published, digests=digests)
    stac = StacAudit(store, info, published, Schemas(schemas, fetch), outlines)
    if factory is None or fetch is not None or len(given) <= FEW:
        tiles = list(check_tiles(store, checks, given, stac))
        others = other_files(store, published, digests=digests)
    else:
        with factory() as executor:
            waited = check_tiles_with(executor, store.uri, checks, given, schemas)
            others = other_files(store, published, digests=digests)  # while workers check the tiles
            tiles = list(waited)
        for one in tiles:
            stac.schemas.unchecked += one.unchecked
    stac.outlines = outlines
    return _joined(store, checks, stac, tiles, others, table, unread)


def _given(
    info: CorpusInfo, published: PublishedFiles, table: pa.Table | None, outlines: dict[str, NDArray[Any]] | None
) -> list[TileRows]:
    """The tiles of the index and of the manifests, as the index has them."""
    rows = {} if table is None else rows_of_tiles(info, table, published)
    tiles = rows or dict.fromkeys(published.tiles)
    return [TileRows(tile=tile, rows=own, outlines=_own(own, outlines)) for tile, own in tiles.items()]


def _joined(
    store: CorpusStore,
    checks: TileChecks,
    stac: StacAudit,
    tiles: Sequence[TileFindings],
    others: tuple[list[Problem], list[str]],
    table: pa.Table | None,
    unread: Sequence[Problem],
) -> Audit:
    """The audit of a corpus, of what was found in its tiles."""
    info, published = checks.info, checks.published
    strays = [*(path for one in tiles for path in one.strays), *others[1]]
    found = [*root_problems(store, covered_keys(store)), *manifest_problems(published)]
    found += [problem for one in tiles for problem in one.files]
    found += others[0]
    found += lineage_of_tiles(one.lineage for one in tiles)
    found += unread
    if table is not None:
        found += index_problems(store, info, table, published, {one.tile: one.index for one in tiles})
        found += split_set_problems(store, table)
        found += embedding_set_problems(store, table)
    found += stac.problems({one.tile: one.stac for one in tiles})
    blanks = {one.tile: one.blank for one in tiles}
    blank, uncounted = blank_notes(store, info, published, digests=checks.digests, tiles=blanks)
    return Audit(
        problems=tuple(found),
        unchecked=(*stac.unchecked(), *uncounted),
        notes=(*blank, *stray_notes(strays)),
        files=published.count,
        documents=stac.documents,
    )


def _index(
    store: CorpusStore,
) -> tuple[pa.Table | None, dict[str, NDArray[Any]] | None, list[Problem]]:
    """The index and its outlines, as far as they can be read, and why not."""
    table = None
    try:
        table = read_index(store)
        return table, footprints(table), []
    except (InvalidDocumentError, InvalidInputError) as error:
        return table, None, [Problem(where=INDEX, what=str(error))]


def _own(rows: pa.Table | None, outlines: dict[str, NDArray[Any]] | None) -> dict[str, NDArray[Any]] | None:
    """The outlines of some rows."""
    if rows is None or outlines is None:
        return outlines
    return {name: outlines[name] for name in rows.column("id").to_pylist()}


def validate(store: CorpusStore, *, schemas: Path | None = None, digests: bool = True) -> list[Problem]:
    """Every problem of a corpus; see `audit`, which also says what it could not check."""
    return list(audit(store, schemas=schemas, digests=digests).problems)


def digest(store: CorpusStore) -> str:
    """One hash over `manifest/` and `corpus.json`: corpora with the same hash have the same bytes.

    Returns:
        64 hexadecimal digits (SHA-256 over each key, length and digest in the order of keys).
    """
    return RootDigest.read(store, covered_keys(store)).digest
