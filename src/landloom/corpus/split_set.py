"""Split sets of a finished corpus: `splits/NAME.parquet`, a table of samples and splits with its settings and proof."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import pyarrow as pa

from landloom.corpus.layout import SPLITS
from landloom.errors import InvalidDocumentError, InvalidInputError, Problem
from landloom.formats.parquet import decode_parquet, encode_parquet, parquet_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

FOLDER: Final = SPLITS
"""Folder of split sets in a corpus."""
_METADATA: Final = "landloom:split_set"


def split_set_key(name: str) -> str:
    """Path of a split set in a corpus.

    Raises:
        InvalidInputError: a name that is no file name.

    Example:
        >>> split_set_key("blocks-3km")
        'splits/blocks-3km.parquet'
    """
    if not (name and name.isascii() and name.replace("-", "").replace("_", "").isalnum()):
        raise InvalidInputError(f"got {name!r} as the name of a split set, expected letters, digits, - and _")
    return f"{FOLDER}/{name}.parquet"


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
            "digest": self.digest,
        }
        table = pa.table({"id": pa.array(ids, pa.string()), "split": words})
        return encode_parquet(table, metadata={_METADATA: json.dumps(document, sort_keys=True)})

    @classmethod
    def decoded(cls, data: bytes, name: str) -> Self:
        """Read the file.

        Args:
            data: its bytes.
            name: of the file, for errors.

        Raises:
            InvalidDocumentError: no split set, or its digest is not that of its content.
        """
        try:
            column = decode_parquet(data, ["split"]).column("split").combine_chunks()
            document = parquet_document(data, _METADATA)
            names = tuple(str(one) for one in document["names"])
            codes = _codes(column, names)
            found = cls(
                names=names,
                codes=codes,
                samples=str(document["samples"]),
                settings=dict(document["settings"]),
                proof=dict(document["proof"]),
            )
            digest = document["digest"]
        except (InvalidInputError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
            problem = Problem(where=name, what=f"cannot be read as a split set: {error}")
            raise InvalidDocumentError(name, [problem]) from error
        if digest != found.digest:
            problem = Problem(where=name, what=f"got digest {digest}, expected {found.digest}, that of its content")
            raise InvalidDocumentError(name, [problem])
        return found


def _codes(column: Any, names: Sequence[str]) -> NDArray[np.int8]:
    """(row,) number in the names, −1 for null."""
    known = column.dictionary_encode() if not pa.types.is_dictionary(column.type) else column
    words = known.dictionary.to_pylist()
    number = np.array([names.index(word) for word in words] + [-1], np.int8)
    places = known.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    codes: NDArray[np.int8] = number[places]
    return codes
