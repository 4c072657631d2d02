"""Groups of pixels: means of their series, and their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.training.datasets.targets import NOTHING, Dense
from landloom.training.datasets.windows import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.training.datasets.rasters import RasterReader


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


def parcel_groups(parcels: RasterReader, number: int, shape: tuple[int, int]) -> NDArray[np.int64]:
    """(y, x) id of the parcel of each pixel of a sample, −1 for none.

    Args:
        parcels: reads the ids.
        number: of the sample.
        shape: rows and columns of the image; ids of other pixels are taken from the nearest.
    """
    west, south, east, north = parcels.samples.bounds[number].tolist()
    raster = parcels.read(number, Window(top=0.0, left=0.0, height=north - south, width=east - west))
    ids = raster[parcels.band].astype(np.int64)
    ids = np.where(ids == (parcels.nodata or 0), -1, ids)
    found: NDArray[np.int64] = Dense(key="mask", numbers=ids, weight=np.zeros(ids.shape, np.float32)).at(shape).numbers
    return found


def drawn_pixels(usable: NDArray[np.bool_], most: int | None, random: np.random.Generator) -> NDArray[np.int64]:
    """(y, x) number of each pixel that is drawn, row by row from the north-west; −1 for others.

    Args:
        usable: (y, x) which may be drawn.
        most: of them; None for all.
        random: draws.
    """
    places = np.flatnonzero(usable)
    if most is not None and len(places) > most:
        places = random.choice(places, most, replace=False)
    groups = np.full(usable.size, -1, np.int64)
    groups[places] = places
    return groups.reshape(usable.shape)


def group_targets(
    dense: Dense, groups: NDArray[np.int64], numbers: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """(group,) most frequent class, −1 without any, or mean number, NaN without any; and their mean confidence.

    Args:
        dense: labels.
        groups: (y, x) number of each pixel's group, −1 for none.
        numbers: of the groups, ascending.
    """
    labelled = dense.known & (groups >= 0)
    places, own, size = np.searchsorted(numbers, groups[labelled]), dense.numbers[labelled], len(numbers)
    counts = np.bincount(places, minlength=size)
    weight = (np.bincount(places, dense.weight[labelled], size) / np.maximum(counts, 1)).astype(np.float32)
    if dense.key == "value":
        means = np.bincount(places, own, size) / np.maximum(counts, 1)
        return np.where(counts > 0, means, np.nan).astype(np.float32), weight
    most = int(own.max(initial=0)) + 1
    table = np.bincount(places * most + own, minlength=size * most).reshape(size, most)
    return np.where(counts > 0, table.argmax(axis=1), NOTHING), weight
