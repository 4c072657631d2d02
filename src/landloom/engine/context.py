"""A workshop: where a corpus is built and with what; stages run only what is missing or whose inputs changed."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from landloom.engine.executors import inline
from landloom.engine.journal import Journal
from landloom.engine.run import Silent, run
from landloom.errors import CorpusError, Problem, StoreError
from landloom.store.local import LocalStore
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from landloom.archive.orders.odata import ODataProducts
    from landloom.engine.executors import Factory
    from landloom.engine.run import Listener
    from landloom.engine.units import Unit
    from landloom.store.protocol import Store

JOURNAL: Final = ".landloom/journal.sqlite"
"""Where the journal lies in a corpus folder."""
LOCK: Final = ".landloom/lock.sqlite"
"""Held by whoever is at work in the folder."""
BEGUN: Final = ".landloom/begun"
"""Lies there while somebody is, and after one that was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What a build works with."""

    uri: str
    """Where the corpus is built."""
    store: Store
    """The same, opened."""
    journal: Journal
    factory: Factory = inline
    """Makes executors."""
    listener: Listener = field(default_factory=Silent)
    """Shows progress."""
    provider: ODataProducts | None = None
    """Serves whole products, in place of the one that the recipe names."""


@contextmanager
def workshop(
    folder: Path, factory: Factory = inline, listener: Listener | None = None, provider: ODataProducts | None = None
) -> Iterator[Workshop]:
    """Open a workshop in a local folder; what a killed one has left half-written there is removed.

    Raises:
        CorpusError: another process is at work in that folder.
        StoreError: it cannot be written.
    """
    with Journal(folder / JOURNAL) as journal, _alone(folder):
        yield Workshop(
            uri=str(folder), store=open_store(str(folder)), journal=journal, factory=factory,
            listener=listener or Silent(), provider=provider,
        )  # fmt: skip


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a folder for this process; the system lets go of it when the process ends, however it ends."""
    lock = sqlite3.connect(folder / LOCK, timeout=0, isolation_level=None)
    try:
        try:
            lock.execute("begin exclusive")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise CorpusError(f"{folder}: another process is at work there; wait until it has ended") from error
            # elsewhere a file system that knows no locks: nobody can be kept out
        begun = folder / BEGUN
        if begun.exists():
            LocalStore(folder).sweep()
        begun.touch()
        yield
        begun.unlink(missing_ok=True)
    finally:
        lock.close()


def is_done(unit: Unit, shop: Workshop) -> bool:
    """Whether a unit's files are there as its journal entry says, made from the same inputs."""
    entry = shop.journal.get(unit.id)
    if entry is None or entry.state != "done" or entry.key != unit.key:
        return False
    try:
        return all(shop.store.size(file.path) == file.size for file in entry.outcome.files)
    except StoreError:
        return False


def run_stage(name: str, units: Sequence[Unit], shop: Workshop) -> list[Problem]:
    """Run the units of a stage that are not done yet.

    Returns:
        A problem for every unit that failed.
    """
    return run_units(name, unfinished(units, shop), shop)


def unfinished(units: Iterable[Unit], shop: Workshop) -> list[Unit]:
    """Units whose files are not all there, or were made from other inputs; each file is looked at once."""
    return [unit for unit in units if not is_done(unit, shop)]


def run_units(name: str, todo: Sequence[Unit], shop: Workshop) -> list[Problem]:
    """Run units whatever the journal says of them.

    Returns:
        A problem for every unit that failed.
    """
    if not todo:
        return []
    shop.listener.started(name, len(todo))
    return run(todo, factory=shop.factory, journal=shop.journal, listener=shop.listener)
