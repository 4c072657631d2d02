"""Opening a store from its path or URI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from landloom.errors import InvalidInputError
from landloom.model.address import shown
from landloom.store.credentials import keep
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    import os

    from landloom.store.protocol import Store


def open_store(uri: str | os.PathLike[str], profile: str | None = None) -> Store:
    """The store at a path or URI.

    Args:
        uri: a plain path, `file://`, `s3://bucket/prefix`, `az://container/prefix`, `gs://bucket/prefix`,
            `http(s)://…` (reading only), or `memory://` (a new, empty one each time). Credentials and endpoints
            come from the environment (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, `AZURE_STORAGE_ACCOUNT_NAME`,
            `AZURE_STORAGE_ENDPOINT`, `GOOGLE_BASE_URL`, …); plain http is allowed for the loopback interface only.
        profile: section of the AWS credentials file, instead of the keys from the environment.

    Raises:
        InvalidInputError: another scheme.

    Example:
        >>> open_store("file:///data/corpus").uri, open_store("memory://").uri
        ('/data/corpus', 'memory://')
    """
    if not isinstance(uri, str):
        return LocalStore(uri)
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise InvalidInputError(f"got {shown(uri)}, expected a path or a valid address: {error}") from error
    if parts.scheme == "file":
        if parts.netloc not in {"", "localhost"}:
            raise InvalidInputError(f"got {uri!r}, expected a file URL on this machine: file:///path")
        return LocalStore(url2pathname(parts.path))
    if "://" not in uri:
        return LocalStore(Path(uri))
    if parts.scheme in ("http", "https"):
        from landloom.store.web import WebStore  # noqa: PLC0415 - needs a client for the network

        return WebStore(uri)
    from landloom.store.objects import ObjectStore  # noqa: PLC0415 - likewise

    return ObjectStore(keep(uri), profile)
