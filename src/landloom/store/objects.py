"""Object stores (S3, Azure, Google, HTTP, memory) through obstore.

A put is one PUT and there is no rename. obstore sends each request once; it is repeated here, by the policy of all
requests, and what still fails afterwards is a `TransientFaultError`, left to the next run.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, GenericError, JoinError, NotSupportedError
from obstore.exceptions import NotFoundError as NoObjectError
from obstore.store import HTTPStore, MemoryStore

from landloom.errors import InvalidInputError, MissingKeyError, StoreError, TransientFaultError
from landloom.model.address import without_secrets
from landloom.store.faults import stated_status
from landloom.store.http import asked_to_wait
from landloom.store.network.allowances import BudgetError
from landloom.store.network.backends import endpoint_of, object_backend
from landloom.store.network.retrying import Again, Tries
from landloom.store.network.traffic import host_of, slots_of
from landloom.store.patience import BUSY, WORTH_RETRYING, Patience
from landloom.store.protocol import Entry, check_key, check_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


Answer = TypeVar("Answer")
_PAGE: Final = 1_000
"""Files that a store lists in one request."""
_NOTHING: Final = (NoObjectError, FileNotFoundError)
_PASSING: Final = (GenericError, JoinError, TimeoutError, ConnectionError)


class ObjectStore:
    """Files in an object store below a prefix; picklable, except for `memory://`.

    Args:
        uri: as accepted by `open_store`.
        profile: section of the AWS credentials file; by default the keys from the environment.

    Example:
        >>> store = ObjectStore("memory://scratch")
        >>> store.put("a/b.txt", b"text")
        >>> store.get_range("a/b.txt", 1, 2), [entry.key for entry in store.list("a")]
        (b'ex', ['a/b.txt'])
    """

    def __init__(self, uri: str, profile: str | None = None) -> None:
        self._uri = uri.rstrip("/") if urlsplit(uri).netloc else uri
        self._profile = profile
        try:
            self._backend = object_backend(self._uri, profile=profile)
            self._asks = endpoint_of(self._uri, profile)
        except BaseError as error:
            raise InvalidInputError(
                f"{self._uri}: {_first_line(error)}; account, keys and endpoint come from the environment"
            ) from error

    def __repr__(self) -> str:
        return f"ObjectStore({self._uri!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        if isinstance(self._backend, MemoryStore):
            raise StoreError(f"{self._uri} lives in the memory of one process and cannot be sent to another")
        return ObjectStore, (self._uri, self._profile)

    @property
    def uri(self) -> str:
        """The URI as given."""
        return self._uri

    def href(self, key: str) -> str:
        """URL of a file, with the scheme under which the store was opened."""
        check_key(key)
        web = self._uri.startswith(("http://", "https://"))
        return f"{self._uri}/{quote(key) if web else key}"

    def get(self, key: str) -> bytes:
        """The whole file; errors as in `protocol.Readable`."""
        return self._asked(key, lambda: bytes(obstore.get(self._backend, check_key(key)).bytes()))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start`; errors as in `protocol.Readable`."""
        if length == 0:
            self.size(key)
            return b""
        try:
            data = self._asked(
                key,
                lambda: bytes(obstore.get_range(self._backend, check_key(key), start=start, length=length)),
                expected=length,
            )
        except TransientFaultError as error:
            self._tell_short(key, start, length, error)
            raise
        if len(data) != length:
            raise StoreError(f"{self.href(key)} is too short: got {len(data)} bytes from {start}, expected {length}")
        return data

    def part(self, key: str, start: int, stop: int, etag: str | None = None) -> tuple[bytes, int, str | None]:
        """Bytes from `start` up to `stop` or the end of the file, with its size and ETag.

        Args:
            key: of the file.
            start: first byte.
            stop: end of the range, exclusive.
            etag: requested version; any if None.

        Raises:
            MissingKeyError: there is no file with that key.
            TransientFaultError: it is temporarily unreadable.
            StoreError: it cannot be read, or is another version.
        """
        options: Any = {"range": (start, stop)} | ({} if etag is None else {"if_match": etag})

        def once() -> tuple[bytes, int, str | None]:
            found = obstore.get(self._backend, check_key(key), options=options)
            return bytes(found.bytes()), found.meta["size"], found.meta["e_tag"]

        try:
            return self._asked(key, once, twice=True, expected=stop - start)
        except BudgetError:
            raise
        except TransientFaultError:
            if start or self.size(key):
                raise
            return b"", 0, etag  # an empty file has no first byte

    def _tell_short(self, key: str, start: int, length: int, error: TransientFaultError) -> None:
        """Check the size: obstore reports a range beyond the end like any other failure."""
        size = self.size(key)
        if size < start + length:
            raise StoreError(f"{self.href(key)} is too short: got {size} bytes, expected {start + length}") from error

    def size(self, key: str) -> int:
        """Length in bytes; errors as in `protocol.Readable`."""
        return self.version(key)[0]

    def version(self, key: str) -> tuple[int, str | None]:
        """Length in bytes and ETag; errors as in `protocol.Readable`."""
        found = self._asked(key, lambda: obstore.head(self._backend, check_key(key)))
        return found["size"], found["e_tag"]

    def versions(self, requests: int) -> dict[str, tuple[int, str | None]]:
        """Key → length in bytes and ETag of files, as a listing has them: 1,000 a request.

        Args:
            requests: that it takes at most; files beyond are left out.

        Raises:
            StoreError: the store may not, or cannot, be listed.
        """

        def once() -> dict[str, tuple[int, str | None]]:
            pages = islice(obstore.list(self._backend, chunk_size=_PAGE), requests)
            return {one["path"]: (one["size"], one["e_tag"]) for page in pages for one in page}

        return self._asked("", once)

    def exists(self, key: str) -> bool:
        """Whether there is a file with that key."""
        try:
            self.size(key)
        except MissingKeyError:
            return False
        return True

    def put(self, key: str, data: bytes | memoryview, *, durable: bool = True) -> None:  # noqa: ARG002 - all are
        """Write a file with one PUT.

        Raises:
            TransientFaultError: the store temporarily does not accept it.
            StoreError: the store refuses it.
        """
        content = bytes(data)
        self._asked(key, lambda: obstore.put(self._backend, check_key(key), content, use_multipart=False))
        host_of(self._uri).count(size=len(content))

    def create(self, key: str, data: bytes | memoryview) -> bool:
        """Write a file with one conditional PUT, unless there is one of that key already; errors as of `put`.

        A store that knows no conditional PUT is asked before.
        """
        content = bytes(data)

        def once() -> bool | None:
            try:
                obstore.put(self._backend, check_key(key), content, use_multipart=False, mode="create")
            except AlreadyExistsError:
                return False
            except (NotSupportedError, NotImplementedError):
                return None
            return True

        made = self._asked(key, once, passing=BUSY)  # of a request that was cut, nobody knows whether it was heeded
        if made is None:
            made = not self.exists(key)
            if made:
                self.put(key, content)
        return made

    def delete(self, key: str) -> None:
        """Remove a file; a missing file is not an error."""
        try:
            self._asked(key, lambda: obstore.delete(self._backend, check_key(key)))
        except MissingKeyError:
            return

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every file below a folder, sorted by key.

        Raises:
            StoreError: the store is a plain web server, which cannot list.
        """
        folder = check_prefix(prefix)
        if isinstance(self._backend, HTTPStore):
            raise StoreError(f"{self._uri}: a web server does not list its files; open a file by its key")

        def once() -> list[Entry]:
            pages = obstore.list(self._backend, folder or None)
            return [Entry(key=one["path"], size=one["size"], etag=one["e_tag"]) for page in pages for one in page]

        yield from sorted(self._asked(folder, once))

    def _asked(
        self,
        key: str,
        work: Callable[[], Answer],
        passing: frozenset[int] = WORTH_RETRYING,
        *,
        twice: bool = False,
        expected: int = 0,
    ) -> Answer:
        """What a request brings, sent again as long as the policy says; errors become landloom's.

        Args:
            key: that it is about.
            work: sends it.
            passing: statuses after which it is sent again; after a cut connection, too, if they are all of the policy.
            twice: whether it is believed only the second time that there is nothing.
            expected: bytes that it brings, as far as is known.
        """
        doubts = iter((twice,))

        def verdict(got: object) -> Again | None:
            if isinstance(got, _NOTHING) and next(doubts, False):
                return Again()
            if not isinstance(got, _PASSING):
                return None
            status = stated_status(got)
            if status is None:
                return Again() if passing is WORTH_RETRYING else None
            return Again(self._asked_to_wait(key) if status in BUSY else None) if status in passing else None

        tries = Tries(host_of(self._uri), Patience(), verdict, size=expected)
        where, slots = f"{self._uri}/{key}", slots_of(self._asks)
        try:
            with nullcontext() if slots is None else slots.one():
                found = tries.run(work)
        except _NOTHING as error:
            raise MissingKeyError(f"nothing under {where}") from error
        except NotSupportedError as error:
            raise StoreError(f"{where}: {_first_line(error)}") from error
        except _PASSING as error:
            raise TransientFaultError(f"{where}: {_first_line(error)}{tries.words}") from error
        except (BaseError, PermissionError, ValueError) as error:
            raise StoreError(f"{where}: {_first_line(error)}") from error
        data = found[0] if isinstance(found, tuple) else found
        host_of(self._uri).count(size=len(data) if isinstance(data, bytes) else 0)
        return found

    def _asked_to_wait(self, key: str) -> float | None:
        """Seconds that a busy store asks to wait, which obstore does not tell; None if it does not say."""
        if isinstance(self._backend, HTTPStore):
            return asked_to_wait(self.href(key))
        if isinstance(self._backend, MemoryStore) or not key:
            return None
        with suppress(BaseError, ValueError, NotImplementedError):
            return asked_to_wait(obstore.sign(self._backend, "GET", key, expires_in=timedelta(minutes=1)), method="GET")
        return None


def _first_line(error: BaseException) -> str:
    line = without_secrets(str(error).strip().split("\n", maxsplit=1)[0])
    if "169.254.169.254" in line:  # where clouds tell their own machines who they are
        return f"no credentials in the environment, nor from this machine ({line.partition(':')[0]})"
    return line
