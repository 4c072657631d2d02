"""A folder on local disk as a store."""

from __future__ import annotations

import errno
import os
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from landloom.errors import DiskFullError, MissingKeyError, StoreError
from landloom.model.keys import UNFINISHED
from landloom.store.protocol import Entry, check_key, check_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def _plain_errors(key: str, root: Path) -> Iterator[None]:
    """Turn the system's errors into landloom's."""
    try:
        yield
    except StoreError:
        raise
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise MissingKeyError(f"nothing under {key!r} in {root}") from error
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(f"no space left to write {key!r} in {root}: {error.strerror}") from error
        raise StoreError(f"cannot use {key!r} in {root}: {error}") from error


@dataclass(frozen=True, slots=True)
class LocalStore:
    """A folder on local disk, created by the first `put`.

    Each file is written next to its final path under a temporary name, then moved there by `os.replace`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = LocalStore(folder)
        ...     store.put("a/b.txt", b"text")
        ...     store.get_range("a/b.txt", 1, 2), [entry.key for entry in store.list()]
        (b'ex', ['a/b.txt'])
    """

    root: Path

    def __init__(self, root: str | os.PathLike[str]) -> None:
        object.__setattr__(self, "root", Path(root).absolute())

    @property
    def uri(self) -> str:
        """The folder's path."""
        return str(self.root)

    def href(self, key: str) -> str:
        """Path of a file."""
        return str(self.path(key))

    def path(self, key: str) -> Path:
        """Path of a file; symbolic links inside the folder belong to the user and are followed."""
        return self.root / check_key(key)

    def get(self, key: str) -> bytes:
        """The whole file; errors as in `protocol.Readable`."""
        with _plain_errors(key, self.root):
            return self.path(key).read_bytes()

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start`; errors as in `protocol.Readable`."""
        with _plain_errors(key, self.root), self.path(key).open("rb", buffering=0) as file:
            file.seek(start)
            data = file.read(length)
        if len(data) != length:
            raise StoreError(f"{self.path(key)} is too short: got {len(data)} bytes from {start}, expected {length}")
        return data

    def size(self, key: str) -> int:
        """Length in bytes; errors as in `protocol.Readable`."""
        with _plain_errors(key, self.root):
            path = self.path(key)
            if path.is_dir():
                raise MissingKeyError(f"nothing under {key!r} in {self.root}: it is a folder")
            return path.stat().st_size

    def exists(self, key: str) -> bool:
        """Whether there is a file with that key."""
        return self.path(key).is_file()

    def put(self, key: str, data: bytes | memoryview, *, durable: bool = True) -> None:
        """Write a file whole, making its folders; if it is durable, its bytes are on the disk before it gets its name.

        Raises:
            StoreError: it cannot be written, for example because the disk is full; no partial file is left.
        """
        with self._written(key, data, durable=durable) as unfinished:
            unfinished.replace(self.path(key))

    def create(self, key: str, data: bytes | memoryview) -> bool:
        """Write a file whole, unless there is one of that key already; errors as of `put`."""
        with self._written(key, data) as unfinished:
            try:
                os.link(unfinished, self.path(key))
            except FileExistsError:
                return False
            finally:
                unfinished.unlink(missing_ok=True)
        return True

    @contextmanager
    def _written(self, key: str, data: bytes | memoryview, *, durable: bool = True) -> Iterator[Path]:
        """The bytes of a file, on the disk if it is durable, under a name that is gone if the block fails."""
        path = self.path(key)
        stem = path.name.encode()[:180].decode(errors="ignore")
        unfinished = path.with_name(f".{stem}.{uuid.uuid4().hex}{UNFINISHED}")
        try:
            with _writing(key, self.root):
                try:
                    _write(unfinished, data, durable=durable)
                except FileNotFoundError:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    _write(unfinished, data, durable=durable)
                yield unfinished
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            raise

    def delete(self, key: str) -> None:
        """Remove a file, and folders that are empty afterwards; a missing file is not an error."""
        path = self.path(key)
        with _plain_errors(key, self.root), suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
        for folder in path.parents:
            if folder == self.root or not folder.is_relative_to(self.root):
                break
            try:
                folder.rmdir()
            except OSError:
                break

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every file below a folder, sorted by key; files being written are left out."""
        folder = check_prefix(prefix)
        yield from _walk(self.root / folder, f"{folder}/" if folder else "")

    def sweep(self) -> int:
        """Remove unfinished files of killed writers and return their number. Only safe while nobody writes."""
        leftovers = [Path(base) / name for base, _, names in os.walk(self.root) for name in names if _unfinished(name)]
        for leftover in leftovers:
            leftover.unlink(missing_ok=True)
        return len(leftovers)


def _write(path: Path, data: bytes | memoryview, *, durable: bool) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        if durable:
            os.fsync(file.fileno())


@contextmanager
def _writing(key: str, root: Path) -> Iterator[None]:
    try:
        with _plain_errors(key, root):
            yield
    except MissingKeyError as error:
        raise StoreError(
            f"cannot write {key!r} in {root}: there is a file in place of a folder, or a folder in place of the file"
        ) from error


def _unfinished(name: str) -> bool:
    return name.startswith(".") and name.endswith(UNFINISHED)


def _walk(folder: Path, prefix: str) -> Iterator[Entry]:
    """Files in key order: a folder sorts by its name and a slash."""
    try:
        with os.scandir(folder) as found:
            children = sorted((child.name + ("/" if child.is_dir() else ""), child) for child in found)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise StoreError(f"cannot list {folder}: {error}") from error
    for name, child in children:
        if name.endswith("/"):
            yield from _walk(folder / child.name, prefix + name)
        elif not _unfinished(name):
            try:
                size = child.stat().st_size
            except FileNotFoundError:
                continue
            yield Entry(key=prefix + name, size=size)
