"""The destination of a download on local disk: paths, missing files, wrong files."""

from __future__ import annotations

import hashlib
import shutil
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from landloom.errors import CorpusError, Problem, StoreError
from landloom.model.keys import refused_keys
from landloom.query.transfer.download_journal import JOURNAL, STATE, DownloadJournal, Record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_RESERVE: Final = 64 << 20
"""Bytes that should remain free on the disk."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Wanted:
    """One file to download."""

    path: str
    """Path relative to the corpus, and to the destination."""
    size: int | None = None
    """Size in bytes, if a manifest gives it."""
    sha256: str | None = None
    """SHA-256, if a manifest gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadPlan:
    """The plan of a download."""

    destination: Path
    """Folder on local disk."""
    missing: tuple[Wanted, ...]
    """Files to download."""
    present: int
    """Files that are already there."""
    refused: tuple[Problem, ...] = ()
    """Names that are no name for a file here, and why; none of them is fetched."""

    @property
    def known_bytes(self) -> int:
        """Bytes to download for files of known size."""
        return sum(item.size or 0 for item in self.missing)

    @property
    def unknown_sizes(self) -> int:
        """Number of files to download with unknown size."""
        return sum(item.size is None for item in self.missing)


class LocalPaths:
    """Paths below a destination; each folder is resolved once.

    Args:
        destination: folder on local disk.

    Example:
        >>> from pathlib import Path
        >>> LocalPaths(Path("/data")).of("imagery/a.tif").as_posix()
        '/data/imagery/a.tif'
    """

    def __init__(self, destination: Path) -> None:
        self._destination = destination
        self._root = destination.resolve()
        self._folders: dict[str, Path] = {}

    def of(self, path: str) -> Path:
        """Path of a file.

        Raises:
            StoreError: the path is no name for a file here, or a link within the destination leads outside of it.
        """
        refused = refused_keys([path])
        if refused:
            raise StoreError(refused[path])
        return self.accepted(path)

    def accepted(self, path: str) -> Path:
        """Where a file goes whose name was checked already.

        Raises:
            StoreError: a link within the destination leads outside of it.
        """
        folder, _, name = path.rpartition("/")
        if folder not in self._folders:
            self._folders[folder] = self._checked(path, folder)
        return self._folders[folder] / name

    def _checked(self, path: str, folder: str) -> Path:
        target = self._destination / folder
        existing = target
        while not existing.exists():
            existing = existing.parent
        real = existing.resolve()
        if self._destination.exists() and real != self._root and self._root not in real.parents:
            raise StoreError(f"got path {path!r}, which leads outside {self._destination} through a link")
        return target


def plan_download(files: Iterable[Wanted], destination: Path) -> DownloadPlan:
    """Missing files: not in the journal, or deleted or changed in size on disk.

    Names come from manifests, links and indexes that others wrote: each is held to the rule of `landloom.model.keys`,
    and one that is refused costs itself alone.

    A file that is there without a journal line (the process died between rename and line) counts where a manifest knows
    its digest and it has it.

    Args:
        files: all expected files.
        destination: folder.

    Raises:
        StoreError: a link within the destination leads outside of it.
    """
    done, paths = DownloadJournal(destination).read(), LocalPaths(destination)
    missing: list[Wanted] = []
    found: list[Record] = []
    present = 0
    listed = sorted(set(files), key=lambda item: (item.path, item.size or 0, item.sha256 or ""))
    refused = refused_keys(item.path for item in listed)
    for item in listed:
        if item.path in refused:
            continue
        target = paths.accepted(item.path)
        record = done.get(item.path)
        length = _length(target)
        if length is not None and record is not None and record.size == length and _agrees(record, item):
            present += 1
        elif length is not None and record is None and length == item.size and _digest(target) == item.sha256:
            found.append(Record(path=item.path, size=length, sha256=str(item.sha256)))
            present += 1
        else:
            missing.append(item)
    if found and DownloadJournal(destination).corpus() is not None:
        DownloadJournal(destination).append(found)
    return DownloadPlan(
        destination=destination,
        missing=tuple(missing),
        present=present,
        refused=tuple(Problem(where=path, what=why) for path, why in refused.items()),
    )


def _agrees(record: Record, item: Wanted) -> bool:
    return item.sha256 in (None, record.sha256) and item.size in (None, record.size)


def _length(path: Path) -> int | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_space(plan: DownloadPlan, expected: int | None = None) -> None:
    """Refuse a download that does not fit on the disk.

    Args:
        plan: plan of the download.
        expected: estimated bytes, if the plan does not know all sizes.

    Raises:
        StoreError: too little space; the message has both numbers.
    """
    folder = plan.destination
    while not folder.exists():
        folder = folder.parent
    free, needed = shutil.disk_usage(folder).free, expected if expected is not None else plan.known_bytes
    if needed + _RESERVE > free:
        raise StoreError(f"{plan.destination}: got {free:,} bytes free, expected {needed:,} and a reserve")


def verify(destination: Path, *, digests: bool = True) -> list[Problem]:
    """Compare the files of a download with its journal.

    Args:
        destination: folder.
        digests: read every file; else only sizes are compared.

    Returns:
        A problem for each file that is missing or changed, and for each line of the journal that says nothing.

    Raises:
        CorpusError: nothing was downloaded to that folder.
    """
    journal = DownloadJournal(destination)
    records, damaged = journal.read(), journal.damaged()
    if not records and not damaged:
        raise CorpusError(f"{destination}: nothing was downloaded there, so there is nothing to compare")
    problems = [Problem(where=f"{STATE}/{JOURNAL}", what=f"line {number} is damaged") for number in damaged]
    paths = LocalPaths(destination)
    for record in sorted(records.values(), key=lambda item: item.path):
        path = paths.of(record.path)
        if not path.is_file():
            problems.append(Problem(where=record.path, what="is gone"))
        elif path.stat().st_size != record.size:
            what = f"got {path.stat().st_size} bytes, expected {record.size}"
            problems.append(Problem(where=record.path, what=what))
        elif digests and _digest(path) != record.sha256:
            problems.append(Problem(where=record.path, what="got another digest than when it was downloaded"))
    return problems


def plan_repair(destination: Path) -> DownloadPlan:
    """A plan that downloads again the files that `verify` reports; the wrong files are moved aside first.

    Args:
        destination: folder.
    """
    journal = DownloadJournal(destination)
    records = journal.read()
    wrong = [problem.where for problem in verify(destination) if problem.where in records]
    paths = LocalPaths(destination)
    for path in wrong:
        paths.of(path).unlink(missing_ok=True)
    missing = tuple(Wanted(path=path, size=records[path].size, sha256=records[path].sha256) for path in wrong)
    return DownloadPlan(destination=destination, missing=missing, present=len(records) - len(wrong))


def diff(files: Iterable[Wanted], destination: Path) -> tuple[list[str], list[str]]:
    """Missing files of an expected set, and additional files in the journal.

    Args:
        files: all expected files.
        destination: folder.

    Returns:
        Missing paths and extra paths, sorted.
    """
    wanted = list(files)
    plan = plan_download(wanted, destination)
    names = {item.path for item in wanted}
    return [item.path for item in plan.missing], sorted(set(DownloadJournal(destination).read()) - names)
