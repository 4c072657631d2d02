"""Placement of windows around outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from landloom.model.grid import SNAP

if TYPE_CHECKING:
    from numpy.typing import NDArray


def centred_window(bounds: NDArray[np.float64], side: float, step: float = SNAP) -> NDArray[np.float64]:
    """South-west corners of windows around outlines, on multiples of a step.

    Args:
        bounds: (n, 4) west, south, east, north in metres.
        side: of a window in metres.
        step: corners are multiples of it; by default one pixel of the coarsest band.

    Returns:
        (n, 2) west and south; the middle of each window is as close to that of its bounds as the step allows.

    Example:
        >>> centred_window(np.array([[100.0, 100.0, 200.0, 220.0]]), 240.0).tolist()
        [[60.0, 60.0]]
    """
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    corners: NDArray[np.float64] = np.floor((middle - side / 2) / step + 0.5) * step
    return corners
