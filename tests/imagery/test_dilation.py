"""Areas grow as scipy's filter says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import maximum_filter

from landloom.imagery.dilation import dilated


@given(shape=st.tuples(*[st.integers(1, 9)] * 3), pixels=st.integers(0, 12), seed=st.integers(0, 999))
def test_areas_grow_as_scipys_filter_says(shape: tuple[int, int, int], pixels: int, seed: int) -> None:
    area = np.random.default_rng(seed).random(shape) < 0.1
    before = area.copy()
    wanted = maximum_filter(area.view(np.uint8), size=2 * pixels + 1, axes=(-2, -1), mode="constant", cval=0) > 0
    np.testing.assert_array_equal(dilated(area, pixels), wanted)
    np.testing.assert_array_equal(area, before)
