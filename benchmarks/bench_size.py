"""What a corpus of 500,000 samples costs that is built: a build with nothing to do, `validate`, journal and memory.

Corpora of two sizes are made (`made_corpus`), and the line through what they cost is followed to 500,000 samples of
1,402 tiles, 12 months each, 102,000 scenes: 6 million chips and a million items. LANDLOOM_BENCH_FULL=1 makes them of
20,000 and 50,000 samples, in half an hour; `python -m benchmarks.bench_size FOLDER` measures one that is there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.made_corpus import make_corpus
from benchmarks.memory import peak_gib
from benchmarks.timing import seconds

from landloom.corpus.audit.validate import audit
from landloom.engine.executors import executor_factory
from landloom.engine.place import JOURNAL
from landloom.engine.project import CORPUS_FOLDER
from landloom.pipelines.build import build
from landloom.store.open import open_store

WHOLE: Final = 500_000
SIZES: Final = (20_000, 50_000) if os.environ.get("LANDLOOM_BENCH_FULL") else (2_000, 4_000)
MEMORY: Final = Path("/dev", "shm")


def at(first: tuple[int, float], second: tuple[int, float], samples: int) -> float:
    """The line through two points, at a number of samples.

    Example:
        >>> at((1_000, 3.0), (2_000, 4.0), 10_000)
        12.0
    """
    slope = (second[1] - first[1]) / (second[0] - first[0])
    return first[1] + slope * (samples - first[0])


def build_again(folder: Path) -> None:
    """Refuse a build that has anything to do, or asks the server of its source files, which is nowhere."""
    done = build(folder)
    if done.units_run or done.sources_asked:
        raise RuntimeError(f"got {done.units_run} units run, {done.sources_asked} files asked, expected none")


def check(folder: Path) -> None:
    """Validate without bytes, on two cores."""
    found = audit(open_store(str(folder / CORPUS_FOLDER)), digests=False, factory=executor_factory(2))
    if found.problems:
        raise RuntimeError(f"got {found.problems[0]}, expected no problem")


def measure(folder: Path) -> dict[str, float]:
    """Seconds and peak memory of both, and the size of the journal."""
    again = seconds(lambda: build_again(folder))
    checked = seconds(lambda: check(folder))
    size = (folder / CORPUS_FOLDER / JOURNAL).stat().st_size
    return {"again": again, "validate": checked, "gib": peak_gib(), "journal": size / 2**30}


def run() -> dict[str, float]:
    """Bars of this topic."""
    found: list[tuple[int, dict[str, float]]] = []
    for samples in SIZES:
        with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
            folder = Path(name) / "project"
            make_corpus(folder, samples)
            command = [sys.executable, "-m", "benchmarks.bench_size", str(folder)]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found.append((samples, json.loads(answer.splitlines()[-1])))
    (fewer, low), (more, high) = found[0], found[-1]
    line = {key: at((fewer, low[key]), (more, high[key]), WHOLE) for key in low}
    return {
        "again_500k_minutes": line["again"] / 60,
        "validate_500k_minutes": line["validate"] / 60,
        "coordinator_500k_gib": line["gib"],
        "journal_500k_gib": line["journal"],
    }


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
