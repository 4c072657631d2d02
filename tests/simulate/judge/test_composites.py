from __future__ import annotations

from hashlib import sha256

import bottleneck
import numpy as np

from landloom.model.sensor import CLEAR
from landloom.simulate.judge.composites import (
    JUDGE_MONTH,
    JUDGE_SEEDS,
    composite_error,
    judge_composite,
    judge_grid,
    judge_scenes,
    judge_spec,
    sorted_median,
)
from landloom.simulate.spec import world_spec
from landloom.simulate.world import World

DEVELOPMENT_SEED = 3
JUDGE_DIGEST = "b17e001509392eb4dcfa44907b0ed861df58c131c8df05d24c4be8a6dad4b20f"
"""What `judge_digest()` gives, for ever."""


def judge_digest() -> str:
    """One hash of the preset and of samples of what follows from it, all integers."""
    # A property that worlds got later is left out where it is neutral: the figures do not depend on it.
    whole = sha256(repr(world_spec("judge-v1")).replace(", clearings=0.0", "").encode())
    whole.update(repr((JUDGE_SEEDS, JUDGE_MONTH)).encode())
    for seed in JUDGE_SEEDS:
        world, grid = World(judge_spec(seed)), judge_grid()
        whole.update(world.land_cover(grid.at(60)).astype("<u2").tobytes())
        for scene in judge_scenes(seed, (JUDGE_MONTH,)):
            seen = world.observe(scene, grid, ("B04", "B08", "B11"))
            whole.update(seen.pixels[:, ::7, ::7].astype("<u2").tobytes())
            whole.update(seen.scl[::7, ::7].tobytes())
    return whole.hexdigest()


def test_judge_v1_is_frozen() -> None:
    """If this fails, the change must go: what follows from `judge-v1` is what all figures are measured by."""
    assert judge_digest() == JUDGE_DIGEST
    assert len(JUDGE_SEEDS) == 5
    assert (world_spec("judge-v1").missed, world_spec("judge-v1").misregistration) == (0.03, 3.0)


def test_the_judge_sees_every_five_days_of_the_year() -> None:
    scenes = judge_scenes(DEVELOPMENT_SEED)
    days = [scene.time.timetuple().tm_yday for scene in scenes]
    assert set(np.diff(days)) == {5}
    assert len(days) == 73


def test_sorted_median_is_the_median_with_even_counts_floored() -> None:
    rng = np.random.default_rng(2)
    pixels = rng.integers(1, 9_000, (6, 2, 30, 30)).astype(np.uint16)
    valid = rng.random((6, 30, 30)) < 0.5
    with np.errstate(all="ignore"):
        wanted = bottleneck.nanmedian(np.where(valid[:, None], pixels, np.nan).astype(np.float64), axis=0)
    assert np.array_equal(sorted_median(pixels, valid), np.floor(np.nan_to_num(wanted)).astype(np.uint16))


def test_a_composite_case_holds_the_same_observations_with_and_without_clouds() -> None:
    case = judge_composite(DEVELOPMENT_SEED, bands=("B04", "B08"))
    assert np.array_equal(case.valid, np.isin(case.scl, list(CLEAR)))
    same = (case.pixels == case.cloudfree).all(axis=1)
    # What is called clear and is not: the clouds that the classification missed.
    wrong = case.valid & ~same
    assert 0 < wrong.sum() < 0.05 * (~case.valid).sum()
    noise = (case.cloudfree.astype(float) - case.truth).std(axis=(0, 2, 3))
    assert (noise > case.noise).all()
    exact = composite_error(case, case.exact(), case.perfect())
    assert 0.2 < exact.absolute < 1.0
    assert abs(exact.bias) < 0.2
    worse = composite_error(case, sorted_median(case.pixels, np.ones_like(case.valid)), case.perfect())
    assert worse.absolute > 1.2 * exact.absolute
