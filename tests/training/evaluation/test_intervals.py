"""Intervals: scipy's bootstrap, known variances, blocks, and equal results for equal seeds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.training.evaluation.cases import drawn

from landloom.errors import InvalidValueError
from landloom.training.evaluation.intervals import Paired, contrast, difference, draws, estimates, paired, resampled
from landloom.training.evaluation.measures import BY_CLASS, OVERALL
from landloom.training.evaluation.sums import Sums

stats: Any = pytest.importorskip("scipy.stats")
ACCURACY = OVERALL["accuracy"]


def test_intervals_are_those_of_scipy() -> None:
    """Blocks of equal size make accuracy a mean over blocks, which scipy resamples, too."""
    made = drawn(600, blocks=30)
    made = replace(made, block=np.repeat(np.arange(30), 20))
    sums = Sums.by_block(made)
    found = estimates([sums], ACCURACY, draws(30, 0, 4_000))[0]
    right = np.diagonal(sums.table, axis1=1, axis2=2).sum(axis=1) / 20
    known = stats.bootstrap((right,), np.mean, n_resamples=4_000, method="percentile", rng=1).confidence_interval
    assert found.value == pytest.approx(right.mean())
    assert [found.low, found.high] == pytest.approx([known.low, known.high], abs=0.006)


def test_differences_are_paired_as_those_of_scipy() -> None:
    one, other = (
        replace(drawn(600, skill=own, model=number), block=np.repeat(np.arange(30), 20))
        for number, own in enumerate((1.5, 1.3))
    )
    sums = [[Sums.by_block(part)] for part in (one, other)]
    found = difference(sums[0], sums[1], ACCURACY, draws(30, 0, 4_000))
    apart = ((one.predicted == one.truth) * 1.0 - (other.predicted == other.truth)).reshape(30, 20).mean(axis=1)
    known = stats.bootstrap((apart,), np.mean, n_resamples=4_000, method="percentile", rng=1).confidence_interval
    assert found.value == pytest.approx(apart.mean())
    assert [found.low, found.high] == pytest.approx([known.low, known.high], abs=0.006)


def test_a_model_does_not_differ_from_itself() -> None:
    sums = [Sums.by_block(drawn())]
    found = difference(sums, sums, OVERALL["macro_f1"], draws(30, 0))
    assert (found.value, found.low, found.high, found.differs) == (0, 0, 0, False)


def test_blocks_widen_the_interval_of_alike_errors() -> None:
    """A row that stands 20 times in its block tells no more than once: its interval is as wide."""
    single = replace(drawn(40), block=np.arange(40))
    copied = single.rows(np.repeat(np.arange(40), 20))
    alone = replace(copied, block=np.arange(800))
    widths = []
    for made in (single, copied, alone):
        one = estimates([Sums.by_block(made)], ACCURACY, draws(len(np.unique(made.block)), 0, 2_000))[0]
        widths.append(one.high - one.low)
    assert widths[1] == pytest.approx(widths[0])
    assert widths[2] < widths[0] / 3


def test_intervals_cover_the_truth() -> None:
    """Of 200 samples of 40 blocks, about 95 % have an interval that holds the expected accuracy."""
    random = np.random.default_rng(7)
    held = 0
    for number in range(200):
        right = random.binomial(15, random.beta(8, 2, 40)) / 15
        drawn_means = draws(40, number, 500) @ right / 40
        low, high = np.percentile(drawn_means, [2.5, 97.5])
        held += low <= 0.8 <= high
    assert 178 <= held <= 199


def test_equal_seeds_give_equal_intervals_and_others_do_not() -> None:
    sums = [Sums.by_block(drawn())]
    one, again, other = (estimates(sums, BY_CLASS["f1"], draws(30, seed)) for seed in (3, 3, 4))
    assert one == again
    assert one != other


def test_resamples_do_not_depend_on_each_other() -> None:
    sums, times = [Sums.by_block(drawn())], draws(30, 0)
    whole = resampled(sums, ACCURACY, times)
    parts = np.concatenate([resampled(sums, ACCURACY, times[at : at + 7]) for at in range(0, 1_000, 7)])
    assert parts == pytest.approx(whole)


def test_several_seeds_have_a_deviation() -> None:
    seeds = [Sums.by_block(drawn(model=number)) for number in range(4)]
    found = estimates(seeds, ACCURACY, draws(30, 0))[0]
    values = [float(ACCURACY(one.total)) for one in seeds]
    assert (found.value, found.deviation) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
    assert estimates(seeds[:1], ACCURACY, draws(30, 0))[0].deviation is None


def test_a_single_block_has_no_interval() -> None:
    found = estimates([Sums.by_block(drawn(50, blocks=1))], ACCURACY, draws(1, 0))[0]
    assert found.value > 0
    assert np.isnan(found.low)
    assert np.isnan(found.high)
    assert found.document()["low"] is None
    with pytest.raises(InvalidValueError, match="got no predictions"):
        resampled([], ACCURACY, draws(3, 0))


def test_inside_and_outside_are_drawn_apart() -> None:
    inside, outside = ([Sums.by_block(drawn(seed=number, skill=skill))] for number, skill in ((0, 3.0), (1, 0.5)))
    found = contrast(inside, outside, ACCURACY, 0)
    alone = [estimates(one, ACCURACY, draws(30, 0))[0] for one in (inside, outside)]
    assert found.value == pytest.approx(alone[0].value - alone[1].value)
    assert found.differs
    spread = np.linalg.norm([one.high - one.low for one in alone])
    assert found.high - found.low == pytest.approx(spread, rel=0.15)
    lonely = [Sums.by_block(drawn(20, blocks=1))]
    assert np.isnan(contrast(inside, lonely, ACCURACY, 0).low)


def test_worlds_with_blocks_of_their_own_are_paired_inside_each() -> None:
    random = np.random.default_rng(1)
    rows = [random.integers(5, 20, blocks).astype(np.float64) for blocks in (30, 40)]
    worlds = [
        Paired(first=np.floor(one * 0.9), second=np.floor(one * random.uniform(0.4, 0.9, len(one))), rows=one, seed=at)
        for at, one in enumerate(rows)
    ]
    each = [(one.first - one.second).sum() / one.rows.sum() for one in worlds]
    found = paired(worlds)
    assert found.value == pytest.approx(np.mean(each))
    assert 0 < found.low < found.value < found.high
    assert found.high - found.low < min(paired([one]).high - paired([one]).low for one in worlds)
    same = paired([replace(one, second=one.first) for one in worlds])
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
