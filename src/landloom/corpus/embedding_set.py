"""Embeddings of samples: `embeddings/NAME.parquet`, a vector for each sample with the lineage of all of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import pyarrow as pa

from landloom.corpus.sample_set import decode_sample_set, encode_sample_set, sample_set_key
from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

FOLDER: Final = "embeddings"
"""Folder of embedding sets in a corpus."""
_METADATA: Final = "landloom:embedding_set"
_WHAT: Final = "an embedding set"


def embedding_set_key(name: str) -> str:
    """Path of an embedding set in a corpus.

    Raises:
        InvalidInputError: a name that is no file name.

    Example:
        >>> embedding_set_key("masked-s2")
        'embeddings/masked-s2.parquet'
    """
    return sample_set_key(FOLDER, name, _WHAT)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EmbeddingSet:
    """A vector for every sample of a corpus that has one.

    Raises:
        InvalidValueError: vectors of other shape, or with values that are no numbers where there are any.
    """

    vectors: NDArray[np.float32]
    """(sample, width) in the order of the index; a row of NaN for a sample without one."""
    samples: str
    """Digest of the ids of all samples, by `landloom.corpus.split_set.samples_digest`."""
    lineage: Mapping[str, Any]
    """Model, its digest, product, bands, period, samples left out, as JSON values."""

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or self.vectors.dtype != np.float32:
            raise InvalidValueError(f"got vectors {self.vectors.dtype}{self.vectors.shape}, expected float32, 2 axes")
        odd = ~np.isfinite(self.vectors).all(axis=1) & ~np.isnan(self.vectors).all(axis=1)
        if odd.any():
            raise InvalidValueError(
                f"got row {int(np.argmax(odd))} with values that are no numbers, expected all or none"
            )

    @property
    def present(self) -> NDArray[np.bool_]:
        """(sample,) whether it has a vector."""
        return ~np.isnan(self.vectors[:, 0]) if self.vectors.shape[1] else np.zeros(len(self.vectors), np.bool_)

    @property
    def digest(self) -> str:
        """SHA-256 of samples, vectors and lineage."""
        head = json.dumps({"samples": self.samples, "lineage": self.lineage}, sort_keys=True)
        values = np.where(self.present[:, None], self.vectors, np.float32(0))  # a NaN has many bit patterns
        return hashlib.sha256(head.encode() + values.tobytes()).hexdigest()

    def encoded(self, ids: Sequence[str]) -> bytes:
        """As a Parquet file with the columns `id` and `vector`, a list of `width` float32, null for none.

        Args:
            ids: of all samples, in the order of the index.
        """
        values = pa.array(np.ascontiguousarray(self.vectors).ravel())
        column = pa.FixedSizeListArray.from_arrays(values, self.vectors.shape[1], mask=pa.array(~self.present))
        document = {"samples": self.samples, "lineage": self.lineage}
        table = pa.table({"id": pa.array(ids, pa.string()), "vector": column})
        return encode_sample_set(self, table, _METADATA, document)

    @classmethod
    def decoded(cls, data: bytes, name: str) -> Self:
        """Read the file.

        Args:
            data: its bytes.
            name: of the file, for errors.

        Raises:
            InvalidDocumentError: no embedding set, or its digest is not that of its content.
        """
        return decode_sample_set(data, name, what=_WHAT, key=_METADATA, column="vector", parse=cls._parsed)

    @classmethod
    def _parsed(cls, column: Any, document: Mapping[str, Any]) -> Self:
        return cls(vectors=_vectors(column), samples=str(document["samples"]), lineage=dict(document["lineage"]))


def _vectors(column: Any) -> NDArray[np.float32]:
    """(row, width), NaN for null."""
    width = column.type.list_size
    vectors = np.full((len(column), width), np.nan, np.float32)
    there = column.is_valid().to_numpy(zero_copy_only=False)
    vectors[there] = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
    return vectors
