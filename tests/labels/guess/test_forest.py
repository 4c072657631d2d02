"""A packed forest against the forest of scikit-learn that it was packed from."""

from __future__ import annotations

import numpy as np
import pytest
from imblearn.ensemble import BalancedRandomForestClassifier
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from tests.labels.guess.made import two_classes

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.labels.guess.forest import PackedForest


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(7, random_state=1),
        RandomForestClassifier(2, random_state=1, max_depth=1),
        ExtraTreesClassifier(5, random_state=2),
        BalancedRandomForestClassifier(9, sampling_strategy="all", replacement=True, bootstrap=False, random_state=3),
    ],
)
def test_a_packed_forest_gives_the_very_numbers(model: RandomForestClassifier) -> None:
    pixels, labels = two_classes(1)
    model.fit(pixels, labels)
    rng = np.random.default_rng(2)
    asked = np.concatenate([pixels, rng.integers(0, 65_536, (4_100, pixels.shape[1]), dtype=np.uint16)])
    ours = PackedForest.of(model).predict_proba(np.ascontiguousarray(asked.T))
    np.testing.assert_array_equal(ours, model.predict_proba(asked))


def test_thresholds_between_whole_numbers_are_met_on_both_sides() -> None:
    pixels = np.array([[10], [11], [65_534], [65_535]] * 20, dtype=np.uint16)
    labels = np.array([1, 2, 3, 4] * 20, dtype=np.uint8)
    model = RandomForestClassifier(3, random_state=1).fit(pixels, labels)
    ours = PackedForest.of(model).predict_proba(np.ascontiguousarray(pixels.T))
    np.testing.assert_array_equal(ours, model.predict_proba(pixels))


def test_only_forests_are_packed() -> None:
    pixels, labels = two_classes(1)
    with pytest.raises(InvalidInputError, match="GaussianNB"):
        PackedForest.of(GaussianNB().fit(pixels, labels))
    forest = PackedForest.of(RandomForestClassifier(2).fit(pixels, labels))
    with pytest.raises(InvalidValueError, match="expected uint16"):
        forest.predict_proba(pixels)
