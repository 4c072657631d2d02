"""Temporal attention: dates against numpy's calendar, shares that sum to one, nothing from what is not valid."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError
from landloom.training.models.attention import TemporalAttention, days_of_series, positions


@given(st.integers(-100_000, 100_000), st.integers(0, 2000))
def test_days_count_from_january_of_the_first_year(first: int, later: int) -> None:
    date = np.datetime64(first, "D")
    expected = int((date - date.astype("M8[Y]").astype("M8[D]")).astype(int))
    assert days_of_series(torch.tensor([[first, first + later]])).tolist() == [[expected, expected + later]]


def test_positions_are_the_formula() -> None:
    found = positions(torch.tensor([[37]]), 6)[0, 0].numpy()
    rates = 37 / 1000 ** (np.arange(0, 6, 2) / 6)
    np.testing.assert_allclose(found, np.stack([np.sin(rates), np.cos(rates)], 1).ravel(), rtol=1e-5)


def test_attention_is_a_share_of_valid_timesteps() -> None:
    torch.manual_seed(0)
    layer = TemporalAttention(3, 8, heads=2, key=4, width=16, dropout=0.0).eval()
    valid = torch.tensor([[True, False, True, True], [False] * 4])
    features, days = torch.randn(2, 4, 3), torch.tensor([[0, 30, 60, 90]] * 2)
    out, attention = layer(features, days, valid)
    assert out.shape == (2, 8)
    assert attention.shape == (2, 2, 4)
    torch.testing.assert_close(attention.sum(-1), torch.tensor([[1.0, 1.0], [0.0, 0.0]]))
    assert (attention[:, :, 1] == 0).all()
    torch.autograd.backward(out.sum())
    assert all(one.grad is not None and one.grad.isfinite().all() for one in layer.parameters())


def test_heads_need_even_parts() -> None:
    with pytest.raises(InvalidInputError, match="got a width of 12 for 4 heads, expected a multiple of 8"):
        TemporalAttention(3, 8, heads=4, key=4, width=12, dropout=0.0)
