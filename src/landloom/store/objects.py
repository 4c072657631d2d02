"""Object stores (S3, Azure, Google, HTTP, memory) through obstore.

A put is one PUT and there is no rename. Short bodies are resumed and refused requests repeated by obstore itself; what
still fails afterwards is a `TransientFaultError`, for the next run.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import obstore
from obstore.exceptions import BaseError, GenericError, JoinError, NotFoundError, NotSupportedError
from obstore.store import AzureStore, GCSStore, HTTPStore, MemoryStore, S3Store

from landloom.errors import InvalidInputError, MissingKeyError, StoreError, TransientFaultError
from landloom.store.protocol import Entry, check_key, check_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore.store import ClientConfig, RetryConfig

LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}
"""Hosts to which plain http is no risk."""
_RETRY: Final[RetryConfig] = {"max_retries": 4, "retry_timeout": timedelta(seconds=60)}
_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_AZURE_ENDPOINTS: Final = ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")


class ObjectStore:
    """Files in an object store below a prefix; picklable, except for memory.

    Example:
        >>> store = ObjectStore("memory://scratch")
        >>> store.put("a/b.txt", b"text")
        >>> store.get_range("a/b.txt", 1, 2), [entry.key for entry in store.list("a")]
        (b'ex', ['a/b.txt'])
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri.rstrip("/") if urlsplit(uri).netloc else uri
        try:
            self._backend = _backend(self._uri)
        except BaseError as error:
            raise InvalidInputError(
                f"{self._uri}: {_first_line(error)}; account, keys and endpoint come from the environment"
            ) from error

    def __repr__(self) -> str:
        return f"ObjectStore({self._uri!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        if isinstance(self._backend, MemoryStore):
            raise StoreError(f"{self._uri} lives in the memory of one process and cannot be sent to another")
        return ObjectStore, (self._uri,)

    @property
    def uri(self) -> str:
        """Where it is, as given."""
        return self._uri

    def href(self, key: str) -> str:
        """URL of a file, with the scheme that the store was opened with."""
        check_key(key)
        web = self._uri.startswith(("http://", "https://"))
        return f"{self._uri}/{quote(key) if web else key}"

    def get(self, key: str) -> bytes:
        """The whole file; errors as in `protocol.Readable`."""
        with self._plain_errors(key):
            return bytes(obstore.get(self._backend, check_key(key)).bytes())

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start`; errors as in `protocol.Readable`."""
        if length == 0:
            self.size(key)
            return b""
        try:
            with self._plain_errors(key):
                data = bytes(obstore.get_range(self._backend, check_key(key), start=start, length=length))
        except TransientFaultError as error:
            self._tell_short(key, start, length, error)
            raise
        if len(data) != length:
            raise StoreError(f"{self.href(key)} is too short: got {len(data)} bytes from {start}, wanted {length}")
        return data

    def _tell_short(self, key: str, start: int, length: int, error: TransientFaultError) -> None:
        """A range beyond the end is answered like any other failure; only the size tells them apart."""
        size = self.size(key)
        if size < start + length:
            raise StoreError(f"{self.href(key)} is too short: got {size} bytes, wanted {start + length}") from error

    def size(self, key: str) -> int:
        """Length in bytes; errors as in `protocol.Readable`."""
        with self._plain_errors(key):
            return obstore.head(self._backend, check_key(key))["size"]

    def exists(self, key: str) -> bool:
        """Whether there is a file of that key."""
        try:
            self.size(key)
        except MissingKeyError:
            return False
        return True

    def put(self, key: str, data: bytes | memoryview) -> None:
        """Write a file with one PUT.

        Raises:
            TransientFaultError: the store does not take it just now.
            StoreError: the store refuses it.
        """
        with self._plain_errors(key):
            obstore.put(self._backend, check_key(key), bytes(data), use_multipart=False)

    def delete(self, key: str) -> None:
        """Remove a file; one that is not there is no error."""
        try:
            with self._plain_errors(key):
                obstore.delete(self._backend, check_key(key))
        except MissingKeyError:
            return

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every file below a folder, sorted by key.

        Raises:
            StoreError: plain web servers cannot list.
        """
        folder = check_prefix(prefix)
        if isinstance(self._backend, HTTPStore):
            raise StoreError(f"{self._uri}: a web server does not list its files; open a file by its key")
        entries = []
        with self._plain_errors(folder):
            for page in obstore.list(self._backend, folder or None):
                entries += [Entry(key=one["path"], size=one["size"], etag=one["e_tag"]) for one in page]
        yield from sorted(entries)

    @contextmanager
    def _plain_errors(self, key: str) -> Iterator[None]:
        where = f"{self._uri}/{key}"
        try:
            yield
        except (NotFoundError, FileNotFoundError) as error:
            raise MissingKeyError(f"nothing under {where}") from error
        except NotSupportedError as error:
            raise StoreError(f"{where}: {_first_line(error)}") from error
        except (GenericError, JoinError, TimeoutError, ConnectionError) as error:
            raise TransientFaultError(f"{where}: {_first_line(error)}") from error
        except (BaseError, PermissionError, ValueError) as error:
            raise StoreError(f"{where}: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    line = str(error).strip().split("\n", maxsplit=1)[0]
    if "169.254.169.254" in line:  # where clouds tell their own machines who they are
        return f"no credentials in the environment, nor from this machine ({line.partition(':')[0]})"
    return line


def _backend(uri: str) -> Any:
    parts = urlsplit(uri)
    client: ClientConfig = {"allow_http": True} if on_loopback(uri) else {}
    match parts.scheme:
        case "memory":
            return MemoryStore()
        case "s3" | "s3a":
            return _s3(uri)
        case "az" | "abfs" | "abfss" | "azure":
            if on_loopback(azure_endpoint()):
                client["allow_http"] = True
            return AzureStore.from_url(uri, client_options=client, retry_config=_RETRY)
        case "gs":
            return GCSStore.from_url(uri, client_options=client, retry_config=_RETRY)
        case "http" | "https":
            return HTTPStore.from_url(uri, client_options=client, retry_config=_RETRY)
        case _:
            raise InvalidInputError(f"got {uri!r}, wanted a path or s3://, az://, gs://, https://, file://, memory://")


def s3_endpoint() -> str | None:
    """The S3 endpoint that the environment names, if any."""
    return next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), None)


def azure_endpoint() -> str | None:
    """The address of the Azure account that the environment names, if any; without one it follows from the account."""
    return next((os.environ[name] for name in _AZURE_ENDPOINTS if os.environ.get(name)), None)


def on_loopback(address: str | None) -> bool:
    """Whether an address is of this machine itself, where plain http is no risk.

    Example:
        >>> on_loopback("http://127.0.0.1:10000/account"), on_loopback("http://example.org"), on_loopback(None)
        (True, False, False)
    """
    return address is not None and urlsplit(address).hostname in LOOPBACK


def _s3(uri: str) -> S3Store:
    endpoint = s3_endpoint()
    settings: dict[str, Any] = {} if endpoint is None else {"endpoint": endpoint}
    if on_loopback(endpoint):
        settings["client_options"] = {"allow_http": True}
    return S3Store.from_url(uri, retry_config=_RETRY, **settings)
