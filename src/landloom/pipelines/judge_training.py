"""What a series and what confidence are worth on the judge: the same forest on other months, and on other labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.annotate.consensus.consensus import consensus
from landloom.imagery.median import masked_median
from landloom.products.consensus.judge import COPYING, answers_of
from landloom.reports.terminal import cores
from landloom.simulate.annotators import CampaignSpec, simulate_campaign
from landloom.simulate.judge.composites import JUDGE_SEEDS, judge_spec
from landloom.simulate.judge.series import judge_series
from landloom.simulate.world import World
from landloom.training.evaluation.intervals import Paired, paired
from landloom.training.models.trees import FOREST, Trees, features

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.engine.run import Listener
    from landloom.simulate.judge.series import SeriesCase, SeriesGroup
    from landloom.training.evaluation.intervals import Estimate

GAIN: Final = 0.02
"""Least gain of accuracy by confidence over majority labels, as a share."""
WAYS: Final = {
    "series": "all months",
    "month": "the best single month",
    "truth": "true labels",
    "majority": "majority labels",
    "consensus": "consensus labels, unweighted",
    "weighted": "consensus labels, weighted by confidence",
}
"""What the forest is trained on → in words; labels are those of all months."""
CELLS: Final = {"train": 40, "test": 40}
"""Group → its cells."""
FOLDS: Final = 4
"""The month is chosen on every fourth training cell by forests of the others."""
TASK: Final = 15
"""Side of a simulated task in pixels: 16 of them are a cell."""
_REFLECTANCE: Final = 10_000
_ARABLE: Final = 211
_TREES: Final = {"trees": 50}
_METHODS: Final = {"majority": "majority", "consensus": "guess-aware"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Months:
    """Monthly composites of pixels."""

    values: NDArray[np.float32]
    """(row, month, band) reflectance."""
    valid: NDArray[np.bool_]
    """(row, month) whether there was a clear view."""
    classes: NDArray[np.int64]
    """(row,) CORINE code, crops together."""
    cell: NDArray[np.int64]
    """(row,) number of its cell."""

    def rows(self, month: int | None = None) -> NDArray[np.float32]:
        """(row, feature) of all months, or of one, counted from 0."""
        part = slice(None) if month is None else slice(month, month + 1)
        return features(self.values[:, part], self.valid[:, part])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labels:
    """Labels of training pixels by simulated annotators."""

    given: Mapping[str, NDArray[np.int64]]
    """`majority`, `consensus` → (row,) CORINE code."""
    confidence: NDArray[np.float64]
    """(row,) calibrated probability of the consensus label."""
    used: NDArray[np.bool_]
    """(row,) outside of reference tasks."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedTraining:
    """A seed of the judge."""

    seed: int
    chosen: tuple[float, ...]
    """Accuracy of each month on the training cells that the month is chosen on."""
    right: Mapping[str, NDArray[np.float64]]
    """Way to train → (block,) test rows that the forest gets right."""
    rows: NDArray[np.float64]
    """(block,) rows of the test."""
    seen: Mapping[str, NDArray[np.float64]]
    """`series`, `month` → the same of rows with a clear view in the chosen month; `rows` → their number."""
    labels: Mapping[str, float]
    """`majority`, `consensus` → share of the training labels that are true."""
    lost: Mapping[str, float]
    """`majority`, `consensus` → share of the training rows of a class that is more often given as another one."""

    @property
    def month(self) -> int:
        """The best single month by the training cells, 1 to 12."""
        return int(np.argmax(self.chosen)) + 1

    def accuracy(self, way: str) -> float:
        """Overall accuracy."""
        return float(self.right[way].sum() / self.rows.sum())

    def seen_accuracy(self, way: str) -> float:
        """Overall accuracy where the chosen month has a clear view."""
        return float(self.seen[way].sum() / self.seen["rows"].sum())

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "seed": self.seed,
            "month": self.month,
            "chosen": list(self.chosen),
            "accuracy": {way: self.accuracy(way) for way in self.right},
            "seen": {way: self.seen_accuracy(way) for way in ("series", "month")},
            "labels": dict(self.labels),
            "lost": dict(self.lost),
            "test_rows": int(self.rows.sum()),
            "blocks": len(self.rows),
        }


def monthly(case: SeriesCase, group: SeriesGroup) -> Months:
    """Median of the clear observations of every month."""
    number = case.days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    values, valid = [], []
    for month in np.unique(number):
        there = number == month
        stack = np.ascontiguousarray(np.moveaxis(group.pixels[:, there], 0, -1)[:, :, None])
        median, count = masked_median(stack, np.ascontiguousarray(group.valid[:, there].T[:, None]))
        values.append(median[:, 0].T)
        valid.append(count[0] > 0)
    return Months(
        values=np.stack(values, axis=1).astype(np.float32) / np.float32(_REFLECTANCE),
        valid=np.stack(valid, axis=1),
        classes=np.where(group.classes >= 10 * _ARABLE, _ARABLE, group.classes),
        cell=group.cell,
    )


def month_accuracies(train: Months, seed: int) -> tuple[float, ...]:
    """Accuracy of a forest on each month alone, on every fourth cell of the training part; it sees nothing else."""
    held = train.cell % FOLDS == 0
    found = []
    for month in range(train.valid.shape[1]):
        rows = train.rows(month)
        if not train.valid[~held, month].any():
            found.append(0.0)
            continue
        own = learnt(rows[~held], train.classes[~held], rows[held], seed)
        found.append(float((own == train.classes[held]).mean()))
    return tuple(found)


def annotated(case: SeriesCase, seed: int) -> Labels:
    """Labels of the training pixels by three annotators, who copy half of the area of a guess that is 70 % right.

    The cells are the chips of a campaign with 60 reference tasks. Majority and consensus see the same answers.
    """
    group, world = case.groups["train"], World(judge_spec(seed))
    truths = [world.land_cover(grid).astype(np.int64) for grid in group.cells]
    codes = np.unique(np.concatenate([one.ravel() for one in truths]))
    side = truths[0].shape[0]
    spec = CampaignSpec(
        seed=seed,
        copying=COPYING["anchored"],
        chips=len(truths),
        side=side,
        task=TASK,
        classes=len(codes),
    )
    made = simulate_campaign(spec, [np.searchsorted(codes, one) for one in truths])
    answers = answers_of(made)
    task, pixel = _tasks(group, side)
    known = np.array([one.is_reference for one in made.tasks])
    found = {name: consensus(answers, range(1, len(codes) + 1), method) for name, method in _METHODS.items()}
    rows = found["consensus"].patterns.starts[task] + pixel
    pattern = {name: one.patterns.index[rows] for name, one in found.items()}
    return Labels(
        given={name: codes[one.label[pattern[name]].astype(np.int64) - 1] for name, one in found.items()},
        confidence=found["consensus"].confidence[pattern["consensus"]],
        used=~known[task],
    )


def _tasks(group: SeriesGroup, side: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(row,) number of the task of each pixel, and its place in the task."""
    across = side // TASK
    row, column = np.divmod(group.place, side)
    task = (group.cell * across + row // TASK) * across + column // TASK
    return task, (row % TASK) * TASK + column % TASK


def lost(truth: NDArray[np.int64], given: NDArray[np.int64]) -> float:
    """Share of the rows of classes that are more often given as some other class: no forest can learn them.

    Example:
        >>> lost(np.array([1, 1, 1, 2]), np.array([1, 1, 2, 1]))
        0.25
    """
    rows = 0
    for code in np.unique(truth):
        own = given[truth == code]
        codes, counts = np.unique(own, return_counts=True)
        rows += 0 if codes[counts.argmax()] == code else len(own)
    return rows / len(truth)


def judge_training(case: SeriesCase, seed: int) -> JudgedTraining:
    """Train the same forest on all months and on the best one, on majority and on consensus labels.

    Args:
        case: series of the judge.
        seed: of the case, and of the forests and the annotators.
    """
    train, test = (monthly(case, case.groups[name]) for name in ("train", "test"))
    chosen = month_accuracies(train, seed)
    month = int(np.argmax(chosen))
    labels = annotated(case, seed)
    used, blocks = labels.used, int(test.cell.max()) + 1
    known, asked = train.rows(), test.rows()
    predicted = {
        "series": learnt(known, train.classes, asked, seed),
        "month": learnt(train.rows(month), train.classes, test.rows(month), seed),
        "truth": learnt(known[used], train.classes[used], asked, seed),
        **{name: learnt(known[used], given[used], asked, seed) for name, given in labels.given.items()},
        "weighted": learnt(known[used], labels.given["consensus"][used], asked, seed, labels.confidence[used]),
    }
    there = test.valid[:, month]
    hit = {name: (found == test.classes).astype(np.float64) for name, found in predicted.items()}

    def summed(rows: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(test.cell, rows, minlength=blocks).astype(np.float64)

    return JudgedTraining(
        seed=seed,
        chosen=chosen,
        right={name: summed(one) for name, one in hit.items()},
        rows=summed(np.ones(len(there))),
        seen={name: summed(hit[name] * there) for name in ("series", "month")} | {"rows": summed(there * 1.0)},
        labels={name: float((given == train.classes)[used].mean()) for name, given in labels.given.items()},
        lost={name: lost(train.classes[used], given[used]) for name, given in labels.given.items()},
    )


def learnt(
    rows: NDArray[np.float32],
    classes: NDArray[np.int64],
    others: NDArray[np.float32],
    seed: int,
    weight: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """(row,) codes that a forest says of other rows."""
    codes, target = np.unique(classes, return_inverse=True)
    weights = np.ones(len(rows)) if weight is None else weight
    trees = Trees.fit(FOREST, rows, target, weights, classes=len(codes), seed=seed, options=_TREES, jobs=cores(0))
    found: NDArray[np.int64] = codes[trees.predict(others).argmax(axis=1)]
    return found


def series_gain(judged: Sequence[JudgedTraining]) -> Estimate:
    """Accuracy of all months over that of the best one, where that month has a clear view."""
    return paired(
        [
            Paired(first=one.seen["series"], second=one.seen["month"], rows=one.seen["rows"], seed=one.seed)
            for one in judged
        ]
    )


def gain(judged: Sequence[JudgedTraining], first: str, second: str) -> Estimate:
    """Accuracy of one way to train over that of another, on all test rows."""
    return paired(
        [Paired(first=one.right[first], second=one.right[second], rows=one.rows, seed=one.seed) for one in judged]
    )


def evaluate_training(
    seeds: Sequence[int] = JUDGE_SEEDS, listener: Listener | None = None, cells: Mapping[str, int] = CELLS
) -> list[JudgedTraining]:
    """Judge every seed."""
    judged = []
    for seed in seeds:
        judged.append(judge_training(judge_series(seed, cells), seed))
        if listener is not None:
            listener.advanced(f"seed {seed}", None)
    return judged


def training_table(judged: Sequence[JudgedTraining]) -> list[tuple[object, ...]]:
    """A row for each way to train: words, accuracy of every seed, mean."""
    return [
        (
            words,
            *(f"{100 * one.accuracy(way):.1f}" for one in judged),
            f"{100 * np.mean([one.accuracy(way) for one in judged]):.1f}",
        )
        for way, words in WAYS.items()
    ]


def told(judged: Sequence[JudgedTraining]) -> str:
    """What the figures were measured on, and how good the labels were."""
    rows, blocks = int(np.mean([one.rows.sum() for one in judged])), len(judged[0].rows)
    months = ", ".join(str(one.month) for one in judged)
    right, away = (
        [f"{100 * np.mean([getattr(one, part)[name] for one in judged]):.1f} %" for name in _METHODS]
        for part in ("labels", "lost")
    )
    ceiling = 100 * gain(judged, "truth", "majority").value
    return (
        f"A random forest on pixels, CORINE classes; {rows:,} test pixels in {blocks} cells 3 km apart, over which "
        f"intervals are made. Best month, by cells of the training part: {months}. Three simulated annotators copy a "
        f"guess on 30, 50 and 70 % of the area. Training labels that are true: majority {right[0]}, consensus "
        f"{right[1]}; training pixels of classes mostly given as others: {away[0]}, {away[1]}. "
        f"True labels are worth {ceiling:+.1f} points over majority labels, about the most that better labels can give "
        "this forest."
    )
