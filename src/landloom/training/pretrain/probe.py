"""The linear probe: what representations of series are worth to a linear classifier with few labels.

Alain and Bengio 2017, Understanding intermediate layers using linear classifier probes (arXiv 1610.01644).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidInputError, MissingExtraError

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

PENALTIES: Final = (1e-3, 1e-2, 1e-1, 1.0)
"""Inverse strengths of the penalty on squared weights that are tried."""
FOLDS: Final = 4
"""Of the cross-validation that chooses among them."""


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
    if len(known) < FOLDS or len(np.unique(classes)) < 2:
        raise InvalidInputError(
            f"got {len(known)} labelled rows of {len(np.unique(classes))} classes, expected {FOLDS} rows and 2 classes"
        )
    mean, deviation = known.mean(axis=0, dtype=np.float64), known.std(axis=0, dtype=np.float64)
    deviation = np.where(deviation > 0, deviation, 1)
    rows = (known - mean) / deviation
    fold = np.random.default_rng(seed).permutation(len(rows)) % FOLDS
    right = []
    for penalty in PENALTIES:
        hits = 0
        for number in range(FOLDS):
            inside = fold != number
            if len(np.unique(classes[inside])) > 1:
                found = _regression(penalty, rows[inside], classes[inside]).predict(rows[~inside])
                hits += int((found == classes[~inside]).sum())
        right.append(hits)
    chosen = PENALTIES[int(np.argmax(right))]
    predicted: NDArray[np.int64] = _regression(chosen, rows, classes).predict((asked - mean) / deviation)
    return predicted


def _regression(penalty: float, rows: NDArray[np.float64], classes: NDArray[np.int64]) -> Any:
    try:
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - the extra `guess`
    except ImportError as error:
        raise MissingExtraError.of("guess", "linear probes") from error
    return LogisticRegression(C=penalty, max_iter=1_000, tol=1e-3).fit(rows, classes)
