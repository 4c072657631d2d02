from __future__ import annotations

import numpy as np
import pytest

from landloom.annotate.consensus.calibration import cross_fit, temperature, tempered
from landloom.annotate.consensus.evidence import TaskCounts
from landloom.annotate.consensus.quality import Quality


def drawn(heat: float) -> tuple[np.ndarray, TaskCounts]:
    """Probabilities that are too sharp by a temperature, and truth drawn from what they should be."""
    rng = np.random.default_rng(1)
    right = rng.dirichlet(np.full(5, 0.6), 20_000)
    truth = (right.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)
    rows = np.arange(20_000)
    counts = TaskCounts(tasks=rows // 500, patterns=rows, truth=truth, count=np.ones(20_000), number=40)
    return tempered(right, 1 / heat), counts


@pytest.mark.parametrize("heat", [0.5, 1.0, 2.5])
def test_the_temperature_is_found(heat: float) -> None:
    rows, counts = drawn(heat)
    assert temperature(rows, counts) == pytest.approx(heat, rel=0.05)
    crossed = cross_fit(counts, lambda _: rows, calibrate=True)
    label = rows.argmax(axis=1).astype(np.int16)
    assert Quality.of(crossed.calibrated, label, counts).ece < 0.015
    if heat == 2.5:
        assert Quality.of(crossed.rows, label, counts).ece > 0.1


def test_every_fold_is_predicted_by_a_model_that_has_not_seen_it() -> None:
    rows, counts = drawn(1.0)
    seen: list[set[int]] = []

    def predict(part: TaskCounts) -> np.ndarray:
        seen.append(set(part.tasks.tolist()))
        return np.full_like(rows, len(seen))

    crossed = cross_fit(counts, predict, calibrate=False)
    assert crossed.temperature == 1.0
    for task in range(40):
        (fold,) = set(crossed.rows[counts.tasks == task, 0].astype(int).tolist())
        assert task not in seen[fold - 1]
        assert len(seen[fold - 1]) == 32


def test_rows_of_zeros_stay() -> None:
    assert tempered(np.zeros((1, 3)), 2.0).tolist() == [[0, 0, 0]]
