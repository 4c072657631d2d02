"""Published encoders: their files of weights, and embeddings of series. Files are named by a user, never fetched."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import torch

from landloom.errors import InvalidInputError
from landloom.training.fit.axis import means_over
from landloom.training.fit.devices import device_of, steady_threads
from landloom.training.fit.weights import check_same, read_named
from landloom.training.models.published.galileo import Galileo
from landloom.training.models.published.inputs import MonthlySeries, grouped
from landloom.training.models.published.presto import MONTHS, Presto
from landloom.training.models.table import model_kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.training.fit.batches import LabelledSeries

ROWS: Final = 1024
"""Series that are embedded at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """How a file of weights names what the encoder needs."""

    network: type[torch.nn.Module]
    prefix: str
    """Of its tensors."""
    others: tuple[str, ...]
    """Starts of the names of tensors that it does not need."""
    standard: bool
    """Whether reflectance is scaled by the moments of its pretraining."""

    def own(self, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Tensors of the encoder, and those that nobody knows."""
        named = {name.replace(".backbone", "").removeprefix("module."): one for name, one in weights.items()}
        kept = {name: one for name, one in named.items() if not name.startswith(self.others or "\0")}
        return {name.removeprefix(self.prefix): one for name, one in kept.items()}


_LAYOUTS: Final = {
    "presto": _Layout(network=Presto, prefix="encoder.", others=("decoder.", "head."), standard=False),
    "galileo-nano": _Layout(network=Galileo, prefix="", others=(), standard=True),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesEncoder:
    """A published encoder with its weights, on the bands of a product."""

    name: str
    """In the table of models."""
    network: torch.nn.Module
    bands: Mapping[str, int]
    """Its band → number of the band of an image."""

    @classmethod
    def read(cls, name: str, path: Path, bands: Mapping[str, int]) -> tuple[Self, str]:
        """Read a published file of weights: the encoder, and the digest of the file.

        Args:
            name: of the model.
            path: file of tensors alone.
            bands: as of `published_bands`.

        Raises:
            InvalidInputError: no such file; no tensors alone; weights of another network, of which one tensor is
                named; a weight that is no number.
        """
        kind = model_kind(name)
        if not path.is_file():
            raise InvalidInputError(
                f"{path}: there is no such file; weights are never fetched: {kind.title}'s are published as {kind.file}"
            )
        own = _LAYOUTS[name].own(read_named(path))
        found = cls.of(name, own, bands, str(path))
        return found, hashlib.sha256(path.read_bytes()).hexdigest()

    @classmethod
    def of(cls, name: str, weights: Mapping[str, torch.Tensor], bands: Mapping[str, int], source: str) -> Self:
        """An encoder from its tensors.

        Raises:
            InvalidInputError: those of another network, or no numbers.
        """
        network = _LAYOUTS[name].network()
        check_same(weights, network, source)
        for key, one in weights.items():
            if not torch.isfinite(one).all():
                raise InvalidInputError(f"{source}: got values in {key} that are no numbers")
        network.load_state_dict(dict(weights))
        return cls(name=name, network=network.eval().requires_grad_(requires_grad=False), bands=bands)

    def embed(self, table: LabelledSeries, accelerator: str = "cpu") -> NDArray[np.float32]:
        """(row, 128) embeddings of series of reflectance.

        Raises:
            InvalidInputError: more months than the encoder knows; rows without a place.
        """
        if table.place is None:
            raise InvalidInputError(f"{self.name}: got series without latitude and longitude, expected them")
        series, device = monthly(table), device_of(accelerator)
        groups = grouped(series, self.bands, standard=_LAYOUTS[self.name].standard)
        network, parts = self.network.to(device), [np.zeros((0, 128), np.float32)]
        with torch.inference_mode(), steady_threads():
            for start in range(0, len(table), ROWS):
                here = slice(start, start + ROWS)
                own = {
                    name: (_on(one[here], device), _on(there[here], device)) for name, (one, there) in groups.items()
                }
                place = _on(table.place[here].astype(np.float32), device)
                parts.append(network(own, _on(series.months[here], device), place).cpu().numpy())
        return np.concatenate(parts)


def _on(array: NDArray[Any], device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)


def monthly(table: LabelledSeries) -> MonthlySeries:
    """Series as means over calendar months, counted from the month in which each starts.

    Raises:
        InvalidInputError: one of more than 24 months.
    """
    dates = table.dates.astype("M8[D]").astype("M8[M]").astype(np.int64)
    first = dates[:, :1]
    places = np.where(table.dates != 0, dates - first, 0)
    longest = int(places.max(initial=0)) + 1
    if longest > MONTHS:
        row = int(places.max(axis=1).argmax())
        raise InvalidInputError(
            f"{table.id[row]}: got a series of {longest} months, expected at most {MONTHS}, "
            "for which the encoder was made; a shorter period of the corpus fits"
        )
    image, valid = means_over(table, places, longest)
    return MonthlySeries(image=image, valid=valid, months=(first + np.arange(longest)) % 12)
