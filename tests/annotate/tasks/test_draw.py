"""The draw of kinds: exact numbers, every stratum, and nothing that a task's place would tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.annotate.tasks.draw import counts_of, draw_kinds, redraw_references, stratified
from landloom.annotate.tasks.values import (
    Campaign,
    CampaignSettings,
    ClassChoice,
    NewTask,
    TaskKind,
    TaskWindow,
)
from landloom.errors import InvalidDocumentError, InvalidInputError, InvalidValueError


@given(strata=st.lists(st.integers(0, 5), min_size=1, max_size=120), data=st.data())
def test_a_stratified_draw_takes_its_share_of_every_stratum(strata: list[int], data: st.DataObject) -> None:
    count = data.draw(st.integers(0, len(strata)))
    drawn = stratified(strata, count, np.random.default_rng(1)).tolist()
    assert len(set(drawn)) == count
    kinds = set(strata)
    if count >= len(kinds):
        assert {strata[n] for n in drawn} == kinds
        for one in kinds:
            exact = (strata.count(one) - 1) * (count - len(kinds)) / max(len(strata) - len(kinds), 1) + 1
            assert abs(sum(strata[n] == one for n in drawn) - exact) < 1


def test_shares_and_counts() -> None:
    settings = CampaignSettings(reference_count=540, blind_share=0.03, planted_share=0.01, qualification=10, seed=7)
    kinds = draw_kinds([n % 7 for n in range(20_000)], settings)
    found = {kind: kinds.count(kind) for kind in TaskKind}
    assert found == {
        TaskKind.REFERENCE: 540,
        TaskKind.BLIND: 600,
        TaskKind.PLANTED: 200,
        TaskKind.QUALIFICATION: 10,
        TaskKind.REGULAR: 20_000 - 1350,
    }


def test_the_place_of_a_task_does_not_tell_its_kind() -> None:
    """Over many seeds each of 64 places of a chip is a reference task equally often."""
    hits = np.zeros(64)
    for seed in range(400):
        settings = CampaignSettings(reference_share=0.25, seed=seed)
        hits += [kind is TaskKind.REFERENCE for kind in draw_kinds(["37TDK"] * 64, settings)]
    expected = 100
    assert ((hits - expected) ** 2 / expected).sum() < 110  # chi² of 63 degrees of freedom: 1 in 5,000


def test_without_a_guess_no_task_is_blind_or_planted() -> None:
    kinds = draw_kinds([0] * 100, CampaignSettings(), guessed=[False] * 100)
    assert set(kinds) == {TaskKind.REGULAR, TaskKind.REFERENCE}


def test_more_special_tasks_than_tasks_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="got 540 reference tasks, expected at most the 64 tasks"):
        counts_of(64, CampaignSettings(reference_count=540, blind_share=0, planted_share=0))


def test_a_new_draw_keeps_answered_references_and_avoids_issued_tasks() -> None:
    kinds = [TaskKind.REFERENCE] * 4 + [TaskKind.REGULAR] * 20
    strata = [0] * 24
    drawn = redraw_references(strata, kinds, answered={0, 1}, issued={4, 5, 6}, count=5, seed=3)
    assert len(drawn.promote) + (2 - len(drawn.release)) == 5
    assert set(drawn.release) <= {2, 3}
    assert not set(drawn.promote) & {0, 1, 2, 3, 4, 5, 6}
    with pytest.raises(InvalidInputError, match="got 20 new reference tasks, expected at most the 19 not issued yet"):
        redraw_references(strata, kinds, answered={0, 1}, issued={4, 5, 6}, count=20, seed=3)


# Values --------------------------------------------------------------------------------------------------------

WINDOW = TaskWindow(chip="37TDK_02", row=0, column=0, height=2, width=2)


def test_settings_are_read_back() -> None:
    settings = CampaignSettings(annotators=5, acceptance={1: 0.95}, order="random", reference_count=60)
    assert CampaignSettings.parse(settings.document()) == settings


def test_every_invalid_setting_is_listed() -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        CampaignSettings(annotators=0, blind_share=2, context=16, heartbeat_seconds=1000, acceptance={0: 0.5})
    assert {one.where for one in caught.value.problems} == {
        "annotators",
        "blind_share",
        "task_size",
        "heartbeat_seconds",
        "acceptance",
    }
    with pytest.raises(InvalidDocumentError, match="gold: unknown setting"):
        CampaignSettings.parse({"gold": 540})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"guess": bytes(3)}, "got a guess of 3 bytes, expected 4"),
        ({"kind": TaskKind.BLIND, "guess": bytes(4)}, "got a blind task with a guess"),
        ({"copies": 0}, "got 0 annotators for a task"),
    ],
)
def test_tasks_are_checked(change: dict[str, object], message: str) -> None:
    values: dict[str, object] = {"window": WINDOW, "kind": TaskKind.REGULAR, "guess": None, "copies": 3}
    with pytest.raises(InvalidValueError, match=message):
        NewTask(**(values | change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "window", [{"row": -1}, {"height": 0}, {"chip": ""}, {"width": 4096}], ids=["row", "height", "chip", "width"]
)
def test_windows_are_checked(window: dict[str, object]) -> None:
    values: dict[str, object] = {"chip": "37TDK_02", "row": 0, "column": 0, "height": 2, "width": 2}
    with pytest.raises(InvalidValueError, match="got a task"):
        TaskWindow(**(values | window))  # type: ignore[arg-type]


def test_classes_are_checked() -> None:
    water = ClassChoice(code=1, key="1", name="Water", colour="#3b7dc4")
    with pytest.raises(InvalidValueError, match="got class code 255, expected 1 to 254"):
        ClassChoice(code=255, key="1", name="Water", colour="#3b7dc4")
    with pytest.raises(InvalidValueError, match="got colour 'blue' of Water"):
        ClassChoice(code=1, key="1", name="Water", colour="blue")
    common = {"name": "a", "corpus": "corpus", "taxonomy": "landcovernet", "taxonomy_version": "0"}
    assert Campaign(**common, classes=(water,), settings=CampaignSettings()).codes == (1,)
    with pytest.raises(InvalidValueError, match=r"got class codes \[1, 1\]"):
        Campaign(**common, classes=(water, water), settings=CampaignSettings())
    with pytest.raises(InvalidValueError, match=r"acceptance rules for \[2\]"):
        Campaign(**common, classes=(water,), settings=CampaignSettings(acceptance={2: 0.9}))
