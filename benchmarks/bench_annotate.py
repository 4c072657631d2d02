"""The annotation server under twenty annotators at once: 95th percentile of a submission, as a client sees it.

The server runs in a process of its own on loopback, with `synchronous=FULL` or `synchronous_commit=on`: an answer comes
after the commit. Annotators do not think: each asks for a task, reads its window, submits, and asks again, until 2,000
submissions are in. Windows are small, so that the ledger is measured; those of `real` are LandCoverNet's: 4.6 MB of
24 scenes, 10 bands and 96 × 96 pixels, out of chips of 256 × 256. Places held twice and submissions lost are counted
from the ledger afterwards.
`annotate_core_share` says how much of a core one process got meanwhile: below 0.9 the machine was busy with something
else, and times are longer for that.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from tests.annotation import NAME, make_world
from tests.annotators import check_kept, process, run_crowd
from tests.postgres import programs, running

ANNOTATORS = 20
COPIES = 9
SUBMISSIONS = 2_000


def measure(folder: Path, database: str, kind: str, *, real: bool = False) -> dict[str, float]:
    """One campaign, worked through."""
    names = [f"a{number}" for number in range(ANNOTATORS)]
    people: dict[str, tuple[str, str] | None] = dict.fromkeys(names, (NAME, "annotator"))
    world = make_world(folder, database, chips=25, people=people, annotators=COPIES, real=real)
    world.ledger.close()
    with process(world.campaign, database) as server:
        began = time.perf_counter()
        crowd, threads = run_crowd(server.port, names, SUBMISSIONS)
        for thread in threads:
            thread.join()
        spent = time.perf_counter() - began
        server.stop()
    check_kept(world.ledger, NAME, crowd, COPIES)
    world.ledger.close()
    ordered = sorted(one.seconds for one in crowd.kept if one.tries == 1)
    return {
        f"annotate_submit_{kind}_p95_ms": 1_000 * ordered[int(0.95 * len(ordered))],
        f"annotate_submit_{kind}_median_ms": 1_000 * ordered[len(ordered) // 2],
        f"annotate_{kind}_submissions_per_second": len(crowd.kept) / spent,
    }


def core_share() -> float:
    """Share of a core that a process gets, over half a second of counting."""
    began, own = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < 0.5:
        sum(range(1_000))
    return (time.process_time() - own) / (time.perf_counter() - began)


def run() -> dict[str, float]:
    """On SQLite, and on PostgreSQL where it is installed."""
    shares = [core_share()]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "sqlite"
        found = measure(folder, f"sqlite:///{scratch}/ledger.sqlite", "sqlite")
    shares.append(core_share())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "real"
        found |= measure(folder, f"sqlite:///{scratch}/ledger.sqlite", "real", real=True)
    shares.append(core_share())
    if programs() is not None:
        with tempfile.TemporaryDirectory() as scratch, running() as cluster:
            found |= measure(Path(scratch), cluster.new_database(), "postgresql")
        shares.append(core_share())
    return found | {"annotate_core_share": sum(shares) / len(shares)}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
