"""Bulk download: only what is missing, never a wrong file under a final name.

A file is received into `.landloom/parts`, its length and digest are checked, and it is renamed. Files are flushed to
the disk in batches before they are renamed, and journalled after. So a final name always means a whole file, a journal
line always means a flushed one, and a second run needs no request for a file that is already there.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import queue
import shutil
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import FaultError, PermanentFaultError, Problem, StoreError, TransientFaultError
from landloom.query.journal import STATE, Journal, Record
from landloom.query.pace import Pace
from landloom.query.transfer import Patience, Received, fetch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

_BATCH: Final = 256
_SECONDS: Final = 2.0
_FLUSHERS: Final = 8
_MOST: Final = 128
_RESERVE: Final = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Wanted:
    """One file to have."""

    path: str
    """Relative to the corpus, and to the destination."""
    size: int | None = None
    """Bytes, where a manifest says."""
    sha256: str | None = None
    """Digest, where a manifest says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a download would do."""

    destination: Path
    """Folder on local disk."""
    missing: tuple[Wanted, ...]
    """Files to fetch."""
    present: int
    """Files that are already there."""

    @property
    def known_bytes(self) -> int:
        """Bytes to fetch of those files whose size is known."""
        return sum(item.size or 0 for item in self.missing)

    @property
    def unknown_sizes(self) -> int:
        """Number of files to fetch whose size is not known."""
        return sum(item.size is None for item in self.missing)


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


def local_path(destination: Path, path: str) -> Path:
    """Where a file goes.

    Raises:
        StoreError: the path, or a link within the destination, leads outside of it.

    Example:
        >>> from pathlib import Path
        >>> local_path(Path("/data"), "imagery/a.tif").as_posix()
        '/data/imagery/a.tif'
    """
    from landloom.store.protocol import check_key

    check_key(path)
    if path.split("/", 1)[0] == STATE:
        raise StoreError(f"got path {path!r}, which is kept for local state")
    target = destination / path
    existing = target.parent
    while not existing.exists():
        existing = existing.parent
    root = destination.resolve()
    if existing.resolve() != root and root not in existing.resolve().parents and destination.exists():
        raise StoreError(f"got path {path!r}, which leads outside {destination} through a link")
    return target


def plan_download(files: Iterable[Wanted], destination: Path) -> Plan:
    """Which files are missing: not in the journal, or gone or changed in length on the disk.

    A file that is there without a journal line (the process died between rename and line) counts where a manifest knows
    its digest and it has it.

    Args:
        files: all that should be there.
        destination: folder.

    Raises:
        StoreError: a path leads outside the destination.
    """
    done = Journal(destination).read()
    missing: list[Wanted] = []
    found: list[Record] = []
    present = 0
    for item in sorted(set(files)):
        target = local_path(destination, item.path)
        record = done.get(item.path)
        length = target.stat().st_size if target.is_file() else None
        if length is not None and record is not None and record.size == length and _agrees(record, item):
            present += 1
        elif length is not None and record is None and length == item.size and _digest(target) == item.sha256:
            found.append(Record(path=item.path, size=length, sha256=str(item.sha256)))
            present += 1
        else:
            missing.append(item)
    if found and Journal(destination).corpus() is not None:
        Journal(destination).append(found)
    return Plan(destination=destination, missing=tuple(missing), present=present)


def _agrees(record: Record, item: Wanted) -> bool:
    return item.sha256 in (None, record.sha256) and item.size in (None, record.size)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_space(plan: Plan, expected: int | None = None) -> None:
    """Refuse a download that cannot fit.

    Args:
        plan: what is to come.
        expected: bytes, where an estimate knows better than the plan.

    Raises:
        StoreError: too little space; both numbers are named.
    """
    folder = plan.destination
    while not folder.exists():
        folder = folder.parent
    free, needed = shutil.disk_usage(folder).free, expected if expected is not None else plan.known_bytes
    if needed + _RESERVE > free:
        raise StoreError(f"{plan.destination}: got {free:,} bytes free, wanted {needed:,} and a reserve")


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
        parts.mkdir()
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
        part = self.parts / f"{number}.part"
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


def _commit(batch: Sequence[_Done], destination: Path, journal: Journal, pool: ThreadPoolExecutor) -> None:
    """Flush, rename, flush the folders, write the journal; in this order."""
    list(pool.map(_flush, [item.part for item in batch]))
    folders = set()
    for item in batch:
        target = destination / item.wanted.path
        if target.parent not in folders:
            target.parent.mkdir(parents=True, exist_ok=True)
            folders.add(target.parent)
        item.part.replace(target)
    list(pool.map(_flush, folders))
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
    for item in plan.missing:
        local_path(plan.destination, item.path)
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
    with ThreadPoolExecutor(_MOST) as workers, ThreadPoolExecutor(_FLUSHERS) as flushers:
        try:
            open_tasks = _submit(run, workers, waiting, 4 * _MOST)
            while open_tasks:
                batch, problems = _gather(run, open_tasks)
                failed += problems
                if batch:
                    _commit(batch, run.plan.destination, journal, flushers)
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


def verify(destination: Path, *, digests: bool = True) -> list[Problem]:
    """Compare the files of a download with its journal.

    Args:
        destination: folder.
        digests: read every file; else only lengths are compared.

    Returns:
        A problem for each file that is gone or changed.
    """
    problems: list[Problem] = []
    for record in sorted(Journal(destination).read().values(), key=lambda item: item.path):
        path = local_path(destination, record.path)
        if not path.is_file():
            problems.append(Problem(where=record.path, what="is gone"))
        elif path.stat().st_size != record.size:
            what = f"got {path.stat().st_size} bytes, wanted {record.size}"
            problems.append(Problem(where=record.path, what=what))
        elif digests and _digest(path) != record.sha256:
            problems.append(Problem(where=record.path, what="got another digest than when it came"))
    return problems


def plan_repair(destination: Path) -> Plan:
    """A plan that fetches again what `verify` finds wrong; the wrong files are set aside first.

    Args:
        destination: folder.
    """
    journal = Journal(destination)
    records = journal.read()
    wrong = [problem.where for problem in verify(destination)]
    for path in wrong:
        local_path(destination, path).unlink(missing_ok=True)
    missing = tuple(Wanted(path=path, size=records[path].size, sha256=records[path].sha256) for path in wrong)
    return Plan(destination=destination, missing=missing, present=len(records) - len(wrong))


def diff(files: Iterable[Wanted], destination: Path) -> tuple[list[str], list[str]]:
    """What is missing of some files, and what the journal has beyond them.

    Args:
        files: all that should be there.
        destination: folder.

    Returns:
        Missing paths and extra paths, sorted.
    """
    wanted = list(files)
    plan = plan_download(wanted, destination)
    names = {item.path for item in wanted}
    return [item.path for item in plan.missing], sorted(set(Journal(destination).read()) - names)
