"""What a store can do, in narrow pieces: ask for the least that a function needs.

A key is a relative path with `/` between its parts: `index/samples.parquet`. A file is written whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from landloom.errors import StoreError

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
    """The store's own name for these bytes; None on local disk, where a time of change would prove nothing."""


def check_key(key: str) -> str:
    """Refuse a key that is empty, absolute, or that leaves the store.

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
    parts = key.split("/")
    if "\0" in key or "\\" in key or any(part in {"", ".", ".."} for part in parts):
        raise StoreError(f"got key {key!r}, expected a relative path within the store")
    return key


def check_prefix(prefix: str) -> str:
    """A folder of the store without its trailing slash; empty for the whole store.

    Raises:
        StoreError: the prefix leaves the store.
    """
    return check_key(prefix.removesuffix("/")) if prefix else ""


@runtime_checkable
class Readable(Protocol):
    """Bytes by key."""

    def get(self, key: str) -> bytes:
        """The whole file.

        Raises:
            MissingKeyError: there is nothing under that key.
            TransientFaultError: it cannot be had just now.
            StoreError: it cannot be read.
        """
        ...

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start`.

        Raises:
            MissingKeyError: there is nothing under that key.
            TransientFaultError: it cannot be had just now.
            StoreError: the file is shorter than that, or cannot be read.
        """
        ...

    def size(self, key: str) -> int:
        """Length of the file in bytes.

        Raises:
            MissingKeyError: there is nothing under that key.
        """
        ...

    def exists(self, key: str) -> bool:
        """Whether there is a file under that key."""
        ...


@runtime_checkable
class Writable(Protocol):
    """Bytes to key."""

    def put(self, key: str, data: bytes | memoryview) -> None:
        """Write a file whole, in place of any of that key; readers see the old bytes or the new ones.

        Raises:
            StoreError: it cannot be written; nothing half-written is left.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove a file; one that is not there is no error."""
        ...


@runtime_checkable
class Listable(Protocol):
    """What there is."""

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every file below a folder, sorted by key; a folder that is not there has none.

        The prefix names whole parts: `imagery/33N` lists `imagery/33N/a`, never `imagery/33N_b`.
        """
        ...


@runtime_checkable
class Store(Readable, Writable, Listable, Protocol):
    """All of it, and where it is."""

    @property
    def uri(self) -> str:
        """Where the store is, as `open_store` takes it; without a trailing slash."""
        ...

    def href(self, key: str) -> str:
        """What opens a file from outside: a path on local disk, otherwise a URL."""
        ...
