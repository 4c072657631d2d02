"""Training on a granule: the same code for builds and for the judge.

Memory holds votes and classes (one or four bytes per pixel) and the series of the drawn pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from landloom.engine.scenes.granules import fill_times
from landloom.errors import InvalidInputError
from landloom.imagery.resample import repeat
from landloom.labels.guess.model import train
from landloom.labels.guess.scores import Importances, Scores
from landloom.labels.guess.training_pixels import class_counts, consistent, cover_votes, draw_pixels, split_pixels
from landloom.products.guess.section import guess_settings
from landloom.products.guess.strips import around, strips

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.labels.guess.model import GuessModel
    from landloom.model.grid import Grid
    from landloom.products.guess.section import GuessProduct

CLASSES: Final = 2
"""Pixels of 10 m along a side of a pixel of the scene classification."""


class YearOfImagery(Protocol):
    """The scenes of a year over an area."""

    @property
    def times(self) -> Sequence[datetime]:
        """Band names of the scenes, in order."""
        ...

    @property
    def bands(self) -> Sequence[str]:
        """Date of each scene."""
        ...

    def classes(self, strip: Grid) -> NDArray[np.uint8]:
        """(time, y, x) scene classes on a grid of 20 m; 0 for nodata."""
        ...

    def pixels(self, area: Grid, picked: NDArray[np.int64]) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
        """(time, band, 1, pixel) values of drawn pixels, and (time, 1, pixel) where they are valid.

        Args:
            area: grid of the pixels.
            picked: positions in the flattened area, ascending.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """A model and its scores."""

    model: GuessModel
    test: Scores
    """Scores on the held-out pixels, against the map."""
    counts: Mapping[int, int]
    """Class → number of pixels where map and imagery agree."""
    dropped: tuple[int, ...]
    """Classes left out because they have too few pixels."""
    agreeing: float
    """Share of the map's classified pixels that agree with the imagery."""
    importances: Importances | None


def learn(
    imagery: YearOfImagery,
    target: Callable[[Grid], NDArray[np.uint8]],
    area: Grid,
    section: GuessProduct,
    seed: int,
    held: Sequence[Grid] = (),
    jobs: int = 1,
) -> Trained:
    """Train on pixels of an area where a map and the year's imagery agree.

    Args:
        imagery: scenes of the year.
        target: function from a grid to the (y, x) classes of the map on it, 0 for nodata.
        area: grid of 10 m pixels.
        section: settings from the recipe.
        seed: seed of the draw.
        held: held-out windows, with their buffer.
        jobs: number of threads.

    Raises:
        InvalidInputError: map and imagery agree nowhere, or only on one class.
    """
    least = guess_settings(section).agreement
    codes, usable = _agreement(imagery, target, area, least)
    for window in held:
        usable[around(window, area, section.buffer)] = False
    classified, counts = int(np.count_nonzero(codes)), class_counts(codes, usable)
    picked = draw_pixels(codes, usable, section.per_class, seed, least=section.least)
    if not len(picked):
        raise InvalidInputError(
            f"imagery and map agree on no class with at least {section.least} pixels, of {classified:,} classified "
            f"ones; got {counts}"
        )
    labels = codes.reshape(-1)[picked]
    agreeing = int(np.count_nonzero(usable)) / classified
    del codes, usable
    pixels, seen = _features(imagery, area, picked)
    pixels, labels = pixels[:, seen], labels[seen]
    apart = split_pixels(labels, section.holdout, seed)
    settings = guess_settings(section)
    model = train(pixels[:, ~apart].T, labels[~apart], settings, seed, counts=counts, jobs=jobs)
    names = np.array(model.classes, dtype=np.uint8)
    guessed = names[model.probabilities(np.ascontiguousarray(pixels[:, apart])).argmax(axis=1)]
    values = model.importances
    return Trained(
        model=model,
        test=Scores.of(labels[apart], guessed),
        counts=counts,
        agreeing=agreeing,
        dropped=tuple(code for code in counts if code not in model.classes),
        importances=None if values is None else Importances.of(values, tuple(imagery.bands), imagery.times),
    )


def _agreement(
    imagery: YearOfImagery, target: Callable[[Grid], NDArray[np.uint8]], area: Grid, least: float | None
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """(y, x) classes of the map, and where they agree with the imagery of the year."""
    codes = np.zeros(area.shape, dtype=np.uint8)
    usable = np.zeros(area.shape, dtype=np.bool_)
    for row, strip in strips(area):
        votes = repeat(cover_votes(imagery.classes(strip.at(CLASSES * strip.pixel_width))), CLASSES)
        part, rows = target(strip), slice(row, row + strip.height)
        codes[rows], usable[rows] = part, consistent(part, votes, least)
    return codes, usable


def _features(
    imagery: YearOfImagery, area: Grid, picked: NDArray[np.int64]
) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """(feature, pixel) filled series of drawn pixels, and which pixels were ever observed."""
    stack, valid = imagery.pixels(area, picked)
    filled = fill_times(stack, valid, imagery.times)
    times, bands = stack.shape[:2]
    return filled.reshape(times * bands, len(picked)), np.asarray(valid.any(axis=(0, 1)))
