"""Object stores (S3, Azure, Google, HTTP, memory) through obstore.

A put is one PUT and there is no rename. obstore itself resumes incomplete bodies and repeats refused requests; what
still fails afterwards is a `TransientFaultError`, left to the next run.
"""

from __future__ import annotations

import configparser
import os
from base64 import b64encode
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, GenericError, JoinError, NotSupportedError
from obstore.exceptions import NotFoundError as NoObjectError
from obstore.store import AzureStore, GCSStore, HTTPStore, MemoryStore, S3Store

from landloom.errors import InvalidInputError, MissingKeyError, NotFoundError, StoreError, TransientFaultError
from landloom.model.address import public, shown, without_secrets
from landloom.store.credentials import credentials
from landloom.store.hosts import check_host
from landloom.store.patience import Patience
from landloom.store.protocol import Entry, check_key, check_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}
"""Hosts that may be reached by plain http without risk."""
_IDENTITIES: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)
"""Variables for credentials, or for signing requests: `AWS_SKIP_SIGNATURE=false` uses the machine's role."""
_PROFILE: Final = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
    "region": "region",
}
"""Key in a credentials file → obstore's setting."""
_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_AZURE_ENDPOINTS: Final = ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")


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
        with self._plain_errors(key):
            try:
                found = obstore.get(self._backend, check_key(key), options=options)
            except GenericError:
                if start or self.size(key):
                    raise
                return b"", 0, etag  # an empty file has no first byte
            return bytes(found.bytes()), found.meta["size"], found.meta["e_tag"]

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
        with self._plain_errors(key):
            found = obstore.head(self._backend, check_key(key))
        return found["size"], found["e_tag"]

    def exists(self, key: str) -> bool:
        """Whether there is a file with that key."""
        try:
            self.size(key)
        except MissingKeyError:
            return False
        return True

    def put(self, key: str, data: bytes | memoryview) -> None:
        """Write a file with one PUT.

        Raises:
            TransientFaultError: the store temporarily does not accept it.
            StoreError: the store refuses it.
        """
        with self._plain_errors(key):
            obstore.put(self._backend, check_key(key), bytes(data), use_multipart=False)

    def create(self, key: str, data: bytes | memoryview) -> bool:
        """Write a file with one conditional PUT, unless there is one of that key already; errors as of `put`.

        A store that knows no conditional PUT is asked before.
        """
        with self._plain_errors(key):
            try:
                obstore.put(self._backend, check_key(key), bytes(data), use_multipart=False, mode="create")
            except AlreadyExistsError:
                return False
            except (NotSupportedError, NotImplementedError):
                if self.exists(key):
                    return False
                self.put(key, data)
        return True

    def delete(self, key: str) -> None:
        """Remove a file; a missing file is not an error."""
        try:
            with self._plain_errors(key):
                obstore.delete(self._backend, check_key(key))
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
        except (NoObjectError, FileNotFoundError) as error:
            raise MissingKeyError(f"nothing under {where}") from error
        except NotSupportedError as error:
            raise StoreError(f"{where}: {_first_line(error)}") from error
        except (GenericError, JoinError, TimeoutError, ConnectionError) as error:
            raise TransientFaultError(f"{where}: {_first_line(error)}") from error
        except (BaseError, PermissionError, ValueError) as error:
            raise StoreError(f"{where}: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    line = without_secrets(str(error).strip().split("\n", maxsplit=1)[0])
    if "169.254.169.254" in line:  # where clouds tell their own machines who they are
        return f"no credentials in the environment, nor from this machine ({line.partition(':')[0]})"
    return line


def object_backend(
    uri: str, *, profile: str | None = None, retries: dict[str, Any] | None = None, client: dict[str, Any] | None = None
) -> Any:
    """Open an obstore store.

    Args:
        uri: `s3://bucket/prefix`, `az://container/prefix`, `gs://bucket/prefix`, `http(s)://…` or `memory://`. Plain
            http is allowed for the loopback interface only.
        profile: section of the AWS credentials file; by default the keys from the environment.
        retries: obstore's `retry_config`; by default that of `Patience`.
        client: obstore's `client_options`.

    Raises:
        InvalidInputError: another scheme.
        NotFoundError: no such profile.
        ForeignAddressError: its bucket or host may not be contacted.
    """
    parts = urlsplit(uri)
    if parts.netloc and parts.scheme != "memory":
        check_host(uri)
    options: Any = dict(client or {})
    common: dict[str, Any] = {"retry_config": Patience().retries() if retries is None else retries}
    match parts.scheme:
        case "memory":
            return MemoryStore()
        case "s3" | "s3a":
            endpoint = s3_endpoint()
            if endpoint is not None:
                common["endpoint"] = endpoint
            options |= {"allow_http": True} if on_loopback(endpoint) else {}
            keys: Any = _unsigned() if profile is None else profile_keys(profile)
            return S3Store.from_url(uri, client_options=options, **common, **keys)
        case "az" | "abfs" | "abfss" | "azure":
            emulated = os.environ.get("AZURE_STORAGE_USE_EMULATOR") or on_loopback(azure_endpoint())
            options |= {"allow_http": True} if emulated else {}
            return AzureStore.from_url(uri, client_options=options, **common)
        case "gs":
            return GCSStore.from_url(uri, client_options=options, **common)
        case "http" | "https":
            options |= {"allow_http": True} if on_loopback(uri) else {}
            address, headers = _web_address(uri)
            return HTTPStore.from_url(address, client_options=options | headers, **common)
        case _:
            raise InvalidInputError(
                f"got {shown(uri)!r}, expected a path or s3://, az://, gs://, https://, file://, memory://"
            )


def _web_address(uri: str) -> tuple[str, dict[str, Any]]:
    """The address of a web server's folder with what was kept to sign it, and options that log in."""
    kept = credentials(uri)
    if kept is None:
        return uri, {}
    address = f"{uri}?{kept.query}" if kept.query and "?" not in uri else uri
    if kept.login is None:
        return address, {}
    word = b64encode(":".join(kept.login).encode()).decode()
    return address, {"default_headers": {"Authorization": f"Basic {word}"}}


def profile_keys(name: str) -> dict[str, str]:
    """Keys of a profile in the AWS credentials file, as obstore's settings.

    Raises:
        NotFoundError: no such profile.
    """
    path = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or Path.home() / ".aws" / "credentials")
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path, encoding="utf-8")
    if name not in parser:
        raise NotFoundError.of(f"profile in {path}", name, parser.sections())
    return {ours: parser[name][theirs] for theirs, ours in _PROFILE.items() if theirs in parser[name]}


def _unsigned() -> dict[str, bool]:
    """Do not sign requests if the environment has no credentials: public buckets need no account."""
    return {} if any(os.environ.get(name) for name in _IDENTITIES) else {"skip_signature": True}


def s3_endpoint() -> str | None:
    """The S3 endpoint that the environment names, if any.

    Raises:
        InvalidInputError: it is no web address, or holds credentials.
    """
    return _endpoint(_ENDPOINTS)


def azure_endpoint() -> str | None:
    """The address of the Azure account that the environment names, if any; without one it follows from the account.

    Raises:
        InvalidInputError: it is no web address, or holds credentials.
    """
    return _endpoint(_AZURE_ENDPOINTS)


def _endpoint(variables: Iterable[str]) -> str | None:
    name = next((name for name in variables if os.environ.get(name)), None)
    if name is None:
        return None
    address = os.environ[name]
    try:
        parts = urlsplit(address)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid or not address.isprintable() or " " in address:
        raise InvalidInputError(f"{name}: got {shown(address)!r}, expected an address such as https://s3.example.org")
    if public(address) != address:
        raise InvalidInputError(f"{name}: got credentials in {shown(address)}, expected none: keys have own variables")
    return address


def on_loopback(address: str | None) -> bool:
    """Whether an address is on the loopback interface, where plain http is safe.

    Example:
        >>> on_loopback("http://127.0.0.1:10000/account"), on_loopback("http://example.org"), on_loopback(None)
        (True, False, False)
    """
    return address is not None and urlsplit(address).hostname in LOOPBACK
