"""How GDAL reaches remote files, and how a whole one is fetched when GDAL cannot say what is wrong."""

from __future__ import annotations

import http.client
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import url2pathname, urlopen

from landloom.errors import PermanentFaultError, StoreError, TransientFaultError

if TYPE_CHECKING:
    from collections.abc import Iterator

_REMOTE: Final = {
    "http": "/vsicurl/", "https": "/vsicurl/", "s3": "/vsis3/", "gs": "/vsigs/", "az": "/vsiaz/",
}  # fmt: skip
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


def is_remote(href: str) -> bool:
    """Whether a network lies between.

    Example:
        >>> is_remote("s3://bucket/B04.tif"), is_remote("/data/B04.tif")
        (True, False)
    """
    return urlsplit(href).scheme in _REMOTE


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
    return url2pathname(parts.path) if parts.scheme == "file" else href


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
    from landloom.store.objects import s3_endpoint

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
    from landloom.store.objects import azure_endpoint

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
    """A whole copy of a remote file, at a path that lasts as long as the context.

    Raises:
        TransientFaultError: it cannot be fetched just now, or came short.
        PermanentFaultError: it is gone.
    """
    with tempfile.TemporaryDirectory(prefix="landloom-") as folder:
        copy = Path(folder) / "copy"
        try:
            if href.startswith(("http://", "https://")):
                _download(href, copy)
            else:
                _get(href, copy)
        except HTTPError as error:
            error.close()
            kind = PermanentFaultError if error.code in {404, 410} else TransientFaultError
            raise kind(f"{href}: HTTP {error.code}") from error
        except (URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
            raise TransientFaultError(f"{href}: {error}") from error
        yield str(copy)


def _download(href: str, copy: Path) -> None:
    with urlopen(href, timeout=TIMEOUT) as answer, copy.open("wb") as file:  # noqa: S310 - the scheme was checked
        shutil.copyfileobj(answer, file, 2**20)
        announced = answer.headers.get("Content-Length")
    if announced is not None and int(announced) != copy.stat().st_size:
        raise TransientFaultError(f"{href}: got {copy.stat().st_size} bytes, wanted {announced}")


def _get(href: str, copy: Path) -> None:
    from landloom.store.objects import ObjectStore

    folder, name = href.rsplit("/", maxsplit=1)
    try:
        copy.write_bytes(ObjectStore(folder).get(name))
    except StoreError as error:
        raise PermanentFaultError(f"{href}: {error}") from error
