"""Guess labels: a classifier trained on an existing map, and the label maps and probabilities that it predicts.

The default is a Balanced Random Forest (Chen, Liaw and Breiman 2004), each tree of which sees as many pixels of every
class. Balanced trees predict as if all classes were equally common; `prior="map"` restores the class shares of the
map (Elkan 2001, theorem 2), which keeps pixels that the map wrongly assigns to a rare class from spreading.
LandCoverNet uses two trees, and no such step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from landloom.errors import InvalidInputError, InvalidValueError, MissingExtraError
from landloom.labels.guess.forest import PackedForest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

BALANCED: Final = "balanced-random-forest"
"""Name of the default classifier."""
PIXELS: Final = 65_536
"""Pixels predicted at a time."""
NODATA: Final = 0
"""Label of pixels without any clear observation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessSettings:
    """Training settings of a guess."""

    classifier: str = BALANCED
    """`balanced-random-forest`, or a scikit-learn class by its full name: `sklearn.ensemble.ExtraTreesClassifier`."""
    trees: int = 100
    """Trees of the balanced forest."""
    depth: int | None = None
    """Levels of a tree; unlimited if None."""
    leaves: int = 5
    """Least pixels in a leaf."""
    per_tree: int | None = 2_000
    """Most pixels of a class that a tree of the balanced forest sees: all trees together see every pixel, and training
    takes no longer if the rarest class is large. None for the number of pixels of the rarest class."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further keyword arguments of another classifier."""
    prior: Literal["map", "balanced"] = "map"
    """Whether classes get the shares that they have in the map, or count as equally common."""
    agreement: float | None = 0.2
    """Least share of the year's clear observations that show the map's class; None for the published majority rule."""

    def __post_init__(self) -> None:
        if self.trees < 1 or self.leaves < 1 or (self.depth is not None and self.depth < 1):
            raise InvalidValueError(
                f"got trees={self.trees}, depth={self.depth}, leaves={self.leaves}; expected at least 1 of each"
            )


DEFAULTS: Final = GuessSettings()
"""The settings of a recipe that states none."""
PUBLISHED: Final = GuessSettings(trees=2, leaves=1, per_tree=None, prior="balanced", agreement=None)
"""The settings of LandCoverNet's forest: Alemohammad and Booth 2020, appendix A.1.2."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """A label map and its probabilities."""

    labels: NDArray[np.uint8]
    """(y, x) class; 0 without any clear observation."""
    probabilities: NDArray[np.float64]
    """(class, y, x), in the order of the model's classes; 0 without any clear observation."""

    @property
    def confidence(self) -> NDArray[np.uint8]:
        """(y, x) probability of the label in whole percent, halves up; 0 without any clear observation."""
        percent: NDArray[np.uint8] = np.floor(self.probabilities.max(axis=0) * 100 + 0.5).astype(np.uint8)
        return percent


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GuessModel:
    """A trained classifier of series."""

    classifier: Any
    """scikit-learn's."""
    classes: tuple[int, ...]
    """Ascending; the order of probabilities."""
    weights: NDArray[np.float64]
    """(class,) factors of the classifier's probabilities, applied before rows are normalised to sum 1."""
    forest: PackedForest | None = None
    """The same classifier, packed, if it is a forest."""

    @property
    def importances(self) -> NDArray[np.float64] | None:
        """(feature,) importance of each; None if the classifier does not provide it."""
        found = getattr(self.classifier, "feature_importances_", None)
        return None if found is None else np.asarray(found, dtype=np.float64)

    def probabilities(self, pixels: NDArray[np.uint16]) -> NDArray[np.float64]:
        """Probabilities of pixels.

        Args:
            pixels: (feature, pixel).

        Returns:
            (pixel, class); rows sum to 1.
        """
        if self.forest is not None:
            raw = self.forest.predict_proba(pixels)
        else:
            raw = np.asarray(self.classifier.predict_proba(pixels.T.astype(np.float32)), dtype=np.float64)
        if (self.weights == 1).all():
            return raw
        weighted = raw * self.weights
        sums = weighted.sum(axis=1, keepdims=True)
        shares: NDArray[np.float64] = np.divide(weighted, sums, out=raw, where=sums > 0)
        return shares

    def predict(self, series: NDArray[np.uint16], valid: NDArray[np.bool_] | None = None) -> Prediction:
        """Predict a window, a block of rows at a time.

        Args:
            series: (time, band, y, x) as in training.
            valid: (y, x) False without any clear observation; by default all True.
        """
        times, bands, height, width = series.shape
        pixels = series.reshape(times * bands, height * width)
        found = np.empty((len(self.classes), height * width), dtype=np.float64)
        for start in range(0, height * width, PIXELS):
            part = np.ascontiguousarray(pixels[:, start : start + PIXELS])
            found[:, start : start + PIXELS] = self.probabilities(part).T
        labels = np.array(self.classes, dtype=np.uint8)[found.argmax(axis=0)]
        if valid is not None:
            found[:, ~valid.reshape(-1)] = 0
            labels[~valid.reshape(-1)] = NODATA
        shape = height, width
        return Prediction(labels=labels.reshape(shape), probabilities=found.reshape(len(self.classes), *shape))


def train(
    pixels: NDArray[np.uint16],
    labels: NDArray[np.uint8],
    settings: GuessSettings,
    seed: int,
    *,
    counts: Mapping[int, int] | None = None,
    jobs: int = 1,
) -> GuessModel:
    """Train a classifier.

    Args:
        pixels: (pixel, feature).
        labels: (pixel,) class.
        settings: the classifier and its settings.
        seed: of every random choice; equal input gives an equal model whatever the number of jobs.
        counts: class → pixels in the map, for `prior="map"`; by default those of `labels`.
        jobs: number of threads.

    Raises:
        InvalidInputError: fewer than two classes, or a classifier that cannot be used.
        MissingExtraError: the extra `guess` is not installed.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> pixels = rng.integers(0, 9_000, (400, 6), dtype=np.uint16)
        >>> labels = np.where(pixels[:, 0] < 4_000, 5, 6).astype(np.uint8)
        >>> model = train(pixels, labels, GuessSettings(trees=10), seed=1)
        >>> series = pixels[:100].T.reshape(3, 2, 10, 10)
        >>> float((model.predict(series).labels.ravel() == labels[:100]).mean()) > 0.95
        True
    """
    classes, sizes = np.unique(labels, return_counts=True)
    if len(classes) < 2:
        raise InvalidInputError(f"got pixels of the classes {classes.tolist()}, expected at least two classes")
    smallest = min(int(sizes.min()), settings.per_tree or int(sizes.min()))
    classifier = _classifier(settings, seed, jobs, dict.fromkeys(classes.tolist(), smallest)).fit(pixels, labels)
    weights = np.ones(len(classes))
    if settings.prior == "map":
        shares = np.array([(counts or {}).get(int(code), size) for code, size in zip(classes, sizes, strict=True)])
        seen = np.ones(len(classes)) if settings.classifier == BALANCED else sizes
        weights = shares / seen / np.max(shares / seen)
    return GuessModel(
        classifier=classifier, classes=tuple(int(code) for code in classes), weights=weights, forest=packed(classifier)
    )


def packed(classifier: Any) -> PackedForest | None:
    """A classifier as a packed forest; None if it is not a forest."""
    try:
        return PackedForest.of(classifier)
    except InvalidInputError:
        return None


def _classifier(settings: GuessSettings, seed: int, jobs: int, drawn: Mapping[int, int]) -> Any:
    """An untrained classifier; the trees of a balanced forest draw this many pixels of each class."""
    try:
        import sklearn  # noqa: F401 - says whether the extra is there
        from imblearn.ensemble import BalancedRandomForestClassifier
    except ImportError as error:
        raise MissingExtraError.of("guess", "training a guess") from error
    if settings.classifier == BALANCED:
        return BalancedRandomForestClassifier(
            settings.trees,
            max_depth=settings.depth,
            min_samples_leaf=settings.leaves,
            random_state=seed,
            n_jobs=jobs,
            sampling_strategy=drawn,
            replacement=True,
            bootstrap=False,
        )
    return _named(settings, seed)


def _named(settings: GuessSettings, seed: int) -> Any:
    """A scikit-learn classifier by its full name.

    Raises:
        InvalidInputError: no such class, not from scikit-learn, or not a classifier with probabilities.
    """
    module, _, name = settings.classifier.rpartition(".")
    wanted = f"expected {BALANCED} or a scikit-learn classifier such as sklearn.ensemble.ExtraTreesClassifier"
    if module.split(".")[0] != "sklearn":
        raise InvalidInputError(f"got the classifier {settings.classifier!r}, {wanted}")
    try:
        kind = getattr(import_module(module), name)
        seeded = {"random_state": seed} if "random_state" in signature(kind).parameters else {}
        made = kind(**seeded | dict(settings.options))
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise InvalidInputError(f"got the classifier {settings.classifier!r}, {wanted}: {error}") from error
    if not hasattr(made, "predict_proba"):
        raise InvalidInputError(f"got {settings.classifier!r}, which gives no probabilities; {wanted}")
    return made
