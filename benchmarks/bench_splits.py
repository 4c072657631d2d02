"""A split of 500,000 samples with a gap of 3 km and its proof."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.memory import peak_gib
from benchmarks.timing import seconds

from landloom.query.corpus import Corpus
from landloom.query.index.synthetic import synthetic_samples, write_resources
from landloom.training.splits.make import SplitSettings, make_split


def _child(folder: str) -> dict[str, float]:
    sidecar = Corpus.open(folder, cache=Path(folder) / "cache").sidecar
    spent = [seconds(lambda: make_split(sidecar, SplitSettings(balance="labels"))) for _ in range(3)]
    _, proof = make_split(sidecar, SplitSettings(balance="labels"))
    whole = sum(part.samples for part in proof.parts)
    mean = {
        key: sum(part.classes[key] * part.samples for part in proof.parts) / whole for key in proof.parts[0].classes
    }
    off = max(abs(part.classes[key] - share) for part in proof.parts for key, share in mean.items())
    return {
        "split_seconds": median(spent),
        "split_gib": peak_gib(),
        "split_violations": float(proof.violations),
        "split_class_points": 100 * off,
    }


def run() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        write_resources(synthetic_samples(), Path(folder))
        command = [sys.executable, "-m", "benchmarks.bench_splits", folder]
        subprocess.run(command, check=True, capture_output=True)  # opens the corpus once, which indexes it
        found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


if __name__ == "__main__":
    print(json.dumps(_child(sys.argv[1])))
