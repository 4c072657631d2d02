"""Bulk download of missing files; a file under its final name is always correct.

A file is received into `.landloom/parts`, its size and digest are checked, and it is renamed. Files are flushed to disk
in batches before they are renamed, and added to the journal after that. So a final name always means a complete file, a
journal line always means a flushed file, and a second run needs no request for existing files.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import FaultError, PermanentFaultError, Problem, StoreError, TransientFaultError
from landloom.query.transfer.concurrency import Concurrency
from landloom.query.transfer.destination import LocalPaths, check_space
from landloom.query.transfer.download_journal import STATE, DownloadJournal, Record
from landloom.query.transfer.file import PATIENCE, Received, fetch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from landloom.query.transfer.destination import DownloadPlan, Wanted
    from landloom.store.patience import Patience

_BATCH: Final = 1_024
_SECONDS: Final = 2.0
_FOLDERS: Final = 16
_AHEAD: Final = 4_096
"""Files in transfer or waiting for a flush, so that transfers continue while a batch is flushed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Result of a download."""

    fetched: int
    """Number of files downloaded."""
    bytes: int
    """Their size in bytes."""
    present: int
    """Number of files already present."""
    failed: tuple[Problem, ...] = ()
    """Failed files, with reasons."""
    seconds: float = 0.0
    """Duration in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadProgress:
    """Progress, for a progress bar."""

    files: int
    """Number of files finished."""
    bytes: int
    """Bytes received."""
    total: int
    """Number of files to finish."""
    at_once: int
    """Current number of concurrent transfers."""


@contextmanager
def _locked(destination: Path) -> Iterator[Path]:
    """The folder of parts, emptied and locked for this process."""
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
    part: str
    received: Received


@dataclass(slots=True, kw_only=True)
class _DownloadRun:
    """State shared by threads: workers take files and deliver results, a coordinator collects them."""

    plan: DownloadPlan
    store: Any
    base: str
    parts: Path
    patience: Patience
    concurrency: Concurrency
    waiting: Iterator[tuple[int, Wanted]] = field(init=False)
    done: list[_Done] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    broken: list[BaseException] = field(default_factory=list)
    taken: int = 0
    """Number of files taken."""
    closed: int = 0
    """Number of files flushed or failed."""
    change: threading.Condition = field(default_factory=threading.Condition)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.waiting = iter(enumerate(self.plan.missing))

    def work(self, worker: int) -> None:
        """Download files until there are none; an error that concerns more than one file ends the run."""
        try:
            while not self.stop.is_set():
                self.concurrency.admit(worker, self.stop)
                task = self._take()
                if task is None:
                    return
                self._fetch(*task)
        except Exception as error:  # noqa: BLE001 - handed to the coordinator, which raises it
            with self.change:
                self.broken.append(error)
                self.change.notify_all()

    def _take(self) -> tuple[int, Wanted] | None:
        with self.change:
            while self.taken - self.closed >= _AHEAD and not self.stop.is_set():
                self.change.wait()
            task = None if self.stop.is_set() else next(self.waiting, None)
            self.taken += task is not None
            return task

    def _fetch(self, number: int, wanted: Wanted) -> None:
        """Receive and check one file."""
        part = f"{self.parts}/{number % _FOLDERS}/{number}.part"
        try:
            received = self._checked(wanted, part)
        except FaultError as error:
            Path(part).unlink(missing_ok=True)
            with self.change:
                self.problems.append(Problem(where=wanted.path, what=str(error)))
                self.change.notify_all()
            return
        if received.busy:
            self.concurrency.slow_down()
        self.concurrency.finished()
        with self.change:
            self.done.append(_Done(wanted=wanted, part=part, received=received))
            if len(self.done) == _BATCH or self.taken == len(self.plan.missing):
                self.change.notify_all()

    def _checked(self, wanted: Wanted, part: str) -> Received:
        for last in (False, True):
            received = fetch(
                self.store,
                wanted.path,
                part,
                base=self.base,
                size=wanted.size,
                proved=wanted.sha256 is not None,
                patience=self.patience,
                stop=self.stop,
            )
            length = wanted.size in (None, received.size)
            if length and wanted.sha256 in (None, received.sha256):
                return received
            what = (
                f"{received.size} bytes, expected {wanted.size}" if not length else "a digest other than the manifest's"
            )
            if last:
                raise PermanentFaultError(f"got {what}, twice")
        raise TransientFaultError("unreachable")

    def gather(self) -> tuple[list[_Done], list[Problem]]:
        """A batch of finished files, or fewer after some seconds or at the end."""
        with self.change:
            most = len(self.plan.missing) - self.closed
            self.change.wait_for(
                lambda: self.broken or len(self.done) + len(self.problems) >= min(_BATCH, most), _SECONDS
            )
            if self.broken:
                raise self.broken[0]
            batch, self.done = self.done, []
            problems, self.problems = self.problems, []
        return batch, problems

    def close(self, files: int) -> None:
        """Count files that need no more work, so that workers may go further ahead."""
        with self.change:
            self.closed += files
            self.change.notify_all()

    def end(self) -> None:
        """Tell every worker to stop as soon as possible."""
        self.concurrency.release(self.stop)
        with self.change:
            self.change.notify_all()


def _flush(path: str | Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_all(paths: Sequence[str], folder: Path) -> None:
    """Flush files to disk: the whole file system at once if there is such a call, else one by one.

    Raises:
        OSError: they cannot be written.
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


def _commit(batch: Sequence[_Done], destination: Path, journal: DownloadJournal) -> None:
    """Flush, rename, write the journal; in this order.

    A line whose rename was lost does no harm: a plan also checks sizes on disk.
    """
    _flush_all([item.part for item in batch], destination)
    folders: set[str] = set()
    for item in batch:
        target = f"{destination}/{item.wanted.path}"
        folder = target.rpartition("/")[0]
        if folder not in folders:
            Path(folder).mkdir(parents=True, exist_ok=True)
            folders.add(folder)
        os.replace(item.part, target)  # noqa: PTH105 - a quarter of the time of Path.replace
    journal.append(
        Record(path=item.wanted.path, size=item.received.size, sha256=item.received.sha256) for item in batch
    )


def download(
    plan: DownloadPlan,
    store: Any,
    *,
    corpus: str,
    base: str = "",
    patience: Patience | None = None,
    concurrency: Concurrency | None = None,
    progress: Callable[[DownloadProgress], None] | None = None,
) -> Report:
    """Download the missing files of a plan.

    Args:
        plan: from `plan_download`.
        store: an obstore store, see `landloom.query.transfer.stores.open_transfer_store`.
        corpus: name and version, recorded in the destination.
        base: address of the store.
        patience: retry policy of a file.
        concurrency: number of concurrent transfers.
        progress: called after each batch.

    Returns:
        Downloaded and failed files.

    Raises:
        StoreError: no space, another running download, or the disk cannot be written; finished files are kept.
        ForeignCorpusError: the destination contains another corpus.
    """
    began = time.monotonic()
    check_space(plan)
    paths = LocalPaths(plan.destination)
    for item in plan.missing:
        paths.of(item.path)
    journal = DownloadJournal(plan.destination)
    with _locked(plan.destination) as parts:
        journal.begin(corpus)
        run = _DownloadRun(
            plan=plan,
            store=store,
            base=base,
            parts=parts,
            patience=patience or PATIENCE,
            concurrency=concurrency or Concurrency(),
        )
        try:
            files, size, failed = _work(run, journal, progress)
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            what = "no space left" if error.errno in (errno.ENOSPC, errno.EDQUOT) else str(error)
            raise StoreError(f"cannot write to {plan.destination}: {what}; run again to continue") from error
    return Report(
        fetched=files,
        bytes=size,
        present=plan.present,
        failed=(*plan.refused, *failed),
        seconds=time.monotonic() - began,
    )


def _work(
    run: _DownloadRun, journal: DownloadJournal, progress: Callable[[DownloadProgress], None] | None
) -> tuple[int, int, list[Problem]]:
    size, total = 0, len(run.plan.missing)
    failed: list[Problem] = []
    count = min(run.concurrency.most, total)
    workers = [threading.Thread(target=run.work, args=(n,), name=f"transfer-{n}", daemon=True) for n in range(count)]
    for worker in workers:
        worker.start()
    try:
        while run.closed < total:
            batch, problems = run.gather()
            failed += problems
            if batch:
                _commit(batch, run.plan.destination, journal)
            size += sum(item.received.size for item in batch)
            run.close(len(batch) + len(problems))
            if progress is not None:
                progress(DownloadProgress(files=run.closed, bytes=size, total=total, at_once=run.concurrency.limit))
    finally:
        run.end()
        for worker in workers:
            worker.join()
    return total - len(failed), size, failed
