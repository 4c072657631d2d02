"""Batches: series in memory, and an order of examples that seed and epoch alone decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from landloom.errors import InvalidValueError
from landloom.training.fit.devices import device_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from landloom.training.fit.settings import FitSettings

Batch = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledSeries:
    """Series of samples, parcels or pixels in memory, with what is learnt about each."""

    id: NDArray[np.str_]
    """(row,) id; rows of pixels have that of their sample."""
    sample: NDArray[np.int64]
    """(row,) number of the sample that a row is of."""
    image: NDArray[np.float32]
    """(row, time, band); any number where not valid."""
    dates: NDArray[np.int64]
    """(row, time) days since 1970-01-01; 0 for padding, which is at the end."""
    valid: NDArray[np.bool_]
    """(row, time)."""
    target: NDArray[np.int64] | NDArray[np.float32]
    """(row,) class, −1 without one; (row, class) shares; or (row,) float32 value."""
    weight: NDArray[np.float32]
    """(row,) 0 to 1."""
    place: NDArray[np.float64] | None = None
    """(row, 2) latitude and longitude in degrees; None where nobody knows."""

    def __post_init__(self) -> None:
        rows, time = self.valid.shape
        if self.image.shape[:2] != (rows, time) or self.dates.shape != (rows, time) or len(self.target) != rows:
            raise InvalidValueError(
                f"got series of shape {self.image.shape}, dates {self.dates.shape} and {len(self.target)} targets, "
                f"expected those of {rows} rows and {time} timesteps"
            )

    def __len__(self) -> int:
        return len(self.id)

    @property
    def kind(self) -> str:
        """`label`, `fractions` or `value`: the key of the target in a batch."""
        if self.target.ndim == 2:
            return "fractions"
        return "label" if self.target.dtype == np.int64 else "value"

    def rows(self, chosen: NDArray[Any]) -> Self:
        """Some of them."""
        names = ("id", "sample", "image", "dates", "valid", "target", "weight")
        place = None if self.place is None else self.place[chosen]
        return replace(self, place=place, **{name: getattr(self, name)[chosen] for name in names})


class SeriesExamples(Dataset[Batch]):
    """A table as examples for PyTorch: image (time, band), dates and valid (time), target and weight.

    Batches come whole from `__getitems__`; they need no collate function.
    """

    def __init__(self, table: LabelledSeries, mean: NDArray[np.float64], deviation: NDArray[np.float64]) -> None:
        scaled = (table.image - mean.astype(np.float32)) / deviation.astype(np.float32)
        self.parts = {
            "image": torch.from_numpy(np.where(table.valid[..., None], scaled, np.float32(0))),
            "dates": torch.from_numpy(table.dates),
            "valid": torch.from_numpy(table.valid),
            table.kind: torch.from_numpy(table.target),
            "weight": torch.from_numpy(table.weight),
        }

    def __len__(self) -> int:
        return len(self.parts["image"])

    def __getitem__(self, index: int) -> Batch:
        return {name: part[index] for name, part in self.parts.items()}

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """A batch."""
        chosen = torch.as_tensor(indices)
        return {name: part[chosen] for name, part in self.parts.items()}


class EpochOrder(Sampler[int]):
    """All examples in an order that seed and epoch decide, so that a resumed run sees the same batches."""

    def __init__(self, dataset: Any, seed: int) -> None:
        self.dataset, self.seed, self.epoch = dataset, seed, 0

    def __len__(self) -> int:
        return len(self.dataset)

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch; the dataset hears its number, too."""
        self.epoch = epoch
        if hasattr(self.dataset, "set_epoch"):
            self.dataset.set_epoch(epoch)

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng((self.seed, self.epoch)).permutation(len(self))
        return iter(order.tolist())


def loader(
    dataset: Any, settings: FitSettings, *, collate: Callable[[Any], Batch], shuffle: bool = False
) -> DataLoader[Batch]:
    """Batches of a dataset."""
    return DataLoader(
        dataset,
        batch_size=settings.batch,
        sampler=EpochOrder(dataset, settings.seed) if shuffle else None,
        collate_fn=collate,
        num_workers=settings.workers,
        persistent_workers=settings.workers > 0,
        multiprocessing_context="forkserver" if settings.workers else None,  # threads of stores do not survive a fork
        pin_memory=device_of(settings.accelerator).type == "cuda",  # so that copies to the card overlap with it
        drop_last=shuffle and len(dataset) > settings.batch,  # a last batch of one row has no variance to normalise by
    )


def whole(batch: Batch) -> Batch:
    """A batch that `__getitems__` has made: nothing is left to collate."""
    return batch
