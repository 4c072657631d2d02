"""Merging scenes against whole-array selection."""

from __future__ import annotations

import numpy as np

from landloom.imagery.fusion.merging import merge_codes, merge_scene
from landloom.imagery.fusion.quality import QUALITY_NODATA


def test_the_first_scene_that_shows_a_pixel_counts() -> None:
    rng = np.random.default_rng(1)
    bands, valid = np.zeros((2, 9, 11), np.uint16), np.zeros((9, 11), np.bool_)
    wanted = rng.random((9, 11)) < 0.8
    expected, known = bands.copy(), valid.copy()
    for number in (1, 2, 3):
        own, clear = rng.integers(1, 99, (2, 9, 11)).astype(np.uint16), rng.random((9, 11)) < 0.5
        if number == 3:
            clear &= ~wanted
        fresh = clear & wanted & ~known
        expected[:, fresh] = own[:, fresh]
        known |= fresh
        assert merge_scene(bands, valid, wanted, own, clear) == bool((clear & wanted).any())
        assert np.array_equal(bands, expected)
        assert np.array_equal(valid, known)


def test_cloud_codes_count_from_one() -> None:
    codes = np.array([[0, 0, 2, 0]], np.uint8)
    merge_codes(codes, np.array([[0, 3, 0, QUALITY_NODATA]], np.uint16))
    assert codes.tolist() == [[1, 4, 2, 0]]
