"""TempCNN: convolutions over time, for series of pixels, parcels and sample means.

Pelletier, Webb and Petitjean 2019, Temporal Convolutional Neural Network for the Classification of Satellite Image
Time Series (arXiv 1811.10166). The paper fills gaps before; here a further band says which timesteps are valid.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from torch import Tensor


class TempCNN(nn.Module):
    """Three convolutions over time, a dense layer, a classifier.

    Shapes: image (batch, time, band) float32, dates (batch, time) int64 (not used: filters count timesteps, which
    therefore have to be the same for all samples), valid (batch, time) bool → (batch, class) logits. Values that are
    not valid change nothing, and neither does padding at the end.

    Args:
        bands: of a series.
        classes: of the result.
        timesteps: of the longest series.
        filters: of each convolution; paper: 64.
        kernel: timesteps that a filter sees, odd; paper: 5.
        dense: units of the dense layer; paper: 256.
        dropout: share of units that are dropped in training; paper: 0.5.

    Raises:
        InvalidInputError: an even kernel; a series with more timesteps than the model has.

    Example:
        >>> model = TempCNN(bands=4, classes=3, timesteps=8)
        >>> model(torch.zeros(2, 6, 4), torch.arange(12).view(2, 6), torch.ones(2, 6, dtype=torch.bool)).shape
        torch.Size([2, 3])
    """

    def __init__(
        self,
        bands: int,
        classes: int,
        timesteps: int,
        *,
        filters: int = 64,
        kernel: int = 5,
        dense: int = 256,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise InvalidInputError(f"got a kernel of {kernel} timesteps, expected an odd number")
        self.timesteps = timesteps
        layers: list[nn.Module] = []
        for before, after in pairwise((bands + 1, filters, filters, filters)):
            layers += [nn.Conv1d(before, after, kernel, padding=kernel // 2), nn.BatchNorm1d(after), nn.ReLU()]
            layers.append(nn.Dropout(dropout))
        self.convolutions = nn.Sequential(*layers)
        self.dense = nn.Sequential(
            nn.Linear(filters * timesteps, dense), nn.BatchNorm1d(dense), nn.ReLU(), nn.Dropout(dropout)
        )
        self.classify = nn.Linear(dense, classes)

    def forward(self, image: Tensor, dates: Tensor, valid: Tensor) -> Tensor:
        """Logits."""
        del dates
        series = torch.cat([image * valid[..., None], valid[..., None].to(image.dtype)], dim=-1)
        more = self.timesteps - series.shape[1]
        if more < 0 and bool(valid[:, self.timesteps :].any()):
            raise InvalidInputError(f"got series of {series.shape[1]} timesteps, expected at most {self.timesteps}")
        series = nn.functional.pad(series, (0, 0, 0, more))
        logits: Tensor = self.classify(self.dense(self.convolutions(series.transpose(1, 2)).flatten(1)))
        return logits
