"""Consensus on simulated annotators of known skill: every method against the truth, outside of reference tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.annotate.answers.values import TaskAnswers
from landloom.annotate.consensus.consensus import consensus
from landloom.annotate.consensus.evidence import TaskCounts
from landloom.annotate.consensus.methods import METHODS
from landloom.annotate.consensus.quality import Quality
from landloom.simulate.annotators import CampaignSpec, simulate_campaign
from landloom.simulate.judge.composites import JUDGE_SEEDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landloom.engine.run import Listener
    from landloom.simulate.annotators import Family, SimulatedCampaign

NEAR: Final = -0.5
"""Least accuracy of the default method relative to the best one, where nobody copies, in percentage points."""
GAIN: Final = 5.0
"""Least gain over the published equation where annotators copy, in percentage points, on every seed."""
CALIBRATION: Final = 0.03
"""Largest calibration error there, on every seed."""
COPYING: Final = {"independent": (0.0, 0.0, 0.0), "anchored": (0.3, 0.5, 0.7)}
"""Case → share of the area that each annotator copies from a guess that is 70 % right."""
FAMILIES: Final[tuple[Family, ...]] = ("clumps", "objects")
"""Families of errors; bars are for the first, which is near the model's assumptions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedMethod:
    """One method on one simulated campaign."""

    family: Family
    case: str
    seed: int
    method: str
    accuracy: float
    """Share of pixels with the true class."""
    ece: float
    """Calibration error."""
    brier: float

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "family": self.family,
            "case": self.case,
            "seed": self.seed,
            "method": self.method,
            "accuracy": self.accuracy,
            "ece": self.ece,
            "brier": self.brier,
        }


def answers_of(made: SimulatedCampaign) -> list[TaskAnswers]:
    """Answers of simulated annotators as those of people: truth is known of reference tasks only."""
    return [
        TaskAnswers(
            task=task.name,
            annotators=tuple(range(1, len(task.labels) + 1)),
            labels=task.labels,
            guess=task.guess,
            original=task.original,
            blind=task.guess is None,
            reference=task.truth if task.is_reference else None,
        )
        for task in made.tasks
    ]


def evaluate_consensus(
    seeds: Sequence[int] = JUDGE_SEEDS, listener: Listener | None = None, chips: int = 20
) -> list[JudgedMethod]:
    """Judge every method on both families, with and without copying, on every seed.

    Args:
        seeds: of the campaigns.
        listener: receives progress.
        chips: chips of 256 × 256 pixels in each campaign.
    """
    found = []
    for seed in seeds:
        for family in FAMILIES:
            for case, copying in COPYING.items():
                spec = CampaignSpec(seed=seed, family=family, copying=copying, chips=chips)
                found += _judged(simulate_campaign(spec), case)
        if listener is not None:
            listener.advanced(f"seed {seed}", None)
    return found


def _judged(made: SimulatedCampaign, case: str) -> list[JudgedMethod]:
    answers, rows = answers_of(made), []
    unknown = {at: task.truth for at, task in enumerate(made.tasks) if not task.is_reference}
    for method in METHODS:
        result = consensus(answers, range(1, made.spec.classes + 1), method)
        counts = TaskCounts.of(result.patterns, unknown)
        label = result.label[counts.patterns].astype(np.int16) - 1
        quality = Quality.of(result.calibrated[counts.patterns], label, counts)
        rows.append(
            JudgedMethod(
                family=made.spec.family,
                case=case,
                seed=made.spec.seed,
                method=method,
                accuracy=quality.accuracy.value,
                ece=quality.ece,
                brier=quality.brier,
            )
        )
    return rows


def consensus_figures(judged: Sequence[JudgedMethod]) -> dict[str, float]:
    """The measured values of the bars, from the first family.

    Returns:
        `independent`: mean of the default's accuracy relative to the best method, in points; `gain`: its gain over the
        published equation where annotators copy, in points, on the worst seed; `ece`: its calibration error there, on
        the worst seed.
    """
    table = {(one.case, one.seed, one.method): one for one in judged if one.family == FAMILIES[0]}
    seeds = sorted({seed for _, seed, _ in table})
    default = METHODS[0]

    def mean(method: str) -> float:
        return float(np.mean([table["independent", seed, method].accuracy for seed in seeds]))

    own = [table["anchored", seed, default] for seed in seeds]
    gains = [one.accuracy - table["anchored", one.seed, "published"].accuracy for one in own]
    return {
        "independent": 100 * (mean(default) - max(mean(method) for method in METHODS)),
        "gain": 100 * min(gains),
        "ece": max(one.ece for one in own),
    }


def consensus_table(judged: Sequence[JudgedMethod]) -> list[tuple[object, ...]]:
    """A row for each family, case and method: mean accuracy, mean and worst calibration error over the seeds."""
    groups: dict[tuple[str, str, str], list[JudgedMethod]] = {}
    for one in judged:
        groups.setdefault((one.family, one.case, one.method), []).append(one)
    return [
        (
            f"{family}, {case}: {method}",
            f"{np.mean([one.accuracy for one in own]):.1%}",
            f"{np.mean([one.ece for one in own]):.3f}",
            f"{max(one.ece for one in own):.3f}",
            f"{np.mean([one.brier for one in own]):.3f}",
        )
        for (family, case, method), own in groups.items()
    ]
