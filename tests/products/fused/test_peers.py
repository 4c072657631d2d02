"""Peers on a small series: what they fill, and that one that is absent is named."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from tests.foreign import call

from landloom.imagery.whittaker import whittaker
from landloom.products.fused.peers import PEERS, SCCD, STRIDE, WHITSMOOTH, absent, robust_whittaker, state_space

DAYS = np.arange(2.0, 365.0, 5.0)


def year() -> tuple[np.ndarray, np.ndarray]:
    level = 1_500 + 800 * np.sin(2 * np.pi * DAYS / 365)
    noise = np.random.default_rng(0).normal(0, 5, (DAYS.size, 2, 12, 12))
    valid = np.random.default_rng(1).random((DAYS.size, 12, 12)) < 0.6
    return np.rint(level[:, None, None, None] + noise).astype(np.uint16), valid


def test_absent_peers_are_named() -> None:
    assert set(absent()) == {name for name, module in PEERS.items() if find_spec(module) is None}


@pytest.mark.skipif(WHITSMOOTH in absent(), reason="whitsmooth-rust is not installed")
def test_the_peer_smooths_as_we_do_without_outliers() -> None:
    stack, valid = year()
    made = robust_whittaker(stack, valid, DAYS, 10.0)
    assert np.abs(made[2:-2] - whittaker(stack, valid, DAYS, DAYS, 10.0)[2:-2]).mean() < 5


def follow_a_season() -> None:
    stack, valid = year()
    made = state_space(stack, valid, DAYS, DAYS)
    some = made[:, :, STRIDE // 2, STRIDE // 2]
    assert np.abs(some - stack[:, :, STRIDE // 2, STRIDE // 2]).mean() < 60
    assert np.isnan(made[:, :, 0, 0]).all()


def test_states_follow_a_season() -> None:
    call(PEERS[SCCD], f"from {__name__} import follow_a_season\nfollow_a_season()", ours=True)
