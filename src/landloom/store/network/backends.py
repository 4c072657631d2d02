"""The backends of object stores: obstore's stores, with account, keys and endpoint from the environment."""

from __future__ import annotations

import configparser
import os
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from obstore.store import AzureStore, GCSStore, HTTPStore, MemoryStore, S3Store

from landloom.errors import InvalidInputError, NotFoundError
from landloom.model.address import LOOPBACK, public, shown
from landloom.store.credentials import credentials
from landloom.store.hosts import check_host

if TYPE_CHECKING:
    from collections.abc import Iterable

ONCE: Final[dict[str, Any]] = {"max_retries": 0, "retry_timeout": timedelta(seconds=60)}
"""obstore's `retry_config` to send each request once."""
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
    "endpoint_url": "endpoint",
    "request_payer": "request_payer",
}
"""Key in a credentials file → obstore's setting."""
_BY_BUCKET: Final = "LANDLOOM_S3_PROFILES"
"""Variable with profiles of the AWS credentials file for single buckets: `eodata=cdse,usgs-landsat=usgs`."""
_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_GOOGLE_ENDPOINTS: Final = ("GOOGLE_BASE_URL",)
_AZURE_ENDPOINTS: Final = ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")


def object_backend(
    uri: str, *, profile: str | None = None, retries: dict[str, Any] | None = None, client: dict[str, Any] | None = None
) -> Any:
    """Open an obstore store.

    Args:
        uri: `s3://bucket/prefix`, `az://container/prefix`, `gs://bucket/prefix`, `http(s)://…` or `memory://`. Plain
            http is allowed for the loopback interface only.
        profile: section of the AWS credentials file; by default that of the bucket in `LANDLOOM_S3_PROFILES`, or else
            the keys from the environment.
        retries: obstore's `retry_config`; by default requests are sent once.
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
    common: dict[str, Any] = {"retry_config": dict(ONCE) if retries is None else retries}
    match parts.scheme:
        case "memory":
            return MemoryStore()
        case "s3" | "s3a":
            own = profile or bucket_profile(parts.netloc)
            keys: Any = _unsigned() if own is None else profile_keys(own)
            endpoint = keys.get("endpoint") or s3_endpoint()
            common |= {"endpoint": endpoint} if endpoint is not None else {}
            options |= {"allow_http": True} if on_loopback(endpoint) else {}
            return S3Store.from_url(uri, client_options=options, **keys | common)
        case "az" | "abfs" | "abfss" | "azure":
            emulated = os.environ.get("AZURE_STORAGE_USE_EMULATOR") or on_loopback(azure_endpoint())
            options |= {"allow_http": True} if emulated else {}
            return AzureStore.from_url(uri, client_options=options, **common)
        case "gs":
            options |= {"allow_http": True} if on_loopback(google_endpoint()) else {}
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


def bucket_profile(bucket: str) -> str | None:
    """The profile that `LANDLOOM_S3_PROFILES` names for a bucket, if any.

    So an archive's buckets have accounts and endpoints of their own, apart from where a corpus is built or published.

    Raises:
        InvalidInputError: the variable is not a list of BUCKET=PROFILE.

    Example:
        >>> bucket_profile("eodata") is None
        True
    """
    stated = [part.strip() for part in os.environ.get(_BY_BUCKET, "").split(",") if part.strip()]
    pairs = [part.partition("=")[::2] for part in stated]
    if not all(name and profile for name, profile in pairs):
        raise InvalidInputError(
            f"{_BY_BUCKET}: got {', '.join(stated)!r}, expected BUCKET=PROFILE, separated by commas"
        )
    return dict(pairs).get(bucket)


def profile_keys(name: str) -> dict[str, str]:
    """Keys of a profile in the AWS credentials file, as obstore's settings.

    Raises:
        NotFoundError: no such profile.
        InvalidInputError: its `endpoint_url` is no web address.
    """
    path = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or Path.home() / ".aws" / "credentials")
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path, encoding="utf-8")
    if name not in parser:
        raise NotFoundError.of(f"profile in {path}", name, parser.sections())
    keys = {ours: parser[name][theirs] for theirs, ours in _PROFILE.items() if theirs in parser[name]}
    if "endpoint" in keys:
        _check_endpoint(f"endpoint_url of profile {name}", keys["endpoint"])
    return keys


def _unsigned() -> dict[str, bool]:
    """Do not sign requests if the environment has no credentials: public buckets need no account."""
    return {} if any(os.environ.get(name) for name in _IDENTITIES) else {"skip_signature": True}


def endpoint_of(uri: str, profile: str | None = None) -> str:
    """The address of the server that is asked about an S3 URI; the URI itself where nothing names one."""
    parts = urlsplit(uri)
    if parts.scheme not in ("s3", "s3a"):
        return uri
    own = profile or bucket_profile(parts.netloc)
    return (None if own is None else profile_keys(own).get("endpoint")) or s3_endpoint() or uri


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


def google_endpoint() -> str | None:
    """The address of another Google Cloud Storage than the public one, if the environment names one.

    Raises:
        InvalidInputError: it is no web address, or holds credentials.
    """
    return _endpoint(_GOOGLE_ENDPOINTS)


def _endpoint(variables: Iterable[str]) -> str | None:
    name = next((name for name in variables if os.environ.get(name)), None)
    if name is None:
        return None
    address = os.environ[name]
    _check_endpoint(name, address)
    return address


def _check_endpoint(name: str, address: str) -> None:
    try:
        parts = urlsplit(address)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid or not address.isprintable() or " " in address:
        raise InvalidInputError(f"{name}: got {shown(address)!r}, expected an address such as https://s3.example.org")
    if public(address) != address:
        raise InvalidInputError(f"{name}: got credentials in {shown(address)}, expected none: keys have own variables")


def on_loopback(address: str | None) -> bool:
    """Whether an address is on the loopback interface, where plain http is safe.

    Example:
        >>> on_loopback("http://127.0.0.1:10000/account"), on_loopback("http://example.org"), on_loopback(None)
        (True, False, False)
    """
    return address is not None and urlsplit(address).hostname in LOOPBACK
