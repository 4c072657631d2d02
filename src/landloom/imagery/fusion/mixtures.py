"""Pixels of a coarser sensor as mixtures of regions: what each is expected to show, and what it tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.imagery.fusion.regions import Regions
    from landloom.imagery.fusion.sightings import Sightings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mixtures:
    """What regions the pixels of a sensor show; entries of a pixel lie side by side."""

    start: NDArray[np.int64]
    """(pixel + 1) its first entry; the last number is that of all entries."""
    region: NDArray[np.int32]
    """(entry)."""
    share: NDArray[np.float32]
    """(entry) weight of the region among the grid's pixels that this one stands for."""
    bright: NDArray[np.float32]
    """(entry, band) what the region's value, in units of noise, adds to the pixel's, in stored numbers."""
    middle: NDArray[np.int32]
    """(y, x) first region of the grid's pixel in the middle of each pixel."""


def mixtures(seen: Sightings, regions: Regions, level: NDArray[np.float32]) -> Mixtures:
    """What regions each pixel of a sensor shows.

    A pixel shows the mean of the grid's pixels within it, of those that belong to any region. One of a sensor that is
    on the grid shows the mean of its footprint around it, and stands for itself alone.

    Args:
        seen: of the sensor.
        regions: of the grid.
        level: (band, y, x) stored number of a pixel for a unit of its regions' series.
    """
    (rows, own_rows), (columns, own_columns) = (
        _spans(places, size, seen.footprint)
        for places, size in zip((seen.rows, seen.columns), regions.member.shape[1:], strict=True)
    )
    where = (regions.member, regions.weight, level, rows, columns, own_rows, own_columns)
    start = np.zeros(len(rows) * len(columns) + 1, np.int64)
    nothing = np.empty(0, np.int32), np.empty(0, np.float32), np.empty((0, len(level)), np.float32)
    _mix(*where, start, *nothing)
    np.cumsum(start, out=start)
    count = int(start[-1])
    region, share = np.empty(count, np.int32), np.empty(count, np.float32)
    bright = np.empty((count, len(level)), np.float32)
    _mix(*where, start, region, share, bright)
    down, along = (own.sum(axis=1) // 2 for own in (own_rows, own_columns))
    middle = regions.member[0][down[:, None], along[None]]
    return Mixtures(start=start, region=region, share=share, bright=bright, middle=middle)


def _spans(places: NDArray[np.int64] | None, size: int, footprint: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(pixel, 2) rows or columns of the grid that pixels of a sensor show, and those that they stand for."""
    if places is not None:
        every = np.arange(int(places[-1]) + 1)
        own = np.stack([np.searchsorted(places, every), np.searchsorted(places, every, side="right")], axis=1)
        return own, own
    every = np.arange(size)
    first = every - footprint // 2
    shown = np.stack([np.maximum(first, 0), np.minimum(first + footprint, size)], axis=1)
    return shown, np.stack([every, every + 1], axis=1)


@kernel
def _mix(
    member: NDArray[np.int32],
    weight: NDArray[np.float32],
    level: NDArray[np.float32],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    own_rows: NDArray[np.int64],
    own_columns: NDArray[np.int64],
    start: NDArray[np.int64],
    region: NDArray[np.int32],
    share: NDArray[np.float32],
    bright: NDArray[np.float32],
) -> None:
    """Entries of all pixels; without room for any, `start[pixel + 1]` becomes the number of a pixel's entries."""
    members, bands = member.shape[0], level.shape[0]
    most = members * max((rows[:, 1] - rows[:, 0]).max(), 1) * max((columns[:, 1] - columns[:, 0]).max(), 1)
    found, own = np.empty(most, np.int32), np.empty(most, np.float32)
    levels = np.empty((most, bands), np.float32)
    for r in range(len(rows)):
        for c in range(len(columns)):
            count, known = 0, 0
            for y in range(rows[r, 0], rows[r, 1]):
                for x in range(columns[c, 0], columns[c, 1]):
                    mine = own_rows[r, 0] <= y < own_rows[r, 1] and own_columns[c, 0] <= x < own_columns[c, 1]
                    known += weight[0, y, x] > 0
                    for k in range(members):
                        w = weight[k, y, x]
                        if w <= 0:
                            continue
                        n = 0
                        while n < count and found[n] != member[k, y, x]:
                            n += 1
                        if n == count:
                            found[n], own[n] = member[k, y, x], np.float32(0.0)
                            levels[n] = np.float32(0.0)
                            count += 1
                        if mine:
                            own[n] += w
                        for b in range(bands):
                            levels[n, b] += w * level[b, y, x]
            pixel = r * len(columns) + c
            if region.size == 0:
                start[pixel + 1] = count
                continue
            for n in range(count):
                entry = start[pixel] + n
                region[entry], share[entry] = found[n], own[n]
                for b in range(bands):
                    bright[entry, b] = levels[n, b] / np.float32(known)


@kernel
def expected(
    mean: NDArray[np.float32],
    valid: NDArray[np.bool_],
    start: NDArray[np.int64],
    region: NDArray[np.int32],
    bright: NDArray[np.float32],
) -> NDArray[np.float32]:
    """(time, band, y, x) the reference sensor's series in the pixels of a coarser one, in stored numbers.

    Args:
        mean: (time, region, band) series of regions, in units of noise.
        valid: (time, y, x) pixels wanted; the others are 0.
        start: of `Mixtures`.
        region: of `Mixtures`.
        bright: of `Mixtures`.
    """
    times, height, width = valid.shape
    bands = mean.shape[2]
    made = np.zeros((times, bands, height, width), np.float32)
    level = np.empty(bands, np.float32)
    for t in range(times):
        for y in range(height):
            for x in range(width):
                if valid[t, y, x]:
                    level[:] = np.float32(0.0)
                    for entry in range(start[y * width + x], start[y * width + x + 1]):
                        for b in range(bands):
                            level[b] += bright[entry, b] * mean[t, region[entry], b]
                    for b in range(bands):
                        made[t, b, y, x] = level[b]
    return made


@kernel
def regional_means(
    values: NDArray[np.float32],
    valid: NDArray[np.bool_],
    start: NDArray[np.int64],
    region: NDArray[np.int32],
    share: NDArray[np.float32],
    count: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """What the pixels of a sensor tell of regions, each by its share.

    Args:
        values: (time, band, y, x).
        valid: (time, y, x).
        start: of `Mixtures`.
        region: of `Mixtures`.
        share: of `Mixtures`.
        count: of regions.

    Returns:
        (time, band, region) means and variances of the pixels, 0 where nothing is valid; (time, region) pixels of the
        grid behind them.
    """
    times, bands, height, width = values.shape
    means = np.zeros((times, bands, count), np.float32)
    uneven = np.zeros((times, bands, count), np.float32)
    mass = np.zeros((times, count), np.float32)
    sums, squares = np.empty((count, bands)), np.empty((count, bands))
    for t in range(times):
        sums[:], squares[:] = 0.0, 0.0
        for y in range(height):
            for x in range(width):
                if valid[t, y, x]:
                    for entry in range(start[y * width + x], start[y * width + x + 1]):
                        own, w = region[entry], share[entry]
                        mass[t, own] += w
                        for b in range(bands):
                            value = values[t, b, y, x]
                            sums[own, b] += w * value
                            squares[own, b] += w * value * value
        for b in range(bands):
            for own in range(count):
                if mass[t, own] > 0:
                    mean = sums[own, b] / mass[t, own]
                    means[t, b, own] = mean
                    uneven[t, b, own] = max(squares[own, b] / mass[t, own] - mean * mean, 0.0)
    return means, uneven, mass
