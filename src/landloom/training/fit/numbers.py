"""Numbers as targets: their unit, and the scale in which networks learn them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.errors import InvalidInputError
from landloom.training.datasets.targets import Dense
from landloom.training.losses import value_loss

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from landloom.corpus.info import ProductInfo
    from landloom.training.datasets.dataset import CorpusDataset
    from landloom.training.datasets.targets import Target
    from landloom.training.fit.batches import Batch
    from landloom.training.fit.networks import Loss


def checked_target(target: Target, unit: str | None, *, dense: bool) -> Target:
    """A target whose numbers are those of pixels, or the mean of a sample.

    Args:
        target: of any kind; one of classes stays as it is.
        unit: that a user gave.
        dense: whether every pixel has a number of its own.

    Raises:
        InvalidInputError: a unit of classes, or a level, crosswalk or background of numbers.
    """
    if target.kind != "value":
        if unit:
            raise InvalidInputError(f"target: got the unit {unit!r} of {target.kind}, expected a value")
        return target
    given = {"level": target.level, "crosswalk": target.crosswalk, "background": target.background}
    name = next((name for name, one in given.items() if one), None)
    if name is not None:
        raise InvalidInputError(f"target: got a {name} of numbers, expected one of classes")
    return replace(target, dense=dense)


def about_numbers(
    target: Target, item: ProductInfo, unit: str | None, scale: tuple[float, float] | None
) -> dict[str, Any]:
    """Unit and scale of numbers for the description of a model; nothing of classes.

    Args:
        target: what is learnt.
        item: its label product.
        unit: of the numbers; by default that of the product's band.
        scale: mean and standard deviation that a network learns them in.
    """
    if target.kind != "value":
        return {}
    named = next((band for band in item.product.bands if target.band in (None, band.name)), None)
    stated = unit or (None if named is None else named.unit)
    return {"unit": stated, "scale": None if scale is None else list(scale)}


def scale_of(numbers: Iterable[NDArray[np.float32]]) -> tuple[float, float]:
    """Mean and standard deviation of numbers, NaN left out; a deviation of 1 where they do not vary.

    Raises:
        InvalidInputError: no number at all.

    Example:
        >>> scale_of([np.array([1, 3], np.float32), np.array([np.nan], np.float32)])
        (2.0, 1.0)
    """
    count, mean, squares = 0, 0.0, 0.0
    for part in numbers:
        known = part[~np.isnan(part)].astype(np.float64)
        if not known.size:
            continue
        # Chan et al. 1983: sums of squares around the mean do not cancel
        away, total = float(known.mean()) - mean, count + known.size
        squares += float(known.var()) * known.size + away**2 * count * known.size / total
        mean, count = mean + away * known.size / total, total
    if not count:
        raise InvalidInputError("got no number to learn from, expected some")
    deviation = float(np.sqrt(squares / count))
    return mean, deviation if deviation > 1e-6 * abs(mean) else 1.0


def raster_numbers(dataset: CorpusDataset) -> Iterator[NDArray[np.float32]]:
    """(y, x) numbers of every sample, without its images."""
    reader = dataset.plan.target
    if reader is None:
        return
    for number, (west, south, east, north) in enumerate(dataset.plan.samples.bounds.tolist()):
        found = reader.read(number, dataset.plan.whole(north - south, east - west))
        if isinstance(found, Dense):
            yield found.numbers


def scaled_loss(mean: float, deviation: float) -> Loss:
    """Squared error of numbers in deviations from their mean, so that rates do not depend on their unit."""

    def loss(out: Tensor, batch: Batch) -> Tensor:
        return value_loss(out, (batch["value"] - mean) / deviation, batch["weight"])

    return loss
