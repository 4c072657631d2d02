"""The guess against scikit-learn itself, against counting, and against known truth."""

from __future__ import annotations

import numpy as np
import pytest
from tests.labels.guess.made import two_classes

from landloom.errors import InvalidInputError
from landloom.labels.guess.model import BALANCED, GuessSettings, train


def test_the_default_is_a_balanced_forest_whose_answers_get_the_shares_of_the_map_back() -> None:
    pixels, labels = two_classes(5)
    given_back = train(pixels, labels, GuessSettings(trees=20), seed=1, counts={1: 10, 5: 500, 7: 1_000})
    balanced = train(pixels, labels, GuessSettings(trees=20, prior="balanced"), seed=1)
    assert type(given_back.classifier).__name__ == "BalancedRandomForestClassifier"
    assert given_back.classifier.min_samples_leaf == 5
    asked = np.ascontiguousarray(pixels.T)
    weighted = balanced.probabilities(asked) * np.array([10, 500, 1_000])
    wanted = weighted / weighted.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(given_back.probabilities(asked), wanted, atol=1e-12)
    np.testing.assert_array_equal(balanced.probabilities(asked), balanced.classifier.predict_proba(pixels))


def test_the_same_seed_gives_the_same_model_whatever_the_threads() -> None:
    pixels, labels = two_classes(6)
    asked = np.ascontiguousarray(pixels.T)
    one, two = (train(pixels, labels, GuessSettings(trees=12), seed=9, jobs=jobs) for jobs in (1, 2))
    np.testing.assert_array_equal(one.probabilities(asked), two.probabilities(asked))
    other = train(pixels, labels, GuessSettings(trees=12), seed=10)
    assert (other.probabilities(asked) != one.probabilities(asked)).any()


def test_labels_are_the_likeliest_classes_and_unseen_pixels_stay_nodata() -> None:
    pixels, labels = two_classes(7)
    model = train(pixels, labels, GuessSettings(trees=10), seed=1)
    series = np.ascontiguousarray(pixels[:2_400].T).reshape(3, 4, 40, 60)
    valid = np.ones((40, 60), bool)
    valid[0, :7] = False
    found = model.predict(series, valid)
    proba = model.probabilities(series.reshape(12, -1)).reshape(40, 60, 3)
    assert (found.labels[~valid] == 0).all()
    assert (found.confidence[~valid] == 0).all()
    np.testing.assert_array_equal(found.labels[valid], np.array([1, 5, 7])[proba[valid].argmax(axis=1)])
    np.testing.assert_array_equal(found.probabilities[:, valid], proba[valid].T)
    assert abs(found.confidence[valid] - 100 * proba[valid].max(axis=1)).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("name", ["sklearn.ensemble.ExtraTreesClassifier", "sklearn.naive_bayes.GaussianNB"])
def test_another_classifier_is_taken_by_name(name: str) -> None:
    pixels, labels = two_classes(8)
    model = train(pixels, labels, GuessSettings(classifier=name, prior="balanced"), seed=1)
    assert f"{type(model.classifier).__module__.split('.')[0]}" == "sklearn"
    assert (model.forest is not None) == name.endswith("ExtraTreesClassifier")
    assert (model.predict(pixels[:100].T.reshape(12, 1, 10, 10)).labels.reshape(-1) == labels[:100]).mean() > 0.7


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("os.system", {}),
        ("sklearn.svm.LinearSVC", {}),
        ("sklearn.ensemble.Nothing", {}),
        ("sklearn.naive_bayes.GaussianNB", {"trees": 3}),
        ("forest", {}),
    ],
)
def test_what_is_no_classifier_is_refused(name: str, options: dict[str, int]) -> None:
    pixels, labels = two_classes(9, pixels=60)
    with pytest.raises(InvalidInputError, match=BALANCED):
        train(pixels, labels, GuessSettings(classifier=name, options=options), seed=1)


def test_a_single_class_is_refused() -> None:
    pixels, _ = two_classes(10, pixels=60)
    with pytest.raises(InvalidInputError, match=r"classes \[5\], expected at least two"):
        train(pixels, np.full(len(pixels), 5, np.uint8), GuessSettings(), seed=1)
