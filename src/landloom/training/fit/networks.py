"""Training of networks: an epoch at a time, with early stop and a checkpoint from which a killed run goes on.

A plain loop: Lightning restores neither the order of examples nor what dropout draws (see docs/decisions/0008).
Everything random in an epoch is drawn from seed and epoch alone, and the checkpoint is written when an epoch is over:
so on a CPU a run that was killed and resumed ends with the very numbers of one that was not.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import torch

from landloom.errors import InvalidInputError, counted
from landloom.store.local import LocalStore
from landloom.training.fit.batches import loader
from landloom.training.fit.devices import device_of, on_device, steady_threads
from landloom.training.fit.weights import check_same, read_tensors
from landloom.training.losses import class_loss, value_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from torch import Tensor
    from torch.utils.data import DataLoader

    from landloom.training.fit.batches import Batch
    from landloom.training.fit.settings import FitSettings
    from landloom.training.losses import LossSettings

CLASS_TARGETS: Final = ("fractions", "mask", "label")
"""Keys of targets that are classes."""
CHECKPOINT: Final = "checkpoint.pt"
"""File of the state after the last whole epoch."""
_FORMAT: Final = "landloom checkpoint 1"
Loss: TypeAlias = "Callable[[Tensor, Batch], Tensor]"
"""Of what a network makes of a batch."""
Row = dict[str, float]
"""An epoch of the history: `epoch`, `train_loss`, `val_loss` (NaN without validation), `rate`."""


def batch_loss(logits: Tensor, batch: Batch, settings: LossSettings) -> Tensor:
    """Loss of a batch, by whatever target it has.

    Raises:
        InvalidInputError: it has none.
    """
    for key in CLASS_TARGETS:
        if key in batch:
            return class_loss(logits, batch[key], batch["weight"], settings)
    if "value" in batch:
        return value_loss(logits, batch["value"], batch["weight"])
    raise InvalidInputError(f"got a batch of {', '.join(batch)}, expected a target: {', '.join(CLASS_TARGETS)}, value")


class Run:
    """A network on its way: everything that a checkpoint holds.

    Args:
        model: with first weights; trained in place, on the device of the settings.
        settings: how.
        loss: of what the network makes of a batch; by default that of its target.

    Raises:
        InvalidInputError: a graphics card is asked for, and there is none.
    """

    def __init__(self, model: torch.nn.Module, settings: FitSettings, loss: Loss | None = None) -> None:
        self.settings = settings
        self.loss: Loss = loss or (lambda logits, batch: batch_loss(logits, batch, settings.loss))
        self.device = device_of(settings.accelerator)
        self.model = model.to(self.device)
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=settings.rate, weight_decay=settings.decay)
        self.rows: list[Row] = []
        self.best: dict[str, Tensor] = {}
        self.lowest, self.waited = float("inf"), 0

    @property
    def is_over(self) -> bool:
        """Whether no epoch is to follow."""
        return len(self.rows) >= self.settings.epochs or self.waited >= self.settings.patience

    def state(self) -> dict[str, Any]:
        """Tensors and plain values."""
        return {
            "format": _FORMAT,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rows": self.rows,
            "best": self.best,
            "lowest": self.lowest,
            "waited": self.waited,
        }

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            InvalidInputError: it is none, or one of another network.
        """
        state = read_tensors(path)
        if not isinstance(state, dict) or state.get("format") != _FORMAT:
            raise InvalidInputError(f"{path}: got something else, expected a checkpoint of landloom")
        check_same(state["model"], self.model, path)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rows, self.best = list(state["rows"]), dict(state["best"])
        self.lowest, self.waited = float(state["lowest"]), int(state["waited"])

    def epoch(self, train: DataLoader[Batch], val: DataLoader[Batch] | None) -> Row:
        """Train for an epoch; its row of the history."""
        number, settings = len(self.rows), self.settings
        order: Any = train.sampler
        order.set_epoch(number)
        torch.manual_seed(int(np.random.SeedSequence((settings.seed, number)).generate_state(1)[0]))
        for group in self.optimizer.param_groups:
            group["lr"] = settings.rate_of(number)
        with steady_threads():
            row = {"epoch": float(number), "train_loss": self._pass(train, learn=True)}
            row["val_loss"] = float("nan") if val is None else self._pass(val, learn=False)
        row["rate"] = settings.rate_of(number)
        _refuse_divergence(row)
        self.rows.append(row)
        if val is None or row["val_loss"] < self.lowest:
            self.lowest, self.waited = row["val_loss"], 0
            self.best = {name: one.detach().cpu().clone() for name, one in self.model.state_dict().items()}
        else:
            self.waited += 1
        return row

    def _pass(self, batches: DataLoader[Batch], *, learn: bool) -> float:
        """Mean loss over batches, by weight; NaN where nothing has any."""
        self.model.train(learn)
        # Sums stay on the device: to read them at every step would make a graphics card wait for the processor.
        total, weights = (torch.zeros((), dtype=torch.float64, device=self.device) for _ in range(2))
        with torch.set_grad_enabled(learn):
            for batch in batches:
                own = on_device(batch, self.device)
                with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.bf16):
                    logits = self.model(own["image"], own["dates"], own["valid"])
                loss = self.loss(logits.float(), own)
                if learn:
                    self.optimizer.zero_grad(set_to_none=True)
                    torch.autograd.backward(loss)
                    self.optimizer.step()
                weight = own["weight"].sum().double()
                total, weights = total + loss.detach().double() * weight, weights + weight
        return float(total / weights) if float(weights) > 0 else float("nan")

    def save(self, path: Path) -> None:
        """Write the checkpoint, whole or not at all."""
        content = io.BytesIO()
        torch.save(self.state(), content)
        LocalStore(path.parent).put(path.name, content.getvalue())


def _refuse_divergence(row: Row) -> None:
    if not np.isfinite(row["train_loss"]):
        raise InvalidInputError(
            f"epoch {row['epoch']:.0f}: got a training loss of {row['train_loss']}, expected a number; a lower rate "
            "may help, and every example needs a target with a weight above 0"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A trained network."""

    weights: Mapping[str, Tensor]
    """Of the epoch with the lowest validation loss; of the last one without validation."""
    history: tuple[Row, ...]
    resumed: int
    """Epochs that a run before had made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a network is trained on: datasets of examples, and how a batch of them is made."""

    train: Any
    val: Any | None
    collate: Callable[[Any], Batch]
    loss: Loss | None = None
    """Of what the network makes of a batch; by default that of its target."""


def fit_network(
    model: torch.nn.Module,
    parts: Parts,
    settings: FitSettings,
    folder: Path,
    heard: Callable[[Row], None] = lambda _: None,
) -> Fitted:
    """Train a network, or go on where a killed run stopped.

    Args:
        model: with first weights; trained in place.
        parts: what it is trained on.
        settings: how.
        folder: for the checkpoint.
        heard: is called after every epoch.

    Raises:
        InvalidInputError: no example; a loss that is no number; a checkpoint of another network.
    """
    for name, part in (("train", parts.train), ("val", parts.val)):
        if part is not None and not len(part):
            raise InvalidInputError(f"got no example in {name}, expected one at least")
    _require_batches(model, len(parts.train), settings)
    run, checkpoint = Run(model, settings, parts.loss), folder / CHECKPOINT
    if checkpoint.is_file():
        run.restore(checkpoint)
    resumed = len(run.rows)
    if not run.is_over:
        train = loader(parts.train, settings, collate=parts.collate, shuffle=True)
        val = None if parts.val is None else loader(parts.val, settings, collate=parts.collate)
        while not run.is_over:
            row = run.epoch(train, val)
            run.save(checkpoint)
            heard(row)
    model.load_state_dict(run.best)
    return Fitted(weights=run.best, history=tuple(run.rows), resumed=resumed)


def _require_batches(model: torch.nn.Module, count: int, settings: FitSettings) -> None:
    """Refuse batches of one example where layers normalise by the variance of a batch.

    Raises:
        InvalidInputError: they would be of one.
    """
    normed = any(isinstance(one, torch.nn.modules.batchnorm._BatchNorm) for one in model.modules())  # noqa: SLF001
    if normed and min(count, settings.batch) < 2:
        raise InvalidInputError(
            f"got {counted(count, 'example')} in batches of {settings.batch}, expected two at least: "
            f"{type(model).__name__} normalises by the variance of a batch"
        )


def predict_batches(model: torch.nn.Module, batches: Any, *, classes: bool = True) -> Iterator[tuple[Batch, Any]]:
    """Each batch with (batch, class, …) float32 probabilities, or (batch, …) values, as NumPy arrays."""
    model.eval()
    device = next(model.parameters()).device
    with torch.inference_mode():
        for batch in batches:
            own = on_device(batch, device)
            with steady_threads():
                out = model(own["image"], own["dates"], own["valid"]).float()
                found = (out.softmax(dim=1) if classes else out[:, 0]).cpu().numpy()
            yield batch, found
