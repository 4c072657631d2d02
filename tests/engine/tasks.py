"""Tasks that tests of the engine run: they compute, fail, die, or wait for one another."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from landloom.corpus.manifest import FileEntry
from landloom.engine.units import Note, NoteKind, Outcome, Unit
from landloom.errors import DiskFullError, MissingKeyError, PermanentFaultError
from landloom.store.href_documents import HrefDocuments
from landloom.store.patience import Patience
from landloom.store.ranges import open_source
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landloom.engine.units import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """Says how large a file of its number squared would be."""

    number: int

    def run(self) -> Outcome:
        return Outcome(files=(FileEntry.of(f"{self.number}", b"x" * self.number**2),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    def run(self) -> Outcome:
        raise PermanentFaultError("scene.tif: 404")


class HandleError(OSError):
    """An error of a library that cannot travel: it holds a lock."""

    def __init__(self) -> None:
        super().__init__("closed")
        self.lock = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """Reads a document from a server."""

    href: str

    def run(self) -> Outcome:
        try:
            HrefDocuments(Patience(attempts=2, first_wait=0)).read(self.href)
        except MissingKeyError as error:
            raise PermanentFaultError(str(error)) from error
        return Outcome(files=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Chained:
    def run(self) -> Outcome:
        raise PermanentFaultError("scene.tif: closed") from HandleError()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    def run(self) -> Outcome:
        raise KeyError("a bug in the code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    def run(self) -> Outcome:
        raise DiskFullError("no space left")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dies:
    marker: str
    """A file that exists once the worker has died; empty to die each time."""

    def run(self) -> Outcome:
        if not self.marker or not Path(self.marker).exists():
            if self.marker:
                Path(self.marker).touch()
            os._exit(9)
        return Outcome(files=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlives:
    """Notes that it runs, and waits until another worker has died."""

    log: str
    marker: str

    def run(self) -> Outcome:
        with Path(self.log).open("a") as file:
            file.write("ran\n")
        while not Path(self.marker).exists():
            time.sleep(0.01)
        time.sleep(0.2)  # until the pool has noticed
        return Outcome(files=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Adds one to the largest number that the files it needs hold; a file that is missing is a bug."""

    folder: str
    name: str
    reads: tuple[str, ...] = ()

    def run(self) -> Outcome:
        depth = 1 + max((int((Path(self.folder) / one).read_text()) for one in self.reads), default=0)
        (Path(self.folder) / self.name).write_text(str(depth))
        return Outcome(files=(FileEntry.of(self.name, str(depth).encode()),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Says how many parts it has joined, in which order."""

    notes: tuple[str, ...]

    def run(self) -> Outcome:
        file = FileEntry.of("joined", b"")
        return Outcome(files=(file,), notes=tuple(Note(kind=NoteKind.ODD, what=what) for what in self.notes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Divided:
    """A task whose parts are others; each notes what it has made."""

    pieces: tuple[Task, ...]
    marker: str = ""
    """A file that is written once what parts have left is discarded."""

    def run(self) -> Outcome:
        return self.joined([replace(piece.run(), files=()) for piece in self.pieces]).run()

    def parts(self) -> tuple[Task, ...]:
        return self.pieces

    def joined(self, outcomes: Sequence[Outcome]) -> Joined:
        assert not any(one.files for one in outcomes)
        return Joined(notes=tuple(note.what for one in outcomes for note in one.notes))

    def discard(self) -> None:
        Path(self.marker).touch()


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A part that notes its name."""

    name: str

    def run(self) -> Outcome:
        note = Note(kind=NoteKind.ODD, what=self.name)
        return Outcome(files=(FileEntry.of(self.name, b""),), notes=(note,))


def unit(product: str, task: Task | None = None, *, tile: str = "33N_16E-243N", **rest: Any) -> Unit:
    """A unit of a product kind that there is none of."""
    said: dict[str, Any] = {"kind": "made up", "key": "k", "memory": 0, "task": task} | rest
    return Unit(product=product, tile=tile, **said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """Reads a pixel in the last block of a raster; its value is the size of the file that it says to have made."""

    href: str

    def run(self) -> Outcome:
        with open_raster(self.href) as raster:
            rows, columns = raster.grid.shape
            value = int(raster.read(raster.grid.window(rows - 1, columns - 1, 1, 1))[0, 0])
        return Outcome(files=(FileEntry(path="pixel", size=value, sha256="0" * 64),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Reads a file of a server in parts of 64 KiB, several at a time."""

    href: str

    def run(self) -> Outcome:
        source = open_source(self.href)
        spans = [(start, start + 2**16) for start in range(0, source.size, 2**16)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda span: source.part(*span), spans))
        return Outcome(files=())
