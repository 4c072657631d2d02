"""Trust states: few reference tasks, marks, acceptance rules per class, the latest ones only."""

from __future__ import annotations

import pytest

from landloom.annotate.tasks.trust import FEWEST_PIXELS, ReferenceResult, Trust, qualified, trust_state
from landloom.annotate.tasks.values import CampaignSettings
from landloom.errors import InvalidValueError

SETTINGS = CampaignSettings(trust_after=3, trust_mark=0.7, trust_window=4, acceptance={1: 0.95})


def result(water: float = 1.0, woody: float = 1.0) -> ReferenceResult:
    """A task with 100 pixels of water and 100 of woody vegetation, and the shares labelled right."""
    answer = [1] * round(100 * water) + [5] * (100 - round(100 * water))
    answer += [5] * round(100 * woody) + [1] * (100 - round(100 * woody))
    return ReferenceResult.of(bytes(answer), bytes([1] * 100 + [5] * 100))


def test_a_result_counts_pixels_by_the_experts_class() -> None:
    one = ReferenceResult.of(bytes([1, 2, 2, 5]), bytes([1, 1, 2, 0]))
    assert (dict(one.pixels), dict(one.right)) == ({1: 2, 2: 1}, {1: 1, 2: 1})
    assert one.accuracy == pytest.approx(2 / 3)
    assert ReferenceResult.of(bytes(2), bytes(2)).accuracy == 1
    with pytest.raises(InvalidValueError, match="got an answer of 1 pixels, expected 2"):
        ReferenceResult.of(bytes(1), bytes(2))


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], Trust.PENDING),
        ([result()] * 2, Trust.PENDING),
        ([result()] * 3, Trust.TRUSTED),
        ([result(water=0.94)] * 3, Trust.UNTRUSTED),
        ([result(water=0.95)] * 3, Trust.TRUSTED),
        ([result(woody=0.3)] * 3, Trust.UNTRUSTED),
        # Only the latest four count: old mistakes are forgotten, and so is old merit.
        ([result(water=0.5)] * 5 + [result()] * 4, Trust.TRUSTED),
        ([result()] * 20 + [result(water=0.5)] * 4, Trust.UNTRUSTED),
    ],
)
def test_states(results: list[ReferenceResult], expected: Trust) -> None:
    state = trust_state(results, SETTINGS)
    assert state.trust is expected
    assert state.tasks == min(len(results), 4)
    assert bool(state.reasons) == (expected is Trust.UNTRUSTED)


def test_reasons_name_the_rule() -> None:
    reasons = trust_state([result(water=0.4, woody=0.4)] * 3, SETTINGS).reasons
    assert reasons == (
        "accuracy: 40.0 % of 600 pixels, expected at least 70.0 %",
        "class 1: 40.0 % of 300 pixels, expected at least 95.0 %",
    )


def test_a_rule_waits_for_pixels_of_its_class() -> None:
    few = FEWEST_PIXELS // 3 - 1
    one = ReferenceResult.of(bytes([5] * few + [5] * 100), bytes([1] * few + [5] * 100))
    assert trust_state([one] * 3, SETTINGS).trust is Trust.TRUSTED


def test_qualification() -> None:
    settings = CampaignSettings(qualification=2, pass_mark=0.8)
    assert qualified([result()], settings) is None
    assert qualified([result(), result(water=0.5)], settings) is True
    assert qualified([result(water=0.2), result(water=0.5)], settings) is False
    assert qualified([], CampaignSettings()) is True
