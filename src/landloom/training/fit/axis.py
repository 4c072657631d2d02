"""The time axis of models that count timesteps: the same dates for all series, or calendar months."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from landloom.training.fit.batches import LabelledSeries


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAxis:
    """What a number of a timestep means.

    Series of one corpus with a regular axis have the same dates, and are taken as they are. Series with dates of
    their own, as of granules, become means over calendar months, counted from January of the year in which they start.
    """

    steps: int
    """Timesteps."""
    monthly: bool
    """Whether they are months."""

    @classmethod
    def of(cls, table: LabelledSeries) -> Self:
        """The axis that fits the series of a table."""
        there = table.dates != 0
        longest = table.dates[int(there.sum(axis=1).argmax())] if len(table) else table.dates[:0].sum(axis=0)
        if (~there | (table.dates == longest)).all():
            return cls(steps=table.valid.shape[1], monthly=False)
        return cls(steps=int(_months(table).max()) + 1, monthly=True)

    def apply(self, table: LabelledSeries) -> LabelledSeries:
        """Series on this axis: (row, step, band).

        Raises:
            InvalidInputError: series with more timesteps than the axis has.
        """
        count = table.valid.shape[1]
        if not self.monthly:
            if count > self.steps and table.valid[:, self.steps :].any():
                raise InvalidInputError(f"got series of {count} timesteps, expected {self.steps} as in training")
            return _fitted(table, self.steps)
        months = _months(table)
        late = table.valid & (months >= self.steps)
        if late.any():
            row = int(np.argmax(late.any(axis=1)))
            raise InvalidInputError(f"{table.id[row]}: got a series of more than {self.steps} months")
        image, valid = means_over(table, months, self.steps)
        return replace(table, image=image, dates=_middles(table, self.steps), valid=valid)

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {"steps": self.steps, "monthly": self.monthly}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """From JSON values."""
        return cls(steps=int(document["steps"]), monthly=bool(document["monthly"]))


def means_over(
    table: LabelledSeries, places: NDArray[np.int64], steps: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Means of series over coarser timesteps.

    Args:
        table: the series.
        places: (row, time) number of the coarser timestep of each.
        steps: coarser timesteps.

    Returns:
        (row, step, band) means over valid timesteps, 0 without any; (row, step) whether there are any.
    """
    rows, columns = np.nonzero(table.valid)
    chosen = places[rows, columns]
    sums = np.zeros((len(table), steps, table.image.shape[2]))
    counts = np.zeros((len(table), steps))
    np.add.at(sums, (rows, chosen), table.image[rows, columns])
    np.add.at(counts, (rows, chosen), 1)
    return (sums / np.maximum(counts, 1)[..., None]).astype(np.float32), counts > 0


def _months(table: LabelledSeries) -> Any:
    """(row, time) months since January of the year in which a series starts; 0 for padding."""
    months = table.dates.astype("M8[D]").astype("M8[M]").astype(np.int64)
    first = months[:, :1] // 12 * 12
    return np.where(table.dates != 0, months - first, 0)


def _middles(table: LabelledSeries, steps: int) -> Any:
    """(row, step) the 15th of each month."""
    year = table.dates[:, :1].astype("M8[D]").astype("M8[Y]").astype("M8[M]")
    return (year + np.arange(steps)).astype("M8[D]").astype(np.int64) + 14


def _fitted(table: LabelledSeries, steps: int) -> LabelledSeries:
    count = table.valid.shape[1]
    if count >= steps:
        return replace(table, image=table.image[:, :steps], dates=table.dates[:, :steps], valid=table.valid[:, :steps])
    more = ((0, 0), (0, steps - count))
    return replace(
        table,
        image=np.pad(table.image, (*more, (0, 0))),
        dates=np.pad(table.dates, more),
        valid=np.pad(table.valid, more),
    )
