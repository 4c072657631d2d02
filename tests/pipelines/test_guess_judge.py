from __future__ import annotations

import pytest

from landloom.labels.guess.model import GuessSettings
from landloom.model.taxonomy import taxonomy
from landloom.products.guess.judge import evaluate_guess, guess_case, guess_table, judge_guess
from landloom.simulate.judge.composites import JUDGE_SEEDS


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


@pytest.mark.slow
def test_what_a_forest_learns_depends_on_nothing_in_the_held_out_chips() -> None:
    case = guess_case(3)
    target, guess = judge_guess(case, 3, GuessSettings(trees=3))
    for row, column in ((0, 0), (512, 512)):
        case.labels.target[row : row + 256, column : column + 256] = 1
    _, again = judge_guess(case, 3, GuessSettings(trees=3))
    assert (again.matrix == guess.matrix).all()
    assert target.accuracy < 0.9
