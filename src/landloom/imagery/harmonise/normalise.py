"""Relative radiometric normalisation: each scene and band of a sensor is brought to a reference by a robust line.

Pairs are pixels that both show clearly within a few days. Lines are fitted with Huber's weights, without pairs beyond
six deviations, and drawn to a prior, which alone counts where pairs are few, or a line is implausible or leaves more
scatter than the prior does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NEAR_DAYS: Final = 5.0
"""Days between a scene and those of the reference that it is compared with."""
SAME_DAYS: Final = 1.0
"""Days within which one scene of the reference is enough."""
LEAST_PAIRS: Final = 200
"""Pairs from which a line is fitted."""
MOST_PAIRS: Final = 20_000
"""Pairs that are used at most, spread evenly."""
SLOPES: Final = (0.7, 1.4)
"""Plausible slopes, relative to the prior."""
_HUBER: Final = 1.345
_ROUNDS: Final = 10
_FAR: Final = 2.5
_BEYOND: Final = 6.0
_SLOPE: Final = 0.05
_OFFSET: Final = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A linear adjustment of stored numbers."""

    slope: float = 1.0
    offset: float = 0.0
    """In stored numbers."""

    def apply(self, values: NDArray[np.floating] | np.floating) -> NDArray[np.floating] | np.floating:
        """Adjusted values."""
        return values * self.slope + self.offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """The adjustment of one band of a scene."""

    line: Line
    pairs: int
    """Pixels that it was compared on."""
    residual: float
    """Robust standard deviation of the pairs about it, in stored numbers; NaN without pairs."""
    is_own: bool
    """Whether the line is the scene's own; else it is the prior."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalised:
    """The adjustments of a scene."""

    bands: tuple[Fitted, ...]
    references: int
    """Scenes of the reference that it was compared with."""


def fit_line(target: NDArray[np.float64], reference: NDArray[np.float64], prior: Line) -> Fitted:
    """A robust line from a scene's values to those of the reference.

    Args:
        target: (pair) stored numbers of the scene.
        reference: (pair) those of the reference.
        prior: adjustment to fall back to.

    Example:
        >>> x = np.linspace(500.0, 3_000.0, 1_000)
        >>> y = 0.95 * x + 20.0
        >>> y[::10] += 4_000.0
        >>> made = fit_line(x, y, Line())
        >>> round(made.line.slope, 2), round(made.line.offset), made.is_own
        (0.95, 20, True)
    """
    if not len(target):
        return Fitted(line=prior, pairs=0, residual=float("nan"), is_own=False)
    expected = np.asarray(prior.apply(target))
    miss = reference - expected
    before = _spread(miss)
    if len(target) < LEAST_PAIRS:
        return Fitted(line=prior, pairs=len(target), residual=before, is_own=False)
    # In deviations from the middle, so that slope and level are told apart.
    middle = float(np.median(expected))
    design = np.stack([expected - middle, np.ones_like(expected)], axis=1)
    # Few bright pixels, such as snow, would bend a line that is robust to errors of the reference alone.
    far = np.abs(design[:, 0]) / max(_FAR * _spread(design[:, 0]), 1.0)
    near = 1.0 / np.maximum(far, 1.0) ** 2
    made = np.zeros(2)
    for _ in range(_ROUNDS):
        left = miss - design @ made
        spread = max(_spread(left), 1.0)
        weight = near * np.minimum(1.0, _HUBER * spread / np.maximum(np.abs(left), 1e-9))
        weight *= np.abs(left) <= _BEYOND * spread
        drawn = np.diag(np.array([_SLOPE, _OFFSET]) ** -2.0) * spread**2
        weighted = design * weight[:, None]
        made = np.linalg.solve(weighted.T @ design + drawn, weighted.T @ miss)
    slope, level = 1.0 + made[0], made[1] - made[0] * middle
    after = _spread(miss - design @ made)
    if not (SLOPES[0] <= slope <= SLOPES[1] and after <= before):
        return Fitted(line=prior, pairs=len(target), residual=before, is_own=False)
    line = Line(slope=float(prior.slope * slope), offset=float(prior.offset * slope + level))
    return Fitted(line=line, pairs=len(target), residual=after, is_own=True)


def normalise(
    day: float,
    scene: NDArray[np.floating],
    clear: NDArray[np.bool_],
    reference: tuple[NDArray[np.float64], NDArray[np.floating], NDArray[np.bool_]],
    priors: Sequence[Line],
) -> Normalised:
    """The adjustments of a scene to the reference's scenes near in time.

    Args:
        day: of the scene.
        scene: (band, y, x) stored numbers.
        clear: (y, x).
        reference: its days (time), stored numbers (time, band, y, x) and clear pixels (time, y, x), on the same pixels.
        priors: adjustment of each band to fall back to.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> ground = rng.uniform(500, 3_000, (1, 30, 30))
        >>> clear = np.ones((30, 30), bool)
        >>> reference = np.array([0.5, 20.0]), np.stack([ground] * 2), np.stack([clear] * 2)
        >>> made = normalise(1.0, 0.9 * ground, clear, reference, [Line()])
        >>> made.references, bool(abs(made.bands[0].line.slope - 1 / 0.9) < 0.01)
        (1, True)
    """
    expected, known, used = expected_at(day, *reference)
    rows, columns = np.nonzero(known & clear)
    step = max(-(-len(rows) // MOST_PAIRS), 1)
    some = rows[::step], columns[::step]
    pairs = zip(scene, expected, priors, strict=True)
    bands = (fit_line(x[some].astype(np.float64), y[some].astype(np.float64), prior) for x, y, prior in pairs)
    return Normalised(bands=tuple(bands), references=used if len(rows) else 0)


def expected_at(
    day: float, days: NDArray[np.float64], stack: NDArray[np.floating], usable: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.bool_], int]:
    """What the reference shows on a day: in a straight line between the closest clear dates before and after.

    A pixel that is clear on one side alone is not known, unless that is within `SAME_DAYS`: the ground changes.

    Args:
        day: wanted.
        days: (time) ascending.
        stack: (time, band, y, x) stored numbers.
        usable: (time, y, x) clear pixels.

    Returns:
        (band, y, x) values, (y, x) where they are known, and the number of scenes behind them.
    """
    near = np.flatnonzero(np.abs(days - day) <= NEAR_DAYS)
    found = np.zeros((2, *stack.shape[1:]), np.float32)
    far = np.full((2, *usable.shape[1:]), np.inf, np.float32)
    behind = np.full(far.shape, -1)
    for t in near[np.argsort(-np.abs(days[near] - day), kind="stable")]:
        away = days[t] - day
        for side in {int(away > 0), int(away >= 0)}:
            found[side] = np.where(usable[t], stack[t], found[side])
            far[side] = np.where(usable[t], np.float32(abs(away)), far[side])
            behind[side] = np.where(usable[t], t, behind[side])
    known = np.isfinite(far).all(axis=0) | (far.min(axis=0) <= SAME_DAYS)
    finite = np.where(np.isfinite(far), far, np.float32(1e6))
    share = np.where(
        finite.sum(axis=0) > 0, finite[0] / np.maximum(finite.sum(axis=0), np.float32(1e-6)), np.float32(0.5)
    )
    made = found[0] * (1 - share) + found[1] * share
    used = np.unique(behind[:, known])
    return made, known, int(np.count_nonzero(used >= 0))


def _spread(values: NDArray[np.float64]) -> float:
    return 1.4826 * float(np.median(np.abs(values)))
