"""Merging scenes against whole-array selection."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.imagery.fusion.merging import clear_runs, merge_codes, merge_scene, packed, unpacked
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


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (8, 16)])
def test_clear_pixels_are_packed_and_unpacked(shape: tuple[int, int], share: float) -> None:
    rng = np.random.default_rng(2)
    whole = rng.integers(1, 99, (2, shape[0] + 3, shape[1] + 2)).astype(np.uint16)
    bands, valid = whole[:, 1:-2, 1:-1], rng.random(shape) < share
    runs = clear_runs(np.packbits(valid), valid.size)
    values = packed(bands, runs)
    assert np.array_equal(values, bands[:, valid])
    out = np.full(bands.shape, 7, np.uint16)
    unpacked(values, runs, out)
    assert np.array_equal(out, np.where(valid, bands, 0))
