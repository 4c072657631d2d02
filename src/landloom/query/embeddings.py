"""Embeddings of samples in queries: the samples that are nearest to one, or to a vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.embedding_set import FOLDER, EmbeddingSet, embedding_set_key
from landloom.corpus.split_set import samples_digest
from landloom.errors import InvalidInputError, MissingKeyError, NotFoundError
from landloom.store.open import open_store

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from landloom.query.index.sidecar import Rows, Sidecar

_AT_ONCE: Final = 8_192
"""Vectors that are compared together: a few MB, which a cache holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A sample that is near in the space of embeddings."""

    id: str
    """The sample."""
    similarity: float
    """Cosine of the angle between both vectors, after the mean of the set was taken off: −1 to 1."""


def embedding_set_names(base: str) -> list[str]:
    """Names of the embedding sets of a corpus, sorted.

    Args:
        base: folder or URL of its files.
    """
    keys = [entry.key for entry in open_store(base.rstrip("/")).list(f"{FOLDER}/")]
    return sorted(key.removeprefix(f"{FOLDER}/").removesuffix(".parquet") for key in keys if key.endswith(".parquet"))


def read_embeddings(sidecar: Sidecar, base: str, name: str | None = None) -> EmbeddingSet:
    """Read an embedding set of a corpus.

    Args:
        sidecar: its index.
        base: folder or URL of its files.
        name: of the set; by default the only one.

    Raises:
        NotFoundError: no such set; where files can be listed, similar names are.
        InvalidInputError: none is named, and there are several; or it was made for other samples.
        InvalidDocumentError: it is damaged.
    """
    chosen = _only(base) if name is None else name
    key, store = embedding_set_key(chosen), open_store(base.rstrip("/"))
    try:
        content = store.get(key)
    except MissingKeyError as error:
        if "://" in base:
            raise NotFoundError(f"no embedding set {chosen!r} in {base}") from error
        raise NotFoundError.of("embedding set", chosen, embedding_set_names(base)) from error
    found = EmbeddingSet.decoded(content, key)
    if found.samples != samples_digest(sidecar.texts(np.arange(len(sidecar), dtype=np.int32))):
        raise InvalidInputError(
            f"embedding set {chosen!r} was made for other samples than the corpus has now; make it again"
        )
    return found


def _only(base: str) -> str:
    names = embedding_set_names(base)
    if not names:
        raise NotFoundError("got a corpus without embeddings, expected some: landloom embed MODEL CORPUS makes them")
    if len(names) > 1:
        raise InvalidInputError(f"got no name of an embedding set, expected one of {', '.join(names)}")
    return names[0]


def nearest(
    found: EmbeddingSet, sidecar: Sidecar, rows: Rows, like: str | ArrayLike, count: int
) -> tuple[Neighbour, ...]:
    """The samples whose embeddings are nearest by cosine, by exact search.

    500,000 vectors of 128 numbers take about 0.2 s on one core, once they are read.

    Args:
        found: the embeddings.
        sidecar: index of the corpus.
        rows: the samples that are searched.
        like: a sample, which is not among the result; or a vector.
        count: of samples at most.

    Raises:
        NotFoundError: no such sample.
        InvalidInputError: a sample without an embedding; a vector of other length; a count below 1.
    """
    if count < 1:
        raise InvalidInputError(f"got {count} neighbours, expected 1 or more")
    present = found.present
    own, vector = _wanted(found, sidecar, like)
    searched = rows[present[rows] & (rows != own)]
    if not len(searched):
        return ()
    middle = found.vectors[present].mean(axis=0, dtype=np.float64).astype(np.float32)
    similarity = cosines(found.vectors, searched, vector, middle)
    order = _best(similarity, searched, min(count, len(searched)))
    ids = sidecar.texts(searched[order].astype(np.int32))
    return tuple(
        Neighbour(id=name, similarity=float(value)) for name, value in zip(ids, similarity[order], strict=True)
    )


def cosines(
    vectors: NDArray[np.float32], rows: NDArray[Any], vector: NDArray[np.float32], middle: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(row,) cosines of the angles between some vectors and one, seen from a point; 0 for a vector without length.

    Args:
        vectors: (n, width).
        rows: which of them.
        vector: (width,).
        middle: (width,) the point.

    Example:
        >>> vectors = np.array([[2.0, 0.0], [0.0, 3.0]], np.float32)
        >>> cosines(vectors, np.array([0, 1]), np.array([1.0, 0.0], np.float32), np.zeros(2, np.float32)).tolist()
        [1.0, 0.0]
    """
    wanted = vector - middle
    out = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), _AT_ONCE):
        part = vectors[rows[start : start + _AT_ONCE]] - middle
        length = np.sqrt(np.einsum("nw,nw->n", part, part)) * np.float32(np.sqrt(wanted @ wanted))
        out[start : start + _AT_ONCE] = (part @ wanted) / np.where(length > 0, length, np.float32(np.inf))
    return out


def _best(similarity: NDArray[np.float32], rows: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Places of the largest values, largest first; of equal ones the first of the index."""
    limit = np.partition(similarity, -count)[-count]
    places = np.flatnonzero(similarity >= limit)
    return places[np.lexsort((rows[places], -similarity[places]))][:count]


def _wanted(found: EmbeddingSet, sidecar: Sidecar, like: str | ArrayLike) -> tuple[int, NDArray[np.float32]]:
    """Row of the sample, −1 for none, and the vector."""
    if isinstance(like, str):
        row = int(sidecar.rows_of_ids([like])[0])
        if row < 0:
            raise NotFoundError(f"no sample {like!r} in {sidecar.meta.name}")
        if not found.present[row]:
            raise InvalidInputError(f"{like}: got a sample without an embedding, expected one with an embedding")
        return row, found.vectors[row]
    vector = np.asarray(like, np.float32)
    if vector.shape != found.vectors.shape[1:] or not np.isfinite(vector).all():
        raise InvalidInputError(f"got a vector of shape {vector.shape}, expected {found.vectors.shape[1]} numbers")
    return -1, vector
