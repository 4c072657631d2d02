"""What pretraining is worth on the judge: linear probes with few labels, before and after."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.model.grid import transformer
from landloom.simulate.judge.composites import JUDGE_SEEDS
from landloom.simulate.judge.series import CELLS, judge_series
from landloom.training.evaluation.intervals import Paired, paired
from landloom.training.pretrain.draw import prove_distant
from landloom.training.pretrain.learn import PretrainSettings, UnlabelledSeries, pretrain, random_encoder
from landloom.training.pretrain.probe import filled_series, linear_probe
from landloom.training.splits.distances import Footprints

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.engine.run import Listener
    from landloom.simulate.judge.series import SeriesCase, SeriesGroup
    from landloom.training.evaluation.intervals import Estimate
    from landloom.training.pretrain.draw import DrawProof

LABELLED: Final = 100
"""Labelled series of a probe."""
DRAWS: Final = 3
"""Sets of labelled series per seed."""
DISTANCE: Final = 3_000.0
"""Least distance in metres between series without labels and all labelled ones."""
GAIN: Final = 0.03
"""Least gain of accuracy by pretraining, as a share."""
FEATURES: Final = {
    "raw": "the series itself, gaps filled by lines",
    "random": "the encoder before pretraining",
    "pretrained": "the encoder after pretraining",
}
"""What the probe gets → in words."""
_REFLECTANCE: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedPretraining:
    """A seed of the judge."""

    seed: int
    right: Mapping[str, NDArray[np.float64]]
    """Features → (block,) rows that the probe gets right, mean over draws of the labels."""
    rows: NDArray[np.float64]
    """(block,) rows of the test."""
    epochs: int
    loss: float
    """Of hidden timesteps in noise units, on series that were held out, in the best epoch."""
    proof: DrawProof
    """Distance of the series without labels from the labelled ones."""

    def accuracy(self, features: str) -> float:
        """Overall accuracy."""
        return float(self.right[features].sum() / self.rows.sum())

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "seed": self.seed,
            "accuracy": {name: self.accuracy(name) for name in self.right},
            "test_rows": int(self.rows.sum()),
            "blocks": len(self.rows),
            "epochs": self.epochs,
            "loss": self.loss,
            "proof": self.proof.document(),
        }


def judge_pretraining(
    case: SeriesCase, seed: int, settings: PretrainSettings, *, labelled: int = LABELLED, count: int = DRAWS
) -> JudgedPretraining:
    """Pretrain on series without labels, and probe with few labels on others.

    Args:
        case: series of the judge.
        seed: of the encoder and of the draws of labels.
        settings: of pretraining; its seed is replaced.
        labelled: labelled series of a probe.
        count: draws of them.
    """
    own = replace(settings, fit=replace(settings.fit, seed=seed))
    series = {name: series_of(case, group) for name, group in case.groups.items()}
    with TemporaryDirectory() as folder:
        trained = pretrain(series["unlabelled"], own, Path(folder))
    random = random_encoder(series["train"].image.shape[2], trained.scale, own)
    known, asked = series["train"], series["test"]
    features = {
        "raw": tuple(filled_series(one.image, one.dates, one.valid) for one in (known, asked)),
        "random": (random.embed(known), random.embed(asked)),
        "pretrained": (trained.embed(known), trained.embed(asked)),
    }
    train, test = case.groups["train"], case.groups["test"]
    blocks = int(test.cell.max()) + 1
    right = {name: np.zeros(blocks) for name in features}
    usable = np.flatnonzero(train.valid.any(axis=1))
    judged = np.flatnonzero(test.valid.any(axis=1))
    for number in range(count):
        rows = np.random.default_rng((seed, number)).choice(usable, labelled, replace=False)
        for name, (ours, others) in features.items():
            found = linear_probe(ours[rows], train.classes[rows], others[judged], seed=number)
            hit = (found == test.classes[judged]) / count
            right[name] += np.bincount(test.cell[judged], hit, minlength=blocks)
    losses = [row["val_loss"] for row in trained.history]
    return JudgedPretraining(
        seed=seed,
        right=right,
        rows=np.bincount(test.cell[judged], minlength=blocks).astype(np.float64),
        epochs=len(losses),
        loss=min(losses),
        proof=distance_proof(case),
    )


def series_of(case: SeriesCase, group: SeriesGroup) -> UnlabelledSeries:
    """Series of a group as reflectance."""
    return UnlabelledSeries(
        image=group.pixels.astype(np.float32) / np.float32(_REFLECTANCE),
        dates=np.tile(case.days, (len(group.valid), 1)),
        valid=group.valid,
    )


def distance_proof(case: SeriesCase) -> DrawProof:
    """Distances between the cells without labels and all others."""
    grids = [(name, grid) for name, group in case.groups.items() for grid in group.cells]
    corners = []
    for _, grid in grids:
        west, south, east, north = grid.bounds
        ring = np.array([(east, south), (east, north), (west, north), (west, south)])
        corners.append(np.column_stack(transformer(grid.epsg, 4326).transform(ring[:, 0], ring[:, 1])))
    free = np.array([name == "unlabelled" for name, _ in grids])
    places = Footprints.of_degrees(np.stack(corners))
    return prove_distant(places, np.flatnonzero(free), np.flatnonzero(~free), DISTANCE, 0)


def gain(judged: Sequence[JudgedPretraining], after: str = "pretrained", before: str = "random") -> Estimate:
    """Difference of two accuracies, mean over seeds, with its interval over the blocks of every seed."""
    return paired(
        [Paired(first=one.right[after], second=one.right[before], rows=one.rows, seed=one.seed) for one in judged]
    )


def evaluate_pretraining(
    seeds: Sequence[int] = JUDGE_SEEDS,
    settings: PretrainSettings | None = None,
    listener: Listener | None = None,
    cells: Mapping[str, int] = CELLS,
) -> list[JudgedPretraining]:
    """Judge every seed."""
    judged = []
    for seed in seeds:
        judged.append(judge_pretraining(judge_series(seed, cells), seed, settings or PretrainSettings()))
        if listener is not None:
            listener.advanced(f"seed {seed}", None)
    return judged


def pretraining_table(judged: Sequence[JudgedPretraining]) -> list[tuple[object, ...]]:
    """A row for each kind of features: words, accuracy of every seed, mean."""
    return [
        (
            words,
            *(f"{100 * one.accuracy(name):.1f}" for one in judged),
            f"{100 * np.mean([one.accuracy(name) for one in judged]):.1f}",
        )
        for name, words in FEATURES.items()
    ]


def told(judged: Sequence[JudgedPretraining]) -> str:
    """What the figures were measured on, and how far series without labels were from labelled ones."""
    nearest = min(one.proof.nearest for one in judged)
    pairs, violations = (sum(getattr(one.proof, name) for one in judged) for name in ("pairs", "violations"))
    rows, blocks = int(np.mean([one.rows.sum() for one in judged])), len(judged[0].rows)
    return (
        f"Pixels of a year, one observation each ten days; land cover with crops. {LABELLED} labelled series, {DRAWS} "
        f"draws; {rows:,} test series in {blocks} cells, over which intervals are made. Series without labels lie "
        f"{nearest:,.0f} m or more from all labelled ones: {pairs:,} pairs measured, {violations} nearer than "
        f"{DISTANCE:,.0f} m."
    )
