"""Embedding sets against the index: each can be read, is whole, and speaks of the samples that the corpus has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landloom.corpus.embedding_set import FOLDER, EmbeddingSet
from landloom.corpus.split_set import samples_digest
from landloom.errors import InvalidDocumentError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from landloom.corpus.published_files import CorpusStore


def embedding_set_problems(store: CorpusStore, table: pa.Table) -> Iterator[Problem]:
    """Problems of the embedding sets of a corpus.

    Args:
        store: the corpus.
        table: its index.
    """
    keys = sorted(entry.key for entry in store.list(f"{FOLDER}/") if entry.key.endswith(".parquet"))
    samples = samples_digest(table.column("id").to_pylist()) if keys else ""
    for key in keys:
        try:
            found = EmbeddingSet.decoded(store.get(key), key)
        except InvalidDocumentError as error:
            yield from error.problems
            continue
        if found.samples != samples:
            yield Problem(where=key, what="made for other samples than the index lists; make it again")
