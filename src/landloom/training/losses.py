"""Losses, weighted by confidence: cross-entropy against shares, label smoothing, generalised cross-entropy, squares.

Label smoothing: Szegedy et al. 2016 (arXiv 1512.00567), section 7. Generalised cross-entropy: Zhang and Sabuncu 2018
(arXiv 1805.07836), equation 6, between cross-entropy (q → 0) and mean absolute error (q = 1), which wrong labels move
less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSettings:
    """What is made small.

    Raises:
        InvalidInputError: a share outside 0 to 1.

    Example:
        >>> LossSettings(smoothing=0.1).document()
        {'smoothing': 0.1, 'q': 0.0}
    """

    smoothing: float = 0.0
    """Share of every target that all classes get alike; below 1."""
    q: float = 0.0
    """Exponent of generalised cross-entropy, 0 for cross-entropy; the paper takes 0.7."""

    def __post_init__(self) -> None:
        if not 0 <= self.smoothing < 1:
            raise InvalidInputError(f"got label smoothing {self.smoothing}, expected 0 or more and less than 1")
        if not 0 <= self.q <= 1:
            raise InvalidInputError(f"got q {self.q} of generalised cross-entropy, expected 0 to 1")

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {"smoothing": self.smoothing, "q": self.q}


def class_loss(logits: Tensor, target: Tensor, weight: Tensor, settings: LossSettings) -> Tensor:
    """Mean loss of classes or shares of classes, by weight.

    Args:
        logits: (batch, class, …).
        target: (batch, …) int64 classes, −1 where there is none; or (batch, class, …) float shares that sum to 1, or to
            0 where there is none.
        weight: (batch,) or (batch, …), 0 or more.
        settings: of the loss.

    Returns:
        Scalar; 0 where nothing has a target and a weight.

    Example:
        >>> logits = torch.tensor([[2.0, 0.0], [0.0, 2.0], [0.0, 9.0]])
        >>> loss = class_loss(logits, torch.tensor([0, 0, -1]), torch.tensor([3.0, 1.0, 1.0]), LossSettings())
        >>> round(loss.item(), 3)  # three of four times 0.127, once 2.127
        0.627
    """
    shares, there = _shares(target, logits.shape[1], logits.dtype)
    shares = shares * (1 - settings.smoothing) + settings.smoothing / logits.shape[1]
    logs = logits.log_softmax(dim=1)
    each = -logs if settings.q == 0 else -torch.expm1(settings.q * logs) / settings.q
    return _mean((shares * each).sum(dim=1), there, weight)


def value_loss(values: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean squared error, by weight.

    Args:
        values: (batch, 1, …) predicted.
        target: (batch, …) float; NaN where there is none.
        weight: (batch,) or (batch, …), 0 or more.

    Returns:
        Scalar; 0 where nothing has a target and a weight.
    """
    there = ~target.isnan()
    return _mean((values[:, 0] - target.nan_to_num(0)).square(), there, weight)


def _shares(target: Tensor, classes: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """(batch, class, …) shares, and (batch, …) where there are any."""
    if target.dtype.is_floating_point:
        return target.to(dtype), target.sum(dim=1) > 0
    there = target >= 0
    hot = torch.nn.functional.one_hot(target.clamp(min=0), classes).to(dtype)
    return hot.movedim(-1, 1), there


def _mean(each: Tensor, there: Tensor, weight: Tensor) -> Tensor:
    while weight.ndim < each.ndim:
        weight = weight[..., None]
    weights = weight.to(each.dtype) * there
    weights = weights.expand_as(each)
    return (each * weights).sum() / weights.sum().clamp(min=torch.finfo(each.dtype).tiny)
