from __future__ import annotations

import numpy as np
import pytest

from landloom.pipelines.annotation.judge import JudgedOrder, OrderCase, OrderCurve, order_table


def curve(*accuracy: float) -> OrderCurve:
    shares = tuple(np.linspace(0, 1, len(accuracy)).tolist())
    return OrderCurve(shares=shares, hours=tuple(10 * share for share in shares), accuracy=accuracy)


def test_what_is_needed_is_where_random_order_ends() -> None:
    one = JudgedOrder(
        seed=1,
        guess=0.7,
        foreseen=0.3,
        active=curve(0.7, 0.8, 0.9, 0.95, 0.95),
        random=curve(0.7, 0.75, 0.8, 0.85, 0.9),
    )
    assert one.needed == 0.5
    assert one.time_needed == 0.5
    assert one.needed_of_half == 0.5
    assert one.gained == pytest.approx(0.5)
    assert order_table([one])[0][1:] == ("70.00%", "90.00%", "50%", "50%", "30%", "50%", "50%")
    never = JudgedOrder(seed=1, guess=0.7, foreseen=0.3, active=curve(0.7, 0.8, 0.85), random=curve(0.7, 0.8, 0.9))
    assert never.needed == 1.0


def test_both_orders_end_at_the_same_labels_and_the_active_one_is_ahead_before() -> None:
    """Errors of the guess lie in a quarter of the tasks, and its probabilities say so, but overdo it."""
    rng = np.random.default_rng(1)
    truth = rng.integers(1, 8, (64, 256)).astype(np.uint8)
    hard = np.arange(64) % 4 == 0
    guess = np.where(hard[:, None] & (rng.random(truth.shape) < 0.8), truth % 7 + 1, truth).astype(np.uint8)
    labels = np.stack([np.where(rng.random(truth.shape) < 0.95, truth, truth % 7 + 1) for _ in range(3)], axis=1)
    case = OrderCase(
        truth=truth,
        guess=guess,
        labels=labels.astype(np.uint8),
        doubt=np.where(hard, 200, 100)[:, None].repeat(256, 1).astype(np.uint8),
        chip=np.arange(64) // 16,
        is_reference=np.arange(64) % 3 == 0,
    )
    active, random = case.run(1, active=True), case.run(1, active=False)
    assert active.accuracy[0] == random.accuracy[0]
    assert active.accuracy[-1] == random.accuracy[-1]
    assert active.hours[-1] == pytest.approx(random.hours[-1])
    assert 1 / 3 < case.foreseen() < 0.6
    assert active.reached(random.accuracy[-1] - 0.01)[0] < 0.7 * random.reached(random.accuracy[-1] - 0.01)[0]
