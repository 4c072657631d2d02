"""`landloom evaluate`: accuracy against the known truth of the frozen judge, or on the archive of a recipe."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import counted
from landloom.labels.fractions import fractions_from_polygons
from landloom.model.taxonomy import taxonomy
from landloom.pipelines.annotation.judge import BAR, SCENARIO, evaluate_order, order_table
from landloom.pipelines.change.judge import HEADER as CHANGE_HEADER
from landloom.pipelines.change.judge import LIMITS as CHANGE_LIMITS
from landloom.pipelines.change.judge import change_medians, change_summary, change_table, evaluate_change
from landloom.pipelines.judge_training import GAIN as CONFIDENCE
from landloom.pipelines.judge_training import evaluate_training, gain, series_gain, told, training_table
from landloom.pipelines.split_optimism import evaluate_corpus_splits, evaluate_world_splits, world_rows
from landloom.pipelines.withheld import evaluate_withheld
from landloom.products.composite.judge import (
    MONTHS,
    evaluate_registration,
    judged_composite,
    registration_figures,
    registration_table,
)
from landloom.products.composite.section import CompositeProduct
from landloom.products.consensus.judge import CALIBRATION, NEAR, consensus_figures, consensus_table, evaluate_consensus
from landloom.products.consensus.judge import GAIN as OVER_PUBLISHED
from landloom.products.fused.judge import LIMITS, break_summary, evaluate_fused, fused_table, medians
from landloom.products.fused.peers import absent
from landloom.products.fused.steps import evaluate_steps, steps_table
from landloom.products.guess.judge import GAIN, evaluate_guess, guess_table
from landloom.simulate.judge.composites import JUDGE_SEEDS, composite_error, judge_composite
from landloom.simulate.judge.labels import judge_fractions
from landloom.training.evaluation.optimism import optimism_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from landloom.engine.project import Project
    from landloom.engine.run import Listener


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value and its bar."""

    name: str
    value: float
    limit: float
    what: str

    least: bool = False
    """Whether the bar is a minimum, not a maximum."""

    @property
    def holds(self) -> bool:
        """Whether the value meets the bar."""
        return self.value >= self.limit if self.least else self.value <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Measured figures, with a table of details."""

    figures: tuple[Figure, ...]
    details: Any = None
    """As JSON values."""
    header: tuple[str, ...] = ()
    rows: tuple[tuple[object, ...], ...] = ()
    """Header of the table."""
    scenario: str = ""
    """What the table was measured on, where its header does not say it."""
    notes: tuple[str, ...] = ()
    """What was left out."""


def evaluate_composites(seeds: Sequence[int] = JUDGE_SEEDS, listener: Listener | None = None) -> list[Figure]:
    """Error and bias of the default composite, medians over seeds.

    The error ratio is the error of our composite divided by that of the exact median of the same observations without
    clouds; the bias is that of the worst band, in units of its noise.
    """
    default = CompositeProduct.model_fields["dilate"].default
    ratios, biases = [], []
    for seed in seeds:
        case = judge_composite(seed)
        ours, valid = judged_composite(case, default)
        truth = case.perfect(valid)
        error = composite_error(case, ours, truth)
        ratios.append(error.absolute / composite_error(case, case.exact(valid), truth).absolute)
        biases.append(abs(error.bias))
        if listener is not None:
            listener.advanced(f"seed {seed}", None)
    return [
        Figure(
            name="composite_error",
            value=median(ratios),
            limit=1.15,
            what="mean absolute error, relative to that of the exact median of the same cloud-free observations",
        ),
        Figure(
            name="composite_bias", value=median(biases), limit=0.2, what="|bias| of the worst band, in σ of its noise"
        ),
    ]


def evaluate_fractions(seeds: Sequence[int] = JUDGE_SEEDS) -> list[Figure]:
    """Largest error of class fractions, before and after rounding, over all seeds."""
    worst, rounded = 0.0, 0.0
    for seed in seeds:
        case = judge_fractions(seed)
        geometries = [polygon for _, polygon in case.polygons]
        codes = [str(code) for code, _ in case.polygons]
        table = fractions_from_polygons(geometries, codes, case.cells, taxonomy("clc"), epsg=case.epsg)
        for place, code in enumerate(case.codes):
            index = table.taxonomy.index[str(code)]
            worst = max(worst, float(np.abs(table.shares[:, index] - case.fractions[:, place]).max()))
            rounded = max(rounded, float(np.abs(table.millionths[:, index] / 1e6 - case.fractions[:, place]).max()))
    return [
        Figure(name="fractions_error", value=worst, limit=1e-9, what="largest error of a fraction before rounding"),
        Figure(name="fractions_rounded", value=rounded, limit=1e-6, what="largest error of a fraction after rounding"),
    ]


def _composites(listener: Listener | None) -> Evaluation:
    return Evaluation(figures=tuple(evaluate_composites(listener=listener)))


def _fractions(_listener: Listener | None) -> Evaluation:
    return Evaluation(figures=tuple(evaluate_fractions()))


def _guess(listener: Listener | None) -> Evaluation:
    judged = evaluate_guess(listener=listener)
    worst = min(one.gain for one in judged)
    what = "gain in accuracy of the guess over its training map, percentage points, on the worst seed"
    return Evaluation(
        figures=(Figure(name="guess_gain", value=worst, limit=GAIN, what=what, least=True),),
        details=[one.document() for one in judged],
        header=("right of the truth", "map", "default", "published"),
        rows=tuple(guess_table(judged)),
    )


def _consensus(listener: Listener | None) -> Evaluation:
    judged = evaluate_consensus(listener=listener)
    found = consensus_figures(judged)
    figures = (
        Figure(
            name="consensus_independent",
            value=found["independent"],
            limit=NEAR,
            what="accuracy of guess-aware relative to the best method where nobody copies, percentage points, mean",
            least=True,
        ),
        Figure(
            name="consensus_anchored",
            value=found["gain"],
            limit=OVER_PUBLISHED,
            what="gain of guess-aware over the published equation where annotators copy, points, on the worst seed",
            least=True,
        ),
        Figure(
            name="consensus_ece",
            value=found["ece"],
            limit=CALIBRATION,
            what="calibration error of guess-aware where annotators copy, on the worst seed",
        ),
    )
    header = ("simulated annotators", "accuracy", "calibration error", "worst", "Brier")
    return Evaluation(
        figures=figures,
        details=[one.document() for one in judged],
        header=header,
        rows=tuple(consensus_table(judged)),
    )


def _order(listener: Listener | None) -> Evaluation:
    judged = evaluate_order(listener=listener)
    needed = float(np.mean([one.needed for one in judged]))
    half = float(np.mean([one.needed_of_half for one in judged]))
    what = "share of the answers with which the active order is as accurate as random order with all of them, mean"
    of_half = "the same for a budget of half the answers, at whose end tasks are left over, as a share of it, mean"
    return Evaluation(
        figures=(
            Figure(name="annotation_order", value=needed, limit=BAR, what=what),
            Figure(name="annotation_order_half", value=half, limit=BAR, what=of_half),
        ),
        details={"scenario": SCENARIO, "seeds": [one.document() for one in judged]},
        header=("", "guess", "end", "answers", "time", "if foreseen", "of half a budget", f"gain at {BAR:.0%}"),
        rows=tuple(order_table(judged)),
        scenario=SCENARIO,
    )


def _fused(listener: Listener | None) -> Evaluation:
    judged = evaluate_fused(listener=listener)
    found = medians(judged)
    rows = {name: LIMITS[name] for name in found}
    return Evaluation(
        figures=tuple(
            Figure(name=name, value=found[name], limit=limit, what=what, least=least)
            for name, (limit, least, what) in rows.items()
        ),
        details=[one.document() for one in judged],
        header=("error, 1e-4", "blue", "green", "red", "nir", "gaps > 60 days"),
        rows=tuple(fused_table(judged)),
        scenario=break_summary(judged) + "".join(f" {name} is not installed and not compared." for name in absent()),
    )


def _change(listener: Listener | None) -> Evaluation:
    judged = evaluate_change(listener=listener)
    found = change_medians(judged)
    rows = {name: CHANGE_LIMITS[name] for name in found}
    return Evaluation(
        figures=tuple(
            Figure(name=name, value=found[name], limit=limit, what=what, least=least)
            for name, (limit, least, what) in rows.items()
        ),
        details=[one.document() for one in judged],
        header=CHANGE_HEADER,
        rows=tuple(change_table(judged)),
        scenario=change_summary(judged),
    )


def _harmonise(listener: Listener | None) -> Evaluation:
    judged = evaluate_steps(listener=listener)
    value = median(one.relative for one in judged if one.pairs)
    what = "difference of the sensors on the same day after all steps, relative to that before, mean over bands"
    nadir = median(one.directed for one in judged if one.pairs)
    how = "the same of sensors that see at angles, brought to nadir by the c-factor"
    return Evaluation(
        figures=(
            Figure(name="harmonise_difference", value=value, limit=1.0, what=what),
            Figure(name="harmonise_nadir", value=nadir, limit=1.0, what=how),
        ),
        details=[one.document() for one in judged],
        header=("difference (bias), 1e-4", "blue", "green", "red", "nir"),
        rows=tuple(steps_table([one for one in judged if one.pairs])),
    )


def _registration(listener: Listener | None) -> Evaluation:
    judged = evaluate_registration(listener=listener)
    residual, composites, july = registration_figures(judged)
    return Evaluation(
        figures=(
            Figure(
                name="registration_residual",
                value=residual,
                limit=0.1,
                what="displacement that is left of a scene's 0.3 pixels, median",
            ),
            Figure(
                name="registration_composite",
                value=composites,
                limit=0.85,
                what="error of aligned composites with wider masks, relative to the default, median month",
            ),
            Figure(name="registration_july", value=july, limit=0.85, what="the same in July"),
        ),
        details=[one.document() for one in judged],
        header=("relative error by month", *(f"{month:02d}" for month in MONTHS)),
        rows=tuple(registration_table(judged)),
    )


def _pretraining(listener: Listener | None) -> Evaluation:
    from landloom.training import require_training  # noqa: PLC0415 - the extra `training`

    require_training("landloom evaluate pretraining")
    from landloom.pipelines import judge_pretraining as judge  # noqa: PLC0415 - the extra `training`

    judged = judge.evaluate_pretraining(listener=listener)
    figures = []
    for name, before in (("pretraining_gain", "random"), ("pretraining_over_raw", "raw")):
        found = judge.gain(judged, before=before)
        what = (
            f"accuracy of a linear probe with {judge.LABELLED} labels over that on {judge.FEATURES[before]}, mean; "
            f"interval {found.low:+.3f} to {found.high:+.3f}"
        )
        figures.append(Figure(name=name, value=found.value, limit=judge.GAIN, what=what, least=True))
    return Evaluation(
        figures=tuple(figures),
        details=[one.document() for one in judged],
        header=("accuracy in %, linear probe on", *(f"seed {one.seed}" for one in judged), "mean"),
        rows=tuple(judge.pretraining_table(judged)),
        scenario=judge.told(judged),
    )


def _training(listener: Listener | None) -> Evaluation:
    judged = evaluate_training(listener=listener)
    series, confidence = series_gain(judged), gain(judged, "weighted", "majority")
    over_month = (
        "lower end of the interval of the accuracy with all months over that with the best single month, where that "
        f"is clear; {series.value:+.3f}, {series.low:+.3f} to {series.high:+.3f}"
    )
    over_majority = (
        "accuracy with consensus labels weighted by confidence over that with majority labels; interval "
        f"{confidence.low:+.3f} to {confidence.high:+.3f}"
    )
    return Evaluation(
        figures=(
            Figure(name="training_series", value=series.low, limit=0.0, what=over_month, least=True),
            Figure(
                name="training_confidence", value=confidence.value, limit=CONFIDENCE, what=over_majority, least=True
            ),
        ),
        details={
            "gain": {"series": series.document(), "confidence": confidence.document()},
            "seeds": [one.document() for one in judged],
        },
        header=("accuracy in %, trained on", *(f"seed {one.seed}" for one in judged), "mean"),
        rows=tuple(training_table(judged)),
        scenario=told(judged),
    )


def _fused_of_recipe(project: Project, **options: Any) -> Evaluation:
    found = evaluate_withheld(project, **options)
    return Evaluation(
        figures=(),
        details=found.document(),
        header=found.table[0],
        rows=found.table[1],
        scenario=found.scenario,
        notes=tuple(f"left out in {counted(count, 'sample')}: {what}" for what, count in found.left_out.items()),
    )


def _splits(listener: Listener | None) -> Evaluation:
    judged = evaluate_world_splits(listener=listener)
    header, rows = world_rows(judged)
    near = max(one.of("gap").near for one in judged)
    what = "share of the test samples with a training sample nearer than the gap, under the split with a gap"
    return Evaluation(
        figures=(Figure(name="splits_gap", value=near, limit=0.0, what=what),),
        details=[one.document() for one in judged],
        header=header,
        rows=tuple(rows),
        scenario="A random forest on a simulated world, four folds; optimism is against the split with a gap.",
    )


def _splits_of_corpus(address: str, **options: Any) -> Evaluation:
    found = evaluate_corpus_splits(address, **options)
    header, rows = optimism_rows(found.ways)
    return Evaluation(
        figures=(),
        details=found.document(),
        header=header,
        rows=tuple(rows),
        scenario=f"A random forest on {counted(found.samples, 'sample')}, four folds, a gap of {found.gap:,.0f} m.",
        notes=tuple(f"{one}: {why}" for one, why in found.left_out.items()),
    )


EVALUATIONS: Final[dict[str, Callable[[Listener | None], Evaluation]]] = {
    "change": _change,
    "composites": _composites,
    "fractions": _fractions,
    "consensus": _consensus,
    "annotation-order": _order,
    "fused": _fused,
    "guess": _guess,
    "harmonise": _harmonise,
    "pretraining": _pretraining,
    "registration": _registration,
    "splits": _splits,
    "training": _training,
}
"""Evaluations on the frozen judge."""
ON_RECIPES: Final[dict[str, Callable[..., Evaluation]]] = {"fused": _fused_of_recipe}
"""Evaluations on the archive of a recipe; arguments as of `evaluate_withheld`."""
ON_CORPORA: Final[dict[str, Callable[..., Evaluation]]] = {"splits": _splits_of_corpus}
"""Evaluations on a finished corpus; arguments as of `evaluate_corpus_splits`."""
DEFAULT: Final = ("composites", "fractions")
"""Evaluations that run by default."""
