"""Correlation surfaces: their peak lies where the shift theorem says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import fourier_shift, gaussian_filter

from landloom.errors import InvalidValueError
from landloom.imagery.registration.correlation import REACH, peak, surfaces
from landloom.imagery.registration.gradients import STEP


@settings(max_examples=20)
@given(st.floats(-12, 12), st.floats(-12, 12), st.sampled_from([(64, 64), (50, 72)]))
def test_the_peak_lies_at_the_displacement(right: float, down: float, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    field = gaussian_filter(rng.standard_normal(shape) + 1j * rng.standard_normal(shape), 1.0, mode="wrap")
    there = np.fft.ifft2(fourier_shift(np.fft.fft2(field), (down, right)))
    known = np.ones((1, *shape), np.bool_)
    surface = surfaces(there[None].astype(np.complex64), field[None].astype(np.complex64), known)
    assert surface.shape == (1, 2 * REACH, 2 * REACH)
    found = peak(surface[0])
    assert abs(found.right / STEP - right) < 0.15
    assert abs(found.down / STEP - down) < 0.15
    assert found.height > 3 * found.second


def test_equal_images_have_a_peak_of_one_and_small_windows_are_refused() -> None:
    field = np.random.default_rng(0).standard_normal((1, 64, 64)).astype(np.complex64)
    found = peak(surfaces(field, field, np.ones(field.shape, np.bool_))[0])
    assert found.height == pytest.approx(1.0, abs=1e-4)
    assert (found.right, found.down) == pytest.approx((0.0, 0.0), abs=1e-3)
    small = field[:, :31]
    with pytest.raises(InvalidValueError, match="31 x 64 blocks"):
        surfaces(small, small, np.ones(small.shape, np.bool_))
