"""Galileo-nano: a transformer for series of many sensors, pretrained on global and local features of them.

Tseng et al. 2025, Galileo: Learning Global & Local Features of Many Remote Sensing Modalities (arXiv 2502.09356); used
on series of single pixels and means, as the paper does for tasks on pixel series: patches of one pixel. Kernels of
patches are resized as in Beyer et al. 2023, FlexiViT (arXiv 2212.08013). Written from the papers and from the names and
shapes of the tensors in the published file of weights, which load as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import nn

from landloom.training.models.published.layers import Layer, encoded, mean_of, on_sphere

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

CHANNELS: Final = {
    "S1": 2,
    "S2_RGB": 3,
    "S2_Red_Edge": 3,
    "S2_NIR_10m": 1,
    "S2_NIR_20m": 1,
    "S2_SWIR": 2,
    "NDVI": 1,
}
"""Group of channels that become one token of each month → how many they are; in the order of their embeddings."""
SPACE: Final = {"SRTM": 2, "DW": 9, "WC": 5}
TIME: Final = {"ERA5": 2, "TC": 3, "VIIRS": 1}
STATIC: Final = {"LS": 1, "location": 3, "DW_static": 9, "WC_static": 5}
MONTHS: Final = 24
"""Timesteps at most."""
_WIDTH: Final = 128
_QUARTER: Final = _WIDTH // 4
"""Of a token's width, for each of channel, order, month and position."""
_PATCH: Final = 8
"""Side of the patches of which the kernels are kept."""


class _Patches(nn.Module):
    """Projects patches of pixels; here of one pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, _WIDTH, _PATCH, stride=_PATCH)

    def forward(self, numbers: Tensor) -> Tensor:
        """(…, channel) → (…, width)."""
        return nn.functional.linear(numbers, single_pixel(self.proj.weight), self.proj.bias)


def single_pixel(kernel: Tensor) -> Tensor:
    """(out, in) kernel for patches of one pixel: the least-squares solution whose resizing is that of the patch.

    Args:
        kernel: (out, in, side, side).

    Example:
        >>> single_pixel(torch.ones(128, 3, 8, 8)).shape
        torch.Size([128, 3])
    """
    side = kernel.shape[-1]
    each = torch.eye(side * side, device=kernel.device).view(-1, 1, side, side)
    shrunk = nn.functional.interpolate(each, (1, 1), mode="bicubic", antialias=True).flatten()
    return kernel.flatten(2) @ (shrunk / shrunk.dot(shrunk))


class Galileo(nn.Module):
    """The encoder.

    Shapes: groups, each (batch, month, channel) numbers and (batch, month) bool whether they are there; months (batch,
    month) int64, 0 for January; place (batch, 2) latitude and longitude in degrees → (batch, 128). Numbers are
    scaled as in `landloom.training.models.published.inputs`. What is not there changes nothing. Elevation, land
    cover, weather and population, which corpora do not have, are taken as missing.

    Example:
        >>> months = torch.arange(12)[None]
        >>> groups = {"NDVI": (torch.zeros(1, 12, 1), torch.ones(1, 12, dtype=torch.bool))}
        >>> Galileo()(groups, months, torch.tensor([[46.0, 14.5]])).shape
        torch.Size([1, 128])
    """

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Layer(_WIDTH, 8, 4, fused=False) for _ in range(4))
        self.pos_embed = nn.Parameter(torch.zeros(MONTHS, _QUARTER), requires_grad=False)
        self.month_embed = nn.Embedding(12, _QUARTER)
        self.s_t_channel_embed = nn.Parameter(torch.zeros(len(CHANNELS), _QUARTER))
        self.sp_channel_embed = nn.Parameter(torch.zeros(len(SPACE), _QUARTER))
        self.t_channel_embed = nn.Parameter(torch.zeros(len(TIME), _QUARTER))
        self.st_channel_embed = nn.Parameter(torch.zeros(len(STATIC), _QUARTER))
        self.space_time_embed = nn.ModuleDict({name: _Patches(count) for name, count in CHANNELS.items()})
        self.space_embed = nn.ModuleDict({name: _Patches(count) for name, count in SPACE.items()})
        self.time_embed = nn.ModuleDict({name: nn.Linear(count, _WIDTH) for name, count in TIME.items()})
        self.static_embed = nn.ModuleDict({name: nn.Linear(count, _WIDTH) for name, count in STATIC.items()})
        self.norm = nn.LayerNorm(_WIDTH)

    def forward(self, groups: Mapping[str, tuple[Tensor, Tensor]], months: Tensor, place: Tensor) -> Tensor:
        """Embeddings: the mean of the tokens of all groups and months, and of one of the place."""
        batch, time = months.shape
        order = self.pos_embed[:time].expand(batch, -1, -1)
        position = self._origin(months.device).expand(batch, time, -1)
        tokens, visible = [self._place(place)], [torch.ones(batch, 1, dtype=torch.bool, device=months.device)]
        for number, name in enumerate(CHANNELS):
            if name not in groups:
                continue
            numbers, there = groups[name]
            channel = self.s_t_channel_embed[number].expand(batch, time, -1)
            where = torch.cat([channel, order, self.month_embed(months), position], dim=-1)
            tokens.append(self.space_time_embed[name](numbers) + where)
            visible.append(there)
        inside, there = encoded(self.blocks, tokens, visible)
        return mean_of(self.norm(inside), there)

    def _place(self, place: Tensor) -> Tensor:
        """(batch, 1, width) token of the place, which has no time and no position in an image."""
        channel = self.st_channel_embed[list(STATIC).index("location")]
        where = nn.functional.pad(channel, (0, _WIDTH - _QUARTER))
        token: Tensor = self.static_embed["location"](on_sphere(place)) + where
        return token[:, None]

    @staticmethod
    def _origin(device: torch.device) -> Tensor:
        """(quarter,) sines and cosines of row 0, then of column 0: all pixels are the first of their image."""
        half = torch.cat([torch.zeros(_QUARTER // 4, device=device), torch.ones(_QUARTER // 4, device=device)])
        return torch.cat([half, half])
