"""The journal of a download: an append-only file in the destination, one JSON line per file.

A line is written only after its file is complete and flushed under its final name. An incomplete last line (the process
died while writing it) is dropped. The first line names the corpus of the destination.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from landloom.errors import ForeignCorpusError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

STATE: Final = ".landloom"
"""Folder of local state in a destination."""
JOURNAL: Final = "download.jsonl"
"""Name of the journal within it."""
_FIELDS: Final = {"path", "size", "sha256"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One finished file."""

    path: str
    """Path relative to the destination."""
    size: int
    """Size in bytes."""
    sha256: str
    """SHA-256 of the bytes written."""


@dataclass(frozen=True, slots=True)
class DownloadJournal:
    """The journal of a destination.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     journal = DownloadJournal(Path(folder))
        ...     journal.begin("demo 1.0")
        ...     journal.append([Record(path="a.tif", size=3, sha256="00")])
        ...     list(journal.read())
        ['a.tif']
    """

    destination: Path
    """Folder of the download."""

    @property
    def path(self) -> Path:
        """Path of the journal."""
        return self.destination / STATE / JOURNAL

    def read(self) -> dict[str, Record]:
        """Finished files by path; a later line of a path replaces an earlier one."""
        records: dict[str, Record] = {}
        for line in self._lines():
            if set(line) == _FIELDS:
                path = str(line["path"])
                records[path] = Record(path=path, size=int(line["size"]), sha256=str(line["sha256"]))
        return records

    def corpus(self) -> str | None:
        """Name and version of the corpus in the destination; None for a new destination."""
        return next((str(line["corpus"]) for line in self._lines() if "corpus" in line), None)

    def _lines(self) -> Iterable[dict[str, str | int]]:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        for line in data.split(b"\n")[:-1]:  # text after the last line feed is incomplete
            if _is_entry(line):
                yield json.loads(line)

    def damaged(self) -> list[int]:
        """Numbers of lines that say nothing: the journal was damaged, or edited."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        whole = enumerate(lines[:-1], start=1)
        return [number for number, line in whole if not _is_entry(line)]

    def begin(self, corpus: str) -> None:
        """Prepare for appending; an incomplete line at the end is removed.

        Args:
            corpus: name and version.

        Raises:
            ForeignCorpusError: the destination contains another corpus.
        """
        held = self.corpus()
        if held is not None and held != corpus:
            raise ForeignCorpusError(f"{self.destination} contains {held}, expected {corpus} or an empty folder")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            if held is None:
                file.write(json.dumps({"corpus": corpus}).encode() + b"\n")

    def append(self, records: Iterable[Record]) -> None:
        """Append finished files and flush them to disk."""
        lines = [
            json.dumps({"path": item.path, "size": item.size, "sha256": item.sha256}, separators=(",", ":"))
            for item in records
        ]
        with self.path.open("ab") as file:
            file.write(("\n".join(lines) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())


def _is_entry(line: bytes) -> bool:
    """Whether a line is one that a journal holds."""
    try:
        found = json.loads(line)
    except ValueError:
        return False
    if not isinstance(found, dict):
        return False
    return set(found) == {"corpus"} or (set(found) == _FIELDS and isinstance(found["size"], int))
