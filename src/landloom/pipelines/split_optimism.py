"""`landloom evaluate splits`: how much better a model seems where neighbours are in both parts of a split."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError, MissingExtraError
from landloom.model.grid import WGS84, Grid, transformer
from landloom.query.corpus import Corpus
from landloom.reports.terminal import cores
from landloom.simulate.judge.composites import JUDGE_SEEDS, judge_grid, judge_spec
from landloom.simulate.world import World
from landloom.training.evaluation.optimism import GAP, Examples, WayScores, measure_optimism
from landloom.training.models.trees import FOREST, Trees
from landloom.training.splits.blocks import tile_blocks
from landloom.training.splits.make import BLOCK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.engine.run import Listener
    from landloom.query.selection import Selection
    from landloom.training.evaluation.optimism import Learner
    from landloom.training.fit.rows import Rows

SIDE: Final = 12_000.0
"""Side of the square of the simulated world in metres."""
CELL: Final = 100.0
"""Side of its samples in metres: smaller than a parcel."""
SAMPLES: Final = 2_000
DAYS: Final = ("2018-04-15", "2018-06-15", "2018-07-20", "2018-09-15")
BANDS: Final = ("B02", "B04", "B08", "B11")
NOISE: Final = 0.05
"""Relative error of the simulated reflectance, one standard deviation."""
WORLD_GAP: Final = 500.0
WORLD_BLOCK: Final = 1_500.0
WORLD_TILE: Final = 3_000.0
SEEDS: Final = (0, 1, 2)
"""Of splits and models of a corpus; of the simulated world, each seed is a world of its own."""
_TREES: Final = {"trees": 100, "leaves": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimism:
    """Scores under every way to split, of one corpus or of one seed of the simulated world."""

    name: str
    samples: int
    gap: float
    """Metres."""
    ways: tuple[WayScores, ...]
    left_out: Mapping[str, str]
    """Sample → why it was not used."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        names = ("name", "samples", "gap")
        rest = {"ways": [one.document() for one in self.ways], "left_out": dict(self.left_out)}
        return {name: getattr(self, name) for name in names} | rest

    def of(self, way: str) -> WayScores:
        """Scores of one way."""
        return next(one for one in self.ways if one.way == way)


def simulated_examples(seed: int, samples: int = SAMPLES) -> Examples:
    """Samples of the judge's world: land cover and reflectance of cells at four dates, with noise."""
    place, world = judge_grid(), World(judge_spec(seed))
    west, south = place.bounds[:2]
    grid = Grid.of_bounds(place.epsg, (west, south, west + SIDE, south + SIDE), CELL)
    random = np.random.default_rng(seed)
    chosen = np.sort(random.choice(grid.width * grid.height, samples, replace=False))
    rows, columns = np.unravel_index(chosen, grid.shape)
    image = np.stack([world.truth_reflectance(grid, day, BANDS)[:, rows, columns] for day in DAYS])
    values = image.reshape(-1, samples).T * (1 + random.normal(0, NOISE, (samples, len(DAYS) * len(BANDS))))
    codes, truth = np.unique(world.land_cover(grid)[rows, columns], return_inverse=True)
    x = west + CELL * (columns[:, None] + np.array([1, 1, 0, 0]))
    y = south + SIDE - CELL * (rows[:, None] + np.array([1, 0, 0, 1]))
    corners = np.stack(transformer(place.epsg, WGS84).transform(x, y), axis=-1)
    side = int(SIDE // WORLD_TILE)
    tile = (rows * CELL // WORLD_TILE).astype(np.int64) * side + (columns * CELL // WORLD_TILE).astype(np.int64)
    return Examples(
        id=tuple(map(str, chosen.tolist())),
        features=values.astype(np.float32),
        truth=truth.astype(np.int64),
        classes=tuple(map(str, codes.tolist())),
        corners=corners,
        tile=tile,
    )


def evaluate_world_splits(
    seeds: Sequence[int] = JUDGE_SEEDS, listener: Listener | None = None, samples: int = SAMPLES
) -> list[Optimism]:
    """The optimism of splits on every seed of the judge's world."""
    found = []
    for seed in seeds:
        examples = simulated_examples(seed, samples)
        ways = measure_optimism(examples, _learner(examples), gap=WORLD_GAP, block_size=WORLD_BLOCK, seeds=(0,))
        found.append(Optimism(name=f"seed {seed}", samples=samples, gap=WORLD_GAP, ways=ways, left_out={}))
        if listener is not None:
            listener.advanced(f"seed {seed}", None)
    return found


def evaluate_corpus_splits(
    address: str,
    *,
    target: str = "label",
    product: str | None = None,
    gap: float = 3000.0,
    block_size: float = BLOCK,
    samples: int | None = None,
    seed: int = 0,
    listener: Listener | None = None,
) -> Optimism:
    """The optimism of splits of a corpus: a random forest on the mean series of its samples.

    Args:
        address: folder or URL of the corpus.
        target: what is learnt, as `label` or `label:KEY`: the dominant class.
        product: key of the images; by default the only image product.
        gap: least metres between training and test samples of the split with a gap.
        block_size: side of its blocks in metres.
        samples: at most so many, drawn at random.
        seed: of the draw; splits and models have the next three.
        listener: receives progress.

    Raises:
        InvalidInputError: a target that is no class of samples, samples of one class, or a split that cannot be had.
        MissingExtraError: the extras `training` and `guess` are not installed.
    """
    corpus = Corpus.open(address)
    chosen = corpus.query(limit=samples, seed=None if samples is None else seed)
    if listener is not None:
        listener.started("reading samples", len(chosen))
    table = _rows(chosen, target, product, listener)
    rows = corpus.sidecar.rows_of_ids(list(table.id)).astype(np.int32)
    examples = Examples(
        id=table.id,
        features=table.features,
        truth=table.truth,
        classes=table.classes,
        corners=corpus.sidecar.corners(rows),
        tile=tile_blocks(corpus.sidecar)[rows],
    )
    if len(np.unique(examples.truth)) < 2:
        raise InvalidInputError(f"{address}: got samples of one class, expected two or more")
    seeds = [seed + number for number in SEEDS]
    if listener is not None:
        listener.started("training", len(seeds) * (3 if len(np.unique(examples.tile)) > 1 else 2))
    ways = measure_optimism(
        examples,
        _learner(examples),
        gap=gap,
        block_size=block_size,
        seeds=seeds,
        advanced=(lambda _: None) if listener is None else (lambda way: listener.advanced(way, None)),
    )
    return Optimism(name=corpus.name, samples=len(table.id), gap=gap, ways=ways, left_out=table.left_out)


def _rows(selection: Selection, target: str, product: str | None, listener: Listener | None) -> Rows:
    try:
        from landloom.training.fit.rows import read_rows  # noqa: PLC0415 - the extra `training`
    except ModuleNotFoundError as error:
        raise MissingExtraError.of("training", "reading samples of a corpus") from error
    if not target.startswith("label"):
        raise InvalidInputError(f"got the target {target!r}, expected label: one class for each sample")
    return read_rows(
        selection, target, product, advanced=lambda one: None if listener is None else listener.advanced(one, None)
    )


def _learner(examples: Examples) -> Learner:
    """A random forest; what it needs is the extra `guess`."""

    def learn(
        features: NDArray[np.float32], truth: NDArray[np.int64], others: NDArray[np.float32], seed: int
    ) -> NDArray[np.float32]:
        classes = len(examples.classes)
        trained = Trees.fit(
            FOREST, features, truth, np.ones(len(truth)), classes=classes, seed=seed, options=_TREES, jobs=cores(0)
        )
        return trained.predict(others)

    return learn


def world_rows(found: Sequence[Optimism]) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """Header and rows of a table of all seeds: median over them, and the range of the optimism."""
    header = ("split", "test samples near training", "accuracy", "optimism, points", "range over seeds")
    rows: list[tuple[object, ...]] = []
    for way in (one.way for one in found[0].ways):
        own = [one.of(way) for one in found]
        values = [one.optimism["accuracy"].value for one in own]
        spread = f"{100 * min(values):+.1f} to {100 * max(values):+.1f}"
        gained = ("–", "–") if way == GAP else (f"{100 * median(values):+.1f}", spread)
        accuracy = median(one.scores["accuracy"].value for one in own)
        rows.append((way, f"{median(one.near for one in own):.0%}", f"{accuracy:.1%}", *gained))
    return header, rows
