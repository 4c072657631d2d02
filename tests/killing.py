"""Builds that kill themselves, workers and all, at a stated moment: after so many files written and units done.

`python -m tests.killing RECIPE OUT WORKERS AFTER` is one such build; with 0 it lives, and prints how many steps it
made.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landloom.engine.executors import executor_factory
from landloom.pipelines.build import build

if TYPE_CHECKING:
    import random

ROOT = Path(__file__).parents[1]


class Moment:
    """Counts what this process writes and is told of, and sends SIGKILL to its group at a stated count."""

    def __init__(self, after: int) -> None:
        self.count = 0
        self.after = after

    def started(self, stage: str, total: int) -> None:
        """A stage is no step."""

    def advanced(self, unit: str, reason: str | None) -> None:
        """A unit is done, or has failed."""
        del unit, reason
        self.step()

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook: a file takes its place under its name."""
        del arguments
        if event == "os.rename":
            self.step()

    def step(self) -> None:
        self.count += 1
        if self.count == self.after:
            os.killpg(0, signal.SIGKILL)


def steps(recipe: Path, out: Path, workers: int = 1, after: int = 0) -> int | None:
    """Build in a process group of its own; how many steps it made, or None if it was killed.

    Args:
        recipe: what is built.
        out: where.
        workers: how many.
        after: steps after which it is killed; 0 to let it end.
    """
    command = [sys.executable, "-m", "tests.killing", str(recipe), str(out), str(workers), str(after)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, start_new_session=True)
    if done.returncode == -signal.SIGKILL and after:
        return None
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def build_killed(recipe: Path, out: Path, rng: random.Random, times: int, workers: int = 2) -> None:
    """Build, killed so many times at random moments, each of which certainly comes; then once more to the end.

    Args:
        recipe: what is built.
        out: where; beside it lies the same corpus built without interruption, `whole`.
        rng: draws the moments.
        times: how often it is killed.
        workers: of every build.
    """
    whole = steps(recipe, out.parent / "whole", workers)
    assert whole is not None
    # A resumed build has at least those steps before it that none before has made.
    moments = sorted(rng.sample(range(1, whole), times))
    for before, moment in pairwise([0, *moments]):
        assert steps(recipe, out, workers, moment - before) is None, "it was to be killed"
    assert steps(recipe, out, workers) is not None


def main() -> None:
    """Build as the arguments say."""
    recipe, out, workers, after = sys.argv[1:]
    moment = Moment(int(after))
    sys.addaudithook(moment.hear)
    build(recipe, out=out, factory=executor_factory(int(workers)), listener=moment)
    sys.stdout.write(f"{moment.count}\n")


if __name__ == "__main__":
    main()
