"""The judge's year with two sensors: frozen by digest, and what it promises."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from landloom.simulate.judge.composites import JUDGE_SEEDS
from landloom.simulate.judge.fusion import FUSION_BANDS, FusionCase, judge_fusion

SEED = 3


@pytest.fixture(scope="module")
def case() -> FusionCase:
    return judge_fusion(SEED)


def digest(case: FusionCase) -> str:
    hashed = hashlib.sha256()
    for array in (
        case.first.pixels,
        case.first.clear,
        case.second.pixels,
        case.second.clear,
        case.withheld,
        case.truth,
    ):
        hashed.update(np.ascontiguousarray(array).tobytes())
    return hashed.hexdigest()[:16]


def test_it_is_frozen(case: FusionCase) -> None:
    assert digest(case) == "00bfcfe2ea3fcb5c"
    assert SEED not in JUDGE_SEEDS


def test_two_sensors_on_their_own_days_and_grids(case: FusionCase) -> None:
    assert case.first.pixels.shape == (73, 4, 240, 240)
    assert case.second.pixels.shape == (46, 4, 80, 80)
    assert set(np.diff(case.first.days)) == {5.0}
    assert set(np.diff(case.second.days)) == {8.0}
    assert len(FUSION_BANDS) == 4


def test_clouds_cover_three_fifths(case: FusionCase) -> None:
    assert 0.5 < case.first.cloudy.mean() < 0.72
    missed = case.first.clear & case.first.cloudy
    assert 0 < missed.sum() < 0.1 * case.first.clear.sum()


def test_the_second_sensor_sees_the_same_land_in_other_bandpasses(case: FusionCase) -> None:
    clear = case.second.clear & ~case.second.cloudy
    t = int(np.argmax(clear.sum(axis=(1, 2))))
    day = int(np.argmin(np.abs(case.first.days - case.second.days[t])))
    truth = case.truth[day].reshape(4, 80, 3, 80, 3).mean(axis=(2, 4))
    for band in range(4):
        seen, real = case.second.pixels[t, band][clear[t]].astype(float), truth[band][clear[t]]
        assert np.corrcoef(seen, real)[0, 1] > 0.9
        assert 1 < abs(seen.mean() - real.mean()) < 400


def test_whole_scenes_are_withheld_and_fields_are_cut(case: FusionCase) -> None:
    assert case.withheld.sum() == 11
    days = case.harvest[np.isfinite(case.harvest)]
    assert ((days > 180) & (days < 300)).all()
