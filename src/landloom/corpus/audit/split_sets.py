"""Split sets and their statistics: each can be read, is whole, and speaks of the samples that the corpus has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landloom.corpus.split_set import FOLDER, SplitSet, samples_digest, split_set_key
from landloom.corpus.split_statistics import ENDING, SplitStatistics
from landloom.errors import InvalidDocumentError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from landloom.corpus.published_files import CorpusStore


def split_set_problems(store: CorpusStore, table: pa.Table) -> Iterator[Problem]:
    """Problems of the split sets of a corpus.

    Args:
        store: the corpus.
        table: its index.
    """
    there = sorted(entry.key for entry in store.list(f"{FOLDER}/"))
    keys = [key for key in there if key.endswith(".parquet")]
    samples = samples_digest(table.column("id").to_pylist()) if there else ""
    digests = {}
    for key in keys:
        try:
            found = SplitSet.decoded(store.get(key), key)
        except InvalidDocumentError as error:
            yield from error.problems
            continue
        digests[key] = found.digest
        if found.samples != samples:
            yield Problem(where=key, what="made for other samples than the index lists; make it again")
        elif found.proof.get("violations") != 0:
            yield Problem(where=key, what=f"got a proof with {found.proof.get('violations')} violations, expected none")
    for key in there:
        if key.endswith(ENDING):
            yield from _statistics_problems(store, key, samples, digests)


def _statistics_problems(store: CorpusStore, key: str, samples: str, digests: Mapping[str, str]) -> Iterator[Problem]:
    """Problems of statistics: they are of the samples and of the split set as both are now."""
    try:
        found = SplitStatistics.decoded(store.get(key), key)
    except InvalidDocumentError as error:
        yield from error.problems
        return
    if found.samples != samples:
        yield Problem(where=key, what="made for other samples than the index lists; make it again")
    elif found.split_set is not None and digests.get(split_set_key(found.split_set)) != found.split_digest:
        yield Problem(where=key, what=f"made for another split set {found.split_set!r} than there is; make it again")
