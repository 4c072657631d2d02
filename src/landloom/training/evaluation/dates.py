"""Dates of changes with their truth, and their scores with intervals by bootstrap over blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import pyarrow as pa

from landloom.errors import InvalidDocumentError, InvalidInputError, InvalidValueError, Problem
from landloom.formats.parquet import decode_parquet, encode_parquet
from landloom.imagery.change.scores import TOLERANCE
from landloom.training.evaluation.intervals import FEW_BLOCKS, RESAMPLES, Estimate, draws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MEASURES: Final = ("f1", "precision", "recall", "false_share")
"""Of breaks within 15 days of a change; and the share of stable pixels with a break."""
COUNTS: Final = ("hits", "missed", "false", "stable", "disturbed")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dates:
    """Breaks of samples against their truth, counted.

    Example:
        >>> nothing, once = np.full((1, 2), np.nan), np.array([[100.0, np.nan]])
        >>> made = Dates.of_pixels("a", once, once + 10, 0)
        >>> made.counts.tolist(), Dates.of_pixels("a", once, nothing, 0).counts.tolist()
        ([[1, 0, 0, 1, 0]], [[0, 1, 0, 1, 0]])
    """

    id: tuple[str, ...]
    """(row,) id of the sample."""
    block: NDArray[np.int64]
    """(row,) number of its spatial block."""
    counts: NDArray[np.int64]
    """(row, 5) changes with a break within the tolerance, changes without one, breaks that belong to no change, stable
    pixels, and those among them with a break."""

    def __post_init__(self) -> None:
        if not self.id:
            raise InvalidInputError("got no dates to compare, expected those of one sample at least")
        rows = len(self.id)
        if self.block.shape != (rows,) or self.counts.shape != (rows, len(COUNTS)):
            raise InvalidValueError(f"got blocks {self.block.shape} and counts {self.counts.shape} of {rows} rows")

    @classmethod
    def of_pixels(
        cls,
        id: str,  # noqa: A002 - the name of the column
        truth: NDArray[np.floating],
        found: NDArray[np.floating],
        block: int,
        tolerance: float = TOLERANCE,
    ) -> Self:
        """The row of a sample.

        Args:
            id: of the sample.
            truth: (event, pixel) days of true changes; not a number where there is none.
            found: (break, pixel) days of breaks, likewise.
            block: of the sample.
            tolerance: days within which a break belongs to a change.
        """
        near = np.abs(truth[:, None] - found[None]) <= tolerance
        hits = np.minimum(near.any(axis=1).sum(axis=0), near.any(axis=0).sum(axis=0))
        events, breaks = np.isfinite(truth).sum(axis=0), np.isfinite(found).sum(axis=0)
        sums = (
            hits.sum(),
            (events - hits).sum(),
            (breaks - hits).sum(),
            (events == 0).sum(),
            ((events == 0) & (breaks > 0)).sum(),
        )
        return cls(id=(id,), block=np.array([block]), counts=np.array([sums], np.int64))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several below one another.

        Raises:
            InvalidInputError: none at all.
        """
        if not parts:
            raise InvalidInputError("got no dates to compare, expected those of one sample at least")
        return cls(
            id=tuple(name for one in parts for name in one.id),
            block=np.concatenate([one.block for one in parts]),
            counts=np.concatenate([one.counts for one in parts]),
        )

    def scores(self, seed: int = 0, resamples: int = RESAMPLES) -> dict[str, Estimate]:
        """Measure → its value with an interval over blocks; NaN where it is not defined."""
        numbers, places = np.unique(self.block, return_inverse=True)
        sums = np.zeros((len(numbers), len(COUNTS)))
        np.add.at(sums, places, self.counts)
        values = _measures(sums.sum(axis=0))
        drawn = _measures(draws(len(numbers), seed, resamples) @ sums)
        return {name: Estimate.of(float(values[k]), drawn[:, k]) for k, name in enumerate(MEASURES)}

    def document(self) -> dict[str, Any]:
        """Scores as JSON values."""
        blocks = len(np.unique(self.block))
        found: dict[str, Any] = {"samples": len(set(self.id)), "blocks": blocks}
        found |= {name: int(one) for name, one in zip(COUNTS, self.counts.sum(axis=0), strict=True)}
        if blocks < FEW_BLOCKS:
            found["notes"] = [f"{blocks} blocks: intervals by bootstrap are too narrow with fewer than {FEW_BLOCKS}"]
        return found | {"scores": {name: one.document() for name, one in self.scores().items()}}

    def encoded(self) -> bytes:
        """As a Parquet file."""
        columns: dict[str, Any] = {"id": pa.array(list(self.id), pa.string()), "block": self.block}
        return encode_parquet(pa.table(columns | {name: self.counts[:, k] for k, name in enumerate(COUNTS)}))

    @classmethod
    def decoded(cls, content: bytes, name: str) -> Self:
        """Read the file.

        Raises:
            InvalidDocumentError: it is none.
        """
        try:
            table = decode_parquet(content)
            counts = np.stack([table.column(key).to_numpy() for key in COUNTS], axis=1)
            return cls(id=tuple(table.column("id").to_pylist()), block=table.column("block").to_numpy(), counts=counts)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidDocumentError(name, [Problem(where="", what=f"is no file of dates: {error}")]) from error


def _measures(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """(…, measure) from (…, 5) counts."""
    hits, missed, false, stable, disturbed = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.float64] = np.stack(
            [2 * hits / (2 * hits + missed + false), hits / (hits + false), hits / (hits + missed), disturbed / stable],
            axis=-1,
        )
    return found
