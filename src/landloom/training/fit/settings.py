"""How a model is trained."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from landloom.errors import InvalidInputError
from landloom.training.losses import LossSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """How a network is trained.

    Raises:
        InvalidInputError: a number out of range.

    Example:
        >>> FitSettings(epochs=20).rate_of(19) < FitSettings(epochs=20).rate_of(0)
        True
    """

    epochs: int = 60
    """At most."""
    batch: int = 32
    """Examples of a step."""
    rate: float = 1e-3
    """Learning rate of the first epoch; it falls along half a cosine (Loshchilov and Hutter 2017, arXiv 1608.03983)."""
    decay: float = 1e-4
    """Weight decay of AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101)."""
    patience: int = 12
    """Epochs without a lower validation loss after which training stops."""
    seed: int = 0
    """Of first weights, order, dropout and random windows."""
    workers: int = 0
    """Processes that read images; 0 for this one."""
    bf16: bool = False
    """Whether layers compute in bfloat16 (weights stay in single precision); for graphics cards."""
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    """Where; `auto` takes a graphics card if there is one."""
    loss: LossSettings = field(default_factory=LossSettings)
    """What is made small."""

    def __post_init__(self) -> None:
        least = {"epochs": 1, "batch": 1, "patience": 1, "seed": 0, "workers": 0}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise InvalidInputError(f"got {name} {getattr(self, name)}, expected at least {low}")
        for name, open_low in {"rate": 0.0, "decay": -1e-300}.items():
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > open_low):
                raise InvalidInputError(f"got {name} {getattr(self, name)}, expected a number above 0")

    def rate_of(self, epoch: int) -> float:
        """Learning rate of an epoch, from 0; the last one has a hundredth of the first."""
        share = epoch / max(self.epochs - 1, 1)
        return self.rate * (0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2)

    def document(self) -> dict[str, Any]:
        """As JSON values, without what does not change the result."""
        values = asdict(self)
        return {name: values[name] for name in values if name not in ("workers", "accelerator")}
