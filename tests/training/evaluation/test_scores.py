"""Scores of a model: its groups, its reliability, and what cannot be compared."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.training.evaluation.cases import CLASSES, drawn

from landloom.errors import InvalidInputError
from landloom.training.evaluation.predictions import Predictions
from landloom.training.evaluation.scores import ModelScores, require_same_rows, shift_of


def test_groups_are_scored_as_if_alone() -> None:
    made = drawn()
    scores = ModelScores.of("forest", [made])
    assert set(scores.groups) == {"country"}
    assert set(scores.groups["country"]) == {"AT", "SI"}
    own = made.rows(np.array(made.country) == "SI")
    alone = ModelScores.of("forest", [own])
    assert scores.groups["country"]["SI"].scores["accuracy"] == alone.overall["accuracy"]
    assert scores.groups["country"]["SI"].samples == len(own)


def test_the_document_is_strict_json() -> None:
    made = [drawn(model=number) for number in range(2)]
    scores = ModelScores.of("forest", made, mapped={"field": 5.0, "forest": 3, "water": 1})
    document = json.loads(json.dumps(scores.document(), allow_nan=False))
    assert document["seeds"] == 2
    assert document["scores"]["accuracy"]["deviation"] > 0
    assert document["area_adjusted"]["classes"]["water"]["shares"]["error"] > 0
    assert np.array(document["confusion"]).sum() == pytest.approx(600)
    assert sum(one["weight"] for one in document["reliability"]) == pytest.approx(600)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_the_document_of_anything_is_strict_json(seed: int, rows: int, blocks: int, models: int) -> None:
    """Few rows, absent classes, classes that one seed alone predicts, a single block."""
    made = [drawn(rows, seed=seed, model=number, blocks=blocks, skill=0.0) for number in range(models)]
    scores = ModelScores.of("any", made, resamples=20)
    json.dumps(scores.document(), allow_nan=False)
    json.dumps(shift_of(made, made).document(), allow_nan=False)


def test_reliability_bins_hold_their_rows() -> None:
    made = drawn()
    scores = ModelScores.of("forest", [made])
    right = made.predicted == made.truth
    for one in scores.reliability:
        own = (made.confidence >= one.low) & (made.confidence < one.high)
        assert (one.weight, one.right) == pytest.approx((own.sum(), right[own].mean()))
        assert one.low <= one.confidence <= one.high


def test_what_scores_do_not_say_is_noted() -> None:
    single = ModelScores.of("forest", [drawn(30, blocks=1)])
    assert any("no intervals" in note for note in single.notes)
    few = ModelScores.of("forest", [drawn(30, blocks=5)])
    assert any("only 5 blocks" in note for note in few.notes)
    absent = ModelScores.of("forest", [drawn().rows(drawn().truth != 2)])
    assert any("Classes without any sample in this split: water" in note for note in absent.notes)
    assert ModelScores.of("forest", [drawn()]).notes == ()


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (drawn(corpus="b"), "second: got predictions of the corpus b, expected none as of first"),
        (drawn(split_set="b"), "of the split set b, expected none"),
        (replace(drawn(), classes=("field", "forest", "ice")), "with the classes"),
        (drawn().rows(np.arange(599)), "first at s599 with the class .*: no row, expected weight 1 in block"),
        (replace(drawn(), truth=(drawn().truth + 1) % 3), "got other samples, truth or blocks"),
        (replace(drawn(), block=drawn().block + 1), "weight 1 in block"),
        (replace(drawn(), weight=np.full(600, 2.0)), "weight 2 in block"),
    ],
    ids=["corpus", "split", "classes", "rows", "truth", "blocks", "weights"],
)
def test_what_differs_is_not_compared(other: Predictions, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        require_same_rows({"first": drawn(), "second": other})


def test_groups_of_pixels_may_differ_where_their_pixels_do_not() -> None:
    random = np.random.default_rng(0)
    mask = random.integers(-1, 3, (8, 8))
    parts = {
        str(number): Predictions.of_pixels(
            id="a", mask=mask, probabilities=random.dirichlet([1, 1, 1], (8, 8)).transpose(2, 0, 1), classes=CLASSES,
            block=0, split="test",
        )
        for number in range(3)
    }  # fmt: skip
    require_same_rows(parts)


def test_a_shift_compares_inside_with_outside() -> None:
    found = shift_of([drawn(skill=3)], [drawn(seed=1, skill=0.5)])
    assert found.inside.scores["accuracy"].value > found.outside.scores["accuracy"].value
    assert found.loss["accuracy"].low > 0
    with pytest.raises(InvalidInputError, match="got no predictions outside"):
        shift_of([drawn()], [drawn().rows(np.zeros(600, np.bool_))])


def test_areas_of_other_classes_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="got a mapped area of ice, expected classes of field, forest, water"):
        ModelScores.of("forest", [drawn()], mapped={"ice": 3})
