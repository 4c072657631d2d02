from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.simulate.made import DEMO, GRID

from landloom.errors import InvalidValueError
from landloom.model.grid import Grid, transformer
from landloom.model.sensor import CLEAR, Scl
from landloom.simulate.spec import BANDS
from landloom.simulate.world import SceneSpec, World


def scene(world: World = DEMO, cover: float = 0.5, **changes: object) -> SceneSpec:
    at = datetime(2018, 6, 15, 10, 12, tzinfo=UTC)
    plain = SceneSpec(id="scene", time=at, granule="33UUR", grid=GRID, cover=cover)
    assert world.spec.year == 2018
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_any_window_gives_the_very_numbers_of_the_whole() -> None:
    part = GRID.window(17, 31, 40, 50)
    assert np.array_equal(DEMO.land_cover(part), DEMO.land_cover(GRID)[17:57, 31:81])
    whole = DEMO.truth_reflectance(GRID, "2018-05-05", ("B04", "B11", "B01"))
    assert np.array_equal(DEMO.truth_reflectance(part, "2018-05-05", ("B04", "B11", "B01")), whole[:, 17:57, 31:81])
    seen, inside = DEMO.observe(scene(), GRID), DEMO.observe(scene(), part)
    assert np.array_equal(inside.pixels, seen.pixels[:, 17:57, 31:81])
    assert np.array_equal(inside.scl, seen.scl[17:57, 31:81])


def test_two_zones_agree_about_the_land() -> None:
    """A pixel's centre asked for in the neighbouring zone lies in the same parcel."""
    column, row = np.meshgrid(np.arange(GRID.width), np.arange(GRID.height))
    x, y = transformer(32633, 32632).transform(GRID.west + 10 * column + 5, GRID.north - 10 * row - 5)
    other = Grid.of_bounds(
        32632, (x.min() // 60 * 60, y.min() // 60 * 60, x.max() // 60 * 60 + 60, y.max() // 60 * 60 + 60), 10
    )
    found = DEMO.land_cover(other)[((other.north - y) // 10).astype(int), ((x - other.west) // 10).astype(int)]
    # Centres differ by up to half a pixel: only pixels at the edge of a parcel may.
    assert (found == DEMO.land_cover(GRID)).mean() > 0.97


def test_coarse_bands_are_means_of_what_is_there_and_repeat_on_finer_grids() -> None:
    fine = DEMO.truth_reflectance(GRID, "2018-07-01", ("B11", "B09"))
    at_20, at_60 = (DEMO.truth_reflectance(GRID.at(r), "2018-07-01", ("B11", "B09")) for r in (20, 60))
    assert np.array_equal(fine[0], at_20[0].repeat(2, axis=0).repeat(2, axis=1))
    assert np.array_equal(fine[1], at_60[1].repeat(6, axis=0).repeat(6, axis=1))
    assert abs(at_60[0].astype(float) - at_20[0].reshape(20, 3, 20, 3).mean(axis=(1, 3))).max() <= 1.0


def test_grids_off_the_10_m_raster_have_truth_but_no_scene_shows_them() -> None:
    off = Grid.of_bounds(32633, (303_001, 5_559_001, 303_301, 5_559_301), 3)
    assert DEMO.truth_reflectance(off, "2018-07-01", ("B04",)).shape == (1, 100, 100)
    with pytest.raises(InvalidValueError, match="10 m raster"):
        DEMO.observe(scene(), off)


def test_scl_tells_the_clouds_but_for_3_percent() -> None:
    world = World(replace(DEMO.spec, missed=0.03))
    place = Grid.of_bounds(32633, (294_000, 5_550_000, 300_000, 5_556_000), 20)
    clouds, missed = 0, 0
    for day in (3, 13, 23):
        at = scene(time=datetime(2018, 6, day, 10, 12, tzinfo=UTC), cover=0.5)
        seen = world.observe(at, place, ("B02",))
        bare = world.observe(at, place, ("B02",), clouds=False)
        touched = seen.pixels[0] != bare.pixels[0]
        # Nothing but clouds and shadows changes a pixel, and every clear pixel but the missed is as without clouds.
        assert not (touched & ~seen.cloudy).any()
        called_cloud = np.isin(seen.scl, [Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.CIRRUS])
        bright = seen.pixels[0].astype(int) - bare.pixels[0] > 150
        clouds += int(bright.sum())
        missed += int((bright & ~called_cloud).sum())
        assert not (np.isin(seen.scl, list(CLEAR)) & touched & ~bright & ~seen.cloudy).any()
    assert 0.02 < missed / clouds < 0.04


def test_without_missed_clouds_what_is_called_clear_is_clear() -> None:
    world = World(replace(DEMO.spec, missed=0.0))
    seen, bare = (world.observe(scene(), GRID, clouds=clouds) for clouds in (True, False))
    clear = np.isin(seen.scl, list(CLEAR))
    assert 0.05 < clear.mean() < 0.95
    # A 60 m pixel is touched by its neighbours' clouds; 10 and 20 m pixels are not.
    for k, band in enumerate(BANDS):
        if band not in {"B01", "B09"}:
            assert np.array_equal(seen.pixels[k][clear], bare.pixels[k][clear])


def test_clouds_are_autocorrelated_and_cast_shadows_away_from_the_sun() -> None:
    wide = Grid.of_bounds(32633, (300_000, 5_556_000, 306_000, 5_562_000), 20)
    seen = World(replace(DEMO.spec, missed=0.0)).observe(scene(cover=0.4), wide, ("B08",))
    cloud = np.isin(seen.scl, [Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.CIRRUS])
    shadow = seen.scl == Scl.CLOUD_SHADOW
    assert cloud.any()
    assert (cloud[:, 1:] == cloud[:, :-1]).mean() > 0.97
    inner = (slice(80, -80), slice(80, -80))
    assert shadow[inner].any()

    def behind(down: int, right: int) -> float:
        moved = np.roll(cloud, (-down, -right), (0, 1))
        return float(moved[inner][shadow[inner]].mean())

    # Clouds are 1,200 m high and the sun stands 60 degrees high at an azimuth of 155: a shadow's cloud lies some
    # 630 m south and 290 m east of it. Against the sun there need not be any.
    assert behind(32, 15) > 0.95
    assert behind(-32, -15) < 0.6


def test_misregistration_noise_and_offset_are_what_the_spec_says() -> None:
    plain = replace(DEMO.spec, noise=(0.0,) * 12, gain=0.0, misregistration=0.0)
    noisy = replace(plain, noise=(30.0,) * 12)
    clear = scene(cover=0.0)
    truth = DEMO.truth_reflectance(GRID, clear.time, ("B03", "B8A"))
    assert np.array_equal(World(plain).observe(clear, GRID, ("B03", "B8A")).pixels, truth)
    got = World(noisy).observe(clear, GRID, ("B03",)).pixels.astype(float) - truth[:1]
    assert got.std() == pytest.approx(30.0, rel=0.03)
    assert abs(got.mean()) < 1.0
    offset = World(plain).observe(replace(clear, offset=1_000), GRID, ("B03",)).pixels
    assert np.array_equal(offset, truth[:1] + 1_000)
    moved = World(replace(plain, misregistration=3.0)).observe(clear, GRID, ("B03",)).pixels.astype(float)
    down, right = np.gradient(truth[0].astype(float))
    shift = np.linalg.lstsq(np.column_stack([right.ravel(), down.ravel()]), (moved[0] - truth[0]).ravel(), rcond=None)[
        0
    ]
    assert 0.2 < np.hypot(*shift) < 0.4


def test_granules_of_one_pass_see_one_sky() -> None:
    first, second = scene(granule="33UUR"), scene(granule="33UUQ", id="other")
    assert np.array_equal(DEMO.observe(first, GRID).scl, DEMO.observe(second, GRID).scl)
    later = scene(time=datetime(2018, 6, 25, 10, tzinfo=UTC))
    assert not np.array_equal(DEMO.observe(first, GRID).scl, DEMO.observe(later, GRID).scl)
