"""How wrong a guess is, measured: from the doubt that it states to the error that experts found.

A forest's probabilities rank pixels well and count them badly: one that is right on 97 % of the pixels may expect to be
wrong on a quarter of them. An order by such doubt spends most of its answers where nothing is to be found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from landloom.annotate.scores.intervals import design_effect
from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LEVELS: Final = 256
"""Values of a stored doubt."""
STATED: Final = 8.0
"""Independent pixels that the doubt stated by the guess is worth beside those that experts labelled."""
_LEAST, _MOST = 1e-5, 0.95


def stored_doubt(error: ArrayLike) -> NDArray[np.uint8]:
    """Probabilities that the guess is wrong as they are stored: 255 is 1.

    Example:
        >>> stored_doubt([0.0, 0.5, 1.0]).tolist()
        [0, 128, 255]
    """
    values = np.asarray(error, np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise InvalidValueError("got a doubt outside 0 to 1, expected probabilities")
    return np.rint(values * (LEVELS - 1)).astype(np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ErrorCurve:
    """Probability that a guess is wrong at each stored doubt.

    Example:
        >>> round(float(ErrorCurve.stated().error[51]), 3)
        0.2
    """

    error: NDArray[np.float64]
    """(256,) ascending."""

    @classmethod
    def stated(cls) -> Self:
        """Before anything is measured: what the guess says."""
        return cls(error=np.clip(np.arange(LEVELS) / (LEVELS - 1), _LEAST, _MOST))

    @classmethod
    def fit(cls, pixels: ArrayLike, wrong: ArrayLike) -> Self:
        """Measure on tasks that experts labelled.

        The doubt that the guess states is first scaled by one factor, observed over expected errors; then the
        curve is the ascending one nearest to the observed shares and the scaled doubt together (isotonic regression).
        The scaled doubt is worth `STATED` independent pixels, and a task is worth few of them, since its errors come
        in clumps: with one or two tasks the curve keeps its shape, with dozens it is the measured one.

        Args:
            pixels: (task, 256) pixels of each doubt.
            wrong: (task, 256) how many of them are wrong.
        """
        from scipy.optimize import isotonic_regression

        whole, part = np.asarray(pixels, np.float64), np.asarray(wrong, np.float64)
        if whole.ndim != 2 or whole.shape[1] != LEVELS or part.shape != whole.shape or (part > whole).any():
            raise InvalidValueError(f"got pixels {whole.shape} and wrong ones {part.shape}, expected (task, {LEVELS})")
        kept = whole.sum(axis=1) > 0
        if not kept.any():
            return cls.stated()
        effect = design_effect(part[kept].sum(axis=1), whole[kept].sum(axis=1))
        count, found, stated = whole.sum(axis=0), part.sum(axis=0), cls.stated().error
        total, expected = float(count.sum()), float(count @ stated)
        weight = effect * expected / total
        factor = (float(found.sum()) + weight) / (expected + weight)
        scaled = np.minimum(stated * factor, _MOST)
        extra = STATED * effect / total * count + 1e-6
        shares = (found + extra * scaled) / (count + extra)
        error = isotonic_regression(shares, weights=count + extra).x
        return cls(error=np.clip(np.asarray(error, np.float64), _LEAST, _MOST))
