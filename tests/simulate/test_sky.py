"""Clouds cover what they are asked to, shadows lie away from the sun, and the classification follows the sky."""

from __future__ import annotations

from datetime import UTC, datetime
from math import cos, radians, sin, tan

import numpy as np
import pytest
from tests.simulate.made import DEMO, GRID

from landloom.model.sensor import Scl
from landloom.simulate.scene_frame import positions
from landloom.simulate.sky import Sky, classify, sky, sky_key, sun, through

DAY = datetime(2018, 6, 5, 10, tzinfo=UTC)
X, Y = positions(GRID)


def test_the_sun_stands_highest_in_june_and_in_the_south() -> None:
    elevations = {month: sun(datetime(2018, month, 21, tzinfo=UTC))[1] for month in range(1, 13)}
    assert max(elevations, key=elevations.__getitem__) == 6
    assert min(elevations, key=elevations.__getitem__) == 12
    assert all(145 < sun(datetime(2018, month, 21, tzinfo=UTC))[0] < 185 for month in range(1, 13))


def test_passes_have_skies_of_their_own() -> None:
    keys = {
        sky_key(DEMO.spec, datetime(year, 1, day, tzinfo=UTC), orbit)
        for year in (2017, 2018)
        for day in range(1, 32)
        for orbit in (22, 65, 122)
    }
    assert len(keys) == 2 * 31 * 3


@pytest.mark.parametrize("cover", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_cover_is_a_share_of_a_wide_area(cover: float) -> None:
    shares = []
    x, y = np.meshgrid(np.arange(0.0, 60_000, 300), np.arange(0.0, 60_000, 300))
    for key in range(12):
        seen = sky(DEMO.spec, key, DAY, cover, x, y)
        shares.append((seen.cloud > 0).mean())
        assert ((seen.cloud == 0) | (seen.cloud >= np.float32(0.05))).all()
        assert not (seen.shadow * seen.cloud).any()
    assert np.mean(shares) == pytest.approx(cover, abs=0.1)
    if cover in (0.0, 1.0):
        assert set(shares) == {cover}


def test_a_shadow_is_its_cloud_moved_away_from_the_sun() -> None:
    azimuth, elevation = sun(DAY)
    reach = 1_200.0 / tan(radians(elevation))
    east, north = -reach * sin(radians(azimuth)), -reach * cos(radians(azimuth))
    here = sky(DEMO.spec, 5, DAY, 0.4, X, Y)
    there = sky(DEMO.spec, 5, DAY, 0.4, X - east, Y - north)
    np.testing.assert_array_equal(here.shadow, there.cloud * (here.cloud == 0))


def test_clear_ground_is_seen_as_it_is_and_shadow_darkens_it() -> None:
    ground = np.full((1, 3), 2_000, np.float32)
    above = Sky(
        cloud=np.array([[0, 0, 1]], np.float32),
        shadow=np.array([[0, 1, 0]], np.float32),
        missed=np.zeros((1, 3), bool),
    )
    for row in range(12):
        clear, dark, bright = through(above, ground, row)[0]
        assert clear == 2_000
        assert dark < clear < bright


def test_the_worst_quarter_decides_and_missed_clouds_look_like_ground() -> None:
    ground = {"red": 500.0, "nir": 4_000.0, "swir": 2_000.0}
    red, nir, swir = (np.full((1, 4), number, np.float32) for number in ground.values())
    cloud, shadow, missed = np.zeros((2, 8), np.float32), np.zeros((2, 8), np.float32), np.zeros((2, 8), bool)
    cloud[1, 2], shadow[0, 5] = 0.9, 0.2
    cloud[:, 6:], missed[:, 6:] = 0.9, True
    found = classify(Sky(cloud=cloud, shadow=shadow, missed=missed), red, nir, swir)
    assert found.tolist() == [[Scl.VEGETATION, Scl.CLOUD_HIGH, Scl.CLOUD_SHADOW, Scl.VEGETATION]]
    opacities = np.array([[0.1, 0.1, 0.5, 0.5, 0.8, 0.8]] * 2, np.float32)
    clear = np.zeros((2, 6), np.float32)
    found = classify(Sky(cloud=opacities, shadow=clear, missed=clear > 0), red[:, :3], nir[:, :3], swir[:, :3])
    assert found.tolist() == [[Scl.CIRRUS, Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH]]
