"""Two classes of pixels that a forest can tell apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def two_classes(seed: int, pixels: int = 3_000, features: int = 12) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Pixels of three classes of unequal size that overlap a little."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.array([1, 5, 7], np.uint8), [pixels // 20, pixels // 2, pixels - pixels // 20 - pixels // 2])
    means = rng.integers(500, 4_000, (8, features))
    values = means[labels] + rng.normal(0, 900, (len(labels), features))
    return np.clip(values, 1, 65_534).astype(np.uint16), labels
