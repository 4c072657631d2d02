"""Training pixels of a guess, drawn from an existing map where a year of imagery agrees with it.

LandCoverNet (Alemohammad and Booth 2020, appendix A.1.2): the majority of the scene classification over the year gives
each pixel one of four covers; pixels whose map class has another cover are not used for training. That rule
drops every field that is bare for more of the year than green, and leaves only mislabelled ones; a least share of
the observations with the cover of the class, instead of the majority, keeps it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError
from landloom.model.sensor import Scl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class YearCover(IntEnum):
    """Cover of a pixel by a year of scene classifications."""

    UNKNOWN = 0
    """The pixel has no clear observation."""
    WATER = 1
    VEGETATION = 2
    SNOW = 3
    BARE = 4


SCL_COVERS: Final[Mapping[int, YearCover]] = {
    Scl.WATER: YearCover.WATER,
    Scl.VEGETATION: YearCover.VEGETATION,
    Scl.SNOW: YearCover.SNOW,
    Scl.BARE: YearCover.BARE,
}
"""Scene class → cover; other scene classes have no vote."""
LANDCOVERNET_COVERS: Final[Mapping[int, YearCover]] = {
    1: YearCover.WATER,
    2: YearCover.BARE,
    3: YearCover.BARE,
    4: YearCover.SNOW,
    5: YearCover.VEGETATION,
    6: YearCover.VEGETATION,
    7: YearCover.VEGETATION,
}
"""LandCoverNet class → the cover that it requires."""

_BLOCK: Final = 1 << 22
"""Pixels processed at a time: a granule has 120 million."""


def cover_votes(scl: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Count the observations of a year that show each cover.

    Args:
        scl: (time, y, x) scene classes, at most 255 times.

    Returns:
        uint8 (cover, y, x): water, vegetation, snow, bare.

    Example:
        >>> cover_votes(np.array([[[4]], [[5]], [[4]], [[9]]], dtype=np.uint8)).ravel().tolist()
        [0, 2, 0, 1]
    """
    if scl.ndim != 3 or scl.dtype != np.uint8 or len(scl) > 255:
        raise InvalidValueError(f"got scene classes {scl.dtype} {scl.shape}, expected uint8 (time, y, x), 255 at most")
    votes = np.zeros((len(SCL_COVERS), *scl.shape[1:]), dtype=np.uint8)
    for classes in scl:
        for own, cover in SCL_COVERS.items():
            votes[cover - 1] += classes == own
    return votes


def yearly_cover(votes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The cover with the most votes.

    Args:
        votes: (cover, y, x), from `cover_votes`.

    Returns:
        uint8 (y, x) of `YearCover`; ties go to the smaller number, `UNKNOWN` without a vote.

    Example:
        >>> yearly_cover(np.array([[[0]], [[2]], [[0]], [[1]]], dtype=np.uint8)).tolist()
        [[2]]
    """
    cover: NDArray[np.uint8] = votes.argmax(axis=0).astype(np.uint8) + np.uint8(1)
    cover[votes.max(axis=0) == 0] = YearCover.UNKNOWN
    return cover


def consistent(
    target: NDArray[np.uint8],
    votes: NDArray[np.uint8],
    least: float | None = None,
    covers: Mapping[int, YearCover] = LANDCOVERNET_COVERS,
) -> NDArray[np.bool_]:
    """The pixels where a map and the year's imagery agree.

    Args:
        target: (y, x) class of each pixel; classes without a cover never agree.
        votes: (cover, y, x) of the same pixels.
        least: least share of the votes for the cover of the class; None for LandCoverNet's rule that no other cover
            has more. Fields that are bare for most of a year can meet a share, but fail that rule.
        covers: class → the cover that it requires.

    Example:
        >>> target = np.array([[6, 2, 6]], np.uint8)
        >>> votes = np.array([[[0, 0, 0]], [[6, 6, 1]], [[0, 0, 0]], [[9, 9, 9]]], np.uint8)
        >>> consistent(target, votes).tolist(), consistent(target, votes, 0.2).tolist()
        ([[False, True, False]], [[True, True, False]])
    """
    wanted = np.full(256, 255, dtype=np.uint8)
    for code, own in covers.items():
        wanted[code] = own
    if least is None:
        agrees: NDArray[np.bool_] = wanted[target] == yearly_cover(votes)
        return agrees
    enough = np.zeros(target.shape, dtype=np.bool_)
    threshold = least * votes.sum(axis=0, dtype=np.uint16)
    for number, own in enumerate(votes, start=1):
        enough |= (wanted[target] == number) & (own > 0) & (own >= threshold)
    return enough


def class_counts(target: NDArray[np.uint8], usable: NDArray[np.bool_]) -> dict[int, int]:
    """Class → number of its usable pixels, ascending; nodata (0) and classes without any are absent.

    Example:
        >>> class_counts(np.array([5, 5, 6], np.uint8), np.array([True, True, False]))
        {5: 2}
    """
    counts = np.zeros(256, dtype=np.int64)
    flat, kept = target.reshape(-1), usable.reshape(-1)
    for start in range(0, flat.size, _BLOCK):
        counts += np.bincount(flat[start : start + _BLOCK][kept[start : start + _BLOCK]], minlength=256)
    return {code: int(counts[code]) for code in np.flatnonzero(counts).tolist() if code}


def draw_pixels(
    target: NDArray[np.uint8], usable: NDArray[np.bool_], most: int, seed: int, *, least: int = 1
) -> NDArray[np.int64]:
    """Draw usable pixels at random, up to a number per class.

    Args:
        target: class of each pixel, any shape.
        usable: of the same shape.
        most: largest number of pixels per class.
        seed: of the draw; the draw of a class does not depend on the other classes.
        least: classes with fewer usable pixels are left out.

    Returns:
        Positions in the flattened array, ascending.

    Example:
        >>> target = np.array([5, 5, 5, 6, 6, 7], np.uint8)
        >>> picked = draw_pixels(target, np.ones(6, bool), 2, seed=1, least=2)
        >>> target[picked].tolist()
        [5, 5, 6, 6]
    """
    flat, kept = target.reshape(-1), usable.reshape(-1)
    ranks = {
        code: _ranks(count, min(count, most), np.random.default_rng([seed, code]))
        for code, count in class_counts(flat, kept).items()
        if count >= max(least, 1)
    }
    passed = dict.fromkeys(ranks, 0)
    parts = [np.empty(0, dtype=np.int64)]
    for start in range(0, flat.size, _BLOCK):
        block = np.where(kept[start : start + _BLOCK], flat[start : start + _BLOCK], 0)
        for code, wanted in ranks.items():
            own = np.flatnonzero(block == code)
            first, last = np.searchsorted(wanted, (passed[code], passed[code] + own.size))
            parts.append(own[wanted[first:last] - passed[code]] + start)
            passed[code] += own.size
    return np.sort(np.concatenate(parts))


def _ranks(count: int, wanted: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Ranks of the drawn pixels among all, ascending."""
    return np.sort(rng.choice(count, wanted, replace=False, shuffle=False))


def split_pixels(labels: NDArray[np.uint8], share: float, seed: int) -> NDArray[np.bool_]:
    """Hold pixels out, the same share of every class.

    Args:
        labels: (pixel,) class.
        share: held out, 0 to 1; for each class rounded to the nearest whole number, but never all.
        seed: of the draw.

    Returns:
        (pixel,) True where held out.

    Example:
        >>> labels = np.repeat(np.array([1, 5], np.uint8), [8, 100])
        >>> held = split_pixels(labels, 0.25, seed=1)
        >>> int(held[labels == 1].sum()), int(held[labels == 5].sum())
        (2, 25)
    """
    if not 0 <= share < 1:
        raise InvalidValueError(f"got a share of {share}, expected 0 to below 1")
    held = np.zeros(len(labels), dtype=np.bool_)
    for code in np.unique(labels).tolist():
        own = np.flatnonzero(labels == code)
        count = min(round(share * len(own)), len(own) - 1)
        held[np.random.default_rng([seed, code, 1]).choice(own, count, replace=False)] = True
    return held
