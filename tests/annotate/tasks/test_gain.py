"""What more answers are expected to correct: laws, and a simulation as the oracle."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.annotate.tasks.calibration import stored_doubt
from landloom.annotate.tasks.gain import SURPRISE, GainModel
from landloom.annotate.tasks.order import BLANK, Pace

MODEL = GainModel.assumed((1, 2, 5))
PIXELS = 64
NONE = np.zeros((0, PIXELS), np.uint8)
GUESS = np.full(PIXELS, 2, np.uint8)


def priority(error: float, labels: np.ndarray = NONE, *, copies: int = 3, **options: float) -> float:
    return MODEL.expect(GUESS, stored_doubt(np.full(PIXELS, error)), labels, copies=copies, **options).per_second


@given(error=st.floats(0, 0.7), more=st.floats(0, 0.7))
def test_more_doubt_never_lowers_the_gain(error: float, more: float) -> None:
    low, high = sorted((error, more))
    assert priority(low) <= priority(high) + 1e-9


@given(error=st.floats(0.01, 0.7), factor=st.floats(1, 3))
def test_a_chip_with_more_errors_and_suspected_labels_come_first(error: float, factor: float) -> None:
    assert priority(error) <= priority(error, factor=factor) + 1e-9
    assert priority(error) <= priority(0.0, least=0.75) + 1e-9


@given(error=st.floats(0.01, 0.5))
def test_answers_that_agree_with_the_guess_settle_a_task(error: float) -> None:
    wrong = [
        MODEL.expect(GUESS, stored_doubt(np.full(PIXELS, error)), np.tile(GUESS, (given, 1)), copies=4).wrong
        for given in range(4)
    ]
    assert (np.diff(wrong) < 0).all()
    assert priority(error, np.tile(GUESS, (3, 1))) == 0
    assert priority(error, np.tile(GUESS, (1, 1))) < priority(error)


def test_disagreement_brings_a_task_back() -> None:
    other = np.full(PIXELS, 5, np.uint8)
    agreed, split = priority(0.1, np.stack([GUESS, GUESS])), priority(0.1, np.stack([GUESS, other]))
    assert split > agreed


def test_a_single_answer_is_worth_what_it_leads_to() -> None:
    """One answer never changes the label of a guess that the consensus trusts; two may, and the order sees it."""
    size = len(MODEL.classes)
    sure = GainModel(
        classes=MODEL.classes,
        curve=MODEL.curve,
        instead=MODEL.instead,
        evidence=np.where(np.eye(size, dtype=bool), 0.98, 0.01),
        copying=0.3,
        confusion=MODEL.confusion,
    )
    doubt = stored_doubt(np.full(PIXELS, 0.2))
    one, two = (sure.expect(GUESS, doubt, NONE, copies=copies) for copies in (1, 2))
    assert one.per_second == pytest.approx(SURPRISE * one.wrong / Pace().seconds(one.wrong))
    assert two.per_second > 10 * one.per_second


@pytest.mark.parametrize("given", [0, 1, 2])
def test_the_gain_is_that_of_a_simulation(given: int) -> None:
    """Two classes: what the answers that follow correct on average, by the consensus of the model."""
    rng = np.random.default_rng(3)
    model, count, error = GainModel.assumed((1, 2)), 400_000, 0.3
    truth = np.where(rng.random(count) < error, 2, 1)
    looked = np.where(rng.random((3, count)) < model.confusion[0, 0], truth, 3 - truth)
    labels = np.where(rng.random((3, count)) < model.copying, 1, looked)
    votes = np.cumsum(labels == 2, axis=0)
    right = 1 - model.confusion[0, 1]
    other = (1 - model.copying) * right / ((1 - model.copying) * (1 - right))
    same = (model.copying + (1 - model.copying) * (1 - right)) / (model.copying + (1 - model.copying) * right)
    published = [np.full(count, 1)]
    for answers, no in enumerate(votes, start=1):
        odds = model.evidence[0, 1] / model.evidence[0, 0] * other**no * same ** (answers - no)
        published.append(np.where((odds > 1) & (no > 0), 2, 1))
    hits = [float((one == truth).mean()) for one in published]
    ahead = [(hits[more] - hits[given]) / (more - given) for more in range(given + 1, 4)]
    expected = model.expect(
        np.ones(count, np.uint8), stored_doubt(np.full(count, error)), labels[:given].astype(np.uint8), copies=3
    )
    seconds = float(Pace().seconds(expected.wrong))
    assert expected.wrong == pytest.approx(count * error, rel=0.02)
    assert expected.per_second * seconds / count == pytest.approx(max([*ahead, SURPRISE * error]), abs=0.004)


def test_without_a_guess_the_first_answer_is_worth_most() -> None:
    first = MODEL.expect(None, None, NONE, copies=3)
    second = MODEL.expect(None, None, np.tile(GUESS, (1, 1)), copies=3)
    unlabelled = MODEL.expect(np.zeros(PIXELS, np.uint8), None, NONE, copies=3)
    assert first.per_second > second.per_second >= 0
    assert first.wrong == pytest.approx(BLANK * PIXELS)
    assert unlabelled == first


def test_a_model_comes_back_from_its_document() -> None:
    back = GainModel.parse(json.loads(json.dumps(MODEL.document())))
    doubt, answer = stored_doubt(np.linspace(0, 0.7, PIXELS)), np.full((1, PIXELS), 5, np.uint8)
    assert back.expect(GUESS, doubt, answer, copies=3) == MODEL.expect(GUESS, doubt, answer, copies=3)
