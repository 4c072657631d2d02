"""Regions of similar pixels: small neighbourhoods that share a seasonal course.

Seeds lie on a lattice of the whole tile or zone, not of the array, and a pixel belongs only to seeds near it, so that
arrays that overlap get the same regions where their surroundings are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP: Final = 8
"""Pixels between seeds."""
MEMBERS: Final = 4
"""Regions that a pixel belongs to, with weights."""
ROUNDS: Final = 3
"""Rounds of moving seeds to the mean of their pixels."""
REACH: Final = 2
"""Lattice squares within which a pixel looks for its regions."""
LEFT: Final = 1e-4
"""Share of a mass up to which what remains of it is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Regions:
    """Membership of pixels in regions.

    Example:
        >>> features = np.zeros((8, 16, 1), np.uint16)
        >>> features[:, 8:] = 9
        >>> regions = find_regions(features, np.ones(1, np.float32), (0, 0))
        >>> regions.count, regions.member[0, 0, 0], regions.member[0, 0, -1]
        (2, np.int32(0), np.int32(1))
    """

    count: int
    member: NDArray[np.int32]
    """(member, y, x) regions of each pixel, the most similar first."""
    weight: NDArray[np.float32]
    """(member, y, x) weights, sum 1."""


def find_regions(
    features: NDArray[np.uint16],
    noise: NDArray[np.float32],
    origin: tuple[int, int],
    width: float = 1.0,
    seen: NDArray[np.bool_] | None = None,
) -> Regions:
    """Group pixels around seeds of a lattice by the similarity of their features.

    Args:
        features: (y, x, feature).
        noise: (feature) standard deviation of each.
        origin: row and column of the first pixel on the lattice's raster.
        width: root mean square difference of features at which a similarity is halved.
        seen: (y, x) pixels that have features; the others belong to no region. By default all.
    """
    height, wide = features.shape[:2]
    seen = np.ones((height, wide), np.bool_) if seen is None else seen
    rows = (np.arange(height) + origin[0]) // STEP
    columns = (np.arange(wide) + origin[1]) // STEP
    rows, columns = rows - rows[0], columns - columns[0]
    shape = (int(rows[-1]) + 1, int(columns[-1]) + 1)
    label = np.where(seen, rows[:, None] * shape[1] + columns[None, :], -1)
    scale = (1 / noise.astype(np.float32) ** 2).astype(np.float32)
    for _ in range(ROUNDS):
        seeds = _means(features, label, shape[0] * shape[1])
        label = _assign(features, seen, seeds, scale, rows, columns, shape)
    seeds = _means(features, label, shape[0] * shape[1])
    member, weight = _memberships(features, seen, seeds, scale, rows, columns, shape, np.float32(width))
    return _numbered(member, weight, seeds[:, -1] > 0, seen)


def _numbered(
    member: NDArray[np.int32], weight: NDArray[np.float32], used: NDArray[np.bool_], seen: NDArray[np.bool_]
) -> Regions:
    """Regions that have pixels, numbered one by one; pixels of none belong to a last one, which is never observed."""
    if used.all() and seen.all():
        return Regions(count=used.size, member=member, weight=weight)
    nothing = int(used.sum())
    number = np.where(used, np.cumsum(used) - 1, nothing).astype(np.int32)
    return Regions(count=nothing + 1, member=np.where(seen, number[member], np.int32(nothing)), weight=weight)


@kernel(error_model="numpy")
def _means(flat: NDArray[np.uint16], label: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """(region, feature + 1): means, and the number of pixels."""
    size = flat.shape[2]
    total = np.zeros((count, size + 1), dtype=np.float32)
    for y in range(flat.shape[0]):
        for x in range(flat.shape[1]):
            if label[y, x] < 0:
                continue
            row = total[label[y, x]]
            for k in range(size):
                row[k] += flat[y, x, k]
            row[size] += 1
    for region in range(count):
        if total[region, size] > 0:
            for k in range(size):
                total[region, k] /= total[region, size]
    return total


@kernel(fastmath=True, error_model="numpy")
def _distance(a: NDArray[np.uint16], b: NDArray[np.float32], scale: NDArray[np.float32], size: int) -> np.float32:
    total = np.float32(0.0)
    for k in range(size):
        difference = np.float32(a[k]) - b[k]
        total += difference * difference * scale[k]
    return total / np.float32(size)


@kernel
def _assign(
    flat: NDArray[np.uint16],
    seen: NDArray[np.bool_],
    seeds: NDArray[np.float32],
    scale: NDArray[np.float32],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    shape: tuple[int, int],
) -> NDArray[np.int64]:
    """The most similar seed of each pixel among those of the lattice squares around it."""
    height, wide, size = flat.shape
    label = np.full((height, wide), -1, dtype=np.int64)
    for y in range(height):
        for x in range(wide):
            if not seen[y, x]:
                continue
            best = np.float32(np.inf)
            for r in range(max(rows[y] - 1, 0), min(rows[y] + 2, shape[0])):
                for c in range(max(columns[x] - 1, 0), min(columns[x] + 2, shape[1])):
                    region = r * shape[1] + c
                    if seeds[region, size] > 0:
                        distance = _distance(flat[y, x], seeds[region], scale, size)
                        if distance < best:
                            best = distance
                            label[y, x] = region
    return label


@kernel(error_model="numpy")
def _memberships(
    flat: NDArray[np.uint16],
    seen: NDArray[np.bool_],
    seeds: NDArray[np.float32],
    scale: NDArray[np.float32],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    shape: tuple[int, int],
    width: np.float32,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The most similar regions of each pixel within reach, and weights that fall with the difference."""
    height, wide, size = flat.shape
    member = np.zeros((MEMBERS, height, wide), dtype=np.int32)
    weight = np.zeros((MEMBERS, height, wide), dtype=np.float32)
    nearest = np.empty(MEMBERS, dtype=np.float32)
    chosen = np.empty(MEMBERS, dtype=np.int32)
    for y in range(height):
        for x in range(wide):
            if not seen[y, x]:
                continue
            nearest[:] = np.inf
            chosen[:] = 0
            for r in range(max(rows[y] - REACH, 0), min(rows[y] + REACH + 1, shape[0])):
                for c in range(max(columns[x] - REACH, 0), min(columns[x] + REACH + 1, shape[1])):
                    region = r * shape[1] + c
                    if seeds[region, size] == 0:
                        continue
                    distance = _distance(flat[y, x], seeds[region], scale, size)
                    place = MEMBERS
                    while place > 0 and distance < nearest[place - 1]:
                        place -= 1
                    if place < MEMBERS:
                        for k in range(MEMBERS - 1, place, -1):
                            nearest[k], chosen[k] = nearest[k - 1], chosen[k - 1]
                        nearest[place], chosen[place] = distance, region
            total = np.float32(0.0)
            for k in range(MEMBERS):
                share = np.float32(2.0) ** (-(nearest[k] - nearest[0]) / (width * width))
                weight[k, y, x], member[k, y, x] = share, chosen[k]
                total += share
            for k in range(MEMBERS):
                weight[k, y, x] /= total
    return member, weight


@kernel(error_model="numpy")
def gather(
    stack: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    member: NDArray[np.int32],
    weight: NDArray[np.float32],
    count: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weighted means of a region's valid pixels.

    Args:
        stack: (time, band, y, x) values.
        valid: (time, y, x).
        member: of `Regions`.
        weight: of `Regions`.
        count: of regions.

    Returns:
        (time, band, region) means, 0 where nothing is valid, and (time, region) sums of weights.
    """
    times, bands, height, wide = stack.shape
    total = np.zeros((times, bands, count), dtype=np.float32)
    mass = np.zeros((times, count), dtype=np.float32)
    sums = np.zeros((times, count, bands), dtype=np.float32)
    # Row by row, so that the memberships of a row are at hand on all dates.
    for y in range(height):
        own, share = member[:, y].astype(np.uint32), weight[:, y].copy()
        for t in range(times):
            for x in range(wide):
                if valid[t, y, x]:
                    i, j, k, n = own[0, x], own[1, x], own[2, x], own[3, x]
                    p, q, r, s = share[0, x], share[1, x], share[2, x], share[3, x]
                    mass[t, i] += p
                    mass[t, j] += q
                    mass[t, k] += r
                    mass[t, n] += s
                    for b in range(bands):
                        value = np.float32(stack[t, b, y, x])
                        sums[t, i, b] += p * value
                        sums[t, j, b] += q * value
                        sums[t, k, b] += r * value
                        sums[t, n, b] += s * value
    for t in range(times):
        for b in range(bands):
            for region in range(count):
                if mass[t, region] > 0:
                    total[t, b, region] = sums[t, region, b] / mass[t, region]
    return total, mass


def without(
    every: tuple[NDArray[np.float32], NDArray[np.float32]], some: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Means and masses of `gather` without those of some of the pixels.

    Example:
        >>> both = np.full((1, 1, 1), 15, np.float32), np.full((1, 1), 2, np.float32)
        >>> one = np.full((1, 1, 1), 10, np.float32), np.full((1, 1), 1, np.float32)
        >>> [float(part.item()) for part in without(both, one)]
        [20.0, 1.0]
    """
    (means, mass), (gone, less) = every, some
    left = np.maximum(mass - less, np.float32(0))
    total = means * mass[:, None].astype(np.float64) - gone * less[:, None].astype(np.float64)
    sure = left[:, None] > LEFT * mass[:, None]
    rest = np.where(sure, total / np.where(sure, left[:, None], 1.0), 0.0)
    return rest.astype(np.float32), np.where(left > LEFT * mass, left, np.float32(0))
