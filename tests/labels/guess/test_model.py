"""The guess against scikit-learn itself, against counting, and against known truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.ensemble import BalancedRandomForestClassifier
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics import accuracy_score, confusion_matrix, precision_score, recall_score
from sklearn.naive_bayes import GaussianNB

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.labels.guess.files import decode_model, encode_model
from landloom.labels.guess.forest import PackedForest
from landloom.labels.guess.model import BALANCED, GuessSettings, train
from landloom.labels.guess.scores import Importances, Scores
from landloom.labels.guess.training_pixels import (
    class_counts,
    consistent,
    cover_votes,
    draw_pixels,
    split_pixels,
    yearly_cover,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


def two_classes(seed: int, pixels: int = 3_000, features: int = 12) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Pixels of three classes of unequal size that overlap a little."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.array([1, 5, 7], np.uint8), [pixels // 20, pixels // 2, pixels - pixels // 20 - pixels // 2])
    means = rng.integers(500, 4_000, (8, features))
    values = means[labels] + rng.normal(0, 900, (len(labels), features))
    return np.clip(values, 1, 65_534).astype(np.uint16), labels


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


@given(st.integers(0, 2**31), st.integers(1, 12))
@settings(max_examples=25, deadline=None)
def test_the_cover_of_a_year_is_the_majority_of_what_was_seen(seed: int, times: int) -> None:
    scl = np.random.default_rng(seed).integers(0, 12, (times, 5, 6), dtype=np.uint8)
    counted = cover_votes(scl)
    found = yearly_cover(counted)
    for row, column in np.ndindex(5, 6):
        seen = scl[:, row, column].tolist()
        votes = [seen.count(6), seen.count(4), seen.count(11), seen.count(5)]
        wanted = votes.index(max(votes)) + 1 if any(votes) else 0
        assert counted[:, row, column].tolist() == votes
        assert found[row, column] == wanted


def test_classes_agree_with_the_covers_that_the_taxonomy_gives_them() -> None:
    target, cover = (v.astype(np.uint8) for v in np.meshgrid(np.arange(8), np.arange(5), indexing="ij"))
    votes = np.stack([(cover == k).astype(np.uint8) for k in range(1, 5)])
    np.testing.assert_array_equal(consistent(target, votes, 0.2), consistent(target, votes))
    agreeing = {(int(t), int(c)) for t, c in zip(*np.nonzero(consistent(target, votes)), strict=True)}
    assert agreeing == {(1, 1), (2, 4), (3, 4), (4, 3), (5, 2), (6, 2), (7, 2)}


def test_a_field_that_is_bare_for_most_of_the_year_passes_a_share_and_fails_the_majority() -> None:
    votes = np.array([0, 5, 0, 16], np.uint8).reshape(4, 1, 1)
    field, town = np.array([[6]], np.uint8), np.array([[2]], np.uint8)
    assert [bool(consistent(field, votes, least)) for least in (None, 0.2, 5 / 21, 0.25)] == [False, True, True, False]
    assert bool(consistent(town, votes))
    assert not consistent(field, np.zeros_like(votes), 0.0)


@given(st.integers(0, 2**31), st.integers(1, 40), st.integers(1, 30))
@settings(max_examples=30, deadline=None)
def test_a_draw_takes_what_there_is_up_to_a_limit(seed: int, most: int, least: int) -> None:
    rng = np.random.default_rng(seed)
    target, usable = rng.integers(0, 8, (17, 19), dtype=np.uint8), rng.random((17, 19)) < 0.6
    picked = draw_pixels(target, usable, most, seed, least=least)
    assert len(set(picked.tolist())) == len(picked)
    assert usable.reshape(-1)[picked].all()
    counts = class_counts(target, usable)
    assert counts == {c: int((usable & (target == c)).sum()) for c in range(1, 8) if (usable & (target == c)).any()}
    drawn = np.bincount(target.reshape(-1)[picked], minlength=8)
    for code in range(8):
        there = counts.get(code, 0)
        assert drawn[code] == (min(there, most) if there >= least else 0)


def test_a_draw_across_blocks_reaches_every_pixel_alike() -> None:
    target = np.full((3, 1 << 21), 5, dtype=np.uint8)
    picked = draw_pixels(target, np.ones(target.shape, bool), 30_000, seed=4)
    halves = np.bincount(picked // (1 << 21), minlength=3)
    assert len(picked) == 30_000
    assert abs(halves - 10_000).max() < 400


def test_a_quarter_of_every_class_is_held_out() -> None:
    labels = np.repeat(np.array([1, 2, 6], np.uint8), [4, 1, 1_000])
    held = split_pixels(labels, 0.25, seed=3)
    assert [int(held[labels == code].sum()) for code in (1, 2, 6)] == [1, 0, 250]
    assert (split_pixels(labels, 0.25, seed=3) == held).all()
    assert (split_pixels(labels, 0.25, seed=4) != held).any()


@given(st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_scores_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference, predicted = rng.integers(1, 5, (2, 40), dtype=np.uint8)
    scores = Scores.of(reference, predicted)
    names = list(scores.classes)
    np.testing.assert_array_equal(scores.matrix, confusion_matrix(reference, predicted, labels=names))
    assert scores.accuracy == pytest.approx(accuracy_score(reference, predicted))
    recall = recall_score(reference, predicted, labels=names, average=None, zero_division=0)
    precision = precision_score(reference, predicted, labels=names, average=None, zero_division=0)
    for code, own_recall, own_precision in zip(names, recall, precision, strict=True):
        assert scores.producers.get(code, 0) == pytest.approx(own_recall)
        assert scores.users.get(code, 0) == pytest.approx(own_precision)
    parts = [Scores.of(reference[:13], predicted[:13]), Scores.of(reference[13:], predicted[13:])]
    whole = Scores.total(parts)
    np.testing.assert_array_equal(whole.matrix, scores.matrix)
    np.testing.assert_array_equal(Scores.parse(scores.document()).matrix, scores.matrix)


def test_pixels_without_a_reference_do_not_count() -> None:
    scores = Scores.of(np.array([0, 5, 5], np.uint8), np.array([6, 5, 0], np.uint8))
    assert (scores.pixels, scores.accuracy, scores.classes) == (2, 0.5, (0, 5))


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


PUBLISHED = GuessSettings(trees=2, leaves=1, per_tree=None, prior="balanced", agreement=None)
"""What LandCoverNet's appendix A.1.2 says."""


@pytest.mark.parametrize("chosen", [GuessSettings(trees=6), PUBLISHED])
def test_a_model_comes_back_from_its_file(chosen: GuessSettings) -> None:
    pixels, labels = two_classes(11, pixels=600)
    model = train(pixels, labels, chosen, seed=1)
    again = decode_model(encode_model(model))
    asked = np.ascontiguousarray(pixels.T)
    np.testing.assert_array_equal(again.probabilities(asked), model.probabilities(asked))
    assert again.classes == model.classes
    assert again.importances is not None
    assert again.importances.sum() == pytest.approx(1)


def test_a_file_with_other_types_in_it_is_refused() -> None:
    import skops.io

    data = skops.io.dumps({"classifier": print, "classes": [1], "weights": np.ones(1), "x": np.random.default_rng})
    with pytest.raises(InvalidInputError, match="types that no guess needs"):
        decode_model(data)


def test_importances_are_summed_by_band_and_month() -> None:
    from landloom.model.time import parse_instant

    times = [parse_instant(day) for day in ("2018-03-02", "2018-01-05", "2018-03-30")]
    values = np.arange(6.0) / 15
    found = Importances.of(values, ["B02", "B03"], times)
    assert found.bands == pytest.approx({"B02": 6 / 15, "B03": 9 / 15})
    assert found.months == pytest.approx({"2018-01": 5 / 15, "2018-03": 10 / 15})
    assert list(found.months) == ["2018-01", "2018-03"]
