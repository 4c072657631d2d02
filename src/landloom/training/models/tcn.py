"""A small network that says of every timestep of a series whether an abrupt change came just before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import nn

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from torch import Tensor

_MONTH: Final = 30.0
_LONGEST: Final = 90
"""Days between two observations beyond which more make no difference."""
_DILATIONS: Final = (1, 2, 4, 1)
_KERNEL: Final = 5
_GROUPS: Final = 4
_LEAST: Final = 1e-5


class _SeenNorm(nn.Module):
    """Group normalisation (Wu and He 2018, arXiv 1803.08494) over the observations of a series, without its padding."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(filters, 1))
        self.bias = nn.Parameter(torch.zeros(filters, 1))

    def forward(self, features: Tensor, seen: Tensor) -> Tensor:
        """(batch, filter, time) → the same, 0 where (batch, 1, time) nothing is seen."""
        groups = features.view(len(features), _GROUPS, -1, features.shape[2])
        there = seen[:, None]
        count = (there.sum(dim=(2, 3), keepdim=True) * groups.shape[2]).clamp(min=1)
        mean = (groups * there).sum(dim=(2, 3), keepdim=True) / count
        away = (groups - mean) * there
        scale = (away.square().sum(dim=(2, 3), keepdim=True) / count + _LEAST).rsqrt()
        found: Tensor = ((away * scale).flatten(1, 2) * self.weight + self.bias) * seen
        return found


class TCN(nn.Module):
    """Dilated convolutions over time (Bai et al. 2018, arXiv 1803.01271), here looking both ways.

    Shapes: image (batch, time, band) float32, dates (batch, time) int64 days, valid (batch, time) bool → (batch, class,
    time) logits. Valid observations are put next to each other first, with the days since the one before as a band, so
    that gaps and padding change nothing; timesteps that are not valid get the least logit.

    Args:
        bands: of a series.
        classes: said of every timestep; 1 for whether it changed.
        filters: of each convolution, a multiple of 4.
        dropout: share of features that are dropped in training.

    Raises:
        InvalidInputError: a number of filters that cannot be.

    Example:
        >>> network = TCN(bands=4, classes=1)
        >>> image, dates, valid = torch.zeros(2, 6, 4), torch.arange(12).view(2, 6), torch.ones(2, 6, dtype=torch.bool)
        >>> network(image, dates, valid).shape
        torch.Size([2, 1, 6])
    """

    def __init__(self, bands: int, classes: int, *, filters: int = 32, dropout: float = 0.1) -> None:
        super().__init__()
        if filters < _GROUPS or filters % _GROUPS or not 0 <= dropout < 1:
            raise InvalidInputError(f"tcn: got {filters} filters, dropout {dropout}; expected a multiple of 4, 0 to 1")
        widths = [bands + 2, *[filters] * len(_DILATIONS)]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(inside, filters, _KERNEL, padding=_KERNEL // 2 * dilation, dilation=dilation)
            for inside, dilation in zip(widths[:-1], _DILATIONS, strict=True)
        )
        self.norms = nn.ModuleList(_SeenNorm(filters) for _ in _DILATIONS)
        self.drop = nn.Dropout(dropout)
        self.bands = bands
        self.decide = nn.Conv1d(filters, classes, 1)

    def forward(self, image: Tensor, dates: Tensor, valid: Tensor) -> Tensor:
        """Logits of every timestep."""
        if image.shape[-1] != self.bands:
            raise InvalidInputError(f"got series of {image.shape[-1]} bands, expected {self.bands}")
        order = torch.argsort((~valid).to(torch.int8), dim=1, stable=True)
        seen = torch.gather(valid, 1, order)
        packed = torch.gather(image, 1, order[..., None].expand_as(image)) * seen[..., None]
        days = torch.gather(dates, 1, order)
        gap = torch.diff(days, dim=1, prepend=days[:, :1]).clamp(0, _LONGEST).to(image.dtype) / _MONTH
        there = seen[:, None].to(image.dtype)
        features = torch.cat([packed.transpose(1, 2), gap[:, None] * there, there], dim=1)
        for convolve, norm in zip(self.convolutions, self.norms, strict=True):
            features = self.drop(torch.relu(norm(convolve(features), there)))
        logits: Tensor = self.decide(features)
        logits = logits.masked_fill(~seen[:, None], torch.finfo(logits.dtype).min)
        places = order[:, None].expand_as(logits)
        return torch.empty_like(logits).scatter(2, places, logits)
