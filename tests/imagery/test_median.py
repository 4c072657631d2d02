"""The masked median, against sorting the valid values of each pixel, and against bottleneck."""

from __future__ import annotations

from typing import Any

import bottleneck
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from landloom.errors import InvalidValueError
from landloom.imagery.median import COPIED, masked_median

EDGES = st.sampled_from([0, 1, 2, 32767, 32768, 65533, 65534, 65535])


def brute(stack: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort what is valid; the floor of the mean of the middle two."""
    median, count = np.zeros(stack.shape[1:], int), np.zeros(stack.shape[1:], int)
    for place in np.ndindex(stack.shape[1:]):
        values = sorted(int(v) for v in stack[(slice(None), *place)][valid[(slice(None), *place)]])
        count[place] = len(values)
        if values:
            median[place] = (values[(len(values) - 1) // 2] + values[len(values) // 2]) // 2
    return median, count


@st.composite
def series(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    shape = (draw(st.integers(1, 14)), draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    stack = draw(hnp.arrays(np.uint16, shape, elements=EDGES | st.integers(0, 65535)))
    return stack, draw(hnp.arrays(np.bool_, shape))


@settings(deadline=None)
@given(case=series())
def test_equals_sorting(case: tuple[np.ndarray, np.ndarray]) -> None:
    median, count = masked_median(*case)
    wanted, number = brute(*case)
    assert median.dtype == np.uint16
    assert np.array_equal(median, wanted)
    assert np.array_equal(count, number)


@pytest.mark.parametrize("times", [1, 2, 3, 7, 16, 17, 63, 100, 255, 256, 300])
def test_equals_bottleneck_for_any_length(times: int) -> None:
    rng = np.random.default_rng(times)
    stack = rng.integers(0, 65536, (times, 31, 67), dtype=np.uint16)
    valid = rng.random(stack.shape) < rng.random((31, 67))
    valid[:, 0, :5] = False
    valid[:, 0, 5:9] = True
    median, count = masked_median(stack, valid)
    wanted = bottleneck.nanmedian(np.where(valid, stack, np.nan), axis=0)
    assert np.array_equal(median, np.nan_to_num(np.floor(wanted)))
    assert np.array_equal(count, valid.sum(axis=0))
    assert count.dtype == (np.uint8 if times <= 255 else np.uint16)


def test_bands_share_validity_or_have_their_own() -> None:
    rng = np.random.default_rng(1)
    stack = rng.integers(0, 65536, (6, 3, 40, 50), dtype=np.uint16)
    shared, own = rng.random((6, 40, 50)) < 0.6, rng.random(stack.shape) < 0.6
    median, count = masked_median(stack, shared)
    medians, counts = masked_median(stack, own)
    assert (median.shape, count.shape, counts.shape) == ((3, 40, 50), (40, 50), (3, 40, 50))
    for band in range(3):
        assert np.array_equal(median[band], masked_median(stack[:, band], shared)[0])
        alone = masked_median(stack[:, band], own[:, band])
        assert np.array_equal(medians[band], alone[0])
        assert np.array_equal(counts[band], alone[1])


@pytest.mark.parametrize("step", [1, 2])
def test_views_with_gaps_are_read_piece_by_piece(step: int) -> None:
    rng = np.random.default_rng(2)
    stack = rng.integers(0, 65536, (5, 2, 901, 1009), dtype=np.uint16)
    valid = rng.random((5, 901, 1009)) < 0.5
    view, mask = stack[:, ::-1, 3:, ::step], valid[:, 3:, ::step]
    assert view.size > COPIED
    median, count = masked_median(view, mask)
    wanted, number = masked_median(view.copy(), mask.copy())
    assert np.array_equal(median, wanted)
    assert np.array_equal(count, number)


@settings(deadline=None)
@given(case=series(), seed=st.integers(0, 1000))
def test_the_order_of_observations_does_not_matter(case: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    stack, valid = case
    order = np.random.default_rng(seed).permutation(len(stack))
    for one, other in zip(masked_median(stack, valid), masked_median(stack[order], valid[order]), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("stack", "valid"),
    [
        (np.zeros((2, 3, 3), np.int16), np.ones((2, 3, 3), bool)),
        (np.zeros((2, 3, 3), np.uint16), np.ones((2, 3, 3), np.uint8)),
        (np.zeros((2, 3, 3), np.uint16), np.ones((2, 3, 4), bool)),
        (np.zeros((2, 4, 3, 3), np.uint16), np.ones((2, 1, 3, 3), bool)),
        (np.zeros((0, 3, 3), np.uint16), np.ones((0, 3, 3), bool)),
        (np.zeros((3, 3), np.uint16), np.ones((3, 3), bool)),
    ],
)
def test_what_does_not_go_together_is_refused(stack: Any, valid: Any) -> None:
    with pytest.raises(InvalidValueError, match="expected"):
        masked_median(stack, valid)
