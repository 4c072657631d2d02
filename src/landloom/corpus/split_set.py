"""Split sets of a finished corpus: `splits/NAME.parquet`, a table of samples and splits with its settings and proof."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import pyarrow as pa

from landloom.corpus.layout import SPLITS
from landloom.corpus.sample_set import decode_sample_set, encode_sample_set, sample_set_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

FOLDER: Final = SPLITS
"""Folder of split sets in a corpus."""
_METADATA: Final = "landloom:split_set"
_WHAT: Final = "a split set"


def split_set_key(name: str) -> str:
    """Path of a split set in a corpus.

    Raises:
        InvalidInputError: a name that is no file name.

    Example:
        >>> split_set_key("blocks-3km")
        'splits/blocks-3km.parquet'
    """
    return sample_set_key(FOLDER, name, _WHAT)


def samples_digest(ids: Sequence[str]) -> str:
    """Digest of the ids of all samples of a corpus, in the order of its index."""
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SplitSet:
    """Every sample of a corpus in one split or in none."""

    names: tuple[str, ...]
    """Names of the splits."""
    codes: NDArray[np.int8]
    """(sample,) number of its split in `names`, −1 for none; in the order of the index."""
    samples: str
    """Digest of the ids, by `samples_digest`."""
    settings: Mapping[str, Any]
    """How it was made, as JSON values."""
    proof: Mapping[str, Any]
    """What was checked, as JSON values."""

    @property
    def digest(self) -> str:
        """SHA-256 of samples, splits and settings: what a model that was trained on it cites."""
        head = json.dumps({"names": self.names, "samples": self.samples, "settings": self.settings}, sort_keys=True)
        return hashlib.sha256(head.encode() + self.codes.tobytes()).hexdigest()

    def encoded(self, ids: Sequence[str]) -> bytes:
        """As a Parquet file with the columns `id` and `split` (null for none).

        Args:
            ids: of all samples, in the order of the index.
        """
        words = pa.DictionaryArray.from_arrays(pa.array(self.codes, mask=self.codes < 0), pa.array(self.names))
        document = {
            "names": self.names,
            "samples": self.samples,
            "settings": self.settings,
            "proof": self.proof,
        }
        table = pa.table({"id": pa.array(ids, pa.string()), "split": words})
        return encode_sample_set(self, table, _METADATA, document)

    @classmethod
    def decoded(cls, data: bytes, name: str) -> Self:
        """Read the file.

        Args:
            data: its bytes.
            name: of the file, for errors.

        Raises:
            InvalidDocumentError: no split set, or its digest is not that of its content.
        """
        return decode_sample_set(data, name, what=_WHAT, key=_METADATA, column="split", parse=cls._parsed)

    @classmethod
    def _parsed(cls, column: Any, document: Mapping[str, Any]) -> Self:
        names = tuple(str(one) for one in document["names"])
        return cls(
            names=names,
            codes=_codes(column, names),
            samples=str(document["samples"]),
            settings=dict(document["settings"]),
            proof=dict(document["proof"]),
        )


def _codes(column: Any, names: Sequence[str]) -> NDArray[np.int8]:
    """(row,) number in the names, −1 for null."""
    known = column.dictionary_encode() if not pa.types.is_dictionary(column.type) else column
    words = known.dictionary.to_pylist()
    number = np.array([names.index(word) for word in words] + [-1], np.int8)
    places = known.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    codes: NDArray[np.int8] = number[places]
    return codes
