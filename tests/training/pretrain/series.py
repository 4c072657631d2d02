"""Series that tests pretrain on: two kinds of seasons, with gaps."""

from __future__ import annotations

import numpy as np

from landloom.training.pretrain.learn import UnlabelledSeries


def seasons(rows: int = 120, seed: int = 0) -> tuple[UnlabelledSeries, np.ndarray]:
    """Series of two bands with one peak, early or late; and which."""
    draw = np.random.default_rng(seed)
    late = np.arange(rows) % 2
    days = 17_532 + 15 * np.arange(16)
    peak = 17_532 + 70 + 90 * late + draw.normal(0, 5, rows)
    green = np.exp(-0.5 * ((days - peak[:, None]) / 25) ** 2)
    image = np.stack([green, 1 - 0.5 * green], axis=2) + draw.normal(0, 0.02, (rows, 16, 2))
    valid = draw.random((rows, 16)) > 0.3
    return (
        UnlabelledSeries(image=image.astype(np.float32), dates=np.tile(days, (rows, 1)), valid=valid),
        late.astype(np.int64),
    )
