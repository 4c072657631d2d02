"""From a dataset of images to a table of series: means of samples and parcels, or single pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError
from landloom.training.datasets.targets import known_of
from landloom.training.datasets.windows import Window
from landloom.training.fit.batches import LabelledSeries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from landloom.training.datasets.dataset import CorpusDataset
    from landloom.training.datasets.rasters import RasterReader
    from landloom.training.fit.tasks import Unit

AT_ONCE: Final = 8
"""Samples that are read together."""
SCALARS: Final = ("fractions", "label", "value")
"""Targets of a whole sample."""


def means(
    image: NDArray[np.float32], valid: NDArray[np.bool_], groups: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.bool_]]:
    """Means over groups of pixels.

    Args:
        image: (time, band, y, x).
        valid: (time, y, x).
        groups: (y, x) number of each pixel's group, −1 for none.

    Returns:
        (group,) their numbers, ascending; (group, time, band) means over valid pixels, 0 without any; (group, time)
        whether there are any.

    Example:
        >>> image = np.arange(8, dtype=np.float32).reshape(2, 1, 2, 2)
        >>> valid = np.array([[[True, True], [True, False]], [[False, False], [True, True]]])
        >>> numbers, found, there = means(image, valid, np.array([[5, 5], [9, -1]]))
        >>> numbers.tolist(), found[..., 0].tolist(), there.tolist()
        ([5, 9], [[0.5, 0.0], [2.0, 6.0]], [[True, False], [True, True]])
    """
    inside = groups.ravel() >= 0
    numbers, places = np.unique(groups.ravel()[inside], return_inverse=True)
    order = np.argsort(places, kind="stable")
    starts = np.searchsorted(places[order], np.arange(len(numbers)))
    there = valid.reshape(len(valid), -1)[:, inside][:, order]
    values = image.reshape(*image.shape[:2], -1)[:, :, inside][:, :, order]
    if not len(numbers):
        return numbers, np.zeros((0, *image.shape[:2]), np.float32), np.zeros((0, len(valid)), np.bool_)
    counts = np.add.reduceat(there, starts, axis=1, dtype=np.int64)
    sums = np.add.reduceat(np.where(there[:, None], values, 0), starts, axis=2, dtype=np.float64)
    found = (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)
    return numbers, np.ascontiguousarray(found.transpose(2, 0, 1)), np.ascontiguousarray((counts > 0).T)


def read_samples(dataset: CorpusDataset, done: Callable[[str], None] = lambda _: None) -> Iterator[dict[str, Any]]:
    """Samples of a dataset as dictionaries of arrays, in order."""
    for start in range(0, len(dataset), AT_ONCE):
        for sample in dataset.__getitems__(range(start, min(start + AT_ONCE, len(dataset)))):
            length = int(sample["length"])
            cut = {name: sample[name].numpy()[:length] for name in ("image", "dates", "valid")}
            rest = {name: one.numpy() if hasattr(one, "numpy") else one for name, one in sample.items()}
            done(sample["id"])
            yield rest | cut


def read_table(
    dataset: CorpusDataset,
    unit: Unit,
    *,
    parcels: RasterReader | None = None,
    pixels: int | None = None,
    seed: int = 0,
    done: Callable[[str], None] = lambda _: None,
) -> LabelledSeries:
    """All series of a dataset.

    Args:
        dataset: images with a target, as stored (not normalised).
        unit: what has a series.
        parcels: reads the ids of parcels, if they are the unit.
        pixels: most pixels of a sample, drawn by chance, if they are the unit; None for all that have a label.
        seed: of the draw.
        done: is called with the id of each sample.

    Raises:
        InvalidInputError: no series at all, or a parcel raster of other pixels than the images.
    """
    parts = []
    for number, sample in enumerate(read_samples(dataset, done)):
        if unit == "sample":
            parts.append(_whole(sample, number))
            continue
        if unit == "parcel" and parcels is not None:
            groups = parcel_groups(parcels, number, sample)
        else:
            groups = _drawn(sample, pixels, np.random.default_rng((seed, number)))
        part = _grouped(sample, number, groups, named=unit == "parcel")
        if len(part):
            parts.append(part)
    if not parts:
        raise InvalidInputError(f"got no {unit} with a label among {len(dataset):,} samples, expected some")
    return LabelledSeries.joined(parts)


def parcel_groups(parcels: RasterReader, number: int, sample: dict[str, Any]) -> NDArray[np.int64]:
    """(y, x) id of each pixel's parcel, −1 for none.

    Raises:
        InvalidInputError: ids in other pixels than the image.
    """
    west, south, east, north = sample["bounds"].tolist()
    window = Window(top=0.0, left=0.0, height=north - south, width=east - west)
    ids = parcels.read(number, window)[parcels.band].astype(np.int64)
    if ids.shape != sample["valid"].shape[1:]:
        raise InvalidInputError(
            f"{parcels.name(number)}: got {ids.shape} pixels, expected {sample['valid'].shape[1:]} as of the image"
        )
    return np.where(ids > 0, ids, -1)


def _whole(sample: dict[str, Any], number: int) -> LabelledSeries:
    image, valid = sample["image"], sample["valid"]
    _, series, there = means(image, valid, np.zeros(valid.shape[1:], np.int64))
    target = next(sample[name] for name in SCALARS if name in sample)
    return LabelledSeries(
        id=np.array([sample["id"]]),
        sample=np.array([number]),
        image=series,
        dates=sample["dates"][None],
        valid=there,
        target=np.asarray(target)[None],
        weight=np.asarray(sample["weight"], np.float32).reshape(1),
    )


def _drawn(sample: dict[str, Any], pixels: int | None, random: np.random.Generator) -> NDArray[np.int64]:
    """(y, x) groups of one pixel each: labelled ones that were seen at least once."""
    there = known_of(dense_of(sample)) & sample["valid"].any(axis=0)
    places = np.flatnonzero(there)
    if pixels is not None and len(places) > pixels:
        places = np.sort(random.choice(places, pixels, replace=False))
    groups = np.full(there.size, -1, np.int64)
    groups[places] = places
    return groups.reshape(there.shape)


def dense_of(sample: dict[str, Any]) -> Any:
    """Target of a sample, or of a batch, of which every pixel has one: classes, or numbers."""
    return sample["mask"] if "mask" in sample else sample["value"]


def _grouped(sample: dict[str, Any], number: int, groups: NDArray[np.int64], *, named: bool) -> LabelledSeries:
    """Series of groups with a known label that were seen at least once: their most frequent class, or mean number."""
    numbers, series, there = means(sample["image"], sample["valid"], groups)
    inside = groups >= 0
    places = np.searchsorted(numbers, groups[inside])
    own, weight = dense_of(sample)[inside], sample["weight"][inside]
    known = known_of(own)
    count = np.bincount(places[known], minlength=len(numbers))
    sums = np.bincount(places[known], weight[known], minlength=len(numbers))
    summed = _votes if own.dtype.kind == "i" else _averages
    kept = (count > 0) & there.any(axis=1)
    name = sample["id"]
    return LabelledSeries(
        id=np.array([f"{name}/{one}" if named else name for one in numbers[kept].tolist()], dtype=np.str_),
        sample=np.full(int(kept.sum()), number),
        image=series[kept],
        dates=np.tile(sample["dates"], (int(kept.sum()), 1)),
        valid=there[kept],
        target=summed(places[known], own[known], len(numbers))[kept],
        weight=(sums[kept] / np.maximum(count[kept], 1)).astype(np.float32),
    )


def _votes(places: NDArray[np.int64], classes: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """(group,) most frequent class."""
    votes = np.zeros((count, max(int(classes.max(initial=-1)) + 1, 1)))
    np.add.at(votes, (places, classes), 1)
    best: NDArray[np.int64] = votes.argmax(axis=1).astype(np.int64)
    return best


def _averages(places: NDArray[np.int64], values: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """(group,) mean number."""
    sums = np.bincount(places, values, minlength=count)
    averages: NDArray[np.float32] = (sums / np.maximum(np.bincount(places, minlength=count), 1)).astype(np.float32)
    return averages
