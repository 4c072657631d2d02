"""Random forest and gradient boosting on the values of a series; what is not valid is missing, not filled.

Random forest: Breiman 2001. Gradient boosting on histograms: Ke et al. 2017 (LightGBM), as scikit-learn has it; both
treat missing values themselves. Class shares are learnt as classes with weights: a sample that is half forest, half
field counts as half a sample of each, which gives the cross-entropy and the Gini index of the shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.errors import InvalidInputError, MissingExtraError
from landloom.labels.guess.model_files import read_skops, write_skops

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FOREST: Final = "forest"
BOOSTING: Final = "boosting"
_TREES: Final = "sklearn.tree._tree.Tree"
_HISTOGRAMS: Final = "sklearn.ensemble._hist_gradient_boosting"
TRUSTED: Final = frozenset(
    {
        _TREES,
        f"{_HISTOGRAMS}.binning._BinMapper",
        f"{_HISTOGRAMS}.predictor.TreePredictor",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.IdentityLink",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.link.MultinomialLogit",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn._loss.loss.HalfMultinomialLoss",
        "sklearn._loss.loss.HalfSquaredError",
        "sklearn._loss._loss.CyHalfBinomialLoss",
        "sklearn._loss._loss.CyHalfMultinomialLoss",
        "sklearn._loss._loss.CyHalfSquaredError",
    }
)
"""Types that these models contain in addition to those that skops trusts."""


def features(image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(row, time × band) values of series, NaN where not valid.

    Args:
        image: (row, time, band).
        valid: (row, time).
    """
    there = np.where(valid[..., None], image, np.float32(np.nan))
    return there.reshape(len(image), -1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trees:
    """Trained trees.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> values = rng.random((200, 4, 2), dtype=np.float32)
        >>> label = (values[:, 2, 1] > 0.5).astype(np.int64)
        >>> rows = features(values, np.ones((200, 4), bool))
        >>> trees = Trees.fit("forest", rows, label, np.ones(200), classes=3, seed=0, options={"trees": 20})
        >>> trees.predict(rows[:1]).shape, trees.predict(rows[:1])[0, 2].item()
        ((1, 3), 0.0)
    """

    estimator: Any
    """scikit-learn's."""
    known: tuple[int, ...]
    """Classes that training has seen, in the order of its probabilities; empty for values."""
    classes: int
    """Of the result; 0 for values."""
    columns: tuple[int, ...]
    """Features that training had any value of: scikit-learn cannot bin those that it never sees."""

    @classmethod
    def fit(
        cls,
        name: str,
        rows: NDArray[np.float32],
        target: NDArray[Any],
        weight: NDArray[Any],
        *,
        classes: int,
        seed: int,
        options: Mapping[str, Any],
        jobs: int = 1,
    ) -> Self:
        """Train.

        Args:
            name: `forest` or `boosting`.
            rows: (row, feature), NaN where missing.
            target: (row,) classes, −1 for none; (row, class) shares; or (row,) float values.
            weight: (row,) 0 or more.
            classes: number of them; 0 for values.
            seed: of all random choices; the number of jobs changes nothing.
            options: `trees`, `leaves`, `depth`; of boosting also `rate`.
            jobs: threads.

        Raises:
            InvalidInputError: an unknown option; no row with a target and a weight, or one class alone.
            MissingExtraError: the extra `guess` is not installed.
        """
        rows, values, weights = expanded(rows, target, weight)
        if not len(rows):
            raise InvalidInputError("got no row with a target and a weight, expected some")
        if classes and len(np.unique(values)) < 2:
            raise InvalidInputError(f"got rows of class {values[0]} alone, expected two classes at least")
        columns = np.flatnonzero(~np.isnan(rows).all(axis=0))
        if not len(columns):
            raise InvalidInputError("got rows without a single value, expected some")
        estimator = _estimator(name, bool(classes), seed, dict(options), jobs)
        estimator.fit(rows[:, columns], values, sample_weight=weights)
        if hasattr(estimator, "n_jobs"):
            estimator.n_jobs = None
        known = tuple(int(one) for one in estimator.classes_) if classes else ()
        return cls(estimator=estimator, known=known, classes=classes, columns=tuple(columns.tolist()))

    def predict(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(row, class) probabilities, 0 for classes that training has not seen; or (row,) values."""
        rows = rows[:, list(self.columns)]
        if not self.classes:
            values: NDArray[np.float32] = self.estimator.predict(rows).astype(np.float32)
            return values
        found = np.zeros((len(rows), self.classes), np.float32)
        found[:, list(self.known)] = self.estimator.predict_proba(rows)
        return found

    def encoded(self) -> bytes:
        """As a skops file."""
        names = ("known", "classes", "columns")
        lists = {name: np.array(getattr(self, name), np.int64) for name in names}
        return write_skops({"estimator": self.estimator, **lists})

    @classmethod
    def decoded(cls, data: bytes) -> Self:
        """Read a skops file.

        Raises:
            InvalidInputError: it is none, or holds types that trees do not need.
            MissingExtraError: the extra `guess` is not installed.
        """
        document = read_skops(data, TRUSTED)
        try:
            known, columns = (tuple(int(one) for one in document[name]) for name in ("known", "columns"))
            classes = int(document["classes"])
            return cls(estimator=document["estimator"], known=known, classes=classes, columns=columns)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(f"got {len(data)} bytes, expected a file of trees: {error!r}") from error


def expanded(
    rows: NDArray[Any], target: NDArray[Any], weight: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
    """Rows with one target each; those without a target or a weight are left out.

    Args:
        rows: (row, …) anything.
        target: (row,) classes, −1 for none; (row, class) shares; or (row,) float values.
        weight: (row,) 0 or more.

    Returns:
        (target, …) rows, (target,) classes or values, (target,) weights.

    Example:
        >>> expanded(np.array([7, 8]), np.array([[0.25, 0.75], [1.0, 0.0]]), np.array([1.0, 0.5]))[::2]
        (array([7, 7, 8]), array([0.25, 0.75, 0.5 ]))
    """
    weights = np.asarray(weight, np.float64)
    if target.ndim == 2:
        numbers, classes = np.nonzero((target > 0) & (weights > 0)[:, None])
        return rows[numbers], classes, weights[numbers] * target[numbers, classes]
    there = (weights > 0) & (~np.isnan(target) if target.dtype.kind == "f" else target >= 0)
    return rows[there], target[there], weights[there]


def check_options(name: str, options: Mapping[str, Any]) -> None:
    """Refuse unknown options, before anything is read.

    Raises:
        InvalidInputError: one of them.
        MissingExtraError: the extra `guess` is not installed.
    """
    _estimator(name, True, 0, dict(options), 1)  # noqa: FBT003


def _estimator(name: str, is_class: bool, seed: int, options: dict[str, Any], jobs: int) -> Any:  # noqa: FBT001
    try:
        from sklearn import ensemble  # noqa: PLC0415 - the extra `guess`
    except ImportError as error:
        raise MissingExtraError.of("guess", "training trees") from error
    if name == FOREST:
        known = {"trees": "n_estimators", "leaves": "min_samples_leaf", "depth": "max_depth"}
        wanted = {"trees": 300, "leaves": 2} | options
        kind = ensemble.RandomForestClassifier if is_class else ensemble.RandomForestRegressor
        fixed = {"random_state": seed, "n_jobs": jobs}
    else:
        known = {"trees": "max_iter", "leaves": "min_samples_leaf", "depth": "max_depth", "rate": "learning_rate"}
        wanted = {"trees": 150, "leaves": 10} | options
        kind = ensemble.HistGradientBoostingClassifier if is_class else ensemble.HistGradientBoostingRegressor
        fixed = {"random_state": seed, "early_stopping": False}
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise InvalidInputError(f"{name}: got the option {unknown[0]!r}, expected some of {', '.join(known)}")
    return kind(**{known[option]: value for option, value in wanted.items()}, **fixed)
