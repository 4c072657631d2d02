"""The packed forest against scikit-learn, and the guess on the judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from benchmarks.timing import speedup
from imblearn.ensemble import BalancedRandomForestClassifier

from landloom.labels.guess.forest import PackedForest
from landloom.products.guess.judge import evaluate_guess

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIXELS, FEATURES, CLASSES = 65_536, 240, 6


def trained(trees: int, leaves: int) -> tuple[BalancedRandomForestClassifier, NDArray[np.uint16]]:
    """A forest of the recipe's shape, and a chip's pixels (pixel, feature)."""
    rng = np.random.default_rng(1)
    means = rng.integers(300, 4_000, (CLASSES, FEATURES))
    labels = rng.integers(0, CLASSES, 30_000)
    drawn = rng.integers(0, CLASSES, PIXELS)

    def pixels(of: NDArray[np.int64]) -> NDArray[np.uint16]:
        return np.clip(means[of] + rng.normal(0, 2_500, (len(of), FEATURES)), 1, 65_534).astype(np.uint16)

    model = BalancedRandomForestClassifier(
        trees,
        min_samples_leaf=leaves,
        sampling_strategy="all",
        replacement=True,
        bootstrap=False,
        random_state=1,
        n_jobs=2,
    ).fit(pixels(labels), labels)
    return model, pixels(drawn)


def run() -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, trees, leaves in (("forest_predict", 100, 5), ("forest_predict_published", 2, 1)):
        model, pixels = trained(trees, leaves)
        packed, series = PackedForest.of(model), np.ascontiguousarray(pixels.T)
        model.set_params(n_jobs=1)
        assert (packed.predict_proba(series) == model.predict_proba(pixels)).all()
        figures[name] = speedup(
            lambda: packed.predict_proba(series),  # noqa: B023
            lambda: model.predict_proba(pixels),  # noqa: B023
        )
    figures["guess_gain"] = min(one.gain for one in evaluate_guess())
    return figures
