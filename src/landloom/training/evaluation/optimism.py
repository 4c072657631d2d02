"""How much better a model seems under a split that lets neighbours into both of its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError
from landloom.training.evaluation.intervals import RESAMPLES, Estimate, difference, draws, estimates
from landloom.training.evaluation.measures import OVERALL
from landloom.training.evaluation.predictions import Predictions
from landloom.training.evaluation.sums import Sums
from landloom.training.splits.blocks import square_blocks
from landloom.training.splits.distances import Footprints, nearer
from landloom.training.splits.make import SplitSettings, folds, split_places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.training.splits.make import By

    Floats = NDArray[np.float32]
    Learner = Callable[[Floats, NDArray[np.int64], Floats, int], Floats]
    """Features and classes of training samples, features of test samples, seed → (test sample, class) probabilities."""

RANDOM: Final = "random"
TILE: Final = "tile"
GAP: Final = "gap"
MEASURES: Final = ("accuracy", "macro_f1")
FOLDS: Final = 4
"""Folds of every split: each is the test part once."""
LEAST: Final = 10
"""Training samples below which nothing is measured."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examples:
    """Samples with features, class and place."""

    id: tuple[str, ...]
    features: NDArray[np.float32]
    """(sample, feature); NaN where nothing was seen."""
    truth: NDArray[np.int64]
    """(sample,) number of its class."""
    classes: tuple[str, ...]
    corners: NDArray[np.float64]
    """(sample, 4, 2) longitude and latitude of its footprint."""
    tile: NDArray[np.int64]
    """(sample,) number of its tile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayScores:
    """Scores of a model whose samples were split in one way."""

    way: str
    train: int
    """Training samples of each model, the same under every way."""
    near: float
    """Share of the test samples with a training sample nearer than the gap."""
    scores: Mapping[str, Estimate]
    """Name of a measure → score of all samples, each in the test part once; the mean over seeds."""
    optimism: Mapping[str, Estimate]
    """Name of a measure → its score − that under the split with a gap."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        parts = {"scores": self.scores, "optimism": self.optimism}
        told = {key: {name: one.document() for name, one in rows.items()} for key, rows in parts.items()}
        return {"way": self.way, "train": self.train, "near": self.near, **told}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fold:
    """A test part and what may be learnt from under one way to split, as numbers of samples."""

    way: str
    seed: int
    train: NDArray[np.int64]
    test: NDArray[np.int64]


def measure_optimism(
    examples: Examples,
    learn: Learner,
    *,
    gap: float,
    block_size: float,
    seeds: Sequence[int],
    advanced: Callable[[str], None] = lambda _: None,
) -> tuple[WayScores, ...]:
    """Train the same model under random, tile and gap splits, and compare its scores.

    Under each way every sample is in the test part once (cross-validation), so that the scores are of the same samples
    and differ by what the model had seen nearby. All models learn from the same number of samples, so that what the
    gap costs is not counted as optimism. Intervals are over spatial blocks, drawn for all ways together.

    Args:
        examples: the samples.
        learn: trains a model and predicts with it.
        gap: least metres between training and test samples of the split with a gap.
        block_size: side of its blocks in metres.
        seeds: of splits and models.
        advanced: is called after each seed of each way.

    Raises:
        InvalidInputError: too few samples, or a split that cannot be had; the message says what can.
    """
    middles = examples.corners.mean(axis=1)
    blocks = square_blocks(middles[:, 0], middles[:, 1], block_size)
    places = Footprints.of_degrees(examples.corners)
    stays = {RANDOM: blocks, TILE: examples.tile, GAP: blocks}
    if len(np.unique(examples.tile)) < 2:
        del stays[TILE]  # a corpus of one tile cannot be split by tiles
    made = [
        fold for seed in seeds for way, own in stays.items() for fold in _folds(way, own, places, gap, block_size, seed)
    ]
    size = min(len(fold.train) for fold in made)
    if size < LEAST:
        raise InvalidInputError(f"got {size} training samples, expected {LEAST} at least; use a smaller gap or blocks")
    names = np.unique(blocks)
    sums: dict[str, list[Sums]] = {way: [] for way in stays}
    near = dict.fromkeys(stays, 0.0)
    for way in stays:
        for seed in seeds:
            own = [fold for fold in made if (fold.way, fold.seed) == (way, seed)]
            parts = [_predicted(examples, blocks, fold, learn, size) for fold in own]
            sums[way].append(Sums.by_block(Predictions.joined(parts), names.tolist()))
            held = [nearer(places, fold.test, fold.train, gap).sum() for fold in own]
            near[way] += float(np.sum(held)) / len(examples.id) / len(seeds)
            advanced(f"{way}, seed {seed}")
    times = draws(len(names), 0, RESAMPLES)
    return tuple(
        WayScores(
            way=way,
            train=size,
            near=near[way],
            scores={name: estimates(sums[way], OVERALL[name], times)[0] for name in MEASURES},
            optimism={name: difference(sums[way], sums[GAP], OVERALL[name], times) for name in MEASURES},
        )
        for way in stays
    )


def _folds(
    way: str, stays: NDArray[np.int64], places: Footprints, gap: float, block_size: float, seed: int
) -> list[_Fold]:
    """The folds of one way: each is tested once, and what is near it is not learnt from where there is a gap."""
    count = len(stays) if way == RANDOM else len(np.unique(stays))
    by: By = "random" if way == RANDOM else "tile" if way == TILE else "blocks"
    settings = SplitSettings(by=by, gap=0, block_size=block_size, shares=folds(max(min(FOLDS, count), 2)), seed=seed)
    codes = split_places(places, stays, settings)
    found = []
    for number in range(len(settings.shares)):
        train, test = np.flatnonzero(codes != number), np.flatnonzero(codes == number)
        if way == GAP and gap > 0:
            train = train[~nearer(places, train, test, gap)]
        found.append(_Fold(way=way, seed=seed, train=train, test=test))
    return found


def optimism_rows(found: Sequence[WayScores]) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """Header and rows of a table in percent."""
    header = ("split", "training samples", "test samples near them", "accuracy", "macro F1")
    rows: list[tuple[object, ...]] = [
        (one.way, one.train, f"{one.near:.1%}", *(_told(one.scores[name]) for name in MEASURES)) for one in found
    ]
    rows += [
        (f"{one.way} − {GAP}", "", "", *(_told(one.optimism[name], "+") for name in MEASURES))
        for one in found
        if one.way != GAP
    ]
    return header, rows


def _told(one: Estimate, sign: str = "") -> str:
    interval = "" if np.isnan(one.low) else f" ({100 * one.low:{sign}.1f} to {100 * one.high:{sign}.1f})"
    return f"{100 * one.value:{sign}.1f} %{interval}"


def _predicted(examples: Examples, blocks: NDArray[np.int64], fold: _Fold, learn: Learner, size: int) -> Predictions:
    """Train on `size` samples of the training part, and predict the test part."""
    random = np.random.default_rng([fold.seed, len(fold.train), 0x5113])
    train, test = np.sort(random.choice(fold.train, size, replace=False)), fold.test
    features, truth = examples.features, examples.truth
    return Predictions.of(
        id=[examples.id[row] for row in test.tolist()],
        truth=truth[test],
        probabilities=learn(features[train], truth[train], features[test], fold.seed),
        classes=examples.classes,
        block=blocks[test],
        split="test",
    )
