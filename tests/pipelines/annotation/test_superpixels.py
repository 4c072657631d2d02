"""Superpixels follow the borders of what differs over the year, and ignore clouds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from landloom.errors import InvalidValueError
from landloom.pipelines.annotation.superpixels import components, superpixels


def two_fields(side: int = 48) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A series of two fields that differ in one month alone, under clouds that move."""
    rng = np.random.default_rng(3)
    fields = np.zeros((side, side), int)
    fields[:, side // 2 + 3 :] = 1
    series = rng.integers(1000, 1060, (6, 4, side, side)).astype(np.uint16)
    series[2, 3][fields == 1] += 2000
    valid = np.ones((6, side, side), bool)
    for number in range(6):
        valid[number, 8 * number : 8 * number + 8] = False
    series[np.broadcast_to(~valid[:, None], series.shape)] = 9000
    return series, valid, fields


def test_no_segment_crosses_the_border_of_two_fields() -> None:
    series, valid, fields = two_fields()
    found = superpixels(series, valid, 8)
    for number in np.unique(found).tolist():
        inside = fields[found == number]
        # The month in which the fields differ is clouded in some rows: nobody can tell them apart there.
        clear = inside[valid[2][found == number]]
        assert len(clear) == 0 or max(np.mean(clear), 1 - np.mean(clear)) > 0.9


def test_segments_are_connected_numbered_and_repeat() -> None:
    series, valid, _ = two_fields()
    found = superpixels(series, valid, 6)
    np.testing.assert_array_equal(found, superpixels(series.copy(), valid.copy(), 6))
    assert found.dtype == np.uint16
    assert np.unique(found).tolist() == list(range(1, found.max() + 1))
    assert 20 < found.max() < 120
    for number in range(1, int(found.max()) + 1):
        assert ndimage.label(found == number)[1] == 1


def test_clouds_add_no_edge() -> None:
    rng = np.random.default_rng(1)
    series = np.full((4, 2, 16, 16), 1500, np.uint16) + rng.integers(0, 3, (4, 2, 16, 16)).astype(np.uint16)
    valid = np.ones((4, 16, 16), bool)
    valid[1, :8] = False
    clouded = series.copy()
    clouded[1, :, :8] = 9000
    assert np.abs(components(clouded, valid) - components(series, valid)).max() < 4


def test_an_area_without_structure_is_one_segment() -> None:
    assert (superpixels(np.full((3, 2, 12, 12), 900, np.uint16), np.ones((3, 12, 12), bool), 4) == 1).all()
    assert (superpixels(np.zeros((3, 2, 12, 12), np.uint16), np.zeros((3, 12, 12), bool), 4) == 1).all()
    assert (superpixels(*two_fields(12)[:2], 40) == 1).all()


@pytest.mark.parametrize("size", [0, 1])
def test_sizes_are_checked(size: int) -> None:
    series, valid, _ = two_fields(16)
    with pytest.raises(InvalidValueError, match="got superpixels of"):
        superpixels(series, valid, size)
