"""Peers that date breaks: a clear step is dated, and one that is absent is named."""

from __future__ import annotations

import numpy as np
import pytest
from tests.foreign import call

from landloom.pipelines.change.peers import MODULE, PEERS, absent, peer_breaks


def test_absent_peers_are_named() -> None:
    assert set(absent()) in (set(), set(PEERS))


def dates_a_clear_step(peer: str) -> None:
    days = np.arange(0.0, 1_095.0, 8.0)
    rng = np.random.default_rng(0)
    level = np.array([300.0, 500.0, 400.0, 3_000.0])[None, :] + (days > 700)[:, None] * np.array(
        [200, 300, 900, -1_500]
    )
    stack = np.rint(level[:, :, None] + rng.normal(0, 30, (days.size, 4, 3))).astype(np.uint16)
    found = peer_breaks(peer, stack, np.ones((days.size, 3), bool), days, 4, losses=True)
    assert (np.abs(found[0] - 704) <= 8).all()


@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_dates_a_clear_step(peer: str) -> None:
    call(MODULE, f"from {__name__} import dates_a_clear_step\ndates_a_clear_step(sys.argv[1])", peer, ours=True)
