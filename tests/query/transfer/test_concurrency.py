"""How many transfers at a time."""

from __future__ import annotations

import time

from landloom.query.transfer.concurrency import Concurrency


def test_the_gate_climbs_while_it_pays_and_turns_when_it_does_not() -> None:
    best = 40.0
    gate = Concurrency(8, 4, 128)
    now, seen = time.monotonic(), []
    for _ in range(12_000):
        gain = min(gate.limit, best) - max(gate.limit - best, 0) * 0.5
        now += 1 / (gain * 5)
        gate.finished(now)
        seen.append(gate.limit)
    assert 20 < sum(seen[-3_000:]) / 3_000 < 75
