"""Split sets against the index: each can be read, is whole, and speaks of the samples that the corpus has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landloom.corpus.split_set import FOLDER, SplitSet, samples_digest
from landloom.errors import InvalidDocumentError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from landloom.corpus.published_files import CorpusStore


def split_set_problems(store: CorpusStore, table: pa.Table) -> Iterator[Problem]:
    """Problems of the split sets of a corpus.

    Args:
        store: the corpus.
        table: its index.
    """
    keys = sorted(entry.key for entry in store.list(f"{FOLDER}/") if entry.key.endswith(".parquet"))
    samples = samples_digest(table.column("id").to_pylist()) if keys else ""
    for key in keys:
        try:
            found = SplitSet.decoded(store.get(key), key)
        except InvalidDocumentError as error:
            yield from error.problems
            continue
        if found.samples != samples:
            yield Problem(where=key, what="made for other samples than the index lists; make it again")
        elif found.proof.get("violations") != 0:
            yield Problem(where=key, what=f"got a proof with {found.proof.get('violations')} violations, expected none")
