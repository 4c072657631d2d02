"""The capabilities of a store as narrow Protocols: a function asks for the least that it needs.

A key is a relative path with `/` between its parts: `index/samples.parquet`. Files are written whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from landloom.errors import StoreError
from landloom.model.keys import key_fault, told

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Entry:
    """One stored file."""

    key: str
    """Its key within the store."""
    size: int
    """Length in bytes."""
    etag: str | None = None
    """The store's identifier of these bytes; None on local disk, where a modification time would prove nothing."""


def check_key(key: str) -> str:
    """Refuse what is no key by the one rule of `landloom.model.keys`.

    Raises:
        StoreError: the key cannot name a file within a store.

    Example:
        >>> check_key("imagery/33N/chip.tif")
        'imagery/33N/chip.tif'
        >>> check_key("../elsewhere")
        Traceback (most recent call last):
            ...
        landloom.errors.StoreError: got key '../elsewhere', expected a relative path within the store
    """
    expected = key_fault(key)
    if expected is not None:
        raise StoreError(told(key, expected))
    return key


def check_prefix(prefix: str) -> str:
    """A folder of the store without its trailing slash; empty for the whole store.

    Raises:
        StoreError: the prefix is outside the store.
    """
    return check_key(prefix.removesuffix("/")) if prefix else ""


@runtime_checkable
class Readable(Protocol):
    """Reading bytes by key."""

    def get(self, key: str) -> bytes:
        """The whole file.

        Raises:
            MissingKeyError: there is no file with that key.
            TransientFaultError: it is temporarily unavailable.
            StoreError: it cannot be read.
        """
        ...

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start`.

        Raises:
            MissingKeyError: there is no file with that key.
            TransientFaultError: it is temporarily unavailable.
            StoreError: the file is shorter than that, or cannot be read.
        """
        ...

    def size(self, key: str) -> int:
        """Length of the file in bytes.

        Raises:
            MissingKeyError: there is no file with that key.
        """
        ...

    def exists(self, key: str) -> bool:
        """Whether there is a file with that key."""
        ...


@runtime_checkable
class Writable(Protocol):
    """Writing bytes by key."""

    def put(self, key: str, data: bytes | memoryview, *, durable: bool = True) -> None:
        """Write a whole file, replacing any with that key; readers see either the old bytes or the new ones.

        Args:
            key: of the file.
            data: its bytes.
            durable: whether it is needed after a power failure; on a local disk, others need not be waited for.

        Raises:
            StoreError: it cannot be written; no partial file is left.
        """
        ...

    def create(self, key: str, data: bytes | memoryview) -> bool:
        """Write a file whole, unless there is one of that key already; of several at once, one succeeds.

        Returns:
            Whether it was written.

        Raises:
            StoreError: it cannot be written.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove a file; a missing file is not an error."""
        ...


@runtime_checkable
class Listable(Protocol):
    """Listing keys."""

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every file below a folder, sorted by key; none for a folder that does not exist.

        The prefix consists of whole parts: `imagery/33N` lists `imagery/33N/a`, but not `imagery/33N_b`.
        """
        ...


@runtime_checkable
class Store(Readable, Writable, Listable, Protocol):
    """All of the above, with the store's address."""

    @property
    def uri(self) -> str:
        """Address of the store, as accepted by `open_store`; without a trailing slash."""
        ...

    def href(self, key: str) -> str:
        """Address of a file for other programs: a path on local disk, otherwise a URL."""
        ...
