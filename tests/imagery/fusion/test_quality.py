"""Quality layers by hand, and the closest observation against a search of all."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from landloom.imagery.fusion.quality import QUALITY_NODATA, cloud_codes, nearest_dates, quality_layers
from landloom.model.sensor import LANDSAT_C2_L2, SENTINEL_2_L2A


@given(
    st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=8),
    st.sets(st.integers(-5, 50), min_size=1),
)
def test_the_closest_date_is_that_of_a_search(seen: list[tuple[int, bool]], wanted: set[int]) -> None:
    days = np.array(sorted(day for day, _ in seen), dtype=float)
    used = np.array([flag for _, flag in seen]).reshape(-1, 1, 1)
    targets = np.array(sorted(wanted), dtype=float)
    found = nearest_dates(used, days, targets)[:, 0, 0]
    for target, index in zip(targets, found, strict=True):
        away = [abs(day - target) for day, flag in zip(days, used.ravel(), strict=True) if flag]
        assert (index == -1) == (not away)
        if away:
            assert used[index, 0, 0]
            assert abs(days[index] - target) == min(away)


def test_layers_in_the_published_order() -> None:
    used = np.zeros((2, 1, 2), bool)
    used[:, 0, 0] = True
    days, targets = np.array([0.0, 20.0]), np.array([1.0, 6.0, 19.0])
    sigma = np.full((3, 4, 1, 2), 30, np.uint16)
    sigma[..., 1] = 0
    clouds = np.array([0, 1, 3], np.uint16).reshape(3, 1, 1).repeat(2, axis=2)
    codes, references = np.array([4, 9], np.uint16), used.sum(axis=0)
    made = quality_layers(used, days, codes, references, clouds, sigma, targets, 2.5)
    assert made.dtype == np.uint16
    assert made.shape == (3, 9, 1, 2)
    assert made[:, :5, 0, 0].tolist() == [[0, 1, 0, 4, 2], [33, 6, 1, 4, 2], [0, 1, 3, 9, 2]]
    assert set(made[:, 5:, 0, 0].ravel()) == {30}
    never = made[:, :, 0, 1]
    assert never[:, 0].tolist() == [100, 100, 100]
    assert never[:, 2].tolist() == [0, 1, 3]
    assert set(never[:, [1, 3, 4, 5, 6, 7, 8]].ravel()) == {QUALITY_NODATA}


def test_masks_of_two_sensors_have_the_same_codes() -> None:
    assert SENTINEL_2_L2A.classification is not None
    assert LANDSAT_C2_L2.classification is not None
    classes = cloud_codes(np.arange(12, dtype=np.uint8), SENTINEL_2_L2A.classification)
    assert classes.tolist() == [QUALITY_NODATA, 0, 0, 2, 0, 0, 0, 0, 1, 1, 3, 0]
    bits = np.array([0b1, 0b10, 0b100, 0b1000, 0b10000, 0b1000000], np.uint16)
    assert cloud_codes(bits, LANDSAT_C2_L2.classification).tolist() == [QUALITY_NODATA, 1, 3, 1, 2, 0]


def test_large_masks_have_the_codes_of_small_ones() -> None:
    rng = np.random.default_rng(4)
    for sensor, kind, most in ((SENTINEL_2_L2A, np.uint8, 14), (LANDSAT_C2_L2, np.uint16, 2**16)):
        assert sensor.classification is not None
        classes = rng.integers(0, most, (257, 300)).astype(kind)
        small = np.stack([cloud_codes(row, sensor.classification) for row in classes])
        assert np.array_equal(cloud_codes(classes, sensor.classification), small)
