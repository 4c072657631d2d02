"""A published encoder with a linear probe: learnt, read, and written as one file of tensors."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from landloom.errors import InvalidInputError
from landloom.training.fit.encoders import SeriesEncoder
from landloom.training.fit.weights import read_named
from landloom.training.models.probe import LinearProbe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.training.fit.batches import LabelledSeries
    from landloom.training.fit.folder import ModelDescription

_PARTS = ("mean", "deviation", "weight", "bias", "known")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EncoderProbe:
    """A frozen encoder, and a linear classifier of its embeddings."""

    encoder: SeriesEncoder
    probe: LinearProbe

    @classmethod
    def fit(
        cls, encoder: SeriesEncoder, table: LabelledSeries, *, classes: int, seed: int, accelerator: str = "cpu"
    ) -> Self:
        """Learn from series.

        Args:
            encoder: stays as it is.
            table: the series with their targets.
            classes: number of them; 0 for values.
            seed: of the folds that choose the penalty.
            accelerator: where embeddings are computed.

        Raises:
            InvalidInputError: fewer than four rows, or one class alone; series that the encoder cannot take.
            MissingExtraError: the extra `guess` is not installed.
        """
        rows = encoder.embed(table, accelerator)
        return cls(encoder=encoder, probe=LinearProbe.fit(rows, table.target, table.weight, classes=classes, seed=seed))

    def predict(self, table: LabelledSeries, accelerator: str = "cpu") -> NDArray[np.float32]:
        """(row, class) probabilities, or (row,) values."""
        return self.probe.predict(self.encoder.embed(table, accelerator))

    def encoded(self) -> bytes:
        """As a file of tensors alone."""
        weights = {f"encoder.{name}": one.cpu() for name, one in self.encoder.network.state_dict().items()}
        weights |= {f"probe.{name}": torch.from_numpy(np.array(getattr(self.probe, name))) for name in _PARTS}
        content = io.BytesIO()
        torch.save(weights, content)
        return content.getvalue()

    @classmethod
    def read(cls, description: ModelDescription, path: Path) -> Self:
        """Read the file.

        Args:
            description: of the model that it is of.
            path: the file.

        Raises:
            InvalidInputError: no tensors alone, or those of another model.
        """
        parts = _split(read_named(path), path)
        bands = encoder_bands(description)
        try:
            values = {name: parts["probe"][name].numpy() for name in _PARTS}
            probe = LinearProbe(**values, classes=len(description.classes))
        except KeyError as error:
            raise InvalidInputError(f"{path}: got no probe.{error.args[0]}, expected a linear probe") from error
        encoder = SeriesEncoder.of(description.model, parts["encoder"], bands, str(path))
        if probe.weight.shape != (len(probe.bias), len(probe.mean)) or len(probe.known) not in (0, len(probe.bias)):
            raise InvalidInputError(f"{path}: got a probe of shapes that do not fit: {probe.weight.shape}")
        return cls(encoder=encoder, probe=probe)


def encoder_bands(description: ModelDescription) -> dict[str, int]:
    """Band of the encoder → number of the band of an image, as the description says."""
    stated: Mapping[str, Any] = (description.encoder or {}).get("bands", {})
    return {name: description.bands.index(own) for name, own in stated.items()}


def _split(weights: Mapping[str, torch.Tensor], path: Path) -> dict[str, dict[str, torch.Tensor]]:
    found: dict[str, dict[str, torch.Tensor]] = {"encoder": {}, "probe": {}}
    for name, one in weights.items():
        part, _, rest = name.partition(".")
        if part not in found:
            raise InvalidInputError(f"{path}: got the tensor {name}, expected those of encoder and probe")
        found[part][rest] = one
    return found
