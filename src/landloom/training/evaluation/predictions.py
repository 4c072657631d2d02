"""Predictions of a model with their truth, as values and as a Parquet file."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import pyarrow as pa

from landloom.errors import InvalidDocumentError, InvalidInputError, InvalidValueError, Problem
from landloom.formats.parquet import decode_parquet, encode_parquet, parquet_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

_METADATA: Final = "landloom:predictions"
_TEXTS: Final = ("id", "split", "country", "stratum")
SUM_TOLERANCE: Final = 1e-3
"""How far the probabilities of a row may be from a sum of 1: they may have been computed in half precision."""
CONFIDENCE_BINS: Final = 60
"""Bins of the confidence by which pixels are grouped: reliability curves of 10, 12, 15, 20 and 30 bins are exact."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions:
    """Class probabilities of samples, parcels or pixels, with their truth.

    A row is a sample, a parcel or a pixel with weight 1, or a group of pixels of one sample (`of_pixels`) whose
    weight is their number. The class predicted is the one of largest probability, the first of equal ones.

    Example:
        >>> made = Predictions.of(
        ...     id=["a", "b"], truth=[0, 1], probabilities=[[0.9, 0.1], [0.6, 0.4]], classes=["field", "forest"],
        ...     block=[0, 1], split="test",
        ... )
        >>> made.predicted.tolist(), Predictions.decoded(made.encoded(), "test").id
        ([0, 0], ('a', 'b'))
    """

    id: tuple[str, ...]
    """(row,) id of the sample, or of the parcel."""
    truth: NDArray[np.int64]
    """(row,) number of its class in `classes`."""
    probabilities: NDArray[np.float32]
    """(row, class) probabilities; each row sums to 1."""
    classes: tuple[str, ...]
    """Codes or names of the classes, each once."""
    block: NDArray[np.int64]
    """(row,) number of its spatial block: rows of one block are not independent of each other."""
    split: tuple[str, ...]
    """(row,) split or fold that it was held out in."""
    country: tuple[str, ...] | None = None
    """(row,) country; empty where there is none."""
    stratum: tuple[str, ...] | None = None
    """(row,) stratum; empty where there is none."""
    weight: NDArray[np.float64]
    """(row,) what it counts: 1, or its pixels."""
    spread: NDArray[np.float64]
    """(row,) mean over its pixels of the squared distance of their probabilities from the row's, 0 for a single one."""
    shares: NDArray[np.float32] | None = None
    """(row, class) true fractions of area, where the truth is their largest."""
    corpus: str = ""
    """Digest of the corpus; empty if not known."""
    split_set: str = ""
    """Digest of the split set; empty if not known."""

    def __post_init__(self) -> None:
        rows, classes = len(self.id), len(self.classes)
        shapes = {
            "truth": (self.truth.shape, (rows,)),
            "probabilities": (self.probabilities.shape, (rows, classes)),
            "block": (self.block.shape, (rows,)),
            "weight": (self.weight.shape, (rows,)),
            "spread": (self.spread.shape, (rows,)),
            "split": ((len(self.split),), (rows,)),
        }
        shapes |= {
            name: ((len(words),), (rows,))
            for name, words in (("country", self.country), ("stratum", self.stratum))
            if words is not None
        }
        if self.shares is not None:
            shapes["shares"] = (self.shares.shape, (rows, classes))
        for name, (got, expected) in shapes.items():
            if got != expected:
                raise InvalidValueError(f"predictions: got {name} of shape {got}, expected {expected}")
        if len(set(self.classes)) != classes or classes < 1:
            raise InvalidValueError(f"predictions: got the classes {list(self.classes)}, expected each once")
        self._check_rows()

    def _check_rows(self) -> None:
        sums = self.probabilities.sum(axis=1, dtype=np.float64)
        checks = (
            ((self.truth < 0) | (self.truth >= len(self.classes)), "truth", f"0 to {len(self.classes) - 1}"),
            (~(np.abs(sums - 1) <= SUM_TOLERANCE), "probabilities", "a sum of 1"),
            (~(self.probabilities >= 0).all(axis=1), "probabilities", "at least 0"),
            (~((self.weight > 0) & np.isfinite(self.weight)), "weight", "a number above 0"),
            (~((self.spread >= 0) & np.isfinite(self.spread)), "spread", "a number of at least 0"),
        )
        for wrong, name, expected in checks:
            if wrong.any():
                row = int(np.argmax(wrong))
                got = getattr(self, name)[row].tolist()
                raise InvalidValueError(
                    f"predictions, row {row} ({self.id[row]}): got {name} {got}, expected {expected}"
                )

    @classmethod
    def of(  # noqa: PLR0913 - the columns of a table
        cls,
        *,
        id: Sequence[str],  # noqa: A002 - the name of the column
        truth: ArrayLike,
        probabilities: ArrayLike,
        classes: Sequence[str],
        block: ArrayLike,
        split: str | Sequence[str],
        country: Sequence[str] | None = None,
        stratum: Sequence[str] | None = None,
        weight: ArrayLike | None = None,
        shares: ArrayLike | None = None,
        corpus: str = "",
        split_set: str = "",
    ) -> Self:
        """Predictions from anything that has the right shapes; rows count 1 by default.

        Args:
            id: (row,) ids.
            truth: (row,) numbers of classes.
            probabilities: (row, class).
            classes: codes or names.
            block: (row,) numbers of spatial blocks.
            split: of each row, or of all.
            country: (row,) if known.
            stratum: (row,) if known.
            weight: (row,) what each counts.
            shares: (row, class) true fractions.
            corpus: digest of the corpus.
            split_set: digest of the split set.

        Raises:
            InvalidValueError: shapes that do not fit, or rows that are no probabilities.
        """
        rows = len(id)
        return cls(
            id=tuple(id),
            truth=np.asarray(truth, np.int64),
            probabilities=np.asarray(probabilities, np.float32),
            classes=tuple(classes),
            block=np.asarray(block, np.int64),
            split=(split,) * rows if isinstance(split, str) else tuple(split),
            country=None if country is None else tuple(country),
            stratum=None if stratum is None else tuple(stratum),
            weight=np.ones(rows) if weight is None else np.asarray(weight, np.float64),
            spread=np.zeros(rows),
            shares=None if shares is None else np.asarray(shares, np.float32),
            corpus=corpus,
            split_set=split_set,
        )

    @classmethod
    def of_pixels(  # noqa: PLR0913 - the columns of a table
        cls,
        *,
        id: str,  # noqa: A002 - the name of the column
        mask: NDArray[np.integer[Any]],
        probabilities: NDArray[np.floating[Any]],
        classes: Sequence[str],
        block: int,
        split: str,
        country: str | None = None,
        stratum: str | None = None,
        corpus: str = "",
        split_set: str = "",
    ) -> Self:
        """Dense predictions of one sample, grouped: `joined` puts samples together.

        Pixels with the same truth, the same predicted class and a confidence in the same of `CONFIDENCE_BINS` bins
        become one row of their mean probabilities. Confusion, accuracies, reliability and Brier score are those of
        the single pixels.

        Args:
            id: of the sample.
            mask: (y, x) numbers of the true classes; −1 where there is none.
            probabilities: (class, y, x).
            classes: codes or names.
            block: number of the sample's block.
            split: that it was held out in.
            country: of the sample.
            stratum: of the sample.
            corpus: digest of the corpus.
            split_set: digest of the split set.

        Example:
            >>> chances = np.stack([np.full((2, 2), 0.75), np.full((2, 2), 0.25)])
            >>> labels = np.array([[0, 0], [1, -1]])
            >>> made = Predictions.of_pixels(
            ...     id="a", mask=labels, probabilities=chances, classes=["x", "y"], block=0, split="test"
            ... )
            >>> made.truth.tolist(), made.weight.tolist()
            ([0, 1], [2.0, 1.0])
        """
        if probabilities.shape != (len(classes), *mask.shape):
            expected = (len(classes), *mask.shape)
            raise InvalidValueError(f"{id}: got probabilities of shape {probabilities.shape}, expected {expected}")
        labelled = mask >= 0
        truth = mask[labelled].astype(np.int64)
        rows = np.moveaxis(probabilities, 0, -1)[labelled].astype(np.float64)
        bins = np.minimum(rows.max(axis=1, initial=0) * CONFIDENCE_BINS, CONFIDENCE_BINS - 1).astype(np.int64)
        keys = (truth * len(classes) + rows.argmax(axis=1)) * CONFIDENCE_BINS + bins
        _, first, group, count = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
        means = np.stack([np.bincount(group, column, len(count)) for column in rows.T], axis=1) / count[:, None]
        means = means.astype(np.float32)
        distance = ((rows - means[group]) ** 2).sum(axis=1)
        made = cls.of(
            id=[id] * len(count),
            truth=truth[first],
            probabilities=means,
            classes=classes,
            block=np.full(len(count), block),
            split=split,
            country=None if country is None else [country] * len(count),
            stratum=None if stratum is None else [stratum] * len(count),
            weight=count,
            corpus=corpus,
            split_set=split_set,
        )
        return replace(made, spread=np.bincount(group, distance, len(count)) / count)

    @classmethod
    def joined(cls, parts: Sequence[Predictions]) -> Self:
        """Several predictions of one kind, one after the other.

        Raises:
            InvalidValueError: none, or of other classes, another corpus or split set, or with other columns.
        """
        if not parts:
            raise InvalidValueError("got no predictions to join, expected at least one")
        first = parts[0]
        for part in parts[1:]:
            for name in ("classes", "corpus", "split_set"):
                if getattr(part, name) != getattr(first, name):
                    got, expected = getattr(part, name), getattr(first, name)
                    raise InvalidValueError(f"predictions to join: got {name} {got!r}, expected {expected!r}")
        values: dict[str, Any] = {"classes": first.classes, "corpus": first.corpus, "split_set": first.split_set}
        for name in (one.name for one in fields(cls) if one.name not in values):
            own = [getattr(part, name) for part in parts]
            if any((one is None) != (own[0] is None) for one in own):
                raise InvalidValueError(f"predictions to join: got {name} in some of them, expected it in all or none")
            if own[0] is None:
                values[name] = None
            elif isinstance(own[0], tuple):
                values[name] = tuple(word for words in own for word in words)
            else:
                values[name] = np.concatenate(own)
        return cls(**values)

    def __len__(self) -> int:
        return len(self.id)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """(row,) class of largest probability, the first of equal ones."""
        found: NDArray[np.int64] = self.probabilities.argmax(axis=1).astype(np.int64)
        return found

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(row,) largest probability."""
        found: NDArray[np.float64] = self.probabilities.max(axis=1).astype(np.float64)
        return found

    def rows(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Self:
        """Some of the rows.

        Args:
            chosen: (row,) mask, or numbers of rows; one may occur several times.
        """
        numbers = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        values: dict[str, Any] = {}
        for name in (one.name for one in fields(self) if one.name not in {"classes", "corpus", "split_set"}):
            own = getattr(self, name)
            values[name] = tuple(own[row] for row in numbers.tolist()) if isinstance(own, tuple) else own
            if isinstance(own, np.ndarray):
                values[name] = own[numbers]
        return replace(self, **values)

    def encoded(self) -> bytes:
        """As a Parquet file.

        Its columns are `id`, `truth` and `predicted` (codes or names of classes), `probabilities` (a list in the order
        of the classes), `block`, `weight`, `spread`, `split`, and where known `country`, `stratum` and `shares`; its
        metadata hold the classes and the digests.
        """
        names = pa.array(self.classes, pa.string())
        columns: dict[str, Any] = {
            "truth": pa.DictionaryArray.from_arrays(pa.array(self.truth, pa.int32()), names),
            "predicted": pa.DictionaryArray.from_arrays(pa.array(self.predicted, pa.int32()), names),
            "probabilities": _list_column(self.probabilities),
            "block": pa.array(self.block),
            "weight": pa.array(self.weight),
            "spread": pa.array(self.spread),
        }
        words = {name: getattr(self, name) for name in _TEXTS if getattr(self, name) is not None}
        columns |= {name: pa.array(own, pa.string()).dictionary_encode() for name, own in words.items()}
        if self.shares is not None:
            columns["shares"] = _list_column(self.shares)
        document = {"classes": self.classes, "corpus": self.corpus, "split_set": self.split_set}
        table = pa.table({"id": columns.pop("id"), **columns})
        return encode_parquet(table, metadata={_METADATA: json.dumps(document)})

    @classmethod
    def decoded(cls, data: bytes, name: str) -> Self:
        """Read the file.

        Args:
            data: its bytes.
            name: of the file, for errors.

        Raises:
            InvalidDocumentError: no predictions.
        """
        try:
            table = decode_parquet(data)
            document = parquet_document(data, _METADATA)
            classes = tuple(str(one) for one in document["classes"])
            values: dict[str, Any] = {
                word: tuple(table.column(word).to_pylist()) for word in _TEXTS if word in table.column_names
            }
            for column in ("block", "weight", "spread"):
                values[column] = table.column(column).to_numpy()
            number = {word: place for place, word in enumerate(classes)}
            values["truth"] = np.array([number[word] for word in table.column("truth").to_pylist()], np.int64)
            for column in ("probabilities", "shares"):
                if column in table.column_names:
                    values[column] = _matrix(table.column(column), len(classes))
            values |= {key: str(document[key]) for key in ("corpus", "split_set")}
            return cls(classes=classes, **values)
        except (InvalidValueError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
            problem = Problem(where=name, what=f"cannot be read as predictions: {error}")
            raise InvalidDocumentError(name, [problem]) from error


def _list_column(values: NDArray[np.float32]) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def _matrix(column: pa.ChunkedArray, width: int) -> NDArray[np.float32]:
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    if len(flat) != len(column) * width:
        raise InvalidInputError(f"got {len(flat)} values in {len(column)} rows, expected {width} in each")
    matrix: NDArray[np.float32] = np.asarray(flat, np.float32).reshape(-1, width)
    return matrix
