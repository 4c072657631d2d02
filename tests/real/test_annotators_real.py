"""Agreement and consensus of three real labellings of the same 1,201 points: cropland in Rwanda, 2019."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from tests.annotate.consensus.test_em import by_crowd_kit

from landloom.annotate.answers.patterns import Patterns
from landloom.annotate.answers.values import TaskAnswers
from landloom.annotate.consensus.consensus import consensus
from landloom.annotate.consensus.methods import METHODS
from landloom.annotate.scores.agreement import Agreement

if TYPE_CHECKING:
    from pathlib import Path

CLASSES: Final = {"Cropland": 1, "Non-crop": 2}


@pytest.fixture(scope="module")
def answers(shared_data: Path) -> TaskAnswers:
    """The points that are in all three files, joined by rounded longitude and latitude; of a point
    that is there twice, the first."""
    rows: list[dict[tuple[float, float], int]] = []
    for path in sorted((shared_data / "labels_multi_annotator" / "rwanda_ceo_2019").glob("*.csv")):
        own: dict[tuple[float, float], int] = {}
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                own.setdefault(
                    (round(float(row["lon"]), 8), round(float(row["lat"]), 8)), CLASSES.get(row["Crop/ or not"], 0)
                )
        rows.append(own)
    points = [point for point in rows[0] if all(point in own for own in rows[1:])]
    labels = np.array([[own[point] for point in points] for own in rows], np.uint8)
    return TaskAnswers(task="rwanda", annotators=("set 1", "set 2", "set 3"), labels=labels)


def test_agreement_is_as_the_source_says(answers: TaskAnswers) -> None:
    assert answers.pixels == 1_201
    found = Agreement.of(Patterns.of([answers], [1, 2]))
    everywhere = (answers.labels > 0).all(axis=0)
    same = (answers.labels == answers.labels[0]).all(axis=0) & everywhere
    assert same.mean() == pytest.approx(0.58, abs=0.005)
    # The source counts empty answers as disagreement: shares are of all 1,201 points.
    assert sorted(round(one.agreed * one.pixels / 1_201, 2) for one in found.pairs) == [0.70, 0.73, 0.73]
    assert [one.agreed for one in found.pairs] == pytest.approx([0.7372, 0.7353, 0.7151], abs=5e-5)
    data = np.where(answers.labels == 0, np.nan, answers.labels.astype(float))
    assert found.alpha == pytest.approx(krippendorff.alpha(data, level_of_measurement="nominal"), abs=1e-9)
    for one in found.pairs:
        first, second = (answers.labels[answers.annotators.index(name)] for name in (one.first, one.second))
        both = (first > 0) & (second > 0)
        assert one.kappa == pytest.approx(cohen_kappa_score(first[both], second[both]))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_a_label_where_there_is_one(answers: TaskAnswers, method: str) -> None:
    found = consensus([answers], [1, 2], method)
    labels = found.labels(0)
    assert (labels == 0).sum() == (answers.labels == 0).all(axis=0).sum()
    decided = np.array([np.bincount(column, minlength=3)[1:] for column in answers.labels.T])
    clear = decided[:, 0] != decided[:, 1]
    if method in {"majority", "published"}:
        assert (labels[clear] == decided[clear].argmax(axis=1) + 1).all()
    if method == "guess-aware":
        assert found.parameters["model"] == "one-coin"
        assert any("there are none" in note for note in found.notes)


def test_posteriors_equal_crowd_kits(answers: TaskAnswers) -> None:
    kept = (answers.labels > 0).all(axis=0)
    whole = TaskAnswers(
        task="rwanda", annotators=answers.annotators, labels=np.ascontiguousarray(answers.labels[:, kept])
    )
    found = consensus([whole], [1, 2], "dawid-skene")
    theirs = by_crowd_kit("DawidSkene", [whole])[:, :2]
    assert np.abs(found.posterior[found.patterns.index] - theirs).max() < 1e-6
