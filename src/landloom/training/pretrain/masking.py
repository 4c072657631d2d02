"""Which timesteps of a series are hidden from the encoder and have to be told by it.

Masking of tokens: He et al. 2022, Masked Autoencoders Are Scalable Vision Learners (arXiv 2111.06377); of random and of
contiguous timesteps of satellite series: Tseng et al. 2023, Lightweight, Pre-trained Transformers for Remote Sensing
Timeseries (Presto, arXiv 2304.14065). What no satellite saw is neither shown nor asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskSettings:
    """How timesteps are hidden.

    Raises:
        InvalidInputError: a share outside 0 to 1, or spans below one timestep.
    """

    spans: int = 3
    """Contiguous spans of a series; they may overlap."""
    longest: float = 0.2
    """Of a span, as a share of all timesteps."""
    single: float = 0.2
    """Share of timesteps that are hidden besides, each for itself."""

    def __post_init__(self) -> None:
        if self.spans < 0 or not 0 < self.longest <= 1 or not 0 <= self.single < 1 or not self.spans + self.single:
            raise InvalidInputError(
                f"got {self.spans} spans of up to {self.longest} and {self.single} single timesteps, expected shares "
                "of a series, and some of either"
            )

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {"spans": self.spans, "longest": self.longest, "single": self.single}


def hidden_timesteps(
    valid: NDArray[np.bool_], settings: MaskSettings, random: np.random.Generator
) -> NDArray[np.bool_]:
    """Choose the timesteps that are hidden.

    Each series with two valid timesteps or more keeps one and hides one at least; of one with fewer, nothing is hidden.

    Args:
        valid: (row, time) what was seen.
        settings: how.
        random: is drawn from.

    Returns:
        (row, time) hidden timesteps, valid ones only.

    Example:
        >>> valid = np.array([[True, True, False, True], [False, False, True, False]])
        >>> hidden = hidden_timesteps(valid, MaskSettings(), np.random.default_rng(0))
        >>> hidden.any(axis=1).tolist(), (valid & ~hidden).any(axis=1).tolist()
        ([True, False], [True, True])
    """
    rows, time = valid.shape
    steps = np.arange(time)
    most = max(round(settings.longest * time), 1)
    hidden = random.random((rows, time)) < settings.single
    for _ in range(settings.spans):
        length = random.integers(1, most + 1, (rows, 1))
        first = random.integers(1 - most, time, (rows, 1))
        hidden |= (steps >= first) & (steps < first + length)
    # Two valid timesteps by lot: the one is always hidden, the other never.
    lots = np.where(valid, random.random((rows, time)), np.inf)
    order = np.argsort(lots, axis=1)[:, : min(2, time)]
    every = np.arange(rows)
    if time > 1:
        hidden[every, order[:, 1]] = True
    hidden[every, order[:, 0]] = False
    enough = valid.sum(axis=1) > 1
    hidden &= valid & enough[:, None]
    return hidden
