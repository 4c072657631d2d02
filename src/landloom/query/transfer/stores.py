"""Object stores for bulk transfer, and signed addresses."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from landloom.errors import InvalidInputError
from landloom.model.address import is_remote, local_path

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_RETRY: Final[dict[str, Any]] = {"max_retries": 0, "retry_timeout": timedelta(seconds=1)}
"""obstore does not retry: the download retries and resumes a file with its journal."""
_CLIENT: Final[dict[str, Any]] = {
    "timeout": "120 seconds",
    "connect_timeout": "20 seconds",
    "pool_max_idle_per_host": "256",
}


def open_transfer_store(uri: str, profile: str | None = None) -> Any:
    """An obstore store that does not retry by itself.

    Args:
        uri: an address for `landloom.store.network.backends.object_backend`, or a folder.
        profile: section of the AWS credentials file; by default the keys in the environment.

    Raises:
        InvalidInputError: another scheme.
        NotFoundError: no such profile.
    """
    from obstore.store import LocalStore

    from landloom.store.network.backends import object_backend

    if not is_remote(uri):
        return LocalStore(prefix=Path(local_path(uri)).absolute())
    address = uri.rstrip("/") if urlsplit(uri).netloc else uri
    return object_backend(address, profile=profile, retries=_NO_RETRY, client=_CLIENT)


def signed_urls(uri: str, paths: Sequence[str], seconds: int = 3600, profile: str | None = None) -> list[str]:
    """Addresses that anybody can open for a limited time.

    Args:
        uri: address of the corpus, in a store that signs: S3, Azure or Google.
        paths: relative to it.
        seconds: validity in seconds.
        profile: section of the AWS credentials file.

    Raises:
        InvalidInputError: a store that does not sign.
    """
    import obstore
    from obstore.store import AzureStore, GCSStore, S3Store

    store = open_transfer_store(uri, profile)
    if not isinstance(store, S3Store | AzureStore | GCSStore):
        raise InvalidInputError(f"got {uri!r}, expected a store that signs: s3://, az:// or gs://")
    return list(obstore.sign(store, "GET", list(paths), expires_in=timedelta(seconds=seconds)))
