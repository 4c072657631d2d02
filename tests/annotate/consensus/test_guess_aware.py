from __future__ import annotations

import numpy as np
import pytest
from tests.annotate.made import answers, campaign

from landloom.annotate.answers.patterns import Patterns
from landloom.annotate.answers.values import TaskAnswers
from landloom.annotate.consensus.consensus import consensus
from landloom.annotate.consensus.evidence import Known, TaskCounts
from landloom.annotate.consensus.guess_aware import GuessModel
from landloom.annotate.consensus.methods import ENOUGH

RATES = (0.3, 0.5, 0.7)


def of_the_model(seed: int, tasks: int = 60, pixels: int = 400) -> tuple[list[TaskAnswers], np.ndarray, np.ndarray]:
    """Answers drawn from the model itself, pixel by pixel, all with references; the confusions, and P(g|t)."""
    rng = np.random.default_rng(seed)
    confusion = np.stack([0.75 * np.eye(4) + 0.25 * rng.dirichlet(np.ones(4), 4) for _ in RATES])
    guessing = 0.6 * np.eye(4) + 0.4 * rng.dirichlet(np.ones(4), 4)

    def drawn(rows: np.ndarray) -> np.ndarray:
        return np.asarray((rows.cumsum(axis=1) < rng.random((len(rows), 1))).sum(axis=1))

    made = []
    for number in range(tasks):
        truth = rng.integers(0, 4, pixels)
        guess = drawn(guessing[truth])
        own = [
            np.where(rng.random(pixels) < rate, guess, drawn(c[truth]))
            for rate, c in zip(RATES, confusion, strict=True)
        ]
        made.append(
            TaskAnswers(
                task=str(number),
                annotators=(1, 2, 3),
                labels=(np.stack(own) + 1).astype(np.uint8),
                guess=(guess + 1).astype(np.uint8),
                reference=(truth + 1).astype(np.uint8),
            )
        )
    return made, confusion, guessing


def test_parameters_are_recovered_from_the_model_itself() -> None:
    made, confusion, guessing = of_the_model(1)
    patterns = Patterns.of(made, range(1, 5))
    counts = TaskCounts.of(patterns, {at: one.reference for at, one in enumerate(made) if one.reference is not None})
    known = Known.of(patterns, counts)
    assert known is not None
    model = GuessModel.fit(patterns, counts, known)
    assert model.copying.tolist() == pytest.approx(RATES, abs=0.03)
    assert np.abs(model.confusion - confusion).max() < 0.06
    assert model.guess is not None
    assert np.abs(model.guess - guessing).max() < 0.03


def test_the_posterior_is_the_formula_by_hand() -> None:
    model = GuessModel(
        prior=np.array([0.6, 0.4]),
        guess=np.array([[0.7, 0.3], [0.2, 0.8]]),
        copying=np.array([0.5, 0.0]),
        confusion=np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.7, 0.3], [0.4, 0.6]]]),
        rounds=0,
    )
    seen = TaskAnswers(
        task="a", annotators=(1, 2), labels=np.array([[2], [1]], np.uint8), guess=np.array([2], np.uint8)
    )
    one = 0.6 * 0.3 * (0.5 + 0.5 * 0.1) * 0.7
    two = 0.4 * 0.8 * (0.5 + 0.5 * 0.8) * 0.4
    found = model.posterior(Patterns.of([seen], [1, 2]))
    assert found[0].tolist() == pytest.approx([one / (one + two), two / (one + two)])
    unseen = TaskAnswers(task="a", annotators=(1, 2), labels=seen.labels, original=seen.guess, blind=True)
    one, two = 0.6 * 0.3 * 0.1 * 0.7, 0.4 * 0.8 * 0.8 * 0.4
    found = model.posterior(Patterns.of([unseen], [1, 2]))
    assert found[0].tolist() == pytest.approx([one / (one + two), two / (one + two)])


def test_many_annotators_do_not_underflow() -> None:
    people = 400
    model = GuessModel(
        prior=np.full(3, 1 / 3),
        guess=None,
        copying=np.zeros(people),
        confusion=np.tile(np.array([[0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.05, 0.05, 0.9]]), (people, 1, 1)),
        rounds=0,
    )
    labels = np.repeat([[1], [2]], people // 2, axis=0).astype(np.uint8)
    one = TaskAnswers(task="a", annotators=tuple(range(people)), labels=labels)
    assert model.posterior(Patterns.of([one], [1, 2, 3]))[0].tolist() == pytest.approx([0.5, 0.5, 0])


def test_copied_guesses_do_not_count_as_three_opinions() -> None:
    made = campaign(seed=3, copying=(0.4, 0.6, 0.8), references=28, chips=4)
    tasks = answers(made)
    truth = np.concatenate([one.truth for one in made.tasks])

    def accuracy(method: str) -> float:
        found = consensus(tasks, range(1, 8), method)
        return float((found.label[found.patterns.index] == truth).mean())

    assert accuracy("guess-aware") > accuracy("published") + 0.05


def test_few_references_leave_copying_out_and_the_notes_say_so() -> None:
    made = answers(campaign(copying=(0.3, 0.5, 0.7), references=ENOUGH - 1, chips=2))
    found = consensus(made, range(1, 8))
    assert found.parameters["model"] == "reference-confusion"
    assert found.notes[0].startswith("no annotator has 20 reference tasks (19 at most)")
    assert consensus(answers(campaign(references=ENOUGH)), range(1, 8)).parameters["model"] == "guess-aware"


def test_a_newcomer_is_taken_for_average() -> None:
    made = answers(campaign(copying=(0.5, 0.5, 0.5), references=24, chips=2))
    by_others = [
        TaskAnswers(
            task=one.task,
            annotators=(1, 2, "new") if at % 8 == 0 else one.annotators,
            labels=one.labels,
            guess=one.guess,
            original=one.original,
            blind=one.blind,
            reference=one.reference,
        )
        for at, one in enumerate(made)
    ]
    found = consensus(by_others, range(1, 8))
    assert found.notes[0] == "annotators with fewer than 20 reference tasks are taken for average ones: new"
    rates = found.parameters["copy_rate"]
    assert rates["new"] == pytest.approx(np.mean([rates["1"], rates["2"], rates["3"]]), abs=0.2)


def test_without_references_one_coin_stands_in() -> None:
    made = [one for one in answers(campaign()) if one.reference is None]
    found = consensus(made, range(1, 8))
    assert found.parameters["model"] == "one-coin"
    assert found.notes[0] == "guess-aware needs reference tasks, there are none: one-coin is used"
    assert "not calibrated" in found.notes[2]


def test_without_a_guess_nothing_is_copied() -> None:
    made = [
        TaskAnswers(task=one.task, annotators=one.annotators, labels=one.labels, reference=one.reference)
        for one in answers(campaign())
    ]
    found = consensus(made, range(1, 8))
    assert found.notes == ("no annotator saw a guess: copying is not modelled",)
    assert set(found.parameters["copy_rate"].values()) == {0.0}
