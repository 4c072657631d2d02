"""Several models on one split."""

from __future__ import annotations

import json

import pytest
from tests.training.evaluation.cases import drawn

from landloom.errors import InvalidInputError
from landloom.training.evaluation.leaderboard import Leaderboard

MODELS = {
    "weak": [drawn(skill=0.3, model=1)],
    "good": [drawn(skill=2.5, model=2), drawn(skill=2.5, model=3)],
    "fair": [drawn(skill=1.5, model=4)],
}


def test_the_best_comes_first_and_every_two_are_compared() -> None:
    found = Leaderboard.of(MODELS, "test")
    assert [one.name for one in found.models] == ["good", "fair", "weak"]
    assert [(one.first, one.second) for one in found.paired] == [("good", "fair"), ("good", "weak"), ("fair", "weak")]
    assert all(one.differences["accuracy"].low > 0 for one in found.paired)
    assert all(one.differences["brier"].high < 0 for one in found.paired)
    document = json.loads(json.dumps(found.document(), allow_nan=False))
    assert document["paired"][0]["differences"]["accuracy"]["differs"] is True


def test_errors_are_ordered_the_other_way() -> None:
    found = Leaderboard.of(MODELS, "test", by="brier")
    assert [one.name for one in found.models] == ["good", "fair", "weak"]


def test_a_difference_is_that_of_the_scores() -> None:
    found = Leaderboard.of(MODELS, "test")
    scores = {one.name: one.overall["macro_f1"].value for one in found.models}
    for one in found.paired:
        assert one.differences["macro_f1"].value == pytest.approx(scores[one.first] - scores[one.second])


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="got the measure 'kappa'"):
        Leaderboard.of(MODELS, "test", by="kappa")
    with pytest.raises(InvalidInputError, match="got the measure 'misplaced_share', expected one that these"):
        Leaderboard.of(MODELS, "test", by="misplaced_share")
    with pytest.raises(InvalidInputError, match="other, seed 0: got predictions of the corpus b"):
        Leaderboard.of(MODELS | {"other": [drawn(corpus="b")]}, "test")
    with pytest.raises(InvalidInputError, match="got mapped areas for several models"):
        Leaderboard.of(MODELS, "test", mapped={"field": 1})
