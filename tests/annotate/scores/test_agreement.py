from __future__ import annotations

from typing import TYPE_CHECKING

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from tests.annotate.made import task

from landloom.annotate.answers.patterns import Patterns
from landloom.annotate.answers.values import TaskAnswers
from landloom.annotate.scores.agreement import Agreement, fleiss_kappa

if TYPE_CHECKING:
    from numpy.typing import NDArray


def labels_of(seed: int, people: int, missing: float) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 5, 60)
    own = np.where(rng.random((people, 60)) < 0.7, truth, rng.integers(1, 5, (people, 60)))
    return np.where(rng.random(own.shape) < missing, 0, own).astype(np.uint8)


def agreement(labels: NDArray[np.uint8]) -> Agreement:
    one = TaskAnswers(task="a", annotators=tuple(range(len(labels))), labels=labels)
    return Agreement.of(Patterns.of([one], range(1, 5)))


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.sampled_from([0.0, 0.3]))
def test_alpha_equals_the_krippendorff_package(seed: int, people: int, missing: float) -> None:
    labels = labels_of(seed, people, missing)
    data = np.where(labels == 0, np.nan, labels.astype(float))
    found = agreement(labels)
    assert found.alpha == pytest.approx(krippendorff.alpha(data, level_of_measurement="nominal"), abs=1e-9)
    for code, alpha in found.by_class.items():
        binary = np.where(np.isnan(data), np.nan, data == code)
        if len(np.unique(binary[~np.isnan(binary)])) == 2 and not np.isnan(alpha):
            assert alpha == pytest.approx(krippendorff.alpha(binary, level_of_measurement="nominal"), abs=1e-9)


def test_pairs_equal_cohens_kappa_of_scikit_learn() -> None:
    labels = labels_of(1, 3, 0.0)
    found = agreement(labels)
    assert [(one.first, one.second) for one in found.pairs] == [(0, 1), (0, 2), (1, 2)]
    for one in found.pairs:
        mine, other = labels[int(one.first)], labels[int(one.second)]
        assert one.kappa == pytest.approx(cohen_kappa_score(mine, other))
        assert one.agreed == (mine == other).mean()
        assert one.pixels == 60
    assert found.unanimous == (labels == labels[0]).all(axis=0).mean()


def test_fleiss_example() -> None:
    """The table of Fleiss (1971), as Wikipedia gives it: 10 subjects, 14 raters, κ = 0.210."""
    rows = "0000e 02642 00356 03920 22811 77000 32630 25322 65210 02237"
    votes = [[int(digit, 16) for digit in row] for row in rows.split()]
    assert fleiss_kappa(np.array(votes, float), np.ones(10)) == pytest.approx(0.210, abs=5e-4)


def test_one_class_alone_has_no_alpha() -> None:
    found = Agreement.of(Patterns.of([task("a", [1, 1], [1, 1])], [1, 2]))
    assert found.document()["krippendorff_alpha"] is None
    assert found.unanimous == 1.0
    alone = Agreement.of(Patterns.of([task("a", [1, 2])], [1, 2]))
    assert (alone.pixels, alone.document()["unanimous"], alone.pairs) == (0, None, ())


def test_the_same_people_in_other_orders_are_one_pair() -> None:
    rows = np.array([[1, 2, 2], [1, 1, 2]], np.uint8)
    tasks = [
        TaskAnswers(task="a", annotators=("x", "y"), labels=rows),
        TaskAnswers(task="b", annotators=("y", "x"), labels=rows[::-1].copy()),
    ]
    (pair,) = Agreement.of(Patterns.of(tasks, [1, 2])).pairs
    assert (pair.pixels, pair.agreed) == (6, 4 / 6)
    assert pair.kappa == pytest.approx(cohen_kappa_score(np.tile(rows[0], 2), np.tile(rows[1], 2)))
