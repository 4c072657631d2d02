"""Bulk download: only what is missing, never a wrong file under a final name.

A file is received into `.landloom/parts`, its length and digest are checked, and it is renamed. Files are flushed to
the disk in batches before they are renamed, and journalled after. So a final name always means a whole file, a journal
line always means a flushed one, and a second run needs no request for a file that is already there.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import queue
import shutil
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import FaultError, PermanentFaultError, Problem, StoreError, TransientFaultError
from landloom.query.destination import Places, check_space
from landloom.query.journal import STATE, Journal, Record
from landloom.query.pace import Pace
from landloom.query.transfer import Patience, Received, fetch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from landloom.query.destination import Plan, Wanted

_BATCH: Final = 1_024
_SECONDS: Final = 2.0
_FOLDERS: Final = 16
_AHEAD: Final = 4_096
"""Files that may be under way or wait to be flushed, so that transfers go on while a batch is flushed."""
_MOST: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a download did."""

    fetched: int
    """Files that came."""
    bytes: int
    """Bytes of them."""
    present: int
    """Files that were there before."""
    failed: tuple[Problem, ...] = ()
    """Files that did not come, and why."""
    seconds: float = 0.0
    """How long it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Progress, for a bar."""

    files: int
    """Finished so far."""
    bytes: int
    """Received so far."""
    total: int
    """Files to finish."""
    at_once: int
    """Transfers at once, just now."""


@contextmanager
def _locked(destination: Path) -> Iterator[Path]:
    """The folder of parts, empty, for this process alone."""
    state = destination / STATE
    state.mkdir(parents=True, exist_ok=True)
    with (state / "download.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreError(f"another download is writing to {destination}") from error
        parts = state / "parts"
        shutil.rmtree(parts, ignore_errors=True)
        for number in range(_FOLDERS):
            (parts / str(number)).mkdir(parents=True)
        try:
            yield parts
        finally:
            shutil.rmtree(parts, ignore_errors=True)


@dataclass(slots=True, kw_only=True)
class _Done:
    wanted: Wanted
    part: Path
    received: Received


@dataclass(slots=True, kw_only=True)
class _Run:
    """The state that threads share."""

    plan: Plan
    store: Any
    base: str
    parts: Path
    patience: Patience
    pace: Pace
    finished: queue.SimpleQueue[_Done | Problem | BaseException] = field(default_factory=queue.SimpleQueue)
    stop: threading.Event = field(default_factory=threading.Event)

    def fetch(self, number: int, wanted: Wanted) -> None:
        """Receive and check one file; what came of it goes into the queue."""
        part = self.parts / str(number % _FOLDERS) / f"{number}.part"
        try:
            with self.pace:
                if self.stop.is_set():
                    return
                received = self._checked(wanted, part)
            if received.busy:
                self.pace.slow_down()
            self.pace.finished()
            self.finished.put(_Done(wanted=wanted, part=part, received=received))
        except FaultError as error:
            part.unlink(missing_ok=True)
            self.finished.put(Problem(where=wanted.path, what=str(error)))
        except Exception as error:  # noqa: BLE001 - handed to the coordinator, which raises it
            self.stop.set()
            self.finished.put(error)

    def _checked(self, wanted: Wanted, part: Path) -> Received:
        for last in (False, True):
            received = fetch(self.store, wanted.path, part, base=self.base, patience=self.patience, stop=self.stop)
            length = wanted.size in (None, received.size)
            if length and wanted.sha256 in (None, received.sha256):
                return received
            what = (
                f"{received.size} bytes, wanted {wanted.size}" if not length else "a digest other than the manifest's"
            )
            if last:
                raise PermanentFaultError(f"got {what}, twice")
        raise TransientFaultError("unreachable")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_all(paths: Sequence[Path], folder: Path) -> None:
    """Flush files to the disk: all of the file system at once where there is such a call, else one by one.

    Raises:
        OSError: the disk did not take them.
    """
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None) if sys.platform == "linux" else None
    if syncfs is None:
        for path in paths:
            _flush(path)
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(folder))
    finally:
        os.close(descriptor)


def _commit(batch: Sequence[_Done], destination: Path, journal: Journal) -> None:
    """Flush, rename, write the journal; in this order.

    A line whose rename the disk forgot does no harm: a plan looks at lengths on the disk too.
    """
    _flush_all([item.part for item in batch], destination)
    folders: set[Path] = set()
    for item in batch:
        target = destination / item.wanted.path
        if target.parent not in folders:
            target.parent.mkdir(parents=True, exist_ok=True)
            folders.add(target.parent)
        os.replace(item.part, target)  # noqa: PTH105 - a quarter of the time of Path.replace
    journal.append(
        Record(path=item.wanted.path, size=item.received.size, sha256=item.received.sha256) for item in batch
    )


def download(
    plan: Plan,
    store: Any,
    *,
    corpus: str,
    base: str = "",
    patience: Patience | None = None,
    pace: Pace | None = None,
    progress: Callable[[Step], None] | None = None,
) -> Report:
    """Fetch what a plan misses.

    Args:
        plan: from `plan_download`.
        store: of obstore, see `transfer_store`.
        corpus: name and version, which the destination remembers.
        base: address of the store.
        patience: how long to go on with one file.
        pace: how many at once.
        progress: told after each batch.

    Returns:
        What came, and what did not.

    Raises:
        StoreError: no space, another download at work, or the disk cannot be written; what came before is kept.
        ForeignCorpusError: the destination holds another corpus.
    """
    began = time.monotonic()
    check_space(plan)
    places = Places(plan.destination)
    for item in plan.missing:
        places.of(item.path)
    journal = Journal(plan.destination)
    with _locked(plan.destination) as parts:
        journal.begin(corpus)
        run = _Run(plan=plan, store=store, base=base, parts=parts, patience=patience or Patience(), pace=pace or Pace())
        try:
            files, size, failed = _work(run, journal, progress)
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            what = "no space left" if error.errno in (errno.ENOSPC, errno.EDQUOT) else str(error)
            raise StoreError(f"cannot write to {plan.destination}: {what}; run again to go on") from error
    return Report(
        fetched=files, bytes=size, present=plan.present, failed=tuple(failed), seconds=time.monotonic() - began
    )


def _work(run: _Run, journal: Journal, progress: Callable[[Step], None] | None) -> tuple[int, int, list[Problem]]:
    files = size = 0
    failed: list[Problem] = []
    waiting = iter(enumerate(run.plan.missing))
    with ThreadPoolExecutor(_MOST) as workers:
        try:
            open_tasks = _submit(run, workers, waiting, _AHEAD)
            while open_tasks:
                batch, problems = _gather(run, open_tasks)
                failed += problems
                if batch:
                    _commit(batch, run.plan.destination, journal)
                files += len(batch)
                size += sum(item.received.size for item in batch)
                closed = len(batch) + len(problems)
                open_tasks += _submit(run, workers, waiting, closed) - closed
                if progress is not None:
                    progress(
                        Step(files=files + len(failed), bytes=size, total=len(run.plan.missing), at_once=run.pace.limit)
                    )
        except BaseException:
            run.stop.set()
            workers.shutdown(wait=True, cancel_futures=True)
            raise
    return files, size, failed


def _submit(run: _Run, workers: ThreadPoolExecutor, waiting: Iterator[tuple[int, Wanted]], count: int) -> int:
    started: list[Future[None]] = []
    for _ in range(count):
        task = next(waiting, None)
        if task is None:
            break
        started.append(workers.submit(run.fetch, *task))
    return len(started)


def _gather(run: _Run, open_tasks: int) -> tuple[list[_Done], list[Problem]]:
    """What has finished: a batch, or less after some seconds."""
    batch: list[_Done] = []
    problems: list[Problem] = []
    until = time.monotonic() + _SECONDS
    while len(batch) + len(problems) < min(_BATCH, open_tasks):
        try:
            item = run.finished.get(timeout=max(until - time.monotonic(), 0.01))
        except queue.Empty:
            if batch or problems:
                break
            until = time.monotonic() + _SECONDS
            continue
        if isinstance(item, BaseException):
            raise item
        if isinstance(item, Problem):
            problems.append(item)
        else:
            batch.append(item)
    return batch, problems


def transfer_store(uri: str) -> Any:
    """The obstore store behind an address, with its own retries off; credentials come from the environment.

    Args:
        uri: `https://…`, `s3://…`, `az://…`, `gs://…`, or a local folder.

    Raises:
        InvalidInputError: another scheme.
    """
    from landloom.query.stores import open_transfer_store

    return open_transfer_store(uri)
