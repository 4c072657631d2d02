"""Confusion matrices and what follows from them (Congalton 1991, doi:10.1016/0034-4257(91)90048-B).

A table is (…, class, class): the reference in rows, the predicted or mapped class in columns. Leading axes are kept, so
that the tables of many resamples are measured at once. Where a measure is not defined, it is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.integer]


def confusion(
    reference: Integers,
    predicted: Integers,
    classes: int,
    weight: Floats | None = None,
    *,
    group: Integers | None = None,
) -> Floats:
    """Count pairs of classes.

    Args:
        reference: (n,) number of the true class, 0 to `classes` − 1.
        predicted: (n,) number of the predicted class.
        classes: how many there are.
        weight: (n,) what each pair counts; 1 by default.
        group: (n,) number of each pair's group, from 0.

    Returns:
        (class, class) table, or (group, class, class).

    Example:
        >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
        [[1.0, 1.0], [0.0, 1.0]]
    """
    groups = 1 if group is None else int(group.max(initial=-1)) + 1
    keys = reference.astype(np.int64) * classes + predicted
    if group is not None:
        keys = keys + group.astype(np.int64) * (classes * classes)
    counts = np.bincount(keys, weight, groups * classes * classes).astype(np.float64)
    table: Floats = counts.reshape(groups, classes, classes)
    return table[0] if group is None else table


def overall_accuracy(table: Floats) -> Floats:
    """(…,) share of everything that is right."""
    return _ratio(_right(table).sum(axis=-1), table.sum(axis=(-2, -1)))


def producers_accuracy(table: Floats) -> Floats:
    """(…, class) share of the reference of a class that is predicted as it: recall; NaN without reference."""
    return _ratio(_right(table), table.sum(axis=-1))


def users_accuracy(table: Floats) -> Floats:
    """(…, class) share of what is predicted as a class that is it: precision; NaN if it was never predicted."""
    return _ratio(_right(table), table.sum(axis=-2))


def f1(table: Floats) -> Floats:
    """(…, class) harmonic mean of user's and producer's accuracy; NaN for a class that is in neither."""
    return _ratio(2 * _right(table), table.sum(axis=-1) + table.sum(axis=-2))


def balanced_accuracy(table: Floats) -> Floats:
    """(…,) mean of the producer's accuracies of the classes in the reference."""
    return _mean(producers_accuracy(table))


def macro_f1(table: Floats) -> Floats:
    """(…,) mean of F1 over the classes in the reference or the prediction."""
    return _mean(f1(table))


def weighted_f1(table: Floats) -> Floats:
    """(…,) mean of F1, each class weighted by its reference."""
    own = np.nan_to_num(f1(table))
    return _ratio((own * table.sum(axis=-1)).sum(axis=-1), table.sum(axis=(-2, -1)))


def _right(table: Floats) -> Floats:
    return np.diagonal(table, axis1=-2, axis2=-1)


def _ratio(part: Floats, whole: Floats) -> Floats:
    found: Floats = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0)
    return found


def _mean(values: Floats) -> Floats:
    """Mean over the classes for which the measure is defined."""
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0).sum(axis=-1), known.sum(axis=-1).astype(np.float64))
