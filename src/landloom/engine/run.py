"""Running units on any standard executor: broken executors are replaced, and unfinished units submitted again."""

from __future__ import annotations

import math
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, wait
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from landloom.engine.division import Divisible, Division, Job
from landloom.engine.executors import at_most, capacity, submit
from landloom.engine.separate import heals
from landloom.errors import DiskFullError, LandloomError, Problem
from landloom.store.network.allowances import BudgetError, allowed
from landloom.store.network.budgets import Rations, stated_budgets
from landloom.store.network.headers import StaleHeaderError, kept_headers
from landloom.store.network.traffic import give_back, total, traffic
from landloom.store.versions import noted_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from concurrent.futures import Executor, Future
    from pathlib import Path

    from landloom.engine.executors import Factory
    from landloom.engine.journal import Journal
    from landloom.engine.units import Outcome, Unit
    from landloom.store.network.traffic import Counts

    Flying = dict[Future[tuple[Outcome, float]], Job]
    """What workers are doing."""

SUSPECTED = 2
"""Number of broken pools with a unit in flight after which the unit is run alone."""


class Listener(Protocol):
    """Receives progress, to show it."""

    def started(self, stage: str, total: int) -> None:
        """A stage with this many units begins."""
        ...

    def advanced(self, unit: str, reason: str | None) -> None:
        """A unit is done, or failed for a reason."""
        ...


class Silent:
    """A listener that shows nothing."""

    def started(self, stage: str, total: int) -> None:
        """Do nothing."""

    def advanced(self, unit: str, reason: str | None) -> None:
        """Do nothing."""


def execute(unit: Unit, headers: Path | None = None, ration: Mapping[str, int] | None = None) -> tuple[Outcome, float]:
    """Run a unit's task in a worker; returns the outcome and its seconds.

    Args:
        unit: to run.
        headers: folder in which the headers of remote files are kept, if this machine has it. If one turns out to be
            that of another version, the task begins again without them.
        ration: host → bytes that may be read from it.

    Errors are returned without their causes, because errors of libraries may not be picklable.
    """
    start = time.perf_counter()
    before = traffic()  # of something else that this process did
    try:
        with allowed(ration or {}):
            try:
                outcome = _noted(unit, headers)
            except StaleHeaderError:
                outcome = _noted(unit, headers, afresh=True)
        return replace(outcome, traffic=traffic()), time.perf_counter() - start
    except LandloomError as error:
        error.__cause__ = error.__context__ = None
        error.traffic = traffic()  # type: ignore[attr-defined]
        raise
    finally:
        give_back(before)


def _noted(unit: Unit, headers: Path | None, *, afresh: bool = False) -> Outcome:
    """The outcome of a unit's task, with the versions of the files that it read."""
    with noted_versions() as inputs, kept_headers(headers, afresh=afresh):
        outcome = unit.task.run()
    return replace(outcome, inputs=inputs)


def worker_died(error: BaseException) -> bool:
    """Whether a future failed because its worker died, not because of its task."""
    return isinstance(error, BrokenExecutor | CancelledError) or type(error).__name__ in {
        "KilledWorker",
        "FutureCancelledError",
        "CommClosedError",
    }


class _UnitRun:
    """The state of one run."""

    def __init__(self, units: Iterable[Unit], journal: Journal, listener: Listener, headers: Path | None) -> None:
        ordered = sorted(units, key=lambda unit: (-unit.memory, -len(unit.samples)))
        self.waiting = [Job(unit=unit, task=unit.task) for unit in ordered]
        self.undone = {unit.id for unit in ordered}
        self.divided: dict[str, Division] = {}
        self.given_up: list[Divisible] = []
        self.lost: set[str] = set()
        self.suspicion: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.journal = journal
        self.listener = listener
        self.headers = headers
        self.rations = Rations(stated_budgets(), journal.traffic(units=False))
        for entry in journal.entries(whole=False) if self.rations.left else ():
            self.rations.read(entry.outcome.traffic)
        self.spent = False

    def finished(self, unit: Unit, outcome: Outcome, seconds: float) -> None:
        self.journal.record_outcome(unit, outcome, seconds=seconds)
        self.undone.discard(unit.id)
        self.listener.advanced(unit.id, None)

    def failed(self, unit: Unit, reason: str, spent: Mapping[str, Counts] | None = None) -> None:
        if unit.id not in self.undone:  # of several parts that fail, the first is enough
            return
        division = self.divided.pop(unit.id, None)
        if division is not None:
            self.given_up.append(division.task)
            spent = total((division.traffic, spent or {}))
            self.waiting = [job for job in self.waiting if job.unit.id != unit.id]
        self.journal.record_failure(unit, reason, seconds=0.0, traffic=spent)
        self.problems.append(Problem(where=unit.id, what=reason))
        self.undone.discard(unit.id)
        self.lost.add(unit.id)
        self.listener.advanced(unit.id, reason)

    def next_ready(self, room: float, workers: int) -> Job | None:
        """Remove and return the first waiting job whose inputs are done, and that fits into `room` bytes of memory.

        Units whose inputs failed are failed. One of the last units, that would leave workers idle, is divided.
        """
        while self.lost and (hopeless := [job for job in self.waiting if not self.lost.isdisjoint(job.unit.needs)]):
            for unit in [job.unit for job in hopeless]:
                self.waiting = [job for job in self.waiting if job.unit is not unit]
                self.failed(unit, f"needs {', '.join(sorted(self.lost & set(unit.needs)))}, which failed")
        able = (job for job in self.waiting if self.undone.isdisjoint(job.unit.needs))
        ready = list(islice(able, workers + 1))
        found = next((job for job in ready if job.unit.memory <= room), None)
        if found is None:
            found = next((job for job in able if job.unit.memory <= room), None)
        if found is None:
            return None
        self.waiting.remove(found)
        return self.first_part(found) if workers > 1 and len(ready) <= workers else found

    def first_part(self, job: Job) -> Job:
        """A job, or the first part of its unit if that can be divided; the others wait next."""
        division = None if job.unit.id in self.divided else Division.of(job.unit)
        if division is None:
            return job
        self.divided[job.unit.id] = division
        self.waiting[:0] = division.jobs[1:]
        return division.jobs[0]

    def settle(self, job: Job, future: Future[tuple[Outcome, float]]) -> bool:
        """Record the result of a future; False if its worker died."""
        try:
            outcome, seconds = future.result()
        except DiskFullError:
            raise
        except LandloomError as error:
            self.rations.read(getattr(error, "traffic", {}))
            self.spent |= isinstance(error, BudgetError)
            self.failed(job.unit, str(error), getattr(error, "traffic", None))
        except BaseException as error:
            if not worker_died(error):
                raise
            return job.unit.id not in self.undone
        else:
            self.rations.read(outcome.traffic)
            self.succeeded(job, outcome, seconds)
        return True

    def succeeded(self, job: Job, outcome: Outcome, seconds: float) -> None:
        division = self.divided.get(job.unit.id)
        if job.unit.id not in self.undone:
            return
        if division is None:
            self.finished(job.unit, outcome, seconds)
        elif job.part is None:
            self.finished(job.unit, division.whole(outcome), division.seconds + seconds)
            del self.divided[job.unit.id]
        else:
            last = division.done(job.part, outcome, seconds)
            self.waiting[:0] = [] if last is None else [last]

    def must_be_alone(self, jobs: Iterable[Job]) -> bool:
        return any(self.suspicion[job.name] >= SUSPECTED for job in jobs)

    def drain(self, executor: Executor) -> None:
        """Feed one executor until no unit is ready or it breaks; units then in flight are suspected.

        As many units are in flight as there are workers, and no more than a host takes connections, the largest first:
        more would make it harder to find the cause when a worker dies. Workers of a cluster may come and go. Where all
        share a machine, the units together need no more than its memory, except one alone. Where a dead worker breaks
        no other, the units of the others go on.
        """
        flying: Flying = {}
        lost: list[Job] = []
        while (self.waiting or flying) and not lost:
            self.fill(executor, flying, lost)
            if self.spent and not flying:
                return
            if self.waiting and not flying and not lost:
                waiting = ", ".join(job.unit.id for job in self.waiting)
                raise RuntimeError(f"units that need each other: {waiting}")
            done, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in [future for future in flying if future in done]:
                job = flying.pop(future)
                if not self.settle(job, future):
                    lost.append(job)
            if heals(executor):
                self.suspect(lost, alone=len(lost) == 1 and not flying)
                lost = []
        if lost:
            self.blame(lost, flying)

    def fill(self, executor: Executor, flying: Flying, lost: list[Job]) -> None:
        """Give units to workers, as many as there are, as memory holds, and as budgets allow."""
        able = capacity(executor)
        most = at_most(able.workers)
        limit = 1 if self.must_be_alone([*flying.values(), *self.waiting[:1]]) else most
        while self.waiting and len(flying) < limit and not lost and not self.spent:
            ration = self.rations.next(len(flying), most)
            if ration is None:
                self.spent = not flying
                return
            room = able.memory - sum(job.unit.memory for job in flying.values()) if flying else math.inf
            ready = self.next_ready(room, most)
            if ready is None:
                return
            try:
                own = replace(ready.unit, task=ready.task, reads=())
                flying[submit(executor, execute, own, self.headers, ration)] = ready
            except BrokenExecutor:
                lost.append(ready)

    def blame(self, lost: list[Job], flying: Flying) -> None:
        wait(flying)
        lost += [job for future, job in flying.items() if not self.settle(job, future)]
        self.suspect(lost, alone=len(lost) == 1)

    def suspect(self, lost: list[Job], *, alone: bool) -> None:
        """Let jobs whose workers died run again, unless one did so too often, the last time when nothing else ran."""
        for job in lost:
            self.suspicion[job.name] += 1
            if self.suspicion[job.name] > SUSPECTED and alone:
                self.failed(job.unit, "its worker died every time it ran, alone too: out of memory, or killed")
            elif job.unit.id in self.undone:
                self.waiting.append(job)


def run(
    units: Sequence[Unit],
    *,
    factory: Factory,
    journal: Journal,
    listener: Listener | None = None,
    headers: Path | None = None,
) -> list[Problem]:
    """Run units; the journal records the result of each.

    Args:
        units: in any order; the largest start first, and a unit that needs others waits for them. Of the last ones,
            those that can be divided give work to all workers.
        factory: creates an executor; called again when one breaks.
        journal: written by this process only.
        listener: receives progress.
        headers: folder in which the headers of remote files are kept, by workers on this machine.

    Returns:
        A problem for every unit that failed.

    Raises:
        DiskFullError: no space is left; finished units are in the journal, and the next run continues.
        BudgetError: the budget of a host does not suffice for another unit; likewise.
    """
    state = _UnitRun(units, journal, listener or Silent(), headers)
    while state.waiting and not state.spent:
        with factory() as executor:
            state.drain(executor)
    for task in state.given_up:
        task.discard()
    if state.spent:
        raise BudgetError(state.rations.words())
    return state.problems
