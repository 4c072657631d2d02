"""Tables of series that tests train on."""

from __future__ import annotations

import numpy as np

from landloom.training.fit.batches import LabelledSeries


def table(rows: int = 40, seed: int = 0) -> LabelledSeries:
    """Two classes that differ in when they are green."""
    draw = np.random.default_rng(seed)
    label = np.arange(rows) % 2
    image = draw.normal(0, 0.5, (rows, 6, 3)).astype(np.float32)
    image[label == 1, 3:, 0] += 2
    return LabelledSeries(
        id=np.array([f"s{number}" for number in range(rows)]),
        sample=np.arange(rows),
        image=image,
        dates=np.tile(17_532 + 30 * np.arange(6), (rows, 1)),
        valid=draw.random((rows, 6)) > 0.1,
        target=label,
        weight=np.ones(rows, np.float32),
    )
