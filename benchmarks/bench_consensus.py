"""Every method of consensus on 100 chips of 65,536 pixels, three annotators and seven classes."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median

from benchmarks.memory import peak_gib
from benchmarks.timing import seconds

from landloom.annotate.answers.values import TaskAnswers
from landloom.annotate.consensus.consensus import consensus
from landloom.annotate.consensus.methods import METHODS
from landloom.simulate.annotators import CampaignSpec, simulate_campaign

CHIPS, TURNS = 100, 5
CLASSES = range(1, 8)


def answers() -> list[TaskAnswers]:
    """Tasks of 32 x 32 pixels: a fifth of them simulated, then repeated."""
    made = simulate_campaign(CampaignSpec(seed=7, chips=CHIPS // TURNS, copying=(0.3, 0.5, 0.7))).tasks
    return [
        TaskAnswers(
            task=f"{turn}_{task.name}",
            annotators=(1, 2, 3),
            labels=task.labels.copy(),
            guess=None if task.guess is None else task.guess.copy(),
            original=None if task.original is None else task.original.copy(),
            blind=task.guess is None,
            reference=task.truth if task.is_reference else None,
        )
        for turn in range(TURNS)
        for task in made
    ]


def whole(tasks: list[TaskAnswers], method: str) -> int:
    """Consensus, then label and confidence of every pixel, task by task; returns the number of pixels."""
    found, pixels = consensus(tasks, CLASSES, method), 0
    for at in range(len(tasks)):
        rows = found.patterns.of_task(at)
        pixels += min(found.label[rows].size, found.confidence[rows].size)
    return pixels


def _child() -> dict[str, float]:
    tasks = answers()
    spent: dict[str, float] = {}
    for method in METHODS:
        assert whole(tasks, method) == CHIPS * 65_536
        spent[method] = median(seconds(lambda: whole(tasks, method)) for _ in range(5))  # noqa: B023
    return {**spent, "gib": peak_gib()}


def run() -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.bench_consensus"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    gib = found.pop("gib")
    return {"consensus_seconds": max(found.values()), "consensus_gib": gib} | {
        f"consensus_{method.replace('-', '_')}": value for method, value in found.items()
    }


if __name__ == "__main__":
    print(json.dumps(_child()))
