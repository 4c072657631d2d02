"""Guess labels on the frozen judge: is a forest trained on an erroneous map more accurate than the map?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.engine.scenes.granules import fill_times
from landloom.imagery.valid import data_valid, scl_valid
from landloom.labels.guess.model import DEFAULTS, PUBLISHED
from landloom.labels.guess.scores import Scores
from landloom.model.grid import Grid
from landloom.model.product import LANDCOVERNET_BANDS
from landloom.model.recipe import Terms
from landloom.model.sensor import LANDCOVERNET_CLEAR
from landloom.model.taxonomy import taxonomy
from landloom.products.guess.learning import learn
from landloom.products.guess.section import GuessProduct, section_values
from landloom.simulate.judge.composites import JUDGE_SEEDS, judge_grid, judge_scenes, judge_spec
from landloom.simulate.judge.labels import judge_target
from landloom.simulate.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.engine.run import Listener
    from landloom.labels.guess.model import GuessSettings
    from landloom.simulate.judge.labels import TargetCase
    from landloom.simulate.world import SceneSpec

SIDE: Final = 768
"""Side of the judged area in pixels; its north-west corner is that of the judge's place."""
CHIP: Final = 256
"""Side of a chip in pixels."""
HELD: Final = ((0, 0), (512, 512))
"""First row and column of the held-out chips."""
GAIN: Final = 5.0
"""Minimum gain in accuracy over the map, in percentage points, on every seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Result of one seed on held-out chips, compared with the truth."""

    seed: int
    target: Scores
    """Scores of the training map."""
    default: Scores
    """Scores of the recipe's default forest."""
    published: Scores
    """Scores of LandCoverNet's forest of two trees."""

    @property
    def gain(self) -> float:
        """Gain in accuracy of the default forest over the map, in percentage points."""
        return 100 * (self.default.accuracy - self.target.accuracy)

    @property
    def holds(self) -> bool:
        """Whether the gain of the default forest reaches the bar."""
        return self.gain >= GAIN

    def document(self) -> dict[str, Any]:
        """As JSON values: accuracy, and the recall of each class."""
        scores = {"target": self.target, "default": self.default, "published": self.published}
        return {
            "seed": self.seed,
            "gain": self.gain,
            "limit": GAIN,
            "holds": self.holds,
            **{name: {"accuracy": one.accuracy, "by_class": dict(one.producers)} for name, one in scores.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GuessCase:
    """A year of the judge's area as input of the training; a `YearOfImagery`."""

    grid: Grid
    """The area, in pixels of 10 m."""
    times: tuple[datetime, ...]
    bands: tuple[str, ...]
    stack: NDArray[np.uint16]
    """(time, band, y, x) reflectance."""
    scl: NDArray[np.uint8]
    """(time, y, x) scene classes."""
    labels: TargetCase
    """(y, x) the erroneous map, and the truth."""

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(time, y, x) valid: a clear class, and data in every band."""
        return scl_valid(self.scl, frozenset(LANDCOVERNET_CLEAR)) & data_valid(self.stack).all(axis=1)

    def classes(self, strip: Grid) -> NDArray[np.uint8]:
        """(time, y, x) scene classes on a grid of 20 m."""
        row, column = strip.at(self.grid.pixel_width).offset_in(self.grid)
        height, width = 2 * strip.height, 2 * strip.width
        return self.scl[:, row : row + height : 2, column : column + width : 2]

    def pixels(self, _area: Grid, picked: NDArray[np.int64]) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
        """(time, band, 1, pixel) values of the drawn pixels, and (time, 1, pixel) where they are valid."""
        times, bands = self.stack.shape[:2]
        numbers = self.stack.reshape(times, bands, 1, -1)[..., picked]
        return numbers, self.valid.reshape(times, 1, -1)[..., picked]

    def target(self, strip: Grid) -> NDArray[np.uint8]:
        """(y, x) classes of the erroneous map."""
        row, column = strip.offset_in(self.grid)
        return self.labels.target[row : row + strip.height, column : column + strip.width]


def guess_case(seed: int, side: int = SIDE) -> GuessCase:
    """The judge's area for a seed, observed by twelve monthly scenes and the twelve next least cloudy ones.

    Args:
        seed: one of `JUDGE_SEEDS` for figures, any other during development.
        side: side of the area in pixels.
    """
    place = judge_grid()
    bounds = (place.west, place.north - 10 * side, place.west + 10 * side, place.north)
    grid = Grid.of_bounds(place.epsg, bounds, 10)
    world, scenes = World(judge_spec(seed)), _scenes(seed)
    stack = np.empty((len(scenes), len(LANDCOVERNET_BANDS), side, side), dtype=np.uint16)
    scl = np.empty((len(scenes), side, side), dtype=np.uint8)
    for at, scene in enumerate(scenes):
        seen = world.observe(scene, grid, LANDCOVERNET_BANDS)
        stack[at], scl[at] = seen.pixels, seen.scl
    return GuessCase(
        grid=grid,
        times=tuple(scene.time for scene in scenes),
        bands=LANDCOVERNET_BANDS,
        stack=stack,
        scl=scl,
        labels=judge_target(seed, grid),
    )


def _scenes(seed: int) -> list[SceneSpec]:
    every = judge_scenes(seed)
    monthly = [min((s for s in every if s.time.month == m), key=lambda s: (s.cover, s.id)) for m in range(1, 13)]
    rest = sorted((scene for scene in every if scene not in monthly), key=lambda scene: (scene.cover, scene.id))
    return sorted([*monthly, *rest[:12]], key=lambda scene: scene.time)


def judge_guess(case: GuessCase, seed: int, section: GuessProduct, jobs: int = 2) -> tuple[Scores, Scores]:
    """Train outside the held-out chips as a build does, and predict them.

    Returns:
        Scores of the map and of the guess on the held-out chips.
    """
    held = [case.grid.window(row, column, CHIP, CHIP) for row, column in HELD]
    trained = learn(case, case.target, case.grid, section, seed, held, jobs)
    series = fill_times(case.stack, case.valid, case.times)
    maps, guesses = [], []
    for row, column in HELD:
        window = np.s_[row : row + CHIP, column : column + CHIP]
        truth = case.labels.truth[window]
        found = trained.model.predict(np.ascontiguousarray(series[:, :, *window]))
        maps.append(Scores.of(truth, case.labels.target[window]))
        guesses.append(Scores.of(truth, found.labels))
    return Scores.total(maps), Scores.total(guesses)


def judged_guess(seed: int, jobs: int = 2) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float64]]:
    """The guess of the default forest on the whole area of a seed, for what is done with guesses.

    Returns:
        (y, x) truth, (y, x) guess, and (class, y, x) probabilities of the model's classes.
    """
    case = guess_case(seed)
    held = [case.grid.window(row, column, CHIP, CHIP) for row, column in HELD]
    trained = learn(case, case.target, case.grid, _section(DEFAULTS), seed, held, jobs)
    found = trained.model.predict(np.ascontiguousarray(fill_times(case.stack, case.valid, case.times)))
    return case.labels.truth, found.labels, found.probabilities


def evaluate_guess(seeds: Sequence[int] = JUDGE_SEEDS, listener: Listener | None = None) -> list[Judged]:
    """Judge the default and the published forest; the bar is a `gain` of at least 5 points on every seed."""
    judged = []
    for seed in seeds:
        case = guess_case(seed)
        target, default = judge_guess(case, seed, _section(DEFAULTS))
        _, published = judge_guess(case, seed, _section(PUBLISHED))
        judged.append(Judged(seed=seed, target=target, default=default, published=published))
        if listener is not None:
            listener.advanced(f"seed {seed}", None)
    return judged


def _section(settings: GuessSettings) -> GuessProduct:
    return GuessProduct(file="-", terms=Terms(licence="CC0-1.0", attribution="-"), **section_values(settings))


def guess_table(judged: Sequence[Judged]) -> list[tuple[str, ...]]:
    """Rows of the result table: one per seed, and one per class with its recall."""
    rows = [
        (f"seed {one.seed}", *(f"{scores.accuracy:.1%}" for scores in (one.target, one.default, one.published)))
        for one in judged
    ]
    sums = [Scores.total([getattr(one, name) for one in judged]) for name in ("target", "default", "published")]
    names = {int(one.code): one.name for one in taxonomy("landcovernet").classes}
    for code in sums[0].classes:
        shares = (scores.producers.get(code) for scores in sums)
        rows.append((names[code], *("–" if share is None else f"{share:.1%}" for share in shares)))
    return rows
