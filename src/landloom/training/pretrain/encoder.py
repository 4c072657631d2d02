"""An encoder of series, and the decoder that it is pretrained with: a vector from which any date can be told.

He et al. 2022 (arXiv 2111.06377): the encoder sees visible tokens alone, a small decoder tells the masked ones. Tseng
et al. 2023 (Presto, arXiv 2304.14065): tokens are timesteps with their dates. Here the decoder gets one vector per
series and the date, not the tokens (Garnelo et al. 2018, Conditional Neural Processes, arXiv 1807.01613), so that the
vector alone has to hold the series: it is the embedding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import nn

from landloom.errors import InvalidInputError
from landloom.training.models.attention import days_of_series, positions

if TYPE_CHECKING:
    from torch import Tensor

_DATES: Final = 32
"""Features of a date in the decoder."""


class _Layer(nn.Module):
    """Self-attention and a perceptron, each after a layer norm (Xiong et al. 2020, arXiv 2002.04745)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.inputs = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.after = nn.LayerNorm(width)
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, tokens: Tensor, visible: Tensor) -> Tensor:
        """(batch, token, width) → the same; (batch, token) visible ones are attended to."""
        batch, count, width = tokens.shape
        parts = self.inputs(self.before(tokens)).view(batch, count, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=visible[:, None, None])
        tokens = tokens + self.mix(seen.transpose(1, 2).reshape(batch, count, width))
        changed: Tensor = tokens + self.feed(self.after(tokens))
        return changed


def _packed(image: Tensor, days: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Series with their visible timesteps first, and no longer than the longest needs: attention over less."""
    most = max(int(valid.sum(dim=1).max()), 1)
    order = valid.logical_not().to(torch.uint8).argsort(dim=1, stable=True)[:, :most]
    return (
        image.gather(1, order[..., None].expand(-1, -1, image.shape[2])),
        days.gather(1, order),
        valid.gather(1, order),
    )


class SeriesAutoencoder(nn.Module):
    """A transformer over the dates of a series, and a decoder of its embedding.

    Shapes: image (batch, time, band) float32, dates (batch, time) int64 days since 1970-01-01, valid (batch, time)
    bool → (batch, time, band) what each date looks like; `encode` → (batch, out) embeddings. Series of any length and
    any dates; timesteps that are not valid, padding among them, change nothing.

    Args:
        bands: of a series.
        width: of a token.
        layers: of the encoder.
        heads: of each.
        out: width of the embedding.
        hidden: width of the decoder.

    Raises:
        InvalidInputError: a width that heads do not divide, or that is odd.

    Example:
        >>> model = SeriesAutoencoder(bands=4)
        >>> image, dates, valid = torch.zeros(2, 6, 4), torch.arange(12).view(2, 6), torch.ones(2, 6, dtype=torch.bool)
        >>> model.encode(image, dates, valid).shape, model(image, dates, valid).shape
        (torch.Size([2, 128]), torch.Size([2, 6, 4]))
    """

    def __init__(
        self, bands: int, *, width: int = 64, layers: int = 2, heads: int = 4, out: int = 128, hidden: int = 64
    ) -> None:
        super().__init__()
        if width % heads or width % 2:
            raise InvalidInputError(f"got a width of {width} for {heads} heads, expected an even multiple of them")
        self.width = width
        self.embed = nn.Linear(bands, width)
        self.whole = nn.Parameter(torch.empty(width))
        nn.init.normal_(self.whole, std=0.02)
        self.layers = nn.ModuleList(_Layer(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(2 * width, out)
        self.decode = nn.Sequential(
            nn.Linear(out + _DATES, hidden),
            nn.GELU(),
            nn.Linear(hidden, hidden),
            nn.GELU(),
            nn.Linear(hidden, bands),
        )

    def encode(self, image: Tensor, dates: Tensor, valid: Tensor) -> Tensor:
        """Embeddings of what is visible: a token of the whole series, and the mean of those of its timesteps."""
        days = days_of_series(dates)
        image, days, valid = _packed(image, days, valid)
        tokens = self.embed(image * valid[..., None]) + positions(days * valid, self.width)
        tokens = torch.cat([self.whole.expand(len(tokens), 1, -1), tokens], dim=1)
        visible = nn.functional.pad(valid, (1, 0), value=True)
        for layer in self.layers:
            tokens = layer(tokens, visible)
        tokens = self.norm(tokens)
        mean = (tokens[:, 1:] * valid[..., None]).sum(dim=1) / valid.sum(dim=1, keepdim=True).clamp(min=1)
        embedding: Tensor = self.out(torch.cat([tokens[:, 0], mean], dim=-1))
        return embedding

    def forward(self, image: Tensor, dates: Tensor, valid: Tensor) -> Tensor:
        """What each date looks like, of what is visible."""
        embedding = self.encode(image, dates, valid)
        asked = positions(days_of_series(dates).clamp(min=0), _DATES)
        told: Tensor = self.decode(torch.cat([embedding[:, None].expand(-1, asked.shape[1], -1), asked], dim=-1))
        return told
