"""Harmonic models of series: a trend and yearly waves, fitted robustly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError
from landloom.kernels import kernel
from landloom.model.sensor import NODATA, SATURATED

if TYPE_CHECKING:
    from numpy.typing import NDArray

YEAR: Final = 365.25
"""Days of a wave."""
ROUNDS: Final = 4
"""Rounds of reweighting."""
_BEND: Final = 1.5
_RIDGE: Final = 1e-3


def fill_harmonic(
    stack: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    days: NDArray[np.float64],
    targets: NDArray[np.float64],
    waves: int = 2,
    *,
    trend: bool = True,
) -> NDArray[np.uint16]:
    """Fit a trend and yearly waves to each pixel and band; observations far from the fit count little (Huber).

    Args:
        stack: uint16 (time, band, y, x).
        valid: (time, y, x).
        days: day of each time.
        targets: days wanted.
        waves: number of waves per year and their harmonics.
        trend: whether the level may change steadily.

    Returns:
        uint16 (target, band, y, x); 0 where there is no observation. With fewer observations than terms, the fit is
        drawn to the mean.

    Raises:
        InvalidValueError: inconsistent shapes, or negative waves.

    Example:
        >>> days = np.arange(0.0, 365.0, 5.0)
        >>> wave = 2_000 + 1_000 * np.sin(2 * np.pi * days / 365.25)
        >>> stack = np.rint(wave).astype(np.uint16).reshape(-1, 1, 1, 1)
        >>> fitted = fill_harmonic(stack, np.ones((73, 1, 1), bool), days, np.array([91.3]))
        >>> bool(abs(int(fitted[0, 0, 0, 0]) - 3_000) <= 10)
        True
    """
    shape = stack.shape
    if stack.dtype != np.uint16 or stack.ndim != 4 or valid.shape != (shape[0], *shape[2:]) or days.shape != shape[:1]:
        raise InvalidValueError(
            f"got a stack of {stack.dtype} {shape}, validity of {valid.shape} and days of {days.shape}; "
            "expected uint16 (time, band, y, x), (time, y, x) and (time,)"
        )
    if waves < 0:
        raise InvalidValueError(f"got {waves} waves, expected 0 or more")
    middle, span = float(days.mean()), float(max(np.ptp(days), 1.0))
    design, wanted = (_terms(one, middle, span, waves, trend=trend) for one in (days, targets))
    out = np.zeros((targets.size, shape[1], shape[2] * shape[3]), dtype=np.uint16)
    flat = np.ascontiguousarray(stack).reshape(*shape[:2], -1)
    _kernel(flat, np.ascontiguousarray(valid).reshape(shape[0], -1), design, wanted, out)
    return out.reshape(targets.size, *shape[1:])


def _terms(days: NDArray[np.float64], middle: float, span: float, waves: int, *, trend: bool) -> NDArray[np.float64]:
    angle = 2.0 * np.pi * days / YEAR
    columns = [np.ones_like(days)]
    columns += [(days - middle) / span] if trend else []
    for k in range(1, waves + 1):
        columns += [np.cos(k * angle), np.sin(k * angle)]
    return np.stack(columns, axis=1)


@kernel
def _kernel(
    stack: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    design: NDArray[np.float64],
    wanted: NDArray[np.float64],
    out: NDArray[np.uint16],
) -> None:
    times, bands, pixels = stack.shape
    terms = design.shape[1]
    weight, miss = np.empty(times), np.empty(times)
    for p in range(pixels):
        seen = 0
        for t in range(times):
            seen += valid[t, p]
        if seen == 0:
            continue
        for b in range(bands):
            for t in range(times):
                weight[t] = 1.0 if valid[t, p] else 0.0
            fit = np.zeros(terms)
            for _ in range(ROUNDS):
                fit = _solved(stack[:, b, p], weight, design, seen)
                left = np.empty(seen)
                k = 0
                for t in range(times):
                    miss[t] = stack[t, b, p]
                    for c in range(terms):
                        miss[t] -= design[t, c] * fit[c]
                    if valid[t, p]:
                        left[k] = abs(miss[t])
                        k += 1
                scale = max(1.4826 * np.median(left), 1.0)
                for t in range(times):
                    if valid[t, p]:
                        weight[t] = min(1.0, _BEND * scale / max(abs(miss[t]), 1e-9))
            for n in range(out.shape[0]):
                value = 0.5
                for c in range(terms):
                    value += wanted[n, c] * fit[c]
                out[n, b, p] = np.uint16(min(max(value, NODATA + 1.0), SATURATED - 1.0))


@kernel
def _solved(
    values: NDArray[np.uint16], weight: NDArray[np.float64], design: NDArray[np.float64], seen: int
) -> NDArray[np.float64]:
    """Weighted least squares; all terms but the first are drawn to 0 where observations are few."""
    times, terms = design.shape
    normal, right = np.zeros((terms, terms)), np.zeros(terms)
    for t in range(times):
        if weight[t] > 0:
            for a in range(terms):
                right[a] += weight[t] * design[t, a] * values[t]
                for c in range(terms):
                    normal[a, c] += weight[t] * design[t, a] * design[t, c]
    for a in range(1, terms):
        normal[a, a] += _RIDGE * seen if seen > terms else 0.5
    return np.linalg.solve(normal, right).astype(np.float64)
