"""Filling by clusters and linear regression (CLR): pixels of a date are predicted from similar pixels of that date.

After the method found best and most robust by a published comparison of gap filling (Scientific Reports 2026,
doi:10.1038/s41598-026-39488-2): pixels with similar series form a cluster, and within it the clear pixels of a date
teach the regression of that date on those around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.imagery.fill import fill_linear

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLUSTERS: Final = 24
"""Clusters by default."""
ROUNDS: Final = 10
"""Rounds of moving their centres."""
ENOUGH: Final = 60
"""Clear pixels of a date from which a cluster's regression is fitted."""
AROUND: Final = 2
"""Dates before and after it that a date is regressed on."""
_RIDGE: Final = 1e-2


def fill_clr(
    stack: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    days: NDArray[np.float64],
    targets: NDArray[np.float64],
    clusters: int = CLUSTERS,
) -> NDArray[np.uint16]:
    """Fill gaps by regression within clusters, and between dates by linear interpolation.

    Args:
        stack: uint16 (time, band, y, x), dates ascending.
        valid: (time, y, x).
        days: day of each time.
        targets: days wanted.
        clusters: number of clusters.

    Returns:
        uint16 (target, band, y, x); 0 where a pixel has no observation.

    Raises:
        InvalidValueError: inconsistent shapes.

    Example:
        >>> stack = np.full((3, 1, 4, 4), 500, np.uint16)
        >>> fill_clr(stack, np.ones((3, 4, 4), bool), np.arange(3.0), np.array([1.5])).max()
        np.uint16(500)
    """
    first = fill_linear(stack, valid, days, days)
    times, bands, height, width = stack.shape
    series = first.reshape(times * bands, -1).T.astype(np.float32)
    seen = valid.reshape(times, -1)
    label = _clusters(series, clusters)
    filled = first.reshape(times, bands, -1).copy()
    known = seen.copy()
    for cluster in range(clusters):
        mine = np.flatnonzero((label == cluster) & seen.any(axis=0))
        for t in range(times):
            clear = mine[seen[t, mine]]
            gaps = mine[~seen[t, mine]]
            if clear.size >= ENOUGH and gaps.size:
                filled[t][:, gaps] = _regressed(first.reshape(times, bands, -1), t, clear, gaps)
                known[t, gaps] = True
    shape = (times, height, width)
    return fill_linear(filled.reshape(stack.shape), known.reshape(shape), days, targets)


def _regressed(
    series: NDArray[np.uint16], t: int, clear: NDArray[np.int64], gaps: NDArray[np.int64]
) -> NDArray[np.uint16]:
    """(band, gap) predictions of a date from the dates around it."""
    around = [k for k in range(max(t - AROUND, 0), min(t + AROUND + 1, series.shape[0])) if k != t]
    known = np.concatenate([series[k][:, clear] for k in around]).T.astype(np.float64)
    asked = np.concatenate([series[k][:, gaps] for k in around]).T.astype(np.float64)
    wanted = series[t][:, clear].T.astype(np.float64)
    middle, level = known.mean(axis=0), wanted.mean(axis=0)
    x = known - middle
    normal = x.T @ x
    normal[np.diag_indices_from(normal)] += _RIDGE * np.trace(normal) / len(normal) + 1.0
    fit = np.linalg.solve(normal, x.T @ (wanted - level))
    made: NDArray[np.uint16] = np.clip(np.rint(level + (asked - middle) @ fit).T, 1, 65_534).astype(np.uint16)
    return made


def _clusters(series: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Cluster of each series by k-means from evenly spread starts: the same for the same input."""
    order = np.argsort(series.mean(axis=1), kind="stable")
    start = order[np.linspace(0, len(order) - 1, count).astype(np.int64)]
    centres = series[start].copy()
    label = np.zeros(len(series), dtype=np.int64)
    for _ in range(ROUNDS):
        distance = (centres**2).sum(axis=1)[None, :] - 2.0 * series @ centres.T
        label = distance.argmin(axis=1)
        for k in range(count):
            mine = label == k
            if mine.any():
                centres[k] = series[mine].mean(axis=0)
    return label
