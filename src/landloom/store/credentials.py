"""Credentials that come with an address: used for requests, kept in this process alone, never printed or written.

Whoever takes an address from a user or a document has it kept here and goes on with what `keep` returns; whoever sends
a request asks `requested` for the address to send. So a signed root signs what lies below it, too.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from posixpath import dirname, splitext
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from landloom.errors import InvalidInputError
from landloom.model.address import LOOPBACK, is_listed, is_remote, is_signed, public, shown

TOKENS_VARIABLE: Final = "LANDLOOM_TOKENS"
"""Variable that says which hosts take a bearer token, and which variable holds it: `example.org=EXAMPLE_TOKEN`."""
_TOKENS: Final = {"earthdatacloud.nasa.gov": "EARTHDATA_TOKEN"}
"""Host, or the end of its name → variable that holds its token."""
_WEB: Final = ("http://", "https://")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credentials:
    """What an address carried beside the place."""

    user: str | None = None
    """User information as it was written: `name:password`."""
    query: str = ""
    """A query that signs."""

    @property
    def login(self) -> tuple[str, str] | None:
        """User name and password, decoded."""
        if self.user is None:
            return None
        name, _, word = self.user.partition(":")
        return unquote(name), unquote(word)


_kept: dict[str, Credentials] = {}


def keep(address: str) -> str:
    """Keep the credentials of an address.

    Args:
        address: of a folder or a document. Credentials of a document (its name has an ending) hold for its folder.

    Returns:
        The address without them.

    Raises:
        InvalidInputError: no address, or credentials in one of an object store, which takes them from the environment.

    Example:
        >>> keep("https://user:secret@example.org/kept/catalog.json?sig=abc")
        'https://example.org/kept/catalog.json'
        >>> requested("https://example.org/kept/items/a.json")
        'https://user:secret@example.org/kept/items/a.json?sig=abc'
    """
    if not is_remote(address):
        return address
    plain = public(address)
    try:
        parts = urlsplit(address)
        _ = parts.port, parts.hostname
    except ValueError as error:
        raise InvalidInputError(f"got {shown(address)}, expected a valid address: {error}") from error
    if plain == address:
        return plain
    if not address.startswith(_WEB):
        raise InvalidInputError(
            f"got credentials in {shown(address)}; expected none: those of object stores come from the environment"
        )
    user, at, _ = parts.netloc.rpartition("@")
    place = urlsplit(plain)
    folder = dirname(place.path) if splitext(place.path)[1] else place.path
    found = Credentials(user=user if at else None, query=parts.query if is_signed(parts.query) else "")
    _kept[f"{place.scheme}://{place.netloc}{folder.rstrip('/')}/"] = found
    return plain


def kept() -> dict[str, Credentials]:
    """All that this process keeps, for its workers on this machine."""
    return dict(_kept)


def take_over(found: dict[str, Credentials]) -> None:
    """Keep what another process of this machine kept."""
    _kept.update(found)


def credentials(address: str) -> Credentials | None:
    """What was kept for an address or a folder above it, the nearest one."""
    if not _kept:
        return None
    below = f"{address.partition('?')[0]}/"
    found = max((folder for folder in _kept if below.startswith(folder)), key=len, default=None)
    return None if found is None else _kept[found]


def requested(address: str) -> str:
    """An address as it is sent: with the credentials that were kept for it. Never to be printed or written."""
    kept = credentials(address)
    if kept is None:
        return address
    parts = urlsplit(address)
    if "@" in parts.netloc or is_signed(parts.query):
        return address
    netloc = parts.netloc if kept.user is None else f"{kept.user}@{parts.netloc}"
    query = "&".join(part for part in (parts.query, kept.query) if part)
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def bearer(address: str) -> str | None:
    """The bearer token that a request to an address carries, if any; only encrypted, or on this machine.

    Raises:
        InvalidInputError: `LANDLOOM_TOKENS` is not a list of HOST=VARIABLE.

    Example:
        >>> bearer("https://example.org/B04.tif") is None
        True
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme != "https" and host not in LOOPBACK:
        return None
    for name, variable in {**_TOKENS, **_stated_tokens()}.items():
        if is_listed(host, (name, f".{name}")):
            return os.environ.get(variable) or None
    return None


def _stated_tokens() -> dict[str, str]:
    stated = [part.strip() for part in os.environ.get(TOKENS_VARIABLE, "").split(",") if part.strip()]
    pairs = [part.partition("=")[::2] for part in stated]
    if not all(host and variable for host, variable in pairs):
        raise InvalidInputError(
            f"{TOKENS_VARIABLE}: got {', '.join(stated)!r}, expected HOST=VARIABLE, separated by commas"
        )
    return {host.lower(): variable for host, variable in pairs}
