"""Area-adjusted estimates: the worked example of the paper, and the spread of simulated samples."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.labels.confusion import confusion
from landloom.training.evaluation.areas import AreaAdjusted

TABLE = np.array([[66.0, 0, 1, 2], [0, 55, 0, 1], [5, 8, 153, 9], [4, 12, 11, 313]])
MAPPED = [200_000, 150_000, 3_200_000, 6_450_000]
HECTARES = 0.09
"""Of a pixel of 30 m."""


def test_the_example_of_olofsson_2014() -> None:
    """Tables 8 and 9 and section 5.1; intervals are 1.96 standard errors.

    Printed are producer's accuracies of 0.85 ± 0.23 and 0.96 ± 0.01, too; equation 7 with the printed table gives
    0.25 and 0.02 for those, as other programs find; the simulation below decides.
    """
    found = AreaAdjusted.of(TABLE, MAPPED)
    pixels = sum(MAPPED)
    assert found.shares[0] * pixels == pytest.approx(235_086, abs=1)
    assert 1.96 * found.shares_error[0] * pixels == pytest.approx(68_418, abs=1)
    assert found.shares * pixels * HECTARES == pytest.approx([21_158, 11_686, 285_770, 581_386], abs=1)
    assert 1.96 * found.shares_error * pixels * HECTARES == pytest.approx([6_158, 3_756, 15_510, 16_282], abs=1)
    assert (found.accuracy, 1.96 * found.accuracy_error) == pytest.approx((0.95, 0.02), abs=0.005)
    assert found.users == pytest.approx([0.88, 0.73, 0.93, 0.96], abs=0.005)
    assert 1.96 * found.users_error == pytest.approx([0.07, 0.10, 0.04, 0.02], abs=0.005)
    assert found.producers == pytest.approx([0.75, 0.85, 0.93, 0.96], abs=0.005)
    assert 1.96 * found.producers_error[[0, 2]] == pytest.approx([0.21, 0.03], abs=0.005)


def test_standard_errors_are_the_spread_of_simulated_samples() -> None:
    truth = np.array([[0.10, 0.03, 0.02], [0.04, 0.30, 0.06], [0.01, 0.05, 0.39]])  # (truth, map) shares of area
    mapped, random, number = truth.sum(axis=0), np.random.default_rng(3), [120, 150, 200]
    estimated, errors = [], []
    for _ in range(3_000):
        counts = np.stack([random.multinomial(n, own) for n, own in zip(number, (truth / mapped).T, strict=True)]).T
        one = AreaAdjusted.of(counts.astype(np.float64), mapped)
        values = [one.accuracy, *one.users, *one.producers, *one.shares]
        estimated.append(values)
        errors.append([one.accuracy_error, *one.users_error, *one.producers_error, *one.shares_error])
    known = [np.trace(truth), *np.diag(truth) / mapped, *np.diag(truth) / truth.sum(axis=1), *truth.sum(axis=1)]
    assert np.mean(estimated, axis=0) == pytest.approx(known, abs=0.006)  # a ratio has a small bias
    assert np.mean(errors, axis=0) == pytest.approx(np.std(estimated, axis=0), rel=0.05)


def test_areas_as_sampled_change_nothing() -> None:
    random = np.random.default_rng(0)
    table = confusion(random.integers(0, 3, 400), random.integers(0, 3, 400), 3)
    found = AreaAdjusted.of(table, table.sum(axis=0))
    assert found.accuracy == pytest.approx(np.trace(table) / 400)
    assert found.producers == pytest.approx(np.diag(table) / table.sum(axis=1))
    assert found.shares == pytest.approx(table.sum(axis=1) / 400)


def test_a_class_with_one_sample_has_no_standard_error() -> None:
    found = AreaAdjusted.of(np.array([[30.0, 0], [5, 1]]), [10, 1])
    assert np.isnan(found.users_error[1])
    assert np.isnan(found.accuracy_error)
    assert found.document(["a", "b"])["classes"]["b"]["users"] == {"value": 1.0, "error": None}


@pytest.mark.parametrize(
    ("table", "mapped", "message"),
    [
        (np.eye(2), [1, 2, 3], "expected one for each class"),
        (np.eye(2), [1, -2], "expected areas of at least 0"),
        (np.eye(2), [0, 0], "one above it"),
        (np.array([[3.0, 0], [1, 0]]), [1, 2], "class 1: mapped but never predicted"),
    ],
    ids=["shape", "negative", "none", "unsampled"],
)
def test_areas_that_do_not_fit_are_refused(table: np.ndarray, mapped: list[float], message: str) -> None:
    with pytest.raises((InvalidInputError, InvalidValueError), match=message):
        AreaAdjusted.of(table, mapped)
