"""Noise of observations, told from the series themselves: the unit in which a reconstruction is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NORMAL: Final = 1.4826
"""Standard deviation of a normal distribution over the median of its absolute values."""


def noise_of(image: NDArray[np.float32], dates: NDArray[np.int64], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Standard deviation of the noise of each band.

    Every valid value is compared with the line between its valid neighbours in time; the difference has a known
    multiple of the noise, and its median absolute value hardly hears of clouds that were missed. A land surface that
    is not straight between three dates counts as noise, so that the result is an upper bound.

    Args:
        image: (row, time, band).
        dates: (row, time) days.
        valid: (row, time).

    Returns:
        (band,) in the unit of the image.

    Raises:
        InvalidInputError: no series has three valid timesteps.

    Example:
        >>> image = np.random.default_rng(0).normal(5, 2, (500, 12, 1)).astype(np.float32)
        >>> dates = np.tile(np.arange(12) * 10, (500, 1))
        >>> noise_of(image, dates, np.ones((500, 12), bool)).round(1).tolist()
        [2.0]
    """
    order = np.argsort(~valid, axis=1, kind="stable")
    count = valid.sum(axis=1)
    rows = np.arange(len(valid))[:, None]
    values, days = image[rows, order], dates[rows, order].astype(np.float64)
    inside = np.arange(valid.shape[1])[None, 2:] < count[:, None]
    if not inside.any():
        raise InvalidInputError("got no series with three valid timesteps, expected some to tell noise from")
    span = np.where(inside, days[:, 2:] - days[:, :-2], 1.0)
    share = np.where(inside, (days[:, 1:-1] - days[:, :-2]) / np.maximum(span, 1e-9), 0.5)[..., None]
    line = (1 - share) * values[:, :-2] + share * values[:, 2:]
    scale = np.sqrt(1 + share**2 + (1 - share) ** 2)
    found: NDArray[np.float64] = _NORMAL * np.median(np.abs((values[:, 1:-1] - line) / scale)[inside], axis=0)
    return found
