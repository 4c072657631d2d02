"""Measures of how well a choice spreads in the space of empirical distribution functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Three measures of a choice."""

    spacing: float
    """Mean distance of a chosen point to its nearest neighbour: the larger, the better spread."""
    discrepancy: float
    """Star discrepancy from the uniform distribution, averaged over the features: the smaller, the more
    uniform. (In all 19 dimensions together it cannot distinguish draws of a few dozen granules.)"""
    coverage: float
    """Share of all occurring classes that occur in the choice."""

    @property
    def merit(self) -> float:
        """Spacing times coverage over discrepancy: one number to compare choices of the same size by."""
        return self.spacing * self.coverage / self.discrepancy


def ecdf(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each feature's empirical distribution function, at the middle of its steps (Parzen's mid-distribution function).

    Most granules lack most classes. At the top of its step that tie would lie near 1 and fill the space unevenly;
    at the middle, the mean of every feature is one half.

    Args:
        features: (row, feature).

    Returns:
        (row, feature) between 0 and 1; equal values stay equal.

    Example:
        >>> ecdf(np.array([[5.0], [1.0], [5.0], [9.0]])).ravel().tolist()
        [0.5, 0.125, 0.5, 0.875]
    """
    result = np.empty_like(features, dtype=np.float64)
    for column in range(features.shape[1]):
        values = features[:, column]
        ranked = np.sort(values)
        below, upto = (np.searchsorted(ranked, values, side=side) for side in ("left", "right"))
        result[:, column] = (below + upto) / (2 * len(values))
    return result


def varying(space: NDArray[np.float64]) -> NDArray[np.float64]:
    """The columns that are not constant.

    Example:
        >>> varying(np.array([[1.0, 0.5], [1.0, 1.0]])).tolist()
        [[0.5], [1.0]]
    """
    kept: NDArray[np.float64] = space[:, (space != space[:1]).any(axis=0)]
    return kept


def spread(space: NDArray[np.float64], shares: NDArray[np.float64], picks: NDArray[np.int64]) -> Spread:
    """Measure a choice; the spacing of a single row is 0.

    Args:
        space: (row, feature) in 0 to 1.
        shares: (row, class) class shares.
        picks: chosen rows.

    Example:
        >>> spread(np.array([[0.25], [0.5], [1.0]]), np.eye(3), np.array([0, 2])).spacing
        0.75
    """
    from scipy.spatial.distance import pdist, squareform

    points = space[picks]
    apart = squareform(pdist(points))
    np.fill_diagonal(apart, np.inf)
    ranked, steps = np.sort(points, axis=0), np.linspace(0.0, 1.0, len(points) + 1)
    present = (shares > 0).any(axis=0).sum()
    held = (shares[picks] > 0).any(axis=0).sum()
    return Spread(
        spacing=float(apart.min(axis=1).mean()) if len(picks) > 1 else 0.0,
        discrepancy=float(np.maximum(steps[1:, None] - ranked, ranked - steps[:-1, None]).max(axis=0).mean()),
        coverage=float(held / max(present, 1)),
    )


def median_spread(
    space: NDArray[np.float64], shares: NDArray[np.float64], count: int, draws: int, rng: np.random.Generator
) -> Spread:
    """Medians of each measure over random choices of the same size, as a baseline.

    Example:
        >>> median_spread(np.array([[0.5], [1.0]]), np.eye(2), 2, 3, np.random.default_rng(1)).spacing
        0.5
    """
    each = [spread(space, shares, rng.choice(len(space), count, replace=False)) for _ in range(draws)]
    return Spread(
        spacing=float(np.median([s.spacing for s in each])),
        discrepancy=float(np.median([s.discrepancy for s in each])),
        coverage=float(np.median([s.coverage for s in each])),
    )
