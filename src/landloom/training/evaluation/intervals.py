"""Intervals by bootstrap over spatial blocks, for one model and for the difference of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.training.evaluation.measures import Measure
    from landloom.training.evaluation.sums import Sums

RESAMPLES: Final = 1_000
LEVEL: Final = 0.95
"""Of all intervals."""
FEW_BLOCKS: Final = 20
"""Below this number of blocks a bootstrap over them gives intervals that are too narrow."""
_AT_ONCE: Final = 4_000_000
"""Values of resampled tables that are held at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A score with its interval over blocks."""

    value: float
    low: float
    """Lower end; NaN if there is no interval."""
    high: float
    """Upper end; NaN if there is no interval."""
    deviation: float | None = None
    """Standard deviation over seeds; None with a single one."""

    @classmethod
    def of(cls, value: float, drawn: NDArray[np.float64], deviation: float | None = None) -> Self:
        """An estimate from values of resamples: the interval between their percentiles (Efron 1979).

        Resamples for which the score is not defined do not count; if it is not defined for half of them, there is no
        interval.
        """
        known = drawn[~np.isnan(drawn)]
        low, high = float("nan"), float("nan")
        if len(known) > len(drawn) / 2 and not np.isnan(value):
            tail = 50 * (1 - LEVEL)
            low, high = np.percentile(known, [tail, 100 - tail]).tolist()
        return cls(value=value, low=low, high=high, deviation=deviation)

    @property
    def differs(self) -> bool:
        """For a difference: whether the interval excludes 0."""
        return self.low > 0 or self.high < 0

    def document(self) -> dict[str, Any]:
        """As JSON values; what is not defined is null."""
        names = ("value", "low", "high", "deviation")
        ends = {name: getattr(self, name) for name in names}
        return {name: None if end is None or np.isnan(end) else end for name, end in ends.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paired:
    """Two models on the same rows of one world."""

    first: NDArray[np.float64]
    """(block,) rows that it gets right."""
    second: NDArray[np.float64]
    """(block,) rows that it gets right."""
    rows: NDArray[np.float64]
    """(block,) rows."""
    seed: int
    """Of the draws of blocks."""


def draws(blocks: int, seed: int, resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """(resample, block) how often each block is drawn; fewer than two blocks give no resamples.

    Example:
        >>> draws(3, seed=0, resamples=2).sum(axis=1).tolist()
        [3.0, 3.0]
    """
    if blocks < 2:
        return np.zeros((0, blocks))
    random = np.random.default_rng([seed, blocks])
    return random.multinomial(blocks, np.full(blocks, 1 / blocks), resamples).astype(np.float64)


def resampled(seeds: Sequence[Sums], measure: Measure, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of a measure on every resample, the mean over the seeds of a model.

    Args:
        seeds: sums by block of each seed, over the same blocks.
        measure: of the sums.
        times: (resample, block).

    Returns:
        (resample, …).
    """
    if not seeds:
        raise InvalidValueError("got no predictions to measure, expected at least one")
    step = max(int(_AT_ONCE / max(seeds[0].table[0].size, 1)), 1)
    parts = [times[at : at + step] for at in range(0, max(len(times), 1), step)]
    values = [np.concatenate([measure(one.combined(part)) for part in parts]) for one in seeds]
    mean: NDArray[np.float64] = np.mean(values, axis=0)
    return mean


def estimates(seeds: Sequence[Sums], measure: Measure, times: NDArray[np.float64]) -> list[Estimate]:
    """A measure with its intervals: one estimate, or one for each class.

    Args:
        seeds: sums by block of each seed of a model, over the same blocks.
        measure: of the sums.
        times: (resample, block), as `draws` makes them.
    """
    values = np.stack([np.atleast_1d(measure(one.total)) for one in seeds])
    drawn = resampled(seeds, measure, times).reshape(len(times), values.shape[1])
    none: list[float | None] = [None] * values.shape[1]
    spread = none if len(seeds) < 2 else [None if np.isnan(one) else one for one in values.std(axis=0, ddof=1).tolist()]
    return [
        Estimate.of(float(value), drawn[:, place], spread[place]) for place, value in enumerate(values.mean(axis=0))
    ]


def difference(first: Sequence[Sums], second: Sequence[Sums], measure: Measure, times: NDArray[np.float64]) -> Estimate:
    """First minus second on the same blocks: blocks are drawn for both together.

    Args:
        first: sums by block of each seed of a model.
        second: the same of another model, over the same blocks.
        measure: of (…,) values.
        times: (resample, block).
    """
    value = float(np.mean([measure(one.total) for one in first]) - np.mean([measure(one.total) for one in second]))
    return Estimate.of(value, resampled(first, measure, times) - resampled(second, measure, times))


def paired(worlds: Sequence[Paired], resamples: int = RESAMPLES) -> Estimate:
    """Accuracy of a first model minus that of a second on the same rows, mean over worlds with blocks of their own.

    Blocks of every world are drawn by themselves, for both models together.

    Example:
        >>> half, all_ = np.array([1.0, 2.0]), np.array([2.0, 4.0])
        >>> paired([Paired(first=all_, second=half, rows=all_, seed=0)]).value
        0.5
    """
    values = [float((one.first - one.second).sum() / one.rows.sum()) for one in worlds]
    drawn = np.mean(
        [
            (times @ (one.first - one.second)) / np.maximum(times @ one.rows, 1)
            for one in worlds
            for times in [draws(len(one.rows), one.seed, resamples)]
        ],
        axis=0,
    )
    return Estimate.of(float(np.mean(values)), drawn, float(np.std(values, ddof=1)) if len(values) > 1 else None)


def contrast(
    first: Sequence[Sums], second: Sequence[Sums], measure: Measure, seed: int, resamples: int = RESAMPLES
) -> Estimate:
    """First minus second on different blocks, as inside and outside of the training region: drawn independently."""
    value = float(np.mean([measure(one.total) for one in first]) - np.mean([measure(one.total) for one in second]))
    times = [draws(len(one[0].squares), seed + place, resamples) for place, one in enumerate((first, second))]
    if not all(map(len, times)):
        return Estimate(value=value, low=float("nan"), high=float("nan"))
    return Estimate.of(value, resampled(first, measure, times[0]) - resampled(second, measure, times[1]))
