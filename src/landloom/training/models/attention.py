"""Lightweight temporal attention: what L-TAE and U-TAE share.

Garnot and Landrieu 2020, Lightweight Temporal Self-Attention for Classifying Satellite Images Time Series
(arXiv 2007.00586): each head has one learned query for all series, and its own share of the channels as values.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch
from torch import nn

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from torch import Tensor

PERIOD: Final = 1000.0
"""Longest wavelength of the positions, over 2π, in days; the papers' τ."""
_CYCLE: Final = 146_097
"""Days of 400 Gregorian years."""


def days_of_series(dates: Tensor) -> Tensor:
    """Days since 1 January of the year in which a series starts: equal dates of two years are nearly equal numbers.

    Args:
        dates: (batch, time) int64 days since 1970-01-01; the first of a series is never padding.

    Returns:
        (batch, time) int64; negative for padding.

    Example:
        >>> days_of_series(torch.tensor([[17_532, 17_896, 17_897]])).tolist()  # 2018-01-01, 2018-12-31, 2019-01-01
        [[0, 364, 365]]
    """
    first = dates[:, :1] + 719_468  # since 0000-03-01
    cycle = first.div(_CYCLE, rounding_mode="floor")
    day = first - cycle * _CYCLE
    of_cycle = (day - day // 1460 + day // 36_524 - day // (_CYCLE - 1)) // 365
    since_march = day - (365 * of_cycle + of_cycle // 4 - of_cycle // 100)
    year = of_cycle + cycle * 400 + (since_march >= 306).long() - 1  # January and February belong to the next year
    january = (
        365 * year
        + year.div(4, rounding_mode="floor")
        - year.div(100, rounding_mode="floor")
        + year.div(400, rounding_mode="floor")
        - 719_162
    )
    return dates - january


def positions(days: Tensor, width: int) -> Tensor:
    """Sine and cosine of dates at geometrically spaced wavelengths (Vaswani et al. 2017, section 3.5).

    Args:
        days: (batch, time) days.
        width: even number of features.

    Returns:
        (batch, time, width) float32.
    """
    steps = torch.arange(0, width, 2, device=days.device, dtype=torch.float32)
    angles = days[..., None].float() * torch.exp(steps * (-math.log(PERIOD) / width))
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


class TemporalAttention(nn.Module):
    """Reduces a series of features to one, and says how much each timestep counted.

    Shapes: features (batch, time, channels), days (batch, time), valid (batch, time) → out (batch, out) and attention
    (batch, head, time), whose sum over time is 1, or 0 for a series without any valid timestep. Layer norm stands
    where the paper has batch norm, so that the result of a series does not depend on the rest of its batch.

    Raises:
        InvalidInputError: a width that heads do not divide into even parts.
    """

    def __init__(self, channels: int, out: int, *, heads: int, key: int, width: int, dropout: float) -> None:
        super().__init__()
        if width % (2 * heads):
            raise InvalidInputError(f"got a width of {width} for {heads} heads, expected a multiple of {2 * heads}")
        self.heads, self.width = heads, width
        self.embed = nn.Linear(channels, width)
        self.norm = nn.LayerNorm(width)
        self.keys = nn.Linear(width, heads * key)
        self.query = nn.Parameter(torch.empty(heads, key))
        nn.init.normal_(self.query, std=math.sqrt(2.0 / key))
        self.dropout = nn.Dropout(dropout)
        self.mix = nn.Sequential(nn.Linear(width, out), nn.LayerNorm(out), nn.ReLU(), nn.Dropout(dropout))

    def forward(self, features: Tensor, days: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Attend."""
        batch, time = valid.shape
        there = valid[..., None]
        inside = self.norm(self.embed(features)) * there
        inside = inside + positions(days * valid, self.width // self.heads).repeat(1, 1, self.heads) * there
        keys = self.keys(inside).view(batch, time, self.heads, -1)
        scores = torch.einsum("bthk,hk->bht", keys, self.query) / math.sqrt(self.query.shape[1])
        scores = scores.masked_fill(~valid[:, None], torch.finfo(scores.dtype).min)
        # A series without any valid timestep would get equal shares of nothing.
        attention = scores.softmax(dim=-1) * valid[:, None]
        values = inside.view(batch, time, self.heads, -1)
        seen = torch.einsum("bht,bthc->bhc", self.dropout(attention), values).flatten(1)
        return self.mix(seen), attention
