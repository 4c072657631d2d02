"""Presto: a transformer for monthly series of a pixel, pretrained on masked series of several sensors.

Tseng et al. 2023, Lightweight, Pre-trained Transformers for Remote Sensing Timeseries (arXiv 2304.14065). Written from
the paper and from the names and shapes of the tensors in the published file of weights, which load as they are.
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
    "ERA5": 2,
    "SRTM": 2,
    "NDVI": 1,
}
"""Group of channels that become one token of each month → how many they are; in the order of their embeddings."""
MONTHS: Final = 24
"""Timesteps at most."""
_WIDTH: Final = 128
_DYNAMIC_WORLD: Final = 9
"""Classes; one more stands for none."""


class Presto(nn.Module):
    """The encoder.

    Shapes: groups, each (batch, month, channel) numbers and (batch, month) bool whether they are there; months (batch,
    month) int64, 0 for January; place (batch, 2) latitude and longitude in degrees → (batch, 128). Numbers are
    reflectance, and NDVI from −1 to 1. What is not there changes nothing. Elevation and land cover classes, which
    corpora do not have, are taken as missing.

    Example:
        >>> months = torch.arange(12)[None]
        >>> groups = {"NDVI": (torch.zeros(1, 12, 1), torch.ones(1, 12, dtype=torch.bool))}
        >>> Presto()(groups, months, torch.tensor([[46.0, 14.5]])).shape
        torch.Size([1, 128])
    """

    def __init__(self) -> None:
        super().__init__()
        self.pos_embed = nn.Parameter(torch.zeros(1, MONTHS, _WIDTH // 2), requires_grad=False)
        self.eo_patch_embed = nn.ModuleDict({name: nn.Linear(count, _WIDTH) for name, count in CHANNELS.items()})
        self.dw_embed = nn.Embedding(_DYNAMIC_WORLD + 1, _WIDTH)
        self.latlon_embed = nn.Linear(3, _WIDTH)
        self.blocks = nn.ModuleList(Layer(_WIDTH, 8, 4, fused=True) for _ in range(2))
        self.norm = nn.LayerNorm(_WIDTH)
        self.month_embed = nn.Embedding(12, _WIDTH // 4)
        self.channel_embed = nn.Embedding(len(CHANNELS) + 1, _WIDTH // 4)

    def forward(self, groups: Mapping[str, tuple[Tensor, Tensor]], months: Tensor, place: Tensor) -> Tensor:
        """Embeddings: the mean of the tokens of all groups and months, and of one of the place."""
        batch, time = months.shape
        tokens = [self.latlon_embed(on_sphere(place))[:, None]]
        visible = [torch.ones(batch, 1, dtype=torch.bool, device=months.device)]
        order = self.pos_embed[:, :time].expand(batch, -1, -1)
        for number, name in enumerate(CHANNELS):
            if name not in groups:
                continue
            numbers, there = groups[name]
            channel = self.channel_embed.weight[number].expand(batch, time, -1)
            tokens.append(
                self.eo_patch_embed[name](numbers) + torch.cat([self.month_embed(months), channel, order], dim=-1)
            )
            visible.append(there)
        embedding: Tensor = self.norm(mean_of(*encoded(self.blocks, tokens, visible)))
        return embedding
