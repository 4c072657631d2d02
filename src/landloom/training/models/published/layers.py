"""What the published encoders share: transformer layers with their names of tensors, places, and the mean of tokens.

Layers that normalise first: Dosovitskiy et al. 2021, An Image is Worth 16x16 Words (arXiv 2010.11929).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor


class Layer(nn.Module):
    """Attention among the visible tokens of a series, then two linear layers on each.

    Shapes: tokens (batch, token, width), visible (batch, token) bool → (batch, token, width).

    Args:
        width: of a token.
        heads: of the attention.
        ratio: width between the two linear layers, in widths of a token.
        fused: whether queries, keys and values are one tensor of weights; else three.
    """

    def __init__(self, width: int, heads: int, ratio: int, *, fused: bool) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        parts = {"qkv": 3 * width} if fused else {"q": width, "k": width, "v": width}
        self.attn = nn.ModuleDict({name: nn.Linear(width, out) for name, out in (parts | {"proj": width}).items()})
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, ratio * width), "fc2": nn.Linear(ratio * width, width)})

    def forward(self, tokens: Tensor, visible: Tensor) -> Tensor:
        """Attend, and change."""
        inside = self.norm1(tokens)
        if "qkv" in self.attn:
            parts = self.attn["qkv"](inside).chunk(3, dim=-1)
        else:
            parts = tuple(self.attn[name](inside) for name in ("q", "k", "v"))
        query, key, value = (one.unflatten(-1, (self.heads, -1)).transpose(1, 2) for one in parts)
        seen = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=visible[:, None, None])
        tokens = tokens + self.attn["proj"](seen.transpose(1, 2).flatten(2))
        changed: Tensor = tokens + self.mlp["fc2"](nn.functional.gelu(self.mlp["fc1"](self.norm2(tokens))))
        return changed


def encoded(layers: Iterable[nn.Module], tokens: list[Tensor], visible: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Tokens after all layers, and which of them are visible.

    Args:
        layers: one after the other.
        tokens: (batch, some, width) each.
        visible: (batch, some) bool each.
    """
    inside, there = torch.cat(tokens, dim=1), torch.cat(visible, dim=1)
    used = there.any(dim=0)  # a modality that nobody has costs nothing
    inside, there = inside[:, used], there[:, used]
    for layer in layers:
        inside = layer(inside, there)
    return inside, there


def mean_of(tokens: Tensor, visible: Tensor) -> Tensor:
    """(batch, width) mean of the visible tokens."""
    there = visible[..., None].to(tokens.dtype)
    mean: Tensor = (tokens * there).sum(dim=1) / there.sum(dim=1)
    return mean


def on_sphere(place: Tensor) -> Tensor:
    """(batch, 3) point on the unit sphere of (batch, 2) latitude and longitude in degrees.

    Example:
        >>> on_sphere(torch.tensor([[0.0, 90.0]])).round(decimals=3).abs().tolist()
        [[0.0, 1.0, 0.0]]
    """
    latitude, longitude = torch.deg2rad(place).unbind(dim=-1)
    return torch.stack([latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()], dim=-1)
