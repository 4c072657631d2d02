"""Counting the valid pixels of samples: one pass, each sample by itself, joined in order by Chan's formula.

Mean and sum of squared deviations of a sample's band at a timestep are joined pairwise (Chan, Golub and LeVeque 1983),
so no digits are lost however many pixels there are, and the result does not depend on the number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.training.datasets.series import Stored
    from landloom.training.statistics.bins import Bins


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Count, mean, squared deviations and extremes of pixels."""

    count: NDArray[np.int64]
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]
    """Sum of squared deviations from the mean."""
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def none(cls, *shape: int) -> Moments:
        """Of no pixel."""
        return cls(
            np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape), np.full(shape, np.inf), np.full(shape, -np.inf)
        )

    def add(self, other: Moments, groups: NDArray[np.int64]) -> None:
        """Join others (step, …) into their groups, one after another.

        Example:
            >>> whole = Moments.none(1, 1)
            >>> for values in ([1.0, 3.0], [8.0]):
            ...     part = Moments.none(1, 1)
            ...     part.count[:], part.mean[:], part.squares[:] = len(values), np.mean(values), 2.0 * (len(values) > 1)
            ...     whole.add(part, np.zeros(1, np.int64))
            >>> whole.mean.item(), whole.squares.item()
            (4.0, 26.0)
        """
        for step, group in enumerate(groups.tolist()):
            count = other.count[step]
            total = self.count[group] + count
            weight = count / np.maximum(total, 1)
            apart = other.mean[step] - self.mean[group]
            self.mean[group] += apart * weight
            self.squares[group] += other.squares[step] + apart**2 * self.count[group] * weight
            self.count[group] = total
            np.minimum(self.low[group], other.low[step], out=self.low[group])
            np.maximum(self.high[group], other.high[step], out=self.high[group])


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Pixels of a product: moments and a histogram for each group and band."""

    bins: Bins
    moments: Moments
    """(group, band)."""
    histogram: NDArray[np.int64] = field(repr=False)
    """(group, band, bin)."""


def count_sample(
    stored: Stored,
    marks: tuple[float, float],
    bins: Bins,
    groups: NDArray[np.int64],
    histogram: NDArray[np.int64],
) -> Moments:
    """The moments of one sample; its pixels are added to a histogram.

    Args:
        stored: its numbers.
        marks: numbers of nodata and saturation; NaN for none.
        bins: of the histogram.
        groups: (step,) group of each timestep.
        histogram: (group, band, bin), changed; of one thread alone.

    Returns:
        Moments (step, band).
    """
    found = Moments.none(len(stored.steps), len(stored.bands))
    log_low, log_ratio = bins.growth
    _count(
        stored.numbers,
        stored.steps,
        stored.bands,
        marks,
        (bins.low, bins.width, log_low, log_ratio),
        groups,
        histogram,
        (found.count, found.mean, found.squares, found.low, found.high),
    )
    return found


@kernel(error_model="numpy")
def _count(
    numbers: NDArray[Any],
    steps: NDArray[np.int64],
    bands: NDArray[np.int64],
    marks: tuple[float, float],
    rule: tuple[float, float, float, float],
    groups: NDArray[np.int64],
    histogram: NDArray[np.int64],
    out: tuple[NDArray[Any], ...],
) -> None:
    count, mean, squares, low, high = out
    valid = np.empty(numbers.shape[2:], np.bool_)
    for step in range(len(steps)):
        place = steps[step]
        if place < 0:
            continue
        _find_valid(numbers[place], bands, marks, valid)
        for band in range(len(bands)):
            pixels, middle, deviation, least, most = _count_plane(
                numbers[place, bands[band]], valid, rule, histogram[groups[step], band]
            )
            count[step, band], mean[step, band], squares[step, band] = pixels, middle, deviation
            low[step, band], high[step, band] = least, most


@kernel(error_model="numpy")
def _find_valid(
    chip: NDArray[Any], bands: NDArray[np.int64], marks: tuple[float, float], valid: NDArray[np.bool_]
) -> None:
    nodata, saturated = np.float32(marks[0]), np.float32(marks[1])
    valid[:] = True
    for band in range(len(bands)):
        for row in range(valid.shape[0]):
            for column in range(valid.shape[1]):
                value = np.float32(chip[bands[band], row, column])
                valid[row, column] &= (value != nodata) & (value != saturated) & (value == value)  # noqa: PLR0124


@kernel(error_model="numpy")
def _count_plane(
    plane: NDArray[Any],
    valid: NDArray[np.bool_],
    rule: tuple[float, float, float, float],
    counts: NDArray[np.int64],
) -> tuple[int, float, float, float, float]:
    """Pixels, mean, squared deviations and extremes of a band; the first pass gives the mean, the second the rest."""
    total, pixels = 0.0, 0
    for row in range(valid.shape[0]):
        for column in range(valid.shape[1]):
            if valid[row, column]:
                total += np.float64(plane[row, column])
                pixels += 1
    middle, deviation, least, most = total / max(pixels, 1), 0.0, np.inf, -np.inf
    for row in range(valid.shape[0]):
        for column in range(valid.shape[1]):
            if valid[row, column]:
                number = np.float64(plane[row, column])
                deviation += (number - middle) ** 2
                least, most = min(least, number), max(most, number)
                counts[_bin(number, rule, len(counts))] += 1
    return pixels, middle, deviation, least, most


@kernel(error_model="numpy", inline="always")
def _bin(number: float, rule: tuple[float, float, float, float], count: int) -> int:
    low, width, log_low, log_ratio = rule
    if width > 0:
        return min(max(int((number - low) / width), 0), count - 1)
    half = count // 2
    size = abs(number)
    place = int(np.floor((np.log(size) - log_low) / log_ratio)) + 1 if size > 0 else 0
    place = min(max(place, 0), half)
    return half + place if number > 0 else half - place
