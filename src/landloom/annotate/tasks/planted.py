"""Planted wrong guesses: whole objects of a guess, changed to another plausible class.

An annotator who only copies the guess accepts them, so that they measure how often that happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SMALLEST: Final = 9
"""Pixels of the smallest object that is changed: smaller ones may be overlooked honestly."""
LARGEST: Final = 0.6
"""Largest share of the task that an object may cover, as long as there is a smaller one."""
WANTED: Final = 0.15
"""Share of the task that is changed at least, where its objects allow."""


def objects(labels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """(y, x) number of the connected object of one class that each pixel belongs to, from 1; 0 where unlabelled.

    Pixels touch at their sides, not at their corners.

    Example:
        >>> objects(np.array([[1, 1, 2], [2, 1, 2]], np.uint8)).tolist()
        [[1, 1, 2], [3, 1, 2]]
    """
    from scipy import ndimage

    result = np.zeros(labels.shape, np.int32)
    found = 0
    for code in np.unique(labels[labels > 0]).tolist():
        parts, count = ndimage.label(labels == code)
        result[parts > 0] = parts[parts > 0] + found
        found += count
    return result


def plant_error(
    guess: NDArray[np.uint8],
    codes: Sequence[int],
    rng: np.random.Generator,
    *,
    probabilities: NDArray[np.generic] | None = None,
    shares: NDArray[np.generic] | None = None,
) -> NDArray[np.uint8] | None:
    """Change whole connected objects of a guess to another class.

    The new class of an object is its second most probable one, where probabilities are known; otherwise it is drawn
    from the classes of the campaign by their shares of the area.

    Args:
        guess: (y, x) class codes, 0 where unlabelled.
        codes: class codes of the campaign.
        rng: random numbers.
        probabilities: (class, y, x) of the guess, in the order of `codes`.
        shares: (class,) area of each class in the campaign, in the order of `codes`; equal if absent.

    Returns:
        (y, x) the altered guess; None if there is no object of at least `SMALLEST` pixels, or only one class.

    Example:
        >>> altered = plant_error(np.ones((4, 4), np.uint8), (1, 2), np.random.default_rng(1))
        >>> None if altered is None else int(altered.max())
        2
    """
    if probabilities is not None and probabilities.shape != (len(codes), *guess.shape):
        raise InvalidValueError(f"got probabilities {probabilities.shape}, expected {(len(codes), *guess.shape)}")
    if len(codes) < 2:
        return None
    parts = objects(guess)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    usable = np.flatnonzero(sizes >= SMALLEST)
    moderate = usable[sizes[usable] <= LARGEST * guess.size]
    picked = rng.permutation(moderate if len(moderate) else usable)
    altered = guess.copy()
    changed = 0
    for number in picked.tolist():
        if changed and (changed >= WANTED * guess.size or changed + sizes[number] > LARGEST * guess.size):
            break
        inside = parts == number
        altered[inside] = _other_class(int(guess[inside][0]), inside, codes, rng, probabilities, shares)
        changed += int(sizes[number])
    return altered if changed else None


def _other_class(
    own: int,
    inside: NDArray[np.bool_],
    codes: Sequence[int],
    rng: np.random.Generator,
    probabilities: NDArray[np.generic] | None,
    shares: NDArray[np.generic] | None,
) -> int:
    others = np.array([code != own for code in codes])
    if probabilities is not None:
        sums = np.where(others, probabilities[:, inside].astype(np.float64).sum(axis=1), -1.0)
        if sums.max() > 0:
            return codes[int(sums.argmax())]
    weights = np.ones(len(codes)) if shares is None else np.asarray(shares, np.float64)
    weights = np.where(others, weights, 0.0)
    if weights.sum() <= 0:
        weights = others.astype(np.float64)
    return codes[int(rng.choice(len(codes), p=weights / weights.sum()))]
