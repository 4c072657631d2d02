"""Linear probes of series and embeddings with few labels, as the judge of pretraining needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from landloom.training.models.probe import LinearProbe

if TYPE_CHECKING:
    from numpy.typing import NDArray


def filled_series(
    image: NDArray[np.float32], dates: NDArray[np.int64], valid: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Series as plain features: gaps are filled by the line between their neighbours, ends by the nearest value.

    Args:
        image: (row, time, band).
        dates: (row, time) ascending days.
        valid: (row, time).

    Returns:
        (row, time × band); zeros for a series without any valid timestep.

    Example:
        >>> image = np.array([[[1.0], [9.0], [3.0]]], np.float32)
        >>> filled_series(image, np.array([[0, 10, 20]]), np.array([[True, False, True]])).tolist()
        [[1.0, 2.0, 3.0]]
    """
    time = np.arange(valid.shape[1])
    before = np.maximum.accumulate(np.where(valid, time, -1), axis=1)
    after = np.minimum.accumulate(np.where(valid, time, len(time))[:, ::-1], axis=1)[:, ::-1]
    left = np.where(before >= 0, before, np.where(after < len(time), after, 0))
    right = np.where(after < len(time), after, left)
    rows = np.arange(len(valid))[:, None]
    days = dates.astype(np.float64)
    span = days[rows, right] - days[rows, left]
    share = np.where(span > 0, (days - days[rows, left]) / np.where(span > 0, span, 1), 0)[..., None]
    filled = (1 - share) * image[rows, left] + share * image[rows, right]
    filled[~valid.any(axis=1)] = 0
    return filled.reshape(len(image), -1).astype(np.float32)


def linear_probe(
    known: NDArray[np.float32], classes: NDArray[np.int64], asked: NDArray[np.float32], *, seed: int = 0
) -> NDArray[np.int64]:
    """Classes by logistic regression on features that are scaled by those of the labelled rows.

    The penalty is chosen by cross-validation on the labelled rows alone.

    Args:
        known: (row, feature) of labelled rows.
        classes: (row,) theirs.
        asked: (other row, feature).
        seed: of the folds.

    Returns:
        (other row,) classes.

    Raises:
        InvalidInputError: one class alone, or fewer rows than folds.
        MissingExtraError: the extra `guess` is not installed.
    """
    probe = LinearProbe.fit(known, classes, np.ones(len(known)), classes=int(classes.max()) + 1, seed=seed)
    found: NDArray[np.int64] = probe.predict(asked).argmax(axis=1)
    return found
