"""The frozen judge of guesses: the code that ships beats the wrong map that it learned from, on chips never seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.projects import TERMS

from landloom.model.taxonomy import taxonomy
from landloom.products.guess.judge import GuessCase, evaluate_guess, guess_case, guess_table, judge_guess
from landloom.products.guess.section import GuessProduct
from landloom.simulate.judge.composites import JUDGE_SEEDS

if TYPE_CHECKING:
    from landloom.labels.guess.scores import Scores


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_default_forest_beats_the_wrong_map_on_chips_never_seen() -> None:
    """One seed here; `make bench` measures all five (`guess_gain`), which takes minutes."""
    judged = evaluate_guess(JUDGE_SEEDS[:1])
    assert {one.seed: one.gain >= 5 for one in judged} == {JUDGE_SEEDS[0]: True}
    rows = guess_table(judged)
    assert rows[0][0] == f"seed {JUDGE_SEEDS[0]}"
    assert {row[0] for row in rows[1:]} <= {one.name for one in taxonomy("landcovernet").classes}
    assert judged[0].document()["default"]["by_class"].keys() == set(judged[0].default.classes)
    assert all(one.published.pixels == one.default.pixels == 2 * 256 * 256 for one in judged)


@pytest.fixture(scope="module")
def case() -> GuessCase:
    """A seed that figures are not made from."""
    return guess_case(3)


def judged(case: GuessCase) -> tuple[Scores, Scores]:
    section = GuessProduct.model_validate({"file": "-", "terms": TERMS, "trees": 3})
    return judge_guess(case, 3, section)


@pytest.mark.slow
def test_what_a_forest_learns_depends_on_nothing_in_the_held_out_chips(case: GuessCase) -> None:
    target, guess = judged(case)
    before = case.labels.target.copy()
    for row, column in ((0, 0), (512, 512)):
        case.labels.target[row : row + 256, column : column + 256] = 1
    _, again = judged(case)
    case.labels.target[...] = before
    assert (again.matrix == guess.matrix).all()
    assert target.accuracy < 0.9


@pytest.mark.slow
def test_a_case_is_a_year_of_imagery_as_training_sees_it(case: GuessCase) -> None:
    """Pixels and classes are those of the whole area."""
    times, bands, height, width = case.stack.shape
    assert (times, bands, height, width) == (24, 10, 768, 768)
    assert list(case.times) == sorted(case.times)
    picked = np.array([0, 5, 768, 768 * 768 - 1])
    numbers, valid = case.pixels(case.grid, picked)
    np.testing.assert_array_equal(numbers[:, :, 0], case.stack.reshape(times, bands, -1)[..., picked])
    np.testing.assert_array_equal(valid[:, 0], case.valid.reshape(times, -1)[:, picked])
    strip = case.grid.window(100, 0, 60, 768)
    np.testing.assert_array_equal(case.classes(strip.at(20)), case.scl[:, 100:160:2, ::2])
    np.testing.assert_array_equal(case.target(strip), case.labels.target[100:160])
