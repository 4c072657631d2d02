"""The list of samples to look at."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from landloom.errors import InvalidInputError
from landloom.training.evaluation.predictions import Predictions
from landloom.training.noise.suspects import out_of_fold_noise, suspects_csv, suspects_of

CLASSES = ("field", "forest")


def samples(wrong: set[int], rows: int = 40) -> Predictions:
    truth = np.arange(rows) % 2
    given = np.array([1 - one if row in wrong else one for row, one in enumerate(truth.tolist())])
    sure = 0.95 - np.arange(rows) / 200
    chances = np.where(np.eye(2)[truth] == 1, sure[:, None], 1 - sure[:, None])
    return Predictions.of(
        id=[f"s{row:02d}" for row in range(rows)],
        truth=given,
        probabilities=chances,
        classes=CLASSES,
        block=np.arange(rows) % 5,
        split=[f"fold-{row % 5}" for row in range(rows)],
    )


def test_wrong_labels_come_first() -> None:
    made = samples({3, 10, 21})
    found = suspects_of(made, out_of_fold_noise(made))
    assert [one.chip for one in found] == ["s03", "s10", "s21"]
    assert [(one.label, one.suggested) for one in found] == [
        ("field", "forest"),
        ("forest", "field"),
        ("field", "forest"),
    ]
    assert [one.probability for one in found] == sorted((one.probability for one in found), reverse=True)
    assert all(one.pixels == one.share == 1 for one in found)


def test_pixels_are_gathered_by_sample() -> None:
    """Sample `a` has 6 of 36 pixels wrong, `b` none."""
    parts = []
    for name, wrong in (("a", 6), ("b", 0)):
        truth = np.tile([0, 1], 18).reshape(6, 6)
        chances = np.where(np.stack([truth == 0, truth == 1]), 0.9, 0.1)
        mask = truth.copy()
        mask[0, :wrong] = 1 - mask[0, :wrong]
        parts.append(
            Predictions.of_pixels(id=name, mask=mask, probabilities=chances, classes=CLASSES, block=0, split="fold-1")
        )
    made = Predictions.joined(parts)
    found = suspects_of(made, out_of_fold_noise(made))
    assert [(one.chip, one.pixels) for one in found] == [("a", 6)]
    assert found[0].share == pytest.approx(1 / 6, abs=1e-6)
    assert found[0].probability == pytest.approx(0.9 / 6, abs=1e-5)


def test_the_list_is_a_table_of_whole_samples() -> None:
    made = samples({3})
    text = suspects_csv(suspects_of(made, out_of_fold_noise(made)))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["chip"], row["row"], row["column"]) for row in rows] == [("s03", "", "")]
    assert 0 < float(rows[0]["probability"]) <= 1


def test_labels_of_one_class_cannot_be_confused() -> None:
    made = samples(set())
    with pytest.raises(InvalidInputError, match="fewer than two classes"):
        out_of_fold_noise(made.rows(made.truth == 0))
