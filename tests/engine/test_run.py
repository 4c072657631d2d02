"""Runs: every unit is journalled, what it needs comes first, and dead workers cost nothing but time."""

from __future__ import annotations

import random
import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.engine.tasks import Bug, Chained, Corner, Dies, Faulty, Full, Link, Outlives, Parts, Reads, Square, unit

from landloom.engine.executors import WORKERS, capacity, inline, processes
from landloom.engine.run import execute, run, worker_died
from landloom.engine.units import Outcome
from landloom.errors import DiskFullError, PermanentFaultError
from landloom.formats.geotiff import encode_cog
from landloom.model.grid import Grid
from landloom.store.network.allowances import BudgetError
from landloom.store.network.budgets import Price
from landloom.store.network.traffic import Counts, host_of, traffic

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web import FaultyServer

    from landloom.engine.executors import Factory
    from landloom.engine.journal import Journal
    from landloom.engine.units import Unit

BOTH = pytest.mark.parametrize("factory", [inline, processes(2)], ids=["inline", "processes"])


class Told:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str | None]] = []

    def started(self, stage: str, total: int) -> None:
        """Nothing."""

    def advanced(self, unit: str, reason: str | None) -> None:
        self.heard.append((unit, reason))


@BOTH
def test_every_unit_is_journalled(journal: Journal, factory: Factory) -> None:
    units = [unit(f"square{n:02d}", Square(number=n)) for n in range(20)]
    assert run(units, factory=factory, journal=journal) == []
    assert [entry.outcome.files[0].size for entry in journal.entries()] == [n * n for n in range(20)]


def test_a_fault_fails_its_unit_and_the_rest_goes_on(journal: Journal) -> None:
    units, told = [unit("a", Faulty()), unit("b", Square(number=1))], Told()
    problems = run(units, factory=inline, journal=journal, listener=told)
    assert [str(problem) for problem in problems] == ["a/33N_16E-243N: scene.tif: 404"]
    assert [(entry.product, entry.state) for entry in journal.entries()] == [("a", "failed"), ("b", "done")]
    assert sorted(told.heard) == [("a/33N_16E-243N", "scene.tif: 404"), ("b/33N_16E-243N", None)]


def test_a_fault_travels_without_what_caused_it() -> None:
    """Schedulers that send causes along would fail on the first that cannot be sent."""
    with pytest.raises(PermanentFaultError, match="closed") as caught:
        execute(unit("a", Chained()))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@BOTH
def test_requests_are_counted_over_all_attempts(
    journal: Journal, factory: Factory, faulty: FaultyServer, tmp_path: Path
) -> None:
    """Of a unit that fails, too; what the process did before is not the unit's."""
    own, other = (unit(name, Reads(href=f"{faulty.address}/{name}.json")) for name in ("a", "b"))
    (tmp_path / "b.json").write_text("{}")
    host = host_of(faulty.address).name
    traffic()
    host_of(faulty.address).count(requests=100)
    run([own], factory=factory, journal=journal)
    (tmp_path / "a.json").write_text("[1]")
    faulty.script = [503]
    run([own], factory=factory, journal=journal)
    run([other], factory=factory, journal=journal)
    found = {entry.product: entry.outcome.traffic[host] for entry in journal.entries()}
    assert (found["a"].requests, found["a"].retries, found["a"].failures, found["a"].size) == (3, 1, 0, 3)
    assert (found["b"].requests, found["b"].size) == (1, 2)
    journal.add_traffic({"x": Counts(requests=1)})
    journal.add_traffic({"x": Counts(requests=2)})
    assert {name: counts.requests for name, counts in journal.traffic().items()} == {host: 4, "x": 3}
    assert traffic()[host].requests == 100


def test_a_second_run_opens_no_file_again_and_reads_a_replaced_one_anew(
    journal: Journal, faulty: FaultyServer, tmp_path: Path
) -> None:
    """By one worker and by others: what one has opened, no other opens."""
    grid = Grid.of_bounds(32633, (500_000, 5_000_000, 507_000, 5_006_000), 10)

    def serve(value: int, version: int) -> None:
        pixels = np.random.default_rng(version).integers(0, 9000, (1, *grid.shape), np.uint16)
        pixels[0, -1, -1] = value
        (tmp_path / "a.tif").write_bytes(encode_cog(pixels, grid, nodata=0, block=128, overviews=False))
        faulty.stamps = {"ETag": f'"{version}"'}

    def value(factory: Factory) -> int:
        faulty.requests.clear()
        corner = unit("a", Corner(href=f"{faulty.address}/a.tif"))
        assert run([corner], factory=factory, journal=journal, headers=tmp_path) == []
        entry = journal.get(corner.id)
        assert entry is not None
        assert entry.outcome.inputs[f"{faulty.address}/a.tif"].etag == faulty.stamps["ETag"]
        return entry.outcome.files[0].size

    serve(17, 1)
    assert (value(inline), len(faulty.requests)) == (17, 2)
    assert (value(processes(1)), len(faulty.requests)) == (17, 1)
    serve(18, 2)
    assert (value(inline), len(faulty.requests)) == (18, 3)
    assert (value(inline), len(faulty.requests)) == (18, 1)


@pytest.mark.parametrize("factory", [inline, processes(2)], ids=["inline", "processes"])
def test_a_run_stops_before_a_budget_is_exceeded_and_goes_on_with_a_larger_one(
    journal: Journal, factory: Factory, faulty: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = host_of(faulty.address).name
    units = [unit(f"{number}", Reads(href=f"{faulty.address}/{number}.json")) for number in range(9)]
    for number in range(9):
        (tmp_path / f"{number}.json").write_text('"' + "x" * 998 + '"')
    for budget, done in ((4500, 4), (4900, 4), (7000, 7)):
        monkeypatch.setenv("LANDLOOM_BUDGETS", f"127.0.0.1={budget}")
        left = [one for one in units if (entry := journal.get(one.id)) is None or entry.state == "failed"]
        with pytest.raises(BudgetError, match=rf"{done},000 of {budget:,} bytes read.* larger --budget"):
            run(left, factory=factory, journal=journal)
        assert sum(entry.state == "done" for entry in journal.entries()) == done
        assert journal.traffic()[host].size == 1000 * done
    monkeypatch.delenv("LANDLOOM_BUDGETS")
    assert run(left, factory=factory, journal=journal) == []
    monkeypatch.setenv("LANDLOOM_PRICES", "127.0.0.1=2/GiB+5/1000")
    journal.keep_prices()
    monkeypatch.delenv("LANDLOOM_PRICES")
    journal.keep_prices()
    assert journal.prices() == {"127.0.0.1": Price(gib=2, thousand=5)}


def test_one_unit_alone_reads_no_more_than_the_budget(
    journal: Journal, faulty: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.tif").write_bytes(np.random.default_rng(1).bytes(2**20))
    monkeypatch.setenv("LANDLOOM_BUDGETS", "127.0.0.1=300 KiB")
    with pytest.raises(BudgetError, match="the budget of 127"):
        run([unit("a", Parts(href=f"{faulty.address}/a.tif"))], factory=inline, journal=journal)
    assert journal.traffic()[host_of(faulty.address).name].size == 256 * 1024


def test_attempts_are_counted(journal: Journal) -> None:
    own = unit("a", Faulty())
    for _ in range(3):
        run([own], factory=inline, journal=journal)
    entry = journal.get(own.id)
    assert entry is not None
    assert entry.attempts == 3


def test_a_bug_is_not_swallowed(journal: Journal) -> None:
    with pytest.raises(KeyError, match="a bug"):
        run([unit("a", Bug())], factory=inline, journal=journal)


def test_a_full_disk_stops_the_run(journal: Journal) -> None:
    with pytest.raises(DiskFullError):
        run([unit("a", Square(number=2)), unit("b", Full())], factory=inline, journal=journal)
    assert [entry.product for entry in journal.entries()] == ["a"]


def test_a_dead_worker_is_replaced_and_its_unit_runs_again(journal: Journal, tmp_path: Path) -> None:
    units = [unit("dies", Dies(marker=str(tmp_path / "died"))), *(unit(f"s{n}", Square(number=n)) for n in range(5))]
    assert run(units, factory=processes(2), journal=journal) == []
    assert {entry.state for entry in journal.entries()} == {"done"}
    assert len(list(journal.entries())) == 6


def test_a_dead_worker_costs_its_unit_alone(journal: Journal, tmp_path: Path) -> None:
    """The unit that runs beside it goes on, and is not begun anew."""
    died, log = tmp_path / "died", tmp_path / "log"
    units = [unit("dies", Dies(marker=str(died))), unit("lives", Outlives(log=str(log), marker=str(died)))]
    assert run(units, factory=processes(2), journal=journal) == []
    assert log.read_text() == "ran\n"
    assert {entry.state for entry in journal.entries()} == {"done"}


def test_a_unit_that_kills_every_worker_fails_alone(journal: Journal) -> None:
    dies = unit("dies", Dies(marker=""))
    units = [dies, *(unit(f"s{n}", Square(number=n)) for n in range(5))]
    problems = run(units, factory=processes(2), journal=journal)
    assert [problem.where for problem in problems] == [dies.id]
    assert sum(entry.state == "done" for entry in journal.entries()) == 5


def test_only_a_lost_worker_is_taken_for_one() -> None:
    from concurrent.futures import BrokenExecutor, CancelledError

    assert worker_died(BrokenExecutor())
    assert worker_died(CancelledError())
    assert worker_died(type("KilledWorker", (Exception,), {})())
    assert not worker_died(PermanentFaultError("404"))
    assert not worker_died(KeyError("a bug"))


def some_graph(folder: Path, seed: int) -> list[Unit]:
    """Units that need some of those made before them, in random order; each reads the files of what it needs."""
    rng = random.Random(seed)  # noqa: S311 - a graph, not secrets
    folder.mkdir()
    made: list[Unit] = []
    for number in range(25):
        needs = rng.sample(made, min(rng.randrange(3), len(made)))
        task = Link(folder=str(folder), name=f"{number}", reads=tuple(one.product for one in needs))
        made.append(unit(f"{number}", task, needs=tuple(one.id for one in needs)))
    rng.shuffle(made)
    return made


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_what_is_needed_is_there_first_whatever_the_order(
    journal: Journal, tmp_path: Path, factory: Factory, seed: int
) -> None:
    """A task that ran too early would find no file; the depth that each writes is that of the graph."""
    units = some_graph(tmp_path / "files", seed)
    assert run(units, factory=factory, journal=journal) == []
    by_id, depths = {one.id: one for one in units}, {}

    def depth(one: Unit) -> int:
        return 1 + max((depth(by_id[name]) for name in one.needs), default=0)

    for one in units:
        depths[one.product] = int((tmp_path / "files" / one.product).read_text())
        assert depths[one.product] == depth(one)
    assert max(depths.values()) > 2


def test_outcomes_do_not_depend_on_the_workers(tmp_path: Path) -> None:
    from landloom.engine.journal import Journal

    found = []
    for workers, factory in ((1, inline), (2, processes(2))):
        units = some_graph(tmp_path / f"files{workers}", seed=7)
        with Journal(tmp_path / f"journal{workers}.sqlite") as journal:
            run(units, factory=factory, journal=journal)
            found.append([(entry.id, entry.key, entry.state, entry.outcome) for entry in journal.entries()])
    assert found[0] == found[1]


def test_what_needs_a_unit_that_failed_fails_without_being_run(journal: Journal, tmp_path: Path) -> None:
    """And so does what needs that in turn, wherever they stand; what needs neither goes on."""
    first, other = unit("first", Faulty()), unit("other", Square(number=1))
    second = unit("second", Link(folder=str(tmp_path), name="second"), needs=(first.id, other.id))
    third = unit("third", Link(folder=str(tmp_path), name="third"), needs=(second.id,))
    problems = run([third, second, first, other], factory=inline, journal=journal)
    assert {problem.where: problem.what for problem in problems} == {
        first.id: "scene.tif: 404",
        second.id: f"needs {first.id}, which failed",
        third.id: f"needs {second.id}, which failed",
    }
    assert {entry.product for entry in journal.entries() if entry.state == "done"} == {"other"}
    assert not list(tmp_path.glob("second"))


def test_what_is_needed_and_not_part_of_the_run_is_there_already(journal: Journal) -> None:
    """A second build runs what is missing alone: its needs were made by the first."""
    one = unit("late", Square(number=1), needs=("made/before",))
    assert run([one], factory=inline, journal=journal) == []


def test_units_that_need_each_other_are_a_bug_that_is_said(journal: Journal) -> None:
    first, second = unit("first", Square(number=1)), unit("second", Square(number=2))
    pair = [
        unit("first", Square(number=1), needs=(second.id,)),
        unit("second", Square(number=2), needs=(first.id,)),
    ]
    with pytest.raises(RuntimeError, match="need each other"):
        run(pair, factory=inline, journal=journal)


@dataclass
class _Meeting:
    """Holds each unit until a number of them run at the same time; remembers how many did, and in which order."""

    barrier: threading.Barrier
    lock: threading.Lock = field(default_factory=threading.Lock)
    running: int = 0
    most: int = 0
    begun: list[str] = field(default_factory=list)

    def of(self, name: str) -> _Meets:
        return _Meets(self, name)


@dataclass
class _Meets:
    meeting: _Meeting
    name: str

    def run(self) -> Outcome:
        with self.meeting.lock:
            self.meeting.begun.append(self.name)
            self.meeting.running += 1
            self.meeting.most = max(self.meeting.most, self.meeting.running)
        self.meeting.barrier.wait(timeout=60)
        with self.meeting.lock:
            self.meeting.running -= 1
        return Outcome(files=())


def test_every_worker_has_a_unit(journal: Journal) -> None:
    meeting = _Meeting(threading.Barrier(64))
    units = [unit(f"u{n:03d}", meeting.of(f"u{n:03d}")) for n in range(128)]
    assert run(units, factory=lambda: ThreadPoolExecutor(64), journal=journal) == []
    assert meeting.most == 64


def test_large_units_start_first_and_share_the_memory(journal: Journal) -> None:
    meeting = _Meeting(threading.Barrier(1))
    with ThreadPoolExecutor(1) as executor:
        whole = capacity(executor).memory
    sizes = {"small": whole / 4, "half": 0.6 * whole, "more than there is": 2 * whole, "tiny": 1}
    units = [unit(name, meeting.of(name), memory=int(size)) for name, size in sizes.items()]
    assert run(units, factory=lambda: ThreadPoolExecutor(4), journal=journal) == []
    assert meeting.begun[0] == "more than there is"
    assert meeting.most <= 3


def test_capacities_of_executors() -> None:
    assert capacity(inline()).workers == 1
    with processes(3)() as executor:
        assert capacity(executor).workers == 3
    with ThreadPoolExecutor(5) as executor:
        assert 0 < capacity(executor).memory < float("inf")
    assert capacity(Executor()).workers == WORKERS
