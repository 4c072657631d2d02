"""Masked-series autoencoding: parts of a series are hidden, and the encoder is to tell them from the rest."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch.utils.data import Dataset

from landloom.errors import InvalidInputError
from landloom.training.fit.batches import whole
from landloom.training.fit.networks import Parts, fit_network
from landloom.training.fit.settings import FitSettings
from landloom.training.pretrain.encoder import SeriesAutoencoder
from landloom.training.pretrain.masking import MaskSettings, hidden_timesteps
from landloom.training.pretrain.noise import noise_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.training.fit.batches import Batch
    from landloom.training.fit.networks import Row

STRAIGHT = 3.0
"""Noise units beyond which the loss grows linearly: missed clouds are not worth a model of them."""
_KEPT_FOR_VALIDATION = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnlabelledSeries:
    """Series without labels."""

    image: NDArray[np.float32]
    """(row, time, band); any number where not valid."""
    dates: NDArray[np.int64]
    """(row, time) days since 1970-01-01; 0 for padding, which is at the end."""
    valid: NDArray[np.bool_]
    """(row, time)."""

    def __post_init__(self) -> None:
        if self.image.shape[:2] != self.valid.shape or self.dates.shape != self.valid.shape or self.image.ndim != 3:
            raise InvalidInputError(
                f"got images {self.image.shape}, dates {self.dates.shape} and valid {self.valid.shape}, "
                "expected those of the same rows and timesteps"
            )

    def __len__(self) -> int:
        return len(self.valid)

    def rows(self, chosen: NDArray[Any]) -> Self:
        """Some of them."""
        return type(self)(image=self.image[chosen], dates=self.dates[chosen], valid=self.valid[chosen])


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainSettings:
    """How an encoder is pretrained."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of `SeriesAutoencoder`."""
    mask: MaskSettings = field(default_factory=MaskSettings)
    """What is hidden."""
    fit: FitSettings = field(default_factory=lambda: FitSettings(epochs=16, batch=64, rate=2e-3, patience=16))
    """How long, how fast."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {"options": dict(self.options), "mask": self.mask.document(), **self.fit.document()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scale:
    """What images are measured in."""

    mean: tuple[float, ...]
    """(band,)"""
    deviation: tuple[float, ...]
    """(band,)"""
    noise: tuple[float, ...]
    """(band,) standard deviation of an observation's noise, at least a hundredth of the deviation; the deviation itself
    where no series has the three timesteps from which noise can be told."""

    @classmethod
    def of(cls, series: UnlabelledSeries) -> Self:
        """From series themselves.

        Raises:
            InvalidInputError: nothing varies, or there are too few valid timesteps.
        """
        seen = series.image[series.valid].astype(np.float64)
        if not len(seen):
            raise InvalidInputError("got series without any valid timestep, expected some to learn from")
        mean, deviation = seen.mean(axis=0), seen.std(axis=0)
        if not (np.isfinite(mean).all() and (deviation > 0).all()):
            raise InvalidInputError(f"got band {int(np.argmin(deviation))} without variation, expected some")
        long = series.rows(series.valid.sum(axis=1) > 2)
        noise = noise_of(long.image, long.dates, long.valid) if len(long) else deviation
        noise = np.maximum(noise, deviation / 100)
        return cls(mean=tuple(mean.tolist()), deviation=tuple(deviation.tolist()), noise=tuple(noise.tolist()))

    def apply(self, series: UnlabelledSeries) -> torch.Tensor:
        """(row, time, band) images in deviations from the mean; 0 where not valid."""
        scaled = (series.image - np.array(self.mean, np.float32)) / np.array(self.deviation, np.float32)
        return torch.from_numpy(np.where(series.valid[..., None], scaled, np.float32(0)))

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


class MaskedExamples(Dataset["Batch"]):
    """Series as examples: what is visible, and what is hidden and asked for.

    What is hidden depends on seed, epoch and batch of rows alone. `image` and `valid` are what the encoder may see,
    `asked` and `truth` what it is to tell; `weight` is the number of timesteps asked for.
    """

    def __init__(self, series: UnlabelledSeries, scale: Scale, mask: MaskSettings, seed: int) -> None:
        self.image = scale.apply(series)
        self.dates, self.valid = torch.from_numpy(series.dates), series.valid
        self.mask, self.seed, self.epoch = mask, seed, 0

    def __len__(self) -> int:
        return len(self.valid)

    def set_epoch(self, epoch: int) -> None:
        """Choose what is hidden in an epoch."""
        self.epoch = epoch

    def __getitem__(self, index: int) -> Batch:
        return {name: one[0] for name, one in self.__getitems__([index]).items()}

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """A batch."""
        rows = np.asarray(indices)
        valid = self.valid[rows]
        hidden = hidden_timesteps(valid, self.mask, np.random.default_rng((self.seed, self.epoch, int(rows[0]))))
        truth, visible = self.image[torch.from_numpy(rows)], torch.from_numpy(valid & ~hidden)
        return {
            "image": truth * visible[..., None],
            "dates": self.dates[torch.from_numpy(rows)],
            "valid": visible,
            "truth": truth,
            "asked": torch.from_numpy(hidden),
            "weight": torch.from_numpy(hidden.sum(axis=1).astype(np.float32)),
        }


def reconstruction_loss(told: torch.Tensor, batch: Batch, units: torch.Tensor) -> torch.Tensor:
    """Huber loss (1964) of what was hidden, in units of the noise; mean over bands and hidden timesteps.

    Args:
        told: (batch, time, band).
        batch: with `truth` and `asked`.
        units: (band,) deviation over noise.
    """
    each = torch.nn.functional.huber_loss(told * units, batch["truth"] * units, reduction="none", delta=STRAIGHT)
    asked = batch["asked"]
    loss: torch.Tensor = (each.mean(dim=-1) * asked).sum() / asked.sum().clamp(min=1)
    return loss


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pretrained:
    """An encoder with what it needs."""

    network: SeriesAutoencoder
    scale: Scale
    history: tuple[Row, ...]
    """Losses of every epoch; none for an encoder that was never trained."""

    def embed(self, series: UnlabelledSeries, at_once: int = 1024) -> NDArray[np.float32]:
        """(row, out) embeddings; NaN for a series without any valid timestep."""
        self.network.eval()
        device = next(self.network.parameters()).device
        image, parts = self.scale.apply(series), []
        with torch.inference_mode():
            for start in range(0, len(series), at_once):
                here = slice(start, start + at_once)
                dates, valid = torch.from_numpy(series.dates[here]), torch.from_numpy(series.valid[here])
                made = self.network.encode(image[here].to(device), dates.to(device), valid.to(device))
                parts.append(made.float().cpu().numpy())
        width = self.network.out.out_features
        found: NDArray[np.float32] = np.concatenate(parts) if parts else np.zeros((0, width), np.float32)
        found[~series.valid.any(axis=1)] = np.nan
        return found


def random_encoder(bands: int, scale: Scale, settings: PretrainSettings) -> Pretrained:
    """An encoder with its first weights, as it is before pretraining.

    Raises:
        InvalidInputError: options that do not fit each other.
    """
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(settings.fit.seed)
        try:
            network = SeriesAutoencoder(bands, **settings.options)
        except TypeError as error:
            raise InvalidInputError(f"got options {dict(settings.options)} of the encoder: {error}") from error
    return Pretrained(network=network, scale=scale, history=())


def pretrain(
    series: UnlabelledSeries,
    settings: PretrainSettings,
    folder: Path,
    heard: Callable[[Row], None] = lambda _: None,
) -> Pretrained:
    """Pretrain an encoder, or go on where a killed run stopped; the same series and settings give the same weights.

    Series with fewer than two valid timesteps teach nothing and are not used. A tenth is held out to tell the loss.

    Args:
        series: without labels, at a distance from all labelled samples.
        settings: how.
        folder: for the checkpoint.
        heard: is called after every epoch.

    Raises:
        InvalidInputError: fewer than ten usable series, or nothing that varies.
    """
    usable = series.rows(series.valid.sum(axis=1) > 1)
    if len(usable) < 10:
        raise InvalidInputError(f"got {len(usable)} series with two valid timesteps, expected ten or more")
    scale = Scale.of(usable)
    order = np.random.default_rng((settings.fit.seed, 1)).permutation(len(usable))
    kept = max(round(_KEPT_FOR_VALIDATION * len(usable)), 1)
    train, val = (
        MaskedExamples(usable.rows(np.sort(part)), scale, settings.mask, settings.fit.seed)
        for part in (order[kept:], order[:kept])
    )
    started = random_encoder(usable.image.shape[2], scale, settings)
    units = torch.tensor(np.divide(scale.deviation, scale.noise), dtype=torch.float32)
    done = fit_network(
        started.network,
        Parts(
            train=train,
            val=val,
            collate=whole,
            loss=lambda told, batch: reconstruction_loss(told, batch, units.to(told.device)),
        ),
        settings.fit,
        folder,
        heard,
    )
    return Pretrained(network=started.network, scale=scale, history=done.history)
