"""Object stores for bulk transfer, and signed addresses; credentials come from the environment or a named profile."""

from __future__ import annotations

import configparser
import os
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from landloom.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NO_RETRY: Final[dict[str, Any]] = {"max_retries": 0, "retry_timeout": timedelta(seconds=1)}
_CLIENT: Final[dict[str, Any]] = {
    "timeout": "120 seconds", "connect_timeout": "20 seconds", "pool_max_idle_per_host": "256",
}  # fmt: skip


def _profile(name: str) -> dict[str, str]:
    """Keys of a profile of the AWS command line's credentials file.

    Raises:
        NotFoundError: no such profile.
    """
    path = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or Path.home() / ".aws" / "credentials")
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path, encoding="utf-8")
    if name not in parser:
        raise NotFoundError.of(f"profile in {path}", name, parser.sections())
    names = {"aws_access_key_id": "access_key_id", "aws_secret_access_key": "secret_access_key",
             "aws_session_token": "session_token", "region": "region"}  # fmt: skip
    return {ours: parser[name][theirs] for theirs, ours in names.items() if theirs in parser[name]}


@contextmanager
def credentials(profile: str | None) -> Iterator[None]:
    """Let all that is opened within, index and files alike, take its keys from a profile.

    Args:
        profile: section of the AWS credentials file; None changes nothing.

    Raises:
        NotFoundError: no such profile.

    Example:
        >>> try:
        ...     with credentials("no-such-profile"):
        ...         pass
        ... except NotFoundError as error:
        ...     print(str(error).partition(" in ")[0])
        no profile
    """
    keys = {} if profile is None else {f"AWS_{name.upper()}": key for name, key in _profile(profile).items()}
    before = {name: os.environ.get(name) for name in keys}
    os.environ.update(keys)
    try:
        yield
    finally:
        for name, key in before.items():
            if key is None:
                del os.environ[name]
            else:
                os.environ[name] = key


def open_transfer_store(uri: str, profile: str | None = None) -> Any:
    """A store of obstore that does not retry by itself.

    Args:
        uri: `https://…`, `s3://bucket/prefix`, `az://container/prefix`, `gs://bucket/prefix`, or a folder.
            Plain http is allowed to the loopback only. S3 buckets are read without a signature where the environment
            has no key.
        profile: section of the AWS credentials file.

    Raises:
        InvalidInputError: another scheme.
        NotFoundError: no such profile.
    """
    from obstore.store import AzureStore, GCSStore, HTTPStore, LocalStore, S3Store

    from landloom.store.objects import azure_endpoint, on_loopback, s3_endpoint

    parts = urlsplit(uri)
    client = {**_CLIENT, "allow_http": True} if on_loopback(uri) else dict(_CLIENT)
    common: dict[str, Any] = {"client_options": client, "retry_config": _NO_RETRY}
    match parts.scheme:
        case "http" | "https":
            return HTTPStore.from_url(uri.rstrip("/"), **common)
        case "s3" | "s3a":
            endpoint = s3_endpoint()
            if endpoint is not None:
                common["endpoint"] = endpoint
                client["allow_http"] = on_loopback(endpoint)
            common |= _profile(profile) if profile is not None else {}
            if profile is None and not os.environ.get("AWS_ACCESS_KEY_ID"):
                common["skip_signature"] = True
            return S3Store.from_url(uri.rstrip("/"), **common)
        case "az" | "abfs" | "abfss" | "azure":
            if os.environ.get("AZURE_STORAGE_USE_EMULATOR") or on_loopback(azure_endpoint()):
                client["allow_http"] = True
            return AzureStore.from_url(uri.rstrip("/"), **common)
        case "gs":
            return GCSStore.from_url(uri.rstrip("/"), **common)
        case "" | "file":
            return LocalStore(prefix=Path(parts.path or uri).absolute())
        case _:
            raise InvalidInputError(f"got {uri!r}, wanted a folder or https://, s3://, az://, gs://")


def signed_urls(uri: str, paths: Sequence[str], seconds: int = 3600, profile: str | None = None) -> list[str]:
    """Addresses that anybody may open for a while.

    Args:
        uri: of the corpus, in a store that signs: S3, Azure or Google.
        paths: relative to it.
        seconds: how long they work.
        profile: section of the AWS credentials file.

    Raises:
        InvalidInputError: a store that does not sign.
    """
    import obstore
    from obstore.store import AzureStore, GCSStore, S3Store

    store = open_transfer_store(uri, profile)
    if not isinstance(store, S3Store | AzureStore | GCSStore):
        raise InvalidInputError(f"got {uri!r}, wanted a store that signs: s3://, az:// or gs://")
    return list(obstore.sign(store, "GET", list(paths), expires_in=timedelta(seconds=seconds)))
