"""The build context: target and resources of a build; stages skip units that are done and whose inputs are the same."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections import OrderedDict
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

from landloom.corpus.layout import BEGUN, PARTS
from landloom.engine.executors import inline
from landloom.engine.journal import Journal
from landloom.engine.place import HEADERS, JOURNAL, SHARDS, Copied, Place
from landloom.engine.run import Silent, run
from landloom.engine.shards import begun_shards
from landloom.errors import CorpusError, InvalidInputError, LandloomError, Problem, StoreError
from landloom.model.address import is_remote
from landloom.store.inputs import changed
from landloom.store.local import LocalStore
from landloom.store.network.headers import forget_header, kept_headers
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from landloom.archive.orders.odata import ODataProducts
    from landloom.engine.executors import Factory
    from landloom.engine.journal import FinishedUnit
    from landloom.engine.run import Listener
    from landloom.engine.shards import Shard
    from landloom.engine.units import Unit
    from landloom.store.protocol import Store
    from landloom.store.versions import Version

LOCK: Final = ".landloom/lock.sqlite"
"""Locked by the process that builds in the folder."""
CheckSources = Literal["changed", "all", "none"]
"""Which remote source files of finished units are asked for their versions; local ones are always looked at.

`changed`: those of scenes that their archive has updated since, and those of which it states nothing that would tell.
"""
_EXCLUSIVE: Final = ("begin exclusive",)
_LISTED: Final = 4
"""Folders whose listings are kept: those of one tile, and of build state."""
_SHARED: Final = ("begin", "select count(*) from sqlite_master")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """Target and resources of a build."""

    uri: str
    """Address of the corpus."""
    store: Store
    """The store at this address."""
    journal: Journal
    factory: Factory = inline
    """Creates executors."""
    listener: Listener = field(default_factory=Silent)
    """Receives progress."""
    provider: ODataProducts | None = None
    """Serves whole products, instead of the provider named in the recipe."""
    headers: Path | None = None
    """Folder in which workers on this machine keep the headers of remote files."""
    identities: dict[str, str] = field(default_factory=dict)
    """Input file → identity, of those read so far: each is read once."""
    check_sources: CheckSources = "changed"
    """Which remote source files of finished units are asked for their versions."""
    asked: dict[str, Version | None] = field(default_factory=dict)
    """Remote source file → its present version if it could be told, of those asked so far: each is asked once."""

    def __post_init__(self) -> None:
        """Refuse another word.

        Raises:
            InvalidInputError: names it.
        """
        if self.check_sources not in get_args(CheckSources):
            raise InvalidInputError(f"check_sources: got {self.check_sources!r}, expected changed, all or none")

    def identity(self, path: str) -> str:
        """Identity of an input file: its sha256, or its address if it is remote.

        Raises:
            InvalidInputError: no such file.
        """
        if path not in self.identities:
            self.identities[path] = path if "://" in path else _sha256(path)
        return self.identities[path]


def _sha256(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read: {error.strerror}") from error


@contextmanager
def build_context(
    out: Path | Place,
    factory: Factory = inline,
    listener: Listener | None = None,
    provider: ODataProducts | None = None,
    check_sources: CheckSources = "changed",
) -> Iterator[BuildContext]:
    """Open a context in a local folder or another place; partial files of a killed build are removed.

    Raises:
        CorpusError: another process is building there.
        StoreError: it cannot be written.
    """
    place = out if isinstance(out, Place) else Place.of(out)
    folder = place.folder
    place.fetch(JOURNAL)
    place.fetch(SHARDS, newer=True)
    with Journal(folder / JOURNAL) as journal, _alone(place):
        for shard in begun_shards(folder):
            journal.join(shard.journal(folder))
        with _opened(place, journal, JOURNAL, factory, listener) as context:
            yield replace(context, provider=provider, check_sources=check_sources)


@contextmanager
def shard_context(
    out: Path | Place,
    shard: Shard,
    factory: Factory = inline,
    listener: Listener | None = None,
    check_sources: CheckSources = "changed",
) -> Iterator[BuildContext]:
    """Open a context for one shard in a local folder or another place, beside those of other shards.

    Raises:
        CorpusError: another process is building this shard, or the whole corpus.
        StoreError: it cannot be written.
    """
    place = out if isinstance(out, Place) else Place.of(out)
    folder = place.folder
    path = shard.journal(folder)
    place.fetch(shard.key)
    with Journal(path) as journal, _locked(folder / LOCK, *_SHARED), _locked(path.with_suffix(".lock"), *_EXCLUSIVE):
        place.fetch(JOURNAL, newer=True)
        journal.join(folder / JOURNAL)
        with _opened(place, journal, shard.key, factory, listener) as context:
            yield replace(context, check_sources=check_sources)


@contextmanager
def _opened(
    place: Place, journal: Journal, key: str, factory: Factory, listener: Listener | None
) -> Iterator[BuildContext]:
    """A context; the journal of one in an object store is copied there while it is used, and at its end."""
    store, listener, headers = open_store(place.uri), listener or Silent(), place.folder / HEADERS
    headers.mkdir(parents=True, exist_ok=True)
    context = BuildContext(
        uri=place.uri, store=store, journal=journal, factory=factory, listener=listener, headers=headers
    )
    if not place.remote:
        yield context
        return
    copied = Copied(listener=listener, journal=journal, store=store, key=key)
    copied.copy()
    try:
        yield replace(context, listener=copied)
    except BaseException:
        with suppress(LandloomError):  # what has gone wrong before is told
            copied.finish()
        raise
    copied.finish()


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    """Lock a place for this process, and remove what one that was killed, or a shard, has left."""
    folder = place.folder
    with _locked(folder / LOCK, *_EXCLUSIVE):
        begun = folder / BEGUN
        if begun.exists() or begun_shards(folder):
            LocalStore(folder).sweep()
            shutil.rmtree(folder / PARTS, ignore_errors=True)
            place.forget(PARTS)
        with _openable(begun):
            begun.touch()
        yield
        begun.unlink(missing_ok=True)


@contextmanager
def _openable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        raise StoreError(f"{path}: cannot be written: {error}") from error


@contextmanager
def _locked(path: Path, *statements: str) -> Iterator[None]:
    """Hold a lock; the operating system releases it when the process ends, however it ends."""
    with _openable(path):
        lock = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        try:
            for statement in statements:
                lock.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                where = path.parent.parent if path.name == Path(LOCK).name else path.with_suffix("")
                raise CorpusError(f"{where}: another process is building there; wait until it has ended") from error
            # other errors: the file system does not support locks, so other processes cannot be kept out
        yield
    finally:
        lock.close()


class Sizes:
    """Sizes of files, listed folder by folder, not asked for one by one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listed: OrderedDict[str, dict[str, int]] = OrderedDict()

    def of(self, key: str) -> int | None:
        """Bytes of a file; None if there is none."""
        folder = "/".join(key.split("/")[:-1][:3])
        found = self._listed.get(folder)
        if found is None:
            found = self._listed[folder] = {entry.key: entry.size for entry in self._store.list(folder)}
            if len(self._listed) > _LISTED:
                self._listed.popitem(last=False)
        self._listed.move_to_end(folder)
        return found.get(key)


def is_done(unit: Unit, context: BuildContext) -> bool:
    """Whether a unit's files exist as recorded in the journal, all of them, made from the same inputs."""
    return _done(unit, context, Sizes(context.store)) is not None


def _done(unit: Unit, context: BuildContext, sizes: Sizes) -> FinishedUnit | None:
    found = context.journal.finished(unit)
    if found is None or any(sizes.of(path) != size for path, size in found.files.items()):
        return None
    return found


def run_stage(name: str, units: Sequence[Unit], context: BuildContext) -> list[Problem]:
    """Run the units of a stage that are not done yet.

    Returns:
        A problem for every unit that failed.
    """
    return run_units(name, unfinished(units, context), context)


def unfinished(units: Iterable[Unit], context: BuildContext) -> list[Unit]:
    """Units whose files are incomplete, or were made from other inputs; each file is checked once.

    Source files of finished units are asked for their versions, as far as the context says: a file that was replaced,
    has appeared or has gone since makes its units unfinished.
    """
    listed = list(units)
    sizes = Sizes(context.store)
    finished: set[str] = set()
    for _, group in groupby(sorted(listed, key=lambda unit: unit.tile), key=lambda unit: unit.tile):
        # units of a tile read the same files; those of all tiles do not fit in memory
        done = [(unit, found) for unit in group if (found := _done(unit, context, sizes)) is not None]
        finished |= {unit.id for unit, _ in done} - _stale(done, context)
    return [unit for unit in listed if unit.id not in finished]


def _stale(done: Sequence[tuple[Unit, FinishedUnit]], context: BuildContext) -> set[str]:
    """Ids of finished units of whose source files one is another version now."""
    doubted = [(unit, _doubted(unit, found, context)) for unit, found in done]
    known = {href: version for _, inputs in doubted for href, version in inputs.items()}
    different = changed(known, asked=context.asked) if known else frozenset()
    with kept_headers(context.headers if different else None):
        for href in different:
            forget_header(href)
    stale = {unit.id for unit, inputs in doubted if not different.isdisjoint(inputs)}
    for unit, inputs in doubted:
        told = all(context.asked.get(href) is not None for href in inputs if is_remote(href))
        if inputs and told and unit.id not in stale and unit.stated != context.journal.stated(unit):
            context.journal.keep_stated(unit)
    return stale


def _doubted(unit: Unit, found: FinishedUnit, context: BuildContext) -> dict[str, Version]:
    """Source files of a finished unit that may be another version now; a file that was not there may be any time."""
    if context.check_sources == "all":
        return dict(found.inputs)
    stated = context.journal.stated(unit) if unit.reads else frozenset()
    settled = {file.href for scene in unit.reads if scene.stated in stated for file in scene.files}
    trusted = context.check_sources == "none"
    return {
        href: version
        for href, version in found.inputs.items()
        if not is_remote(href) or not (trusted or (href in settled and not version.absent))
    }


def run_units(name: str, todo: Sequence[Unit], context: BuildContext) -> list[Problem]:
    """Run units, whatever their state in the journal.

    Returns:
        A problem for every unit that failed.
    """
    if not todo:
        return []
    context.listener.started(name, len(todo))
    return run(
        todo,
        factory=context.factory,
        journal=context.journal,
        listener=context.listener,
        headers=context.headers,
    )
