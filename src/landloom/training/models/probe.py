"""The linear probe: what representations of series are worth to a linear classifier.

Alain and Bengio 2017, Understanding intermediate layers using linear classifier probes (arXiv 1610.01644).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.errors import InvalidInputError, MissingExtraError
from landloom.training.models.trees import expanded

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

PENALTIES: Final = (1e-3, 1e-2, 1e-1, 1.0)
"""Inverse strengths of the penalty on squared weights that are tried."""
FOLDS: Final = 4
"""Of the cross-validation that chooses among them."""
MOST: Final = 4_000
"""Rows that choose among them, at most; drawn at random."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearProbe:
    """Multinomial logistic regression on scaled features; of numbers, ridge regression.

    Example:
        >>> rows = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
        >>> label = (rows[:, 1] > 0).astype(np.int64)
        >>> probe = LinearProbe.fit(rows, label, np.ones(60), classes=3)
        >>> probe.predict(rows).shape, float((probe.predict(rows).argmax(axis=1) == label).mean()) > 0.9
        ((60, 3), True)
    """

    mean: NDArray[np.float64]
    """(feature,) of the rows that it learnt from."""
    deviation: NDArray[np.float64]
    """(feature,); 1 where nothing varies."""
    weight: NDArray[np.float64]
    """(output, feature) of scaled features."""
    bias: NDArray[np.float64]
    """(output,)"""
    known: NDArray[np.int64]
    """(output,) classes that training has seen; none for numbers."""
    classes: int
    """Of the result; 0 for numbers."""

    @classmethod
    def fit(
        cls, rows: NDArray[np.float32], target: NDArray[Any], weight: NDArray[Any], *, classes: int, seed: int = 0
    ) -> Self:
        """Learn; the penalty is chosen by cross-validation on these rows alone.

        Args:
            rows: (row, feature).
            target: (row,) classes, −1 for none; (row, class) shares; or (row,) float values.
            weight: (row,) 0 or more.
            classes: number of them; 0 for values.
            seed: of the folds.

        Raises:
            InvalidInputError: fewer rows than folds, or one class alone.
            MissingExtraError: the extra `guess` is not installed.
        """
        numbers, values, weights = expanded(np.arange(len(rows)), target, weight)
        count, found = len(np.unique(numbers)), len(np.unique(values)) if classes else 2
        if count < FOLDS or found < 2:
            told = f" of {found} classes" if classes else ""
            raise InvalidInputError(f"got {count} labelled rows{told}, expected {FOLDS} rows and 2 classes")
        mean, deviation = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64)
        deviation = np.where(deviation > 0, deviation, 1)
        scaled = ((rows - mean) / deviation)[numbers]
        learn = _classes if classes else _numbers
        chosen = _penalty(learn, scaled, values, weights, numbers, seed)
        made, bias, known = learn(chosen, scaled, values, weights)
        return cls(mean=mean, deviation=deviation, weight=made, bias=bias, known=known, classes=classes)

    def predict(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(row, class) probabilities, 0 for classes that training has not seen; or (row,) values."""
        told = ((rows - self.mean) / self.deviation) @ self.weight.T + self.bias
        if not self.classes:
            return told[:, 0].astype(np.float32)
        chances = np.exp(told - told.max(axis=1, keepdims=True))
        found = np.zeros((len(rows), self.classes), np.float32)
        found[:, self.known] = chances / chances.sum(axis=1, keepdims=True)
        return found


Learned = tuple["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.int64]"]
"""(output, feature) weights, (output,) biases, (output,) classes."""


def _penalty(
    learn: Callable[..., Learned],
    rows: NDArray[np.float64],
    values: NDArray[Any],
    weights: NDArray[np.float64],
    numbers: NDArray[np.int64],
    seed: int,
) -> float:
    """The penalty with most hits, or least squared error, on rows that were held out."""
    draw = np.random.default_rng(seed)
    fold_of = draw.permutation(int(numbers.max()) + 1) % FOLDS
    if len(rows) > MOST:
        chosen = np.sort(draw.choice(len(rows), MOST, replace=False))
        rows, values, weights, numbers = rows[chosen], values[chosen], weights[chosen], numbers[chosen]
    fold = fold_of[numbers]
    right = []
    for penalty in PENALTIES:
        gained = 0.0
        for number in range(FOLDS):
            inside = fold != number
            if len(np.unique(values[inside])) > 1 and not inside.all():
                made, bias, known = learn(penalty, rows[inside], values[inside], weights[inside])
                told = rows[~inside] @ made.T + bias
                good = (
                    known[told.argmax(axis=1)] == values[~inside]
                    if len(known)
                    else -((told[:, 0] - values[~inside]) ** 2)
                )
                gained += float((weights[~inside] * good).sum())
        right.append(gained)
    return PENALTIES[int(np.argmax(right))]


def _classes(penalty: float, rows: NDArray[Any], values: NDArray[Any], weights: NDArray[Any]) -> Learned:
    try:
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - the extra `guess`
    except ImportError as error:
        raise MissingExtraError.of("guess", "linear probes") from error
    made = LogisticRegression(C=penalty, max_iter=1_000, tol=1e-3).fit(rows, values, sample_weight=weights)
    weight, bias = made.coef_, made.intercept_
    if len(made.classes_) == 2:  # one output tells both: the other's is 0
        weight, bias = np.concatenate([0 * weight, weight]), np.concatenate([0 * bias, bias])
    return weight, bias, made.classes_.astype(np.int64)


def _numbers(penalty: float, rows: NDArray[Any], values: NDArray[Any], weights: NDArray[Any]) -> Learned:
    share = weights / weights.sum()
    middle, centre = share @ rows, share @ values
    inside = rows - middle
    square = (inside * weights[:, None]).T @ inside + np.eye(rows.shape[1]) / penalty
    made = np.linalg.solve(square, inside.T @ (weights * (values - centre)))
    return made[None], np.array([centre - middle @ made]), np.empty(0, np.int64)
