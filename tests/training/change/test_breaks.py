"""From probabilities to breaks: dates between observations, shared probabilities, magnitudes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from landloom.errors import InvalidValueError
from landloom.training.change.breaks import dated_breaks

DAYS = np.arange(0, 365, 5)


def found(
    chance: np.ndarray, index: np.ndarray | None = None, valid: np.ndarray | None = None, **options: float
) -> Any:
    values = np.zeros(len(DAYS)) if index is None else index
    there = np.ones(len(DAYS), bool) if valid is None else valid
    first, second = (one.astype(np.float32)[:, None, None] for one in (chance, values))
    made = dated_breaks(first, second, there[:, None, None], DAYS, **options)  # type: ignore[arg-type]
    return tuple(one[:, 0, 0].tolist() for one in (made.date, made.margin, made.change, made.score))


def test_a_date_lies_between_two_observations() -> None:
    chance = np.zeros(len(DAYS))
    chance[40] = 0.8
    valid = np.ones(len(DAYS), bool)
    valid[37:40] = False
    date, margin, _, score = found(chance, valid=valid)
    assert (date[0], margin[0], score[0]) == pytest.approx((190, 10, 0.8))
    assert np.isnan(date[1])


def test_neighbours_share_a_probability() -> None:
    chance = np.zeros(len(DAYS))
    chance[[40, 41]] = 0.35, 0.3
    date, _, _, score = found(chance)
    assert (date[0], score[0]) == pytest.approx((197.5, 0.65))
    chance[41] = 0.1
    assert np.isnan(found(chance)[0]).all()
    assert found(chance, least=0.4)[0][0] == pytest.approx(197.5)


def test_breaks_are_apart_and_in_order() -> None:
    chance = np.zeros(len(DAYS))
    chance[[10, 15, 60]] = 0.7, 0.6, 0.9
    assert found(chance, most=3)[0][:2] == pytest.approx([47.5, 297.5])
    assert np.isnan(found(chance, most=3)[0][2])


def test_a_magnitude_is_the_change_of_the_level() -> None:
    chance = np.zeros(len(DAYS))
    chance[40] = 1
    index = np.where(np.arange(len(DAYS)) < 40, 0.8, 0.2)
    index[42] = 0.7  # a missed cloud
    assert found(chance, index)[2][0] == pytest.approx(-0.6)
    valid = np.ones(len(DAYS), bool)
    valid[41:] = False
    assert found(chance, index, valid)[2][0] == pytest.approx(-0.6)


def test_a_change_before_all_observations_has_no_date() -> None:
    chance = np.zeros(len(DAYS))
    chance[0] = 1
    assert np.isnan(found(chance)[0]).all()
    with pytest.raises(InvalidValueError, match="expected \\(time, y, x\\) three times"):
        dated_breaks(np.zeros((2, 1, 1), np.float32), np.zeros((2, 1, 1), np.float32), np.ones((2, 1, 1), bool), DAYS)
