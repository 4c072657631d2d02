from __future__ import annotations

import numpy as np
import pytest

from landloom.simulate.annotators import CampaignSpec, Labeller, land_cover, simulate_campaign

TRUTH = land_cover(3, 7, 0, 256)


def test_clumps_have_the_rates_of_the_confusion() -> None:
    one = Labeller.drawn(5, classes=7, accuracy=0.7)
    labels = np.concatenate([one.label(land_cover(3, 7, chip, 256), chip=chip, row=0, column=0) for chip in range(8)])
    truth = np.concatenate([land_cover(3, 7, chip, 256) for chip in range(8)])
    for row in range(7):
        own = labels[truth == row]
        if own.size > 30_000:
            assert np.bincount(own, minlength=7) / own.size == pytest.approx(one.confusion[row], abs=0.05)
    wrong = labels != truth
    beside = (wrong[:, 1:] & wrong[:, :-1]).sum() / wrong[:, 1:].sum()
    assert beside > wrong.mean() + 0.3, "errors lie side by side"


@pytest.mark.parametrize("family", ["clumps", "objects"])
def test_a_task_does_not_depend_on_where_it_is_cut(family: str) -> None:
    one = Labeller.drawn(5, classes=7, accuracy=0.7, copying=0.5, family=family)  # type: ignore[arg-type]
    guess = Labeller.drawn(6, classes=7, accuracy=0.7).label(TRUTH, chip=2, row=0, column=0)
    whole = one.label(TRUTH, guess, chip=2, row=0, column=0)
    part = one.label(TRUTH[32:64, 96:128], guess[32:64, 96:128], chip=2, row=32, column=96)
    assert (whole[32:64, 96:128] == part).all()


def test_copying_keeps_the_guess() -> None:
    one = Labeller.drawn(5, classes=7, accuracy=0.8, copying=0.6)
    wrong = (TRUTH + 1) % 7
    kept = np.mean([(one.label(TRUTH, wrong, chip=chip, row=0, column=0) == wrong).mean() for chip in range(12)])
    plain = np.mean([(one.label(TRUTH, chip=chip, row=0, column=0) == wrong).mean() for chip in range(12)])
    assert kept == pytest.approx(0.6 + 0.4 * plain, abs=0.08)


def test_objects_are_wrong_as_a_whole_and_more_often_at_the_end_of_a_session() -> None:
    one = Labeller.drawn(5, classes=7, accuracy=0.8, family="objects")
    fresh, tired = ((one.label(TRUTH, chip=0, row=0, column=0, done=done) != TRUTH).mean() for done in (0, 63))
    assert tired > 2 * fresh


def test_objects_are_copied_at_rates_that_depend_on_the_class() -> None:
    rates = Labeller.drawn(5, classes=7, accuracy=0.8, copying=0.5, family="objects").copying
    assert rates.mean() == pytest.approx(0.5)
    assert rates.max() > 2.5 * rates.min()


def test_a_campaign_has_what_its_spec_says() -> None:
    spec = CampaignSpec(seed=3, chips=2, side=64, task=16, references=5, blind=0.25, planted=0.125)
    made = simulate_campaign(spec)
    assert len(made.tasks) == 32
    assert sum(one.is_reference for one in made.tasks) == 5
    assert sum(one.guess is None for one in made.tasks) == 8
    planted = [one for one in made.tasks if one.guess is not None and one.original is not None]
    assert len(planted) == 4
    assert all(np.any(one.guess != one.original) for one in planted)
    assert {int(code) for one in made.tasks for code in np.unique(one.labels)} <= set(range(1, 8))
    again = simulate_campaign(spec)
    assert all((a.labels == b.labels).all() for a, b in zip(made.tasks, again.tasks, strict=True))
