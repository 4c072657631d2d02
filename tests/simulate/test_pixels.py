"""Loops over pixels against the same formulas in NumPy: every bit."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.simulate.pixels import averaged, displaced, painted, through

ONE = np.float32(1)
RANDOM = np.random.default_rng(5)
VALUES = RANDOM.uniform(1, 9_000, (37, 41)).astype(np.float32)
SHARES = RANDOM.uniform(0, 1, (2, *VALUES.shape)).astype(np.float32)


@pytest.mark.parametrize(("right", "down"), [(0.3, -0.2), (-0.1, 0.4), (0.0, 0.0)])
def test_values_move_by_a_fraction_of_a_pixel(right: float, down: float) -> None:
    gain, a, b = np.float32(1.03), np.float32(abs(right)), np.float32(abs(down))
    x, y = (-1 if right > 0 else 1), (-1 if down > 0 else 1)
    beside, above = np.roll(VALUES, -x, axis=1), np.roll(VALUES, -y, axis=0)
    corner = np.roll(above, -x, axis=1)
    wanted = (VALUES * (ONE - a) + beside * a) * (ONE - b) + (above * (ONE - a) + corner * a) * b
    found = displaced(VALUES, right, down, gain)
    np.testing.assert_array_equal(found[1:-1, 1:-1], wanted[1:-1, 1:-1] * gain)
    edge = np.ones(VALUES.shape, bool)
    edge[1:-1, 1:-1] = False
    np.testing.assert_array_equal(found[edge], (VALUES * gain)[edge])


def test_clouds_cover_and_shadows_darken() -> None:
    cloud, shadow = SHARES
    lit = VALUES * (ONE - shadow * np.float32(1 - 0.62))
    top = np.float32(6_600) * (np.float32(0.75) + np.float32(0.25) * cloud)
    np.testing.assert_array_equal(through(VALUES, cloud, shadow, 0.62, 6_600), lit * (ONE - cloud) + top * cloud)


@pytest.mark.parametrize("factor", [1, 2, 6])
def test_blocks_are_averaged_in_any_memory_order(factor: int) -> None:
    whole = np.asfortranarray(VALUES[:36, :36])
    blocks = whole.reshape(36 // factor, factor, 36 // factor, factor).astype(np.float64)
    np.testing.assert_allclose(averaged(whole, factor), blocks.mean(axis=(1, 3)), rtol=1e-6)


def test_the_ground_has_the_colour_of_its_parcel_or_of_the_river() -> None:
    column, number = np.array([5, 7, 11], np.float32), RANDOM.integers(0, 3, VALUES.shape, np.int32)
    river = SHARES[0] > 0.8
    found = painted(column, number, river, np.float32(3), SHARES[1])
    np.testing.assert_array_equal(found, np.where(river, np.float32(3), column[number]) * SHARES[1])
