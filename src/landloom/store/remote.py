"""How GDAL reaches remote files, and how a whole one is fetched when GDAL cannot say what is wrong."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from landloom.errors import MissingKeyError, PermanentFaultError, StoreError, TransientFaultError
from landloom.model.address import is_remote, local_path
from landloom.store.http import download, new_session
from landloom.store.objects import ObjectStore, azure_endpoint, s3_endpoint
from landloom.store.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator

_REMOTE: Final = {
    "http": "/vsicurl/",
    "https": "/vsicurl/",
    "s3": "/vsis3/",
    "gs": "/vsigs/",
    "az": "/vsiaz/",
}
TIMEOUT: Final = 60
"""Seconds without a byte after which a transfer has failed."""
_SETTINGS: Final[dict[str, Any]] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_NUM_THREADS": 1,
    "GDAL_CACHEMAX": 256 * 2**20,
    "GDAL_TIFF_INTERNAL_MASK": True,
    "CPL_VSIL_CURL_CHUNK_SIZE": 64 * 2**10,
    "GDAL_HTTP_TIMEOUT": TIMEOUT,
    "GDAL_HTTP_CONNECTTIMEOUT": 20,
    "GDAL_HTTP_MAX_RETRY": 0,
    "GDAL_HTTP_MULTIRANGE": "YES",
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
}
_REMOTE_SETTINGS: Final[dict[str, Any]] = {"VSI_CACHE": True, "VSI_CACHE_SIZE": 2 * 2**20}
"""Every open file keeps so much of what was read of it: a granule's year is 264 files. Local files lie in the system's
own cache anyhow."""
_suspects: set[str] = set()
"""What failed in this process: GDAL remembers failures, and would repeat them without asking the server again."""


def gdal_path(href: str) -> str:
    """The name under which GDAL opens a path or URL.

    Example:
        >>> gdal_path("s3://bucket/B04.tif"), gdal_path("file:///data/B04.tif")
        ('/vsis3/bucket/B04.tif', '/data/B04.tif')
    """
    parts = urlsplit(href)
    prefix = _REMOTE.get(parts.scheme)
    if prefix == "/vsicurl/":
        return prefix + href
    if prefix is not None:
        return prefix + href.split("://", maxsplit=1)[1]
    return local_path(href)


def suspect(href: str) -> None:
    """Remember that a remote file failed, so that the next try asks its server anew."""
    if is_remote(href):
        _suspects.add(gdal_path(href))


def gdal_settings(href: str) -> dict[str, Any]:
    """GDAL's configuration for reading a file: one thread, no listing of folders, no retries of its own.

    What the environment sets (`GDAL_HTTP_TIMEOUT`) goes before.
    """
    wanted = _SETTINGS | _REMOTE_SETTINGS if is_remote(href) else _SETTINGS
    settings = {name: value for name, value in wanted.items() if name not in os.environ}
    if _suspects and gdal_path(href) in _suspects:
        settings["CPL_VSIL_CURL_NON_CACHED"] = gdal_path(href)
    match urlsplit(href).scheme:
        case "s3":
            return settings | _s3_settings()
        case "az":
            return settings | _azure_settings()
        case _:
            return settings


def _s3_settings() -> dict[str, Any]:
    """The endpoint in the words that GDAL understands."""
    endpoint = s3_endpoint()
    if endpoint is None:
        return {}
    parts = urlsplit(endpoint)
    return {
        "AWS_S3_ENDPOINT": parts.netloc + parts.path.rstrip("/"),
        "AWS_HTTPS": "NO" if parts.scheme == "http" else "YES",
        "AWS_VIRTUAL_HOSTING": "FALSE",
    }


def _azure_settings() -> dict[str, Any]:
    """Account, key and endpoint in the words that GDAL understands."""
    account, endpoint = os.environ.get("AZURE_STORAGE_ACCOUNT_NAME"), azure_endpoint()
    if account is None or "AZURE_STORAGE_CONNECTION_STRING" in os.environ:
        return {}
    key = os.environ.get("AZURE_STORAGE_ACCOUNT_KEY")
    if endpoint is None or key is None:
        return {"AZURE_STORAGE_ACCOUNT": account} | ({} if key is None else {"AZURE_STORAGE_ACCESS_KEY": key})
    scheme = urlsplit(endpoint).scheme
    words = f"DefaultEndpointsProtocol={scheme};AccountName={account};AccountKey={key};BlobEndpoint={endpoint};"
    return {"AZURE_STORAGE_CONNECTION_STRING": words}


@contextmanager
def fetched(href: str) -> Iterator[str]:
    """A whole copy of a remote file, at a path that lasts as long as the context; asked for once.

    Raises:
        TransientFaultError: it cannot be fetched just now, came short, or may not be read.
        PermanentFaultError: it is gone.
    """
    with tempfile.TemporaryDirectory(prefix="landloom-") as folder:
        copy = Path(folder) / "copy"
        try:
            _copy(href, copy)
        except MissingKeyError as error:
            raise PermanentFaultError(str(error)) from error
        except (StoreError, PermanentFaultError) as error:  # whoever may not read it today may do so tomorrow
            raise TransientFaultError(str(error)) from error
        yield str(copy)


def _copy(href: str, copy: Path) -> None:
    if href.startswith(("http://", "https://")):
        with new_session(Patience(attempts=1, timeout=TIMEOUT)) as session:
            download(session, href, copy)
        return
    folder, name = href.rsplit("/", maxsplit=1)
    copy.write_bytes(ObjectStore(folder).get(name))
