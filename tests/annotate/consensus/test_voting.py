from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from tests.annotate.made import answers, campaign, task

from landloom.annotate.answers.patterns import Patterns
from landloom.annotate.consensus.consensus import consensus
from landloom.annotate.consensus.voting import majority

TASKS = [
    task("r", [1, 1, 1, 1, 2], [1, 1, 1, 2, 2], [1, 1, 2, 2, 1], reference=[1, 1, 1, 1, 1]),
    task("a", [3, 2, 1], [2, 2, 1], [1, 3, 1], guess=[1, 1, 2]),
]
"""Annotators are right on 4, 3 and 3 of 5 reference pixels."""


def test_published_equals_the_equation_by_hand() -> None:
    found = consensus(TASKS, [1, 2, 3], "published")
    weights = [Fraction(4, 10), Fraction(3, 10), Fraction(3, 10)]
    one = found.of_task(1)
    by_hand = [[weights[2], weights[1], weights[0]], [0, weights[0] + weights[1], weights[2]], [1, 0, 0]]
    assert one.posterior.T.tolist() == pytest.approx(np.array(by_hand, float))
    assert one.label.tolist() == [3, 2, 1]
    assert one.published_score.tolist() == pytest.approx([0.4, 0.7, 1.0])
    assert found.parameters["weights"] == {"1": 0.4, "2": 0.3, "3": 0.3}
    assert (found.ties, found.notes, found.temperature) == (0, (), 1.0)


def test_ties_go_to_the_guess_then_to_the_lowest_code_and_are_counted() -> None:
    tied = task("t", [3, 3, 0, 0], [2, 2, 0, 3], guess=[3, 1, 1, 1])
    found = consensus([tied], [1, 2, 3], "published")
    assert found.labels(0).tolist() == [3, 2, 0, 3]
    assert (found.ties, found.published_ties) == (2, 2)
    assert found.of_task(0).confidence.tolist() == [0.5, 0.5, 0.0, 1.0]
    assert found.notes == (
        "no reference tasks: all annotators have equal weights",
        "1 pixel without any label: class 0",
    )


def test_a_blind_task_has_ties_decided_by_the_guess_too() -> None:
    assert consensus([task("t", [1], [2], original=[2])], [1, 2], "majority").labels(0).tolist() == [2]


def test_an_annotator_without_references_has_the_accuracy_of_all_together() -> None:
    found = consensus([*TASKS, task("b", [1], [1], [1], [2])], [1, 2, 3], "published")
    assert found.parameters["weights"]["4"] == pytest.approx((10 / 15) / (2 + 10 / 15), abs=1e-6)
    assert found.notes == ("annotators without reference tasks have the accuracy of all together: 4",)


def test_the_published_score_of_a_campaign_lies_in_three_clusters() -> None:
    """Unanimous, two against one, all different."""
    found = consensus(answers(campaign()), range(1, 8), "published")
    spread = np.abs(found.published_score[:, None] - [1, 2 / 3, 1 / 3]).min(axis=1)
    assert spread.max() < 0.1


def test_majority_is_the_share_of_votes() -> None:
    made = Patterns.of(TASKS, [1, 2, 3])
    assert majority(made).posterior[made.of_task(1)].tolist() == pytest.approx(
        np.array([[1 / 3] * 3, [0, 2 / 3, 1 / 3], [1, 0, 0]])
    )
