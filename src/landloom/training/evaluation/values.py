"""Predicted numbers with their truth, and their scores: errors, bias, R², with intervals by bootstrap over blocks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import pyarrow as pa

from landloom.errors import InvalidDocumentError, InvalidInputError, InvalidValueError, Problem
from landloom.formats.parquet import decode_parquet, encode_parquet, parquet_document
from landloom.training.evaluation.intervals import FEW_BLOCKS, RESAMPLES, Estimate, draws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MEASURES: Final = ("mae", "rmse", "bias", "r2")
"""Mean absolute error, root mean squared error, bias (predicted − true), and R² (1 − squared error / variance)."""
_METADATA: Final = "landloom:values"
_NUMBERS: Final = ("count", "truth", "predicted", "absolute", "squared", "spread")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Values:
    """Predicted numbers of samples or parcels; of pixels, one row for each sample, from which all scores follow.

    Example:
        >>> made = Values.of(["a", "b"], np.array([1.0, 3.0]), np.array([1.0, 2.0]), np.array([0, 1]))
        >>> {name: round(one.value, 3) for name, one in made.scores().items()}
        {'mae': 0.5, 'rmse': 0.707, 'bias': -0.5, 'r2': 0.5}
    """

    id: tuple[str, ...]
    """(row,) id of the sample, or of the parcel."""
    block: NDArray[np.int64]
    """(row,) number of its spatial block: rows of one block are not independent of each other."""
    count: NDArray[np.float64]
    """(row,) numbers that it stands for: 1, or its pixels."""
    truth: NDArray[np.float64]
    """(row,) mean of the true numbers."""
    predicted: NDArray[np.float64]
    """(row,) mean of the predicted ones."""
    absolute: NDArray[np.float64]
    """(row,) mean of the absolute errors."""
    squared: NDArray[np.float64]
    """(row,) mean of the squared errors."""
    spread: NDArray[np.float64]
    """(row,) variance of the true numbers within the row; 0 of a single one."""
    unit: str = ""
    """Of the numbers; empty if not known."""

    def __post_init__(self) -> None:
        if not self.id:
            raise InvalidInputError("got no number to compare, expected one at least")
        for name in ("block", *_NUMBERS):
            own = getattr(self, name)
            if own.shape != (len(self.id),) or not np.isfinite(own).all():
                raise InvalidValueError(f"values: got {name} of shape {own.shape}, expected {len(self.id)} numbers")

    @classmethod
    def of(
        cls,
        id: Sequence[str],  # noqa: A002 - the name of the column
        truth: NDArray[Any],
        predicted: NDArray[Any],
        block: NDArray[np.int64],
        unit: str = "",
    ) -> Self:
        """Single numbers: one of each row.

        Args:
            id: (row,) samples or parcels.
            truth: (row,).
            predicted: (row,).
            block: (row,).
            unit: of the numbers.
        """
        true, found = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
        return cls(
            id=tuple(id),
            block=np.asarray(block, np.int64),
            count=np.ones(len(true)),
            truth=true,
            predicted=found,
            absolute=np.abs(found - true),
            squared=(found - true) ** 2,
            spread=np.zeros(len(true)),
            unit=unit,
        )

    @classmethod
    def of_pixels(
        cls,
        id: str,  # noqa: A002 - the name of the column
        truth: NDArray[Any],
        predicted: NDArray[Any],
        block: int,
        unit: str = "",
    ) -> Self | None:
        """The row of a sample's pixels; None if no pixel has a true and a predicted number.

        Args:
            id: of the sample.
            truth: (y, x), NaN where not known.
            predicted: (y, x), NaN where not predicted.
            block: of the sample.
            unit: of the numbers.
        """
        both = ~np.isnan(truth) & ~np.isnan(predicted)
        if not both.any():
            return None
        single = cls.of([id] * int(both.sum()), truth[both], predicted[both], np.full(int(both.sum()), block), unit)
        means = {name: np.array([getattr(single, name).mean()]) for name in _NUMBERS[1:-1]}
        spread = np.array([single.truth.var()])
        count = np.array([float(both.sum())])
        return cls(id=(id,), block=np.array([block]), count=count, **means, spread=spread, unit=unit)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several below one another.

        Raises:
            InvalidInputError: none at all.
        """
        if not parts:
            raise InvalidInputError("got no number to compare, expected one at least")
        arrays = {name: np.concatenate([getattr(one, name) for one in parts]) for name in ("block", *_NUMBERS)}
        return cls(id=tuple(name for one in parts for name in one.id), **arrays, unit=parts[0].unit)

    def scores(self, seed: int = 0, resamples: int = RESAMPLES) -> dict[str, Estimate]:
        """Measure → its value with an interval over blocks; NaN where it is not defined.

        Args:
            seed: of the bootstrap.
            resamples: of the bootstrap.
        """
        numbers, places = np.unique(self.block, return_inverse=True)
        middle = float((self.count * self.truth).sum() / self.count.sum())
        away = self.truth - middle
        columns = (
            self.count,
            self.count * self.absolute,
            self.count * self.squared,
            self.count * (self.predicted - self.truth),
            self.count * away,
            self.count * (self.spread + away**2),
        )
        sums = np.stack([np.bincount(places, one, len(numbers)) for one in columns], axis=1)
        values = _measures(sums.sum(axis=0))
        drawn = _measures(draws(len(numbers), seed, resamples) @ sums)
        return {name: Estimate.of(float(values[k]), drawn[:, k]) for k, name in enumerate(MEASURES)}

    def document(self) -> dict[str, Any]:
        """Scores as JSON values."""
        blocks = len(np.unique(self.block))
        found: dict[str, Any] = {"samples": len(set(self.id)), "numbers": int(self.count.sum()), "blocks": blocks}
        if self.unit:
            found["unit"] = self.unit
        if blocks < FEW_BLOCKS:
            found["notes"] = [f"{blocks} blocks: intervals by bootstrap are too narrow with fewer than {FEW_BLOCKS}"]
        return found | {"scores": {name: one.document() for name, one in self.scores().items()}}

    def encoded(self) -> bytes:
        """As a Parquet file."""
        columns: dict[str, Any] = {"id": pa.array(list(self.id), pa.string())}
        columns |= {name: getattr(self, name) for name in ("block", *_NUMBERS)}
        return encode_parquet(pa.table(columns), metadata={_METADATA: json.dumps({"unit": self.unit})})

    @classmethod
    def decoded(cls, content: bytes, name: str) -> Self:
        """Read the file.

        Raises:
            InvalidDocumentError: it is none.
        """
        try:
            unit = str(parquet_document(content, _METADATA)["unit"])
            table = decode_parquet(content)
            arrays = {key: table.column(key).to_numpy() for key in ("block", *_NUMBERS)}
            return cls(id=tuple(table.column("id").to_pylist()), **arrays, unit=unit)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidDocumentError(name, [Problem(where="", what=f"is no file of values: {error}")]) from error


def _measures(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """(…, measure) from (…, 6) sums: count, absolute, squared and signed errors, and truth around its mean, squared."""
    count, absolute, squared, signed, away, scatter = np.moveaxis(sums, -1, 0)
    whole = scatter - away**2 / count
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(whole > 1e-12 * np.maximum(scatter, 1e-300), 1 - squared / whole, np.nan)
    found: NDArray[np.float64] = np.stack([absolute / count, np.sqrt(squared / count), signed / count, r2], axis=-1)
    return found
