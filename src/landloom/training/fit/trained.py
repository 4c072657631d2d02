"""A trained model, ready to predict series and images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import torch

from landloom.errors import InvalidInputError, NotFoundError
from landloom.training.datasets.groups import means
from landloom.training.fit.axis import TimeAxis
from landloom.training.fit.batches import LabelledSeries, SeriesExamples
from landloom.training.fit.devices import device_of
from landloom.training.fit.networks import predict_batches
from landloom.training.fit.probes import EncoderProbe
from landloom.training.fit.reading import place_of
from landloom.training.fit.weights import load_weights
from landloom.training.models.table import make_network, model_kind
from landloom.training.models.trees import Trees, features

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from landloom.training.fit.batches import Batch
    from landloom.training.fit.folder import ModelDescription, ModelFolder

ROWS: Final = 2048
"""Series that are predicted at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMoments:
    """Means and standard deviations that a model was trained with, as statistics for a dataset."""

    product: str
    bands: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    def moments(self, product: str, bands: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(band,) means and (band,) standard deviations.

        Raises:
            NotFoundError: another product or band.
        """
        if product != self.product:
            raise NotFoundError.of("product in the model", product, [self.product])
        for band in bands:
            if band not in self.bands:
                raise NotFoundError.of("band in the model", band, self.bands)
        places = [self.bands.index(band) for band in bands]
        return np.array(self.mean)[places], np.array(self.deviation)[places]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """A model with its weights."""

    description: ModelDescription
    network: torch.nn.Module | None = None
    trees: Trees | None = None
    probe: EncoderProbe | None = None
    accelerator: str = "cpu"
    """Where it predicts."""

    @classmethod
    def open(cls, folder: ModelFolder, *, accelerator: str = "cpu") -> Self:
        """Read a model.

        Args:
            folder: with the model.
            accelerator: `cpu`, `gpu`, or `auto` for a graphics card if there is one; of networks and encoders.

        Raises:
            CorpusError: it was not trained to the end.
            InvalidInputError: its weights are no tensors alone, or those of another model; a graphics card is asked
                for, and there is none.
        """
        device, description = device_of(accelerator), folder.description()
        content = folder.read(description.file)
        if description.learner == "trees":
            return cls(description=description, trees=Trees.decoded(content))
        path = folder.path / description.file
        if description.learner == "probe":
            return cls(description=description, probe=EncoderProbe.read(description, path), accelerator=accelerator)
        network = network_of(description)
        load_weights(network, path)
        return cls(description=description, network=network.to(device), accelerator=accelerator)

    @property
    def moments(self) -> KnownMoments:
        """What images are normalised by."""
        own = self.description
        return KnownMoments(product=own.product, bands=own.bands, mean=own.mean, deviation=own.deviation)

    @property
    def eats_images(self) -> bool:
        """Whether it needs whole images, normalised; otherwise series as they are stored."""
        return model_kind(self.description.model).eats == "images"

    def table(self, table: LabelledSeries) -> NDArray[np.float32]:
        """(row, class) probabilities of series, or (row,) values.

        Raises:
            InvalidInputError: series with more timesteps than the model knows, if it counts them.
        """
        own = self.description
        if own.axis is not None:
            table = TimeAxis.parse(own.axis).apply(table)
        if self.trees is not None:
            return self.trees.predict(features(table.image, table.valid))
        if self.probe is not None:
            return self.probe.predict(table, self.accelerator)
        if self.network is None:
            raise InvalidInputError("got a model without weights")
        examples = SeriesExamples(table, np.array(own.mean), np.array(own.deviation))
        starts = range(0, len(examples), ROWS)
        batches = (examples.__getitems__(range(start, min(start + ROWS, len(examples)))) for start in starts)
        parts = [found for _, found in predict_batches(self.network, batches, classes=bool(own.classes))]
        if not parts:
            return np.zeros((0, len(own.classes)) if own.classes else 0, np.float32)
        return self._numbers(np.concatenate(parts))

    def _numbers(self, found: NDArray[np.float32]) -> NDArray[np.float32]:
        """What a network says: probabilities as they are, numbers in the unit of the target."""
        scale = self.description.scale
        if scale is None:
            return found
        numbers: NDArray[np.float32] = (found * scale[1] + scale[0]).astype(np.float32)
        return numbers

    def images(self, batches: Iterator[Batch]) -> Iterator[tuple[Batch, NDArray[np.float32]]]:
        """Batches of normalised images, each with (batch, class, y, x) probabilities, or (batch, y, x) numbers.

        Raises:
            InvalidInputError: a model of series.
        """
        if self.network is None or not self.eats_images:
            raise InvalidInputError(f"got images for {self.description.model}, which takes series")
        for batch, found in predict_batches(self.network, batches, classes=bool(self.description.classes)):
            yield batch, self._numbers(found)

    def pixels(self, sample: dict[str, Any]) -> NDArray[np.float32]:
        """Of the pixels of an image as stored: (class, y, x) probabilities, or (y, x) numbers.

        Pixels that were never seen have probabilities of 0, or NaN.

        Args:
            sample: `image` (time, band, y, x), `dates` and `valid` as arrays.
        """
        seen = sample["valid"].any(axis=0)
        numbers = np.arange(seen.size).reshape(seen.shape)
        groups = np.where(seen, numbers, -1)
        told = self.table(unlabelled_series(sample, groups))
        found = self.nothing(seen.size)
        found[..., seen.ravel()] = told.T
        return found.reshape(*found.shape[:-1], *seen.shape)

    def nothing(self, pixels: int) -> NDArray[np.float32]:
        """(class, pixel) probabilities of 0, or (pixel,) NaN: what is said of pixels about which nothing is known."""
        classes = len(self.description.classes)
        return np.zeros((classes, pixels), np.float32) if classes else np.full(pixels, np.nan, np.float32)


def network_of(description: ModelDescription) -> torch.nn.Module:
    """The network that a description is of, with first weights of its seed."""
    torch.manual_seed(description.seed)
    return make_network(
        description.model,
        bands=len(description.bands),
        outputs=max(len(description.classes), 1),
        timesteps=description.timesteps if description.axis is None else int(description.axis["steps"]),
        options=description.options,
    )


def unlabelled_series(sample: dict[str, Any], groups: NDArray[np.int64]) -> LabelledSeries:
    """Series of groups of pixels without a label, in ascending order of their numbers.

    Args:
        sample: `image`, `dates`, `valid` and `id`, as arrays; `bounds` and `crs` for encoders that ask where.
        groups: (y, x) number of each pixel's group, −1 for none.
    """
    numbers, series, there = means(sample["image"], sample["valid"], groups)
    count = len(numbers)
    return LabelledSeries(
        id=np.full(count, sample["id"]),
        sample=np.zeros(count, np.int64),
        image=series,
        dates=np.tile(sample["dates"], (count, 1)),
        valid=there,
        target=np.full(count, -1, np.int64),
        weight=np.zeros(count, np.float32),
        place=np.tile(place_of(sample), (count, 1)) if {"bounds", "crs"} <= sample.keys() else None,
    )
