"""Fused series on small fields with known courses: accuracy, honesty, breaks, seams, a second sensor, missed clouds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from landloom.errors import InvalidValueError
from landloom.imagery.fill import fill_linear
from landloom.imagery.fusion.fuse import HALO, fuse
from landloom.imagery.fusion.second import second_series
from landloom.imagery.fusion.sightings import Sightings
from landloom.imagery.whittaker import whittaker

DAYS = np.arange(0.0, 360.0, 5.0)
SIDE = 48
NOISE = 40.0
HARVEST = 200.0


def truth_at(days: np.ndarray, side: int = SIDE) -> np.ndarray:
    """(time, band, y, x): fields of 16 pixels with their own dates, every second one harvested at once."""
    rows, columns = np.indices((side, side)) // 16
    field = rows * 5 + columns * 3
    grain = 1 + 0.05 * np.sin(np.indices((side, side)).sum(axis=0))
    early = (field % 7 - 3) * 6.0
    green = 1 / (1 + np.exp(-(days[:, None, None] - 110 - early) / 9)) - 1 / (
        1 + np.exp(-(days[:, None, None] - 250) / 14)
    )
    cut = (field % 2 == 0) & (days[:, None, None] >= HARVEST + early)
    green = np.where(cut, 0.05, green)
    return np.stack([(900 - 500 * green) * grain, (1_500 + 2_600 * green) * grain], axis=1)


def clouds(times: int, share: float, seed: int, side: int = SIDE) -> np.ndarray:
    """(time, y, x) clear: whole dates and halves are hidden."""
    rng = np.random.default_rng(seed)
    clear = np.ones((times, side, side), bool)
    for one in clear:
        lot = rng.random()
        if lot < share:
            one[:] = False
        elif lot < share + 0.2:
            one[: rng.integers(side), :] = False
    return clear


def sightings(seed: int = 0, share: float = 0.5, side: int = SIDE) -> Sightings:
    rng = np.random.default_rng(seed)
    seen = truth_at(DAYS, side) + rng.normal(0, NOISE, (DAYS.size, 2, side, side))
    clear = clouds(DAYS.size, share, seed + 1, side)
    stack = np.where(clear[:, None], seen, 6_500)
    return Sightings(days=DAYS, stack=np.rint(stack).clip(1, 65_534).astype(np.uint16), valid=clear)


def rms(made: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean((made - truth) ** 2)))


def test_closer_to_the_truth_than_lines_and_smoothing_and_honest_about_it() -> None:
    seen, truth = sightings(), truth_at(DAYS)
    made = fuse(seen, DAYS)
    line = fill_linear(seen.stack, seen.valid, DAYS, DAYS)
    smooth = whittaker(seen.stack, seen.valid, DAYS, DAYS)
    assert rms(made.series, truth) < 0.7 * min(rms(line, truth), rms(smooth, truth))
    miss = np.abs(made.series - truth)
    assert 0.6 < (miss <= made.sigma).mean() < 0.92
    assert (miss <= 2 * made.sigma).mean() > 0.9
    assert np.allclose(made.noise, NOISE, rtol=0.1)


def test_agrees_with_observations_within_uncertainty() -> None:
    seen = sightings(seed=5)
    made = fuse(seen, DAYS)
    miss = np.abs(seen.stack.astype(float) - made.series)
    within = miss <= 2 * np.hypot(made.sigma, made.noise[None, :, None, None])
    assert within.transpose(0, 2, 3, 1)[made.used].mean() >= 0.95


def test_an_abrupt_change_is_not_smoothed_away() -> None:
    seen, truth = sightings(seed=2, share=0.3), truth_at(DAYS)
    made = fuse(seen, DAYS).series
    smooth = whittaker(seen.stack, seen.valid, DAYS, DAYS)
    near = np.abs(np.diff(truth[:, 1], axis=0)) > 1_000
    near = np.concatenate([near, near[-1:]]) | np.concatenate([near[:1], near])
    assert rms(made[:, 1][near], truth[:, 1][near]) < 0.7 * rms(smooth[:, 1][near], truth[:, 1][near])


def test_the_day_of_a_change_is_uncertain_within_its_gap() -> None:
    seen, truth = sightings(seed=2, share=0.2), truth_at(DAYS)
    gap = (DAYS > 180) & (DAYS < 225)
    seen.valid[gap] = False
    made = fuse(seen, DAYS)
    cut = np.ptp(np.diff(truth[gap, 1], axis=0), axis=0) > 1_000
    inside = made.sigma[gap, 1]
    assert np.median(inside[2:-2, cut]) > 4 * np.median(made.sigma[~gap, 1][:, cut])
    assert np.median(inside[2:-2, cut]) > 3 * np.median(inside[2:-2, ~cut])


def test_missed_clouds_are_screened_and_clear_pixels_kept() -> None:
    seen, truth = sightings(seed=3), truth_at(DAYS)
    hidden = np.zeros_like(seen.valid)
    for t in np.flatnonzero(seen.valid.all(axis=(1, 2)))[2:9:2]:
        hidden[t, 10:22, 10:22] = True
    stack = np.where(hidden[:, None], np.uint16(3_500), seen.stack)
    made = fuse(replace(seen, stack=stack), DAYS)
    assert (made.used & hidden).sum() <= 0.02 * hidden.sum()
    assert (seen.valid & ~hidden & ~made.used).sum() <= 0.02 * (seen.valid & ~hidden).sum()
    assert made.outliers >= 0.98 * hidden.sum()
    assert rms(made.series, truth) < 1.1 * rms(fuse(seen, DAYS).series, truth)


def test_a_second_sensor_helps_in_a_long_gap() -> None:
    first, truth = sightings(seed=4, share=0.3), truth_at(DAYS)
    gap = (DAYS > 90) & (DAYS < 170)
    first.valid[gap] = False
    days = np.arange(3.0, 360.0, 8.0)
    rng = np.random.default_rng(9)
    coarse = truth_at(days).reshape(days.size, 2, 16, 3, 16, 3).mean(axis=(3, 5))
    coarse = 0.95 * coarse + np.array([30.0, -20.0])[:, None, None] + rng.normal(0, 15, coarse.shape)
    stack = np.rint(coarse).astype(np.uint16).repeat(3, axis=2).repeat(3, axis=3)
    second = Sightings(days=days, stack=stack, valid=np.ones((days.size, SIDE, SIDE), bool), footprint=3)
    alone, both = fuse(first, DAYS), fuse(first, DAYS, second)
    assert rms(both.series[gap], truth[gap]) < 0.6 * rms(alone.series[gap], truth[gap])
    assert both.sigma[gap].mean() < alone.sigma[gap].mean()
    assert both.bandpass is not None
    assert both.used_second is not None


def test_a_lasting_difference_of_a_region_is_taken_out() -> None:
    rng, days, regions = np.random.default_rng(3), np.arange(0.0, 200.0, 8.0), 40
    lasting = rng.normal(0, 60, regions)
    difference = (lasting + rng.normal(0, 5, (days.size, 1, regions))).astype(np.float32)
    difference[-1, 0, 0] += 500
    whole, sure = np.full((days.size, regions), 64.0, np.float32), np.ones((days.size, regions), bool)
    uneven = np.zeros_like(difference)
    uneven[-1, 0, 1] = 400.0**2
    noise, scatter = np.array([40.0], np.float32), np.array([30.0])
    made = second_series(days, np.zeros_like(difference), difference, uneven, whole, sure, scatter, noise)
    assert rms(made.values[:-1], np.zeros(1)) < 0.2 * rms(lasting / 40, np.zeros(1))
    assert made.values[-1, 0, 0] > 10
    assert made.variance[-1, 0, 1] > 10 * made.variance[0, 0, 1]
    assert not made.reference.any()


def test_a_second_sensor_that_was_never_clear_changes_nothing() -> None:
    first = sightings(seed=4)
    second = replace(first, valid=np.zeros_like(first.valid))
    alone, both = fuse(first, DAYS), fuse(first, DAYS, second)
    assert np.array_equal(alone.series, both.series)
    assert both.bandpass is None


def test_windows_agree_beyond_their_halo() -> None:
    whole = sightings(seed=6, side=144)
    parts = []
    for first, last in ((0, 72 + HALO), (72 - HALO, 144)):
        cut = Sightings(days=DAYS, stack=whole.stack[:, :, :, first:last], valid=whole.valid[:, :, first:last])
        made = fuse(cut, DAYS, origin=(0, first)).series
        parts.append(made[..., 72 - first - 1 : 72 - first + 1].astype(float))
    across = np.abs(parts[0][..., 0] - parts[1][..., 1])
    inside = np.abs(parts[0][..., 0] - parts[0][..., 1])
    assert across.mean() <= 1.05 * inside.mean()


def test_a_pixel_never_seen_nearby_is_nodata() -> None:
    first = sightings(seed=7)
    first.valid[:] = False
    made = fuse(first, DAYS)
    assert made.series.max() == 0
    assert made.sigma.max() == 0


@pytest.mark.parametrize("clear", [1, 2])
def test_very_few_clear_dates(clear: int) -> None:
    first = sightings(seed=8)
    whole = np.flatnonzero(first.valid.all(axis=(1, 2)))[:clear]
    first.valid[:] = False
    first.valid[whole] = True
    made = fuse(first, DAYS)
    assert rms(made.series[whole], truth_at(DAYS)[whole]) < 2 * NOISE
    assert made.series.min() > 0


def test_inconsistent_shapes_are_refused() -> None:
    first = sightings()
    with pytest.raises(InvalidValueError, match="ascending"):
        Sightings(days=DAYS[::-1], stack=first.stack, valid=first.valid)
    with pytest.raises(InvalidValueError, match="expected uint16"):
        Sightings(days=DAYS, stack=first.stack, valid=first.valid[:, :2])
    with pytest.raises(InvalidValueError, match="second sensor"):
        fuse(first, DAYS, replace(first, stack=first.stack[:, :1]))


def test_an_extreme_of_the_season_is_no_cloud() -> None:
    days = np.arange(0.0, 720.0, 30.0)
    level = 1_500 + 2_500 * np.exp(-((((days % 360) - 180) / 25) ** 2))
    seen = level[:, None, None, None] + np.random.default_rng(1).normal(0, NOISE, (days.size, 2, SIDE, SIDE))
    stack = np.rint(seen).astype(np.uint16)
    made = fuse(Sightings(days=days, stack=stack, valid=np.ones((days.size, SIDE, SIDE), bool)), days)
    assert made.outliers <= 0.02 * stack[:, 0].size
    assert rms(made.series, level[:, None, None, None]) < NOISE
