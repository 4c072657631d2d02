"""Where a corpus is built, and where the state of its build lies.

In a folder, the state is a folder within. A corpus in an object store has its state on this machine, in the user's
state folder, with a copy of it beside the corpus: so shards on machines without a common disk find what was prepared,
`--finish` finds their journals, and anybody can ask for the status.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

from landloom.corpus.layout import STATE
from landloom.errors import InvalidInputError, LandloomError, MissingKeyError
from landloom.model.address import is_remote, local_path, shown
from landloom.store.local import LocalStore
from landloom.store.open import open_store

if TYPE_CHECKING:
    from landloom.engine.journal import Journal
    from landloom.engine.run import Listener
    from landloom.store.protocol import Store

JOURNAL: Final = f"{STATE}/journal.sqlite"
"""Key of the journal."""
SHARDS: Final = f"{STATE}/shards"
"""Folder of the journals of shards."""
HEADERS: Final = f"{STATE}/headers"
"""Folder of the headers of remote files."""
SCHEMES: Final = ("s3", "s3a", "az", "azure", "abfs", "abfss", "gs")
"""Schemes of object stores in which a corpus can be built."""
_STARTS: Final = "s3://, az:// or gs://"
OFTEN: Final = 30.0
"""Seconds between two copies of a journal at least; or twenty times as long as the last copy took."""


def state_folder() -> Path:
    """`$LANDLOOM_STATE`, else `$XDG_STATE_HOME/landloom`, else `~/.local/state/landloom`.

    Example:
        >>> state_folder().name
        'landloom'
    """
    if own := os.environ.get("LANDLOOM_STATE"):
        return Path(own)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "landloom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a corpus is built."""

    uri: str
    """Address of the corpus."""
    folder: Path
    """Folder of its build state: of the corpus itself, if that is a folder."""

    @classmethod
    def of(cls, out: str | Path) -> Self:
        """The place of a folder or an address.

        Raises:
            InvalidInputError: files cannot be written there, or not by several processes.

        Example:
            >>> Place.of("s3://bucket/corpora/first").folder.name.startswith("first-")
            True
        """
        text = str(out)
        if not is_remote(text):
            folder = Path(local_path(text))
            return cls(uri=str(folder), folder=folder)
        uri = text.rstrip("/")
        if urlsplit(uri).scheme not in SCHEMES:
            raise InvalidInputError(f"got {shown(text)}, expected a folder, or an address that starts {_STARTS}")
        name = re.sub(r"[^A-Za-z0-9.-]", "-", uri.rpartition("/")[2]) or "corpus"
        digest = hashlib.sha256(uri.encode()).hexdigest()[:12]
        return cls(uri=uri, folder=state_folder() / "builds" / f"{name}-{digest}")

    @property
    def remote(self) -> bool:
        """Whether the corpus is in an object store."""
        return is_remote(self.uri)

    def fetch(self, *keys: str, newer: bool = False) -> None:
        """Copy parts of the state that lie beside a corpus in an object store.

        Args:
            keys: of files, or of folders, whose files are all copied.
            newer: replace what is here.
        """
        if not self.remote:
            return
        store, here = open_store(self.uri), LocalStore(self.folder)
        for key in keys:
            found = [key] if key.endswith(".sqlite") else [entry.key for entry in store.list(key)]
            for one in found:
                if newer or not here.exists(one):
                    _copy(store, here, one)

    def forget(self, folder: str) -> None:
        """Remove a folder of the copied state."""
        if self.remote:
            store = open_store(self.uri)
            for entry in list(store.list(folder)):
                store.delete(entry.key)


def _copy(store: Store, here: LocalStore, key: str) -> None:
    try:
        here.put(key, store.get(key))
    except MissingKeyError:
        return


@dataclass(slots=True, kw_only=True)
class Copied:
    """A listener that copies a journal to where the corpus is, now and then."""

    listener: Listener
    journal: Journal
    store: Store
    key: str
    _next: float = field(default_factory=lambda: time.monotonic() + OFTEN)

    def started(self, stage: str, total: int) -> None:
        """Pass it on."""
        self.listener.started(stage, total)

    def advanced(self, unit: str, reason: str | None) -> None:
        """Pass it on; copy the journal if the last copy is old."""
        self.listener.advanced(unit, reason)
        if time.monotonic() >= self._next:
            self._next += OFTEN
            with suppress(LandloomError):  # the last copy, at the end, tells what is wrong
                self.copy()

    def finish(self) -> None:
        """Copy the journal for the last time: it will be closed."""
        try:
            self.copy()
        finally:
            self._next = math.inf

    def copy(self) -> None:
        """Copy the journal."""
        began = time.monotonic()
        self.store.put(self.key, self.journal.content())
        ended = time.monotonic()
        self._next = ended + max(OFTEN, 20 * (ended - began))
