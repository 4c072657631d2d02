"""Dates and magnitudes of abrupt changes in a pixel's series.

A season moves gradually, a change at once. What is tested is how fast the level moved: can a gradual logistic
transition, as seasons have (Beck et al. 2006, doi:10.1016/j.rse.2005.10.021), explain the observations around a fall as
well as an abrupt one? The test is a likelihood ratio with the noise of each observation. The change lies after the last
observation that still stands above the level after it: a crop that ripens before it is cut has fallen already, and is
cut at the end of the fall. No seasonal model is taken out first: where crops rotate, no year foretells another.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from landloom.errors import InvalidValueError
from landloom.imagery.change.transition import break_kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

Direction = Literal["fall", "rise", "both"]
DIRECTIONS: Final[tuple[Direction, ...]] = ("fall", "rise", "both")


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakTest:
    """Settings of the test.

    Example:
        >>> BreakTest(direction="both").p_value < 0.001
        True
    """

    direction: Direction = "fall"
    """Changes to look for: loss, gain, or both."""
    magnitude: float = 0.25
    """Least change of the level, in units of the series."""
    score: float = 4.0
    """Least score: by how many σ an abrupt change explains the observations better than every gradual one."""
    gradual: float = 18.0
    """Time constant of the fastest logistic transition that counts as gradual, in days: nine tenths of it take
    six times as long."""
    before: float = 110.0
    """Days before a change that its observations are taken from."""
    after: float = 90.0
    """Days after it."""
    apart: float = 60.0
    """Least days between two breaks; of nearer ones the larger counts."""
    scatter: float = 0.02
    """Standard deviation that the seasonal course adds to each observation, in units of the series."""
    most: int = 4
    """Most breaks of a pixel."""

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise InvalidValueError(f"got the direction {self.direction!r}, expected one of {', '.join(DIRECTIONS)}")
        numbers = ("magnitude", "score", "gradual", "before", "after", "apart")
        wrong = [name for name in numbers if not 0 < getattr(self, name) < np.inf]
        if wrong or not 0 <= self.scatter < np.inf or self.most < 1:
            name = wrong[0] if wrong else "scatter" if not 0 <= self.scatter < np.inf else "most"
            raise InvalidValueError(f"got {name} {getattr(self, name)}, expected a positive number")

    @property
    def p_value(self) -> float:
        """Probability that a gradual transition reaches the least score by noise."""
        return erfc(self.score / sqrt(2.0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Breaks:
    """Breaks of each pixel, the earliest first; not a number where there is none."""

    date: NDArray[np.float32]
    """(break, y, x) day, on the scale of the series: the middle of the interval in which the change happened."""
    margin: NDArray[np.float32]
    """(break, y, x) half of this interval in days: the date is no surer than this."""
    change: NDArray[np.float32]
    """(break, y, x) change of the level across the date, in units of the series; negative for a fall."""
    score: NDArray[np.float32]
    """(break, y, x) σ by which an abrupt change explains the observations better than every gradual one."""

    @property
    def count(self) -> NDArray[np.uint8]:
        """(y, x) number of breaks."""
        number: NDArray[np.uint8] = np.isfinite(self.date).sum(axis=0).astype(np.uint8)
        return number


def find_breaks(
    values: NDArray[np.floating],
    variance: NDArray[np.floating],
    valid: NDArray[np.bool_],
    days: NDArray[np.floating],
    test: BreakTest | None = None,
) -> Breaks:
    """Abrupt changes of each pixel.

    Single observations far outside of the range of their two neighbours on both sides are left out: missed clouds.

    Args:
        values: (time, y, x) series, such as an index.
        variance: (time, y, x) of each observation's noise, in squared units of the series.
        valid: (time, y, x).
        days: (time) ascending.
        test: settings.

    Returns:
        Up to `test.most` breaks; none of a pixel with fewer than 8 valid observations.

    Raises:
        InvalidValueError: inconsistent shapes, days that are not ascending, or values that are not finite.

    Example:
        >>> days = np.arange(0.0, 365.0, 10.0)
        >>> values = np.where(days < 200, 0.8, 0.2).reshape(-1, 1, 1)
        >>> found = find_breaks(values, np.full((37, 1, 1), 4e-4), np.ones((37, 1, 1), bool), days)
        >>> float(found.date[0, 0, 0]), float(found.margin[0, 0, 0]), round(float(found.change[0, 0, 0]), 2)
        (195.0, 5.0, -0.6)
    """
    wanted = test or BreakTest()
    ordered = np.asarray(days, np.float64)
    _check(values, variance, valid, ordered)
    times, height, width = values.shape
    found = np.full((4, wanted.most, height * width), np.nan, np.float32)
    break_kernel(
        np.ascontiguousarray(values, np.float32).reshape(times, -1),
        np.ascontiguousarray(variance, np.float32).reshape(times, -1),
        np.ascontiguousarray(valid).reshape(times, -1),
        ordered,
        (wanted.direction != "rise", wanted.direction != "fall"),
        (
            wanted.magnitude,
            wanted.score**2,
            wanted.gradual,
            wanted.before,
            wanted.after,
            wanted.apart,
            wanted.scatter**2,
        ),
        found,
    )
    order = np.argsort(found[0], axis=0)
    date, margin, change, score = (
        np.take_along_axis(one, order, axis=0).reshape(wanted.most, height, width) for one in found
    )
    return Breaks(date=date, margin=margin, change=change, score=score)


def _check(
    values: NDArray[np.floating], variance: NDArray[np.floating], valid: NDArray[np.bool_], days: NDArray[np.float64]
) -> None:
    shape = values.shape
    if values.ndim != 3 or variance.shape != shape or valid.shape != shape or days.shape != shape[:1]:
        raise InvalidValueError(
            f"got values of {shape}, variances of {variance.shape}, validity of {valid.shape} and days of "
            f"{days.shape}; expected (time, y, x) three times and (time)"
        )
    if not np.isfinite(days).all() or (np.diff(days) < 0).any():
        raise InvalidValueError("got days that are not in order, expected them to ascend")
    if not np.isfinite(values[valid]).all() or not (variance[valid] > 0).all():
        raise InvalidValueError(
            "got valid observations that are not finite, or without a positive variance; expected none"
        )
