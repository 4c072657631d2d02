"""U-TAE: a U-Net whose encoder sees every date and whose temporal attention merges them, for dense classification.

Garnot and Landrieu 2021, Panoptic Segmentation of Satellite Image Time Series with Convolutional Temporal Attention
Networks (arXiv 2107.07933), section 3.1. Group norm stands where the paper has batch norm in the decoder, so that the
result of a sample does not depend on the rest of its batch; borders are padded with zeros, whose gradients are the
same on every device. A further band says which pixels are valid, and attention passes over dates without any.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import torch
from torch import nn
from torch.nn.functional import adaptive_max_pool2d, interpolate, pad

from landloom.errors import InvalidInputError
from landloom.training.models.attention import TemporalAttention, days_of_series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

GROUPS: Final = 4
"""Groups of channels that are normalised together."""


class UTAE(nn.Module):
    """Encoder of each date, attention at the coarsest level, decoder with merged skip connections.

    Shapes: image (batch, time, band, y, x) float32, dates (batch, time) int64 days since 1970-01-01, valid
    (batch, time, y, x) bool → (batch, class, y, x) logits. Images of any size and series of any length; padding
    changes nothing, and neither do the values of pixels that are not valid.

    Args:
        bands: of an image.
        classes: of the result.
        encoder: channels of each level, finest first, all multiples of `heads`; paper: 64, 64, 64, 128.
        decoder: channels of each level, finest first, the last equal to the encoder's; paper: 32, 32, 64, 128.
        heads: attention heads; paper: 16.
        key: width of their keys; paper: 4.
        width: of the attention's embedding; paper: 256.
        dropout: share of features that are dropped in training; paper: 0.2.

    Raises:
        InvalidInputError: channels that do not fit each other.

    Example:
        >>> model = UTAE(bands=4, classes=3, encoder=(16, 16), decoder=(16, 16), width=32)
        >>> valid = torch.ones(1, 5, 10, 10, dtype=torch.bool)
        >>> model(torch.zeros(1, 5, 4, 10, 10), torch.arange(5).view(1, 5), valid).shape
        torch.Size([1, 3, 10, 10])
    """

    def __init__(
        self,
        bands: int,
        classes: int,
        *,
        encoder: Sequence[int] = (64, 64, 64, 128),
        decoder: Sequence[int] = (32, 32, 64, 128),
        heads: int = 16,
        key: int = 4,
        width: int = 256,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        _check_channels(encoder, decoder, heads)
        self.levels = len(encoder)
        self.enter = nn.Sequential(_convolution(bands + 1, encoder[0]), _convolution(encoder[0], encoder[0]))
        self.down = nn.ModuleList(_Down(before, after) for before, after in pairwise(encoder))
        self.attention = TemporalAttention(encoder[-1], encoder[-1], heads=heads, key=key, width=width, dropout=dropout)
        coarse_first = range(self.levels - 2, -1, -1)
        self.up = nn.ModuleList(_Up(decoder[level + 1], decoder[level], encoder[level]) for level in coarse_first)
        self.leave = nn.Sequential(_convolution(decoder[0], decoder[0]), nn.Conv2d(decoder[0], classes, 3, padding=1))

    def forward(self, image: Tensor, dates: Tensor, valid: Tensor) -> Tensor:
        """Logits."""
        height, width = image.shape[-2:]
        step = 2 ** (self.levels - 1)
        margin = (0, -width % step, 0, -height % step)
        there = pad(valid, margin)
        frames = torch.cat([pad(image, margin) * there[:, :, None], there[:, :, None].to(image.dtype)], dim=2)
        maps = self._encode(frames, there)
        merged, attention = self._attend(maps[-1], days_of_series(dates), there)
        for up, skip in zip(self.up, reversed(maps[:-1]), strict=True):
            merged = up(merged, _merge(skip, attention))
        logits: Tensor = self.leave(merged)[..., :height, :width]
        return logits

    def _encode(self, frames: Tensor, there: Tensor) -> list[Tensor]:
        """(batch, time, channel, y, x) maps of each level, finest first; 0 for dates without any valid pixel."""
        seen = there.flatten(2).any(dim=-1)
        inside = self.enter(frames[seen])
        maps = [_scattered(inside, seen)]
        for down in self.down:
            inside = down(inside)
            maps.append(_scattered(inside, seen))
        return maps

    def _attend(self, coarse: Tensor, days: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """The coarsest maps merged over time, and (batch, head, time, y, x) how much each date counted."""
        batch, time, channels, height, width = coarse.shape
        valid = adaptive_max_pool2d(there.to(coarse.dtype), (height, width)) > 0
        series = coarse.permute(0, 3, 4, 1, 2).reshape(-1, time, channels)
        own = valid.permute(0, 2, 3, 1).reshape(-1, time)
        out, attention = self.attention(series, days.repeat_interleave(height * width, dim=0), own)
        merged = out.view(batch, height, width, -1).permute(0, 3, 1, 2)
        return merged, attention.view(batch, height, width, -1, time).permute(0, 3, 4, 1, 2)


class _Down(nn.Module):
    """Half the size, then two convolutions, the second residual."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.halve = _normed(nn.Conv2d(before, before, 4, stride=2, padding=1), before)
        self.first = _convolution(before, after)
        self.second = _convolution(after, after)

    def forward(self, maps: Tensor) -> Tensor:
        inside = self.first(self.halve(maps))
        result: Tensor = inside + self.second(inside)
        return result


class _Up(nn.Module):
    """Twice the size, joined by what the encoder saw there."""

    def __init__(self, before: int, after: int, skip: int) -> None:
        super().__init__()
        self.enlarge = _normed(nn.ConvTranspose2d(before, after, 4, stride=2, padding=1), after)
        self.skip = _normed(nn.Conv2d(skip, skip, 1), skip)
        self.first = _convolution(after + skip, after)
        self.second = _convolution(after, after)

    def forward(self, merged: Tensor, skip: Tensor) -> Tensor:
        inside = self.first(torch.cat([self.enlarge(merged), self.skip(skip)], dim=1))
        result: Tensor = inside + self.second(inside)
        return result


def _check_channels(encoder: Sequence[int], decoder: Sequence[int], heads: int) -> None:
    if len(encoder) != len(decoder) or not encoder or encoder[-1] != decoder[-1]:
        raise InvalidInputError(
            f"got channels {tuple(encoder)} and {tuple(decoder)}, expected as many levels, the coarsest equal"
        )
    odd = [size for size in encoder if size % heads] + [size for size in (*encoder, *decoder) if size % GROUPS]
    if odd:
        raise InvalidInputError(f"got {odd[0]} channels, expected multiples of {GROUPS}, in the encoder of {heads}")


def _normed(layer: nn.Module, channels: int) -> nn.Module:
    return nn.Sequential(layer, nn.GroupNorm(GROUPS, channels), nn.ReLU())


def _convolution(before: int, after: int) -> nn.Module:
    return _normed(nn.Conv2d(before, after, 3, padding=1), after)


def _scattered(maps: Tensor, seen: Tensor) -> Tensor:
    """(batch, time, …) maps of the dates that were seen, 0 for others."""
    whole = maps.new_zeros((*seen.shape, *maps.shape[1:]))
    return whole.masked_scatter(seen[(...,) + (None,) * (maps.ndim - 1)], maps)


def _merge(maps: Tensor, attention: Tensor) -> Tensor:
    """(batch, channel, y, x) mean over time of a level's maps, a group of channels for each head."""
    batch, heads, time, *_ = attention.shape
    size = maps.shape[-2:]
    shares = interpolate(attention.flatten(0, 1), size=size, mode="bilinear", align_corners=False)
    shares = shares.view(batch, heads, time, *size)
    groups = maps.view(batch, time, heads, -1, *size)
    return torch.einsum("bhtyx,bthcyx->bhcyx", shares, groups).flatten(1, 2)
