"""L-TAE: lightweight temporal attention encoder, for series of pixels, parcels and sample means.

Garnot and Landrieu 2020, Lightweight Temporal Self-Attention for Classifying Satellite Images Time Series
(arXiv 2007.00586). Its pixel-set encoder, which draws pixels of a parcel, is replaced by the mean that a table holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from landloom.training.models.attention import TemporalAttention, days_of_series

if TYPE_CHECKING:
    from torch import Tensor


class LTAE(nn.Module):
    """Attention over the dates of a series, and a classifier of what it sees.

    Shapes: image (batch, time, band) float32, dates (batch, time) int64 days since 1970-01-01, valid (batch, time)
    bool → (batch, class) logits. Series of any length and any dates; timesteps that are not valid, padding among
    them, change nothing.

    Args:
        bands: of a series.
        classes: of the result.
        heads: attention heads; paper: 16.
        key: width of their keys; paper: 8.
        width: of the embedding; paper: 256.
        out: width of what is classified; paper: 128.
        dropout: share of features that are dropped in training; paper: 0.2.

    Example:
        >>> import torch
        >>> model = LTAE(bands=4, classes=3)
        >>> model(torch.zeros(2, 6, 4), torch.arange(12).view(2, 6), torch.ones(2, 6, dtype=torch.bool)).shape
        torch.Size([2, 3])
    """

    def __init__(
        self,
        bands: int,
        classes: int,
        *,
        heads: int = 16,
        key: int = 8,
        width: int = 256,
        out: int = 128,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.attention = TemporalAttention(bands, out, heads=heads, key=key, width=width, dropout=dropout)
        self.classify = nn.Sequential(nn.Linear(out, 64), nn.LayerNorm(64), nn.ReLU(), nn.Linear(64, classes))

    def forward(self, image: Tensor, dates: Tensor, valid: Tensor) -> Tensor:
        """Logits."""
        seen, _ = self.attention(image * valid[..., None], days_of_series(dates), valid)
        logits: Tensor = self.classify(seen)
        return logits
