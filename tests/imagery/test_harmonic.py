"""Harmonic models: what they are made of is found again, and clouds do not bend them."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.errors import InvalidValueError
from landloom.imagery.harmonic import YEAR, fill_harmonic

DAYS = np.arange(0.0, 730.0, 5.0)


def course(days: np.ndarray) -> np.ndarray:
    angle = 2 * np.pi * days / YEAR
    return np.asarray(3_000 + 0.5 * days + 900 * np.cos(angle) - 300 * np.sin(2 * angle))


def stack_of(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(values).astype(np.uint16).reshape(-1, 1, 1, 1))


def test_terms_are_found_across_gaps() -> None:
    seen = (np.arange(DAYS.size) % 3 != 0).reshape(-1, 1, 1)
    made = fill_harmonic(stack_of(course(DAYS)), seen, DAYS, DAYS)
    assert np.abs(made.ravel() - course(DAYS)).max() < 12


def test_missed_clouds_count_little() -> None:
    values = course(DAYS)
    values[::11] += 5_000
    plain = np.abs(fill_harmonic(stack_of(values), np.ones((DAYS.size, 1, 1), bool), DAYS, DAYS).ravel() - course(DAYS))
    assert plain.max() < 60


def test_without_trend_the_level_stays() -> None:
    values = stack_of(2_000 + 0.5 * DAYS)
    made = fill_harmonic(values, np.ones((DAYS.size, 1, 1), bool), DAYS, DAYS, 0, trend=False).ravel()
    assert made.min() == made.max()


def test_few_observations_give_their_mean_and_none_nodata() -> None:
    seen = np.zeros((DAYS.size, 1, 2), bool)
    seen[3, 0, 0] = True
    stack = np.full((DAYS.size, 1, 1, 2), 1_234, np.uint16)
    made = fill_harmonic(stack, seen, DAYS, DAYS)[:, 0, 0]
    assert abs(int(made[0, 0]) - 1_234) <= 1
    assert made[:, 1].max() == 0


def test_refusals() -> None:
    with pytest.raises(InvalidValueError, match="expected uint16"):
        fill_harmonic(np.ones((2, 1, 1, 1), np.uint16), np.ones((3, 1, 1), bool), DAYS[:2], DAYS)
    with pytest.raises(InvalidValueError, match="waves"):
        fill_harmonic(np.ones((2, 1, 1, 1), np.uint16), np.ones((2, 1, 1), bool), DAYS[:2], DAYS, -1)
