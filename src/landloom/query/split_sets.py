"""Split sets of a corpus in queries: `split` means the splits of the set that is named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from landloom.corpus.split_set import FOLDER, SplitSet, samples_digest, split_set_key
from landloom.corpus.split_statistics import SplitStatistics, statistics_key
from landloom.errors import InvalidInputError, MissingKeyError, NotFoundError
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landloom.query.index.sidecar import Sidecar


def split_set_names(base: str) -> list[str]:
    """Names of the split sets of a corpus, sorted.

    Args:
        base: folder or URL of its files.
    """
    keys = [entry.key for entry in open_store(base.rstrip("/")).list(f"{FOLDER}/")]
    return sorted(key.removeprefix(f"{FOLDER}/").removesuffix(".parquet") for key in keys if key.endswith(".parquet"))


def read_split_set(base: str, name: str) -> SplitSet:
    """Read a split set of a corpus.

    Args:
        base: folder or URL of its files.
        name: of the set.

    Raises:
        NotFoundError: no such set; where files can be listed, similar names are.
        InvalidDocumentError: it is damaged.
    """
    key, store = split_set_key(name), open_store(base.rstrip("/"))
    try:
        content = store.get(key)
    except MissingKeyError as error:
        if "://" in base:
            raise NotFoundError(f"no split set {name!r} in {base}") from error
        raise NotFoundError.of("split set", name, split_set_names(base)) from error
    return SplitSet.decoded(content, key)


def with_split_set(sidecar: Sidecar, base: str, name: str) -> Sidecar:
    """The index of a corpus with the splits of a set instead of those of its recipe.

    Args:
        sidecar: the index.
        base: folder or URL of the files of the corpus.
        name: of the set.

    Raises:
        NotFoundError: no such set.
        InvalidInputError: it was made for other samples, as before a later build of the corpus.
    """
    found = read_split_set(base, name)
    if found.samples != samples_digest(sidecar.texts(np.arange(len(sidecar), dtype=np.int32))):
        raise InvalidInputError(f"split set {name!r} was made for other samples than the corpus has now; make it again")
    arrays = {**sidecar.arrays, "split": found.codes + 1}
    vocabularies = {**sidecar.meta.vocabularies, "split": found.names}
    return replace(sidecar, arrays=arrays, meta=replace(sidecar.meta, vocabularies=vocabularies))


def read_statistics(
    sidecar: Sidecar, base: str, split_set: str | None = None, splits: Sequence[str] = ()
) -> SplitStatistics:
    """Read the statistics of the training part of a corpus.

    Args:
        sidecar: its index.
        base: folder or URL of its files.
        split_set: name of the split set; None for the splits of its recipe.
        splits: of the part; by default `train`.

    Raises:
        NotFoundError: there are none.
        InvalidInputError: they are of other samples, or of the split set as it was before.
        InvalidDocumentError: they are damaged.
    """
    key = statistics_key(split_set, splits)
    try:
        content = open_store(base.rstrip("/")).get(key)
    except MissingKeyError as error:
        option = "" if split_set is None else f" --split-set {split_set}"
        raise NotFoundError(f"no {key} in {base.rstrip('/')}; make it by landloom statistics{option}") from error
    found = SplitStatistics.decoded(content, key)
    if found.samples != samples_digest(sidecar.texts(np.arange(len(sidecar), dtype=np.int32))):
        raise InvalidInputError(f"{key} was made for other samples than the corpus has now; make it again")
    if split_set is not None and found.split_digest != read_split_set(base, split_set).digest:
        raise InvalidInputError(f"{key} was made for split set {split_set!r} as it was before; make it again")
    return found
