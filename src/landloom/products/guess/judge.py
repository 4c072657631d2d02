"""Guess labels on the frozen judge: does a forest that learned from a wrong map know better than the map?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.imagery.fill import fill_periodic
from landloom.imagery.valid import scl_valid
from landloom.labels.guess.model import PUBLISHED, GuessSettings, train
from landloom.labels.guess.scores import Scores
from landloom.labels.guess.training_pixels import class_counts, consistent, cover_votes, draw_pixels
from landloom.model.grid import Grid
from landloom.model.taxonomy import taxonomy
from landloom.simulate.judge.composites import JUDGE_SEEDS, judge_grid, judge_scenes, judge_spec
from landloom.simulate.judge.labels import judge_target
from landloom.simulate.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.engine.run import Listener
    from landloom.simulate.judge.labels import TargetCase
    from landloom.simulate.world import SceneSpec

BANDS: Final = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
"""Bands of a guess."""
CLEAR: Final = frozenset({2, 4, 5, 6, 7, 11})
"""Scene classes that a guess uses: neither clouds, shadows and cirrus, nor saturated or defective pixels."""
SIDE: Final = 768
"""Pixels of a side of the judged area, whose north-west corner is that of the judge's place."""
CHIP: Final = 256
"""Pixels of a side of a chip."""
HELD: Final = ((0, 0), (512, 512))
"""First row and column of the chips that are never trained on."""
BUFFER: Final = 32
"""Pixels around them that are not trained on either."""
PER_CLASS: Final = 50_000
LEAST: Final = 100
GAIN: Final = 5.0
"""Points that a guess has to be better than the map, on every seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What came of one seed, on chips that were never seen; all against the truth."""

    seed: int
    target: Scores
    """The map that was learned from."""
    default: Scores
    """The recipe's default forest."""
    published: Scores
    """LandCoverNet's forest of two trees."""

    @property
    def gain(self) -> float:
        """Points of accuracy that the default forest is better than the map."""
        return 100 * (self.default.accuracy - self.target.accuracy)

    @property
    def holds(self) -> bool:
        """Whether the default forest is better than the map by the bar."""
        return self.gain >= GAIN

    def document(self) -> dict[str, Any]:
        """As JSON values: accuracy, and the share of each class's true pixels that was found."""
        scores = {"target": self.target, "default": self.default, "published": self.published}
        return {
            "seed": self.seed, "gain": self.gain, "limit": GAIN, "holds": self.holds,
            **{name: {"accuracy": one.accuracy, "by_class": dict(one.producers)} for name, one in scores.items()},
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GuessCase:
    """A year of the judge's area as a guess sees it."""

    series: NDArray[np.uint16]
    """(time, band, y, x) masked and filled."""
    scl: NDArray[np.uint8]
    """(time, y, x)."""
    labels: TargetCase
    """The wrong map, and the truth."""


def guess_case(seed: int, side: int = SIDE) -> GuessCase:
    """The judge's area of a seed, seen in twelve monthly scenes and the twelve next least cloudy ones.

    Args:
        seed: one of `JUDGE_SEEDS` for figures, any other while developing.
        side: pixels of the area.
    """
    place = judge_grid()
    bounds = (place.west, place.north - 10 * side, place.west + 10 * side, place.north)
    grid = Grid.of_bounds(place.epsg, bounds, 10)
    world, scenes = World(judge_spec(seed)), _scenes(seed)
    stack = np.empty((len(scenes), len(BANDS), side, side), dtype=np.uint16)
    scl = np.empty((len(scenes), side, side), dtype=np.uint8)
    for at, scene in enumerate(scenes):
        seen = world.observe(scene, grid, BANDS)
        stack[at], scl[at] = seen.pixels, seen.scl
    days = np.array([scene.time.timetuple().tm_yday for scene in scenes], dtype=np.float64)
    series = fill_periodic(stack, scl_valid(scl, CLEAR), days)
    return GuessCase(series=series, scl=scl, labels=judge_target(seed, grid))


def _scenes(seed: int) -> list[SceneSpec]:
    every = judge_scenes(seed)
    monthly = [min((s for s in every if s.time.month == m), key=lambda s: (s.cover, s.id)) for m in range(1, 13)]
    rest = sorted((scene for scene in every if scene not in monthly), key=lambda scene: (scene.cover, scene.id))
    return sorted([*monthly, *rest[:12]], key=lambda scene: scene.time)


def judge_guess(case: GuessCase, seed: int, settings: GuessSettings, jobs: int = 2) -> tuple[Scores, Scores]:
    """Train outside the held-out chips, predict on them.

    Returns:
        Scores of the map, and of the guess, on those chips.
    """
    times, bands, height, width = case.series.shape
    target, truth = case.labels.target, case.labels.truth
    usable = consistent(target, cover_votes(case.scl), settings.agreement)
    for row, column in HELD:
        usable[max(row - BUFFER, 0) : row + CHIP + BUFFER, max(column - BUFFER, 0) : column + CHIP + BUFFER] = False
    picked = draw_pixels(target, usable, PER_CLASS, seed, least=LEAST)
    pixels = case.series.reshape(times * bands, height * width)[:, picked].T
    model = train(pixels, target.reshape(-1)[picked], settings, seed, counts=class_counts(target, usable), jobs=jobs)
    maps, guesses = [], []
    for row, column in HELD:
        window = np.s_[row : row + CHIP, column : column + CHIP]
        maps.append(Scores.of(truth[window], target[window]))
        guesses.append(Scores.of(truth[window], model.predict(np.ascontiguousarray(case.series[:, :, *window])).labels))
    return Scores.total(maps), Scores.total(guesses)


def evaluate_guess(seeds: Sequence[int] = JUDGE_SEEDS, listener: Listener | None = None) -> list[Judged]:
    """Judge the default and the published forest; the bar is a `gain` of at least 5 points on every seed."""
    judged = []
    for seed in seeds:
        case = guess_case(seed)
        target, default = judge_guess(case, seed, GuessSettings())
        _, published = judge_guess(case, seed, PUBLISHED)
        judged.append(Judged(seed=seed, target=target, default=default, published=published))
        if listener is not None:
            listener.advanced(f"seed {seed}", None)
    return judged


def guess_table(judged: Sequence[Judged]) -> list[tuple[str, ...]]:
    """What a table shows of it: a row a seed, and a row a class with the share of its true pixels that were found."""
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
