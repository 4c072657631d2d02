"""A tile of four months as one unit: by one worker on one core, and in parts by two workers on two.

Processes of their own take turns. What the coordinator does beside its workers is compared with all the work there is.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Final

from landloom.processes import settle

MONTHS: Final = 4
SAMPLES: Final = 1600
ROUNDS: Final = 3
ROOT: Final = Path(__file__).parents[1]


def tile(workers: int, folder: Path, out: Path) -> None:
    """Run the unit of all months, whose scenes have the same files, with some workers on as many cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:workers])
    settle()
    from benchmarks.race_unit import unit as unit_of

    from landloom.engine.executors import executor_factory
    from landloom.engine.journal import Journal
    from landloom.engine.run import run
    from landloom.engine.units import Unit
    from landloom.model.time import Cadence, Period

    found = [tuple(one) for one in json.loads((folder / "found.json").read_text(encoding="utf-8"))]
    month = unit_of(found, str(folder), SAMPLES, out)
    task = replace(
        month,
        timesteps=Cadence.parse("month").timesteps(Period.parse("2018-01-01", f"2018-{MONTHS + 1:02d}-01")),
        scenes=tuple(
            replace(
                scene, id=f"{number}-{scene.id}", time=scene.time.replace(month=number, day=min(scene.time.day, 28))
            )
            for number in range(1, MONTHS + 1)
            for scene in month.scenes
        ),
    )
    unit = Unit(kind="composite", product="s2", tile="33N_16E-243N", key="k", memory=2**30, task=task)
    start, before = time.perf_counter(), time.process_time()
    with Journal(out.with_suffix(".sqlite")) as journal:
        problems = run([unit], factory=executor_factory(workers), journal=journal)
        entry = journal.get(unit.id)
    wall, cpu = time.perf_counter() - start, time.process_time() - before
    assert not problems
    assert entry is not None
    files = sorted((file.path, file.sha256) for file in entry.outcome.files)
    print(json.dumps([wall, cpu, hashlib.sha256(repr(files).encode()).hexdigest()]))


def timed(workers: int, folder: Path, out: Path) -> tuple[float, float, str]:
    """Wall seconds of the run, CPU seconds of the coordinating process, and the digest of what was made."""
    command = [sys.executable, "-m", "benchmarks.bench_parts", str(workers), str(folder), str(out)]
    told = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    wall, cpu, digest = json.loads(told)
    return float(wall), float(cpu), str(digest)


def run() -> dict[str, float]:
    """Speed-up for each worker, the coordinator's share of all work, and whether bytes differ."""
    from benchmarks.race_archive import write_archive

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "archive"
        folder.mkdir()
        (folder / "found.json").write_text(json.dumps(write_archive(folder, 6)), encoding="utf-8")
        rounds = [
            [timed(workers, folder, Path(name) / f"{workers}-{number}") for workers in (1, 2)]
            for number in range(ROUNDS)
        ]
    return measured(rounds)


def measured(rounds: list[list[tuple[float, float, str]]]) -> dict[str, float]:
    """The figures of rounds."""
    first, second = (list(zip(*own, strict=True)) for own in zip(*rounds, strict=True))
    return {
        "parts_speedup": median(one / two for one, two in zip(first[0], second[0], strict=True)) / 2,
        "parts_coordinator": median(two / one for one, two in zip(first[1], second[1], strict=True)),
        "parts_different": float(len({*first[2], *second[2]}) - 1),
    }


if __name__ == "__main__":
    tile(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
