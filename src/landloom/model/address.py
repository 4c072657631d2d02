"""Addresses of files and documents: the only module that makes references absolute.

A remote document must not refer to this machine: a `file://` address or an absolute path in it is refused, whatever its
target.
"""

from __future__ import annotations

import ipaddress
import os
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from landloom.errors import ForeignAddressError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Collection

HOSTS_VARIABLE: Final = "LANDLOOM_HOSTS"
"""Environment variable that limits the hosts that are contacted: names, separated by commas."""
REQUESTS_VARIABLE: Final = "LANDLOOM_REQUESTS"
"""Environment variable with the number of ranges of remote files that a process requests at a time."""
CONNECTIONS_VARIABLE: Final = "LANDLOOM_CONNECTIONS"
"""Environment variable that limits the connections of a process to hosts: `example.org=4`, separated by commas."""
BUDGETS_VARIABLE: Final = "LANDLOOM_BUDGETS"
"""Environment variable with the bytes that are read from hosts at most: `example.org=200GiB`, separated by commas."""
PRICES_VARIABLE: Final = "LANDLOOM_PRICES"
"""Environment variable with what hosts cost: `example.org=0.09/GiB+0.4/1000`, separated by commas."""
OUTAGE_VARIABLE: Final = "LANDLOOM_OUTAGE"
"""Environment variable with the seconds for which an outage of a host is waited for."""
WAITS_VARIABLE: Final = "LANDLOOM_WAITS"
"""Environment variable by which a command asks its workers to say what they wait for."""
WAITING: Final = "landloom.waiting"
"""Logger of what is waited for."""
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that are this machine."""
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PARTS: Final = re.compile(rf"(?P<scheme>{_SCHEME.pattern})(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>\??)")

_ADDRESS: Final = re.compile(rf"{_SCHEME.pattern}[^\s'\"()<>]+")
_CONTAINERS: Final = frozenset({"abfs://", "abfss://"})
_SIGNING: Final = re.compile(
    r"(?:^|[?&;])(?:sig|signature|token|access[_-]?token|auth|authorization|api[_-]?key|key|password|passwd|pwd|secret|code"
    r"|subscription-key|x-(?:amz|goog|oss|cos)-(?:signature|credential|security-token)|awsaccesskeyid|q-signature"
    r"|client_secret|session|jwt|policy|hdnea|hdnts)=",
    re.IGNORECASE,
)
"""Names under which stores and services carry signatures, tokens and keys in a query."""


def is_remote(address: str) -> bool:
    """Whether an address has a scheme other than `file`.

    Example:
        >>> is_remote("s3://bucket/B04.tif"), is_remote("/data/B04.tif"), is_remote("file:///data/B04.tif")
        (True, False, False)
    """
    return bool(_SCHEME.match(address)) and not address.startswith("file://")


def shown(address: str) -> str:
    """An address as it may be printed, logged or published: without user name, password, query and fragment.

    Queries carry signatures and tokens under many names, so none of them is kept. Control characters are escaped.

    Example:
        >>> shown("https://user:secret@example.org/B04.tif?sig=abc"), shown("/data/B04.tif")
        ('https://example.org/B04.tif?…', '/data/B04.tif')
    """
    text = "".join(one if one.isprintable() else repr(one)[1:-1] for one in address)
    parts = _PARTS.match(text)
    if parts is None:
        return text
    host = parts["authority"].rpartition("@")[2]
    return f"{parts['scheme']}{host}{parts['path']}{'?…' if parts['query'] else ''}"


def public(address: str) -> str:
    """An address as it may be kept and handed on: without user name and password, and without a query that signs it.

    Other queries stay: they say what is asked for. The container of an `abfs` address stays, too.

    Example:
        >>> public("https://user:secret@example.org/B04.tif?sig=abc"), public("https://example.org/items?page=2")
        ('https://example.org/B04.tif', 'https://example.org/items?page=2')
    """
    parts = _PARTS.match(address)
    if parts is None or address.startswith("file://"):
        return address
    authority = parts["authority"] if parts["scheme"] in _CONTAINERS else parts["authority"].rpartition("@")[2]
    rest = address[parts.end("path") :]
    query = rest.partition("#")[0]
    return f"{parts['scheme']}{authority}{parts['path']}{'' if is_signed(query) else rest}"


def is_signed(query: str) -> bool:
    """Whether a query string holds a signature, a token or a key.

    Example:
        >>> is_signed("?sv=2021&sig=abc"), is_signed("X-Amz-Signature=1"), is_signed("?page=2&token_type=x")
        (True, True, False)
    """
    return _SIGNING.search(query) is not None


def without_secrets(text: str) -> str:
    """A message, with every address in it as `public` gives it.

    Example:
        >>> without_secrets("error sending request for url (http://u:p@example.org/x?sig=1)")
        'error sending request for url (http://example.org/x)'
    """
    return _ADDRESS.sub(lambda found: public(found[0]), text)


def listed_hosts() -> tuple[str, ...] | None:
    """The names to which `LANDLOOM_HOSTS` limits access; None without a limit.

    Example:
        >>> listed_hosts() is None
        True
    """
    text = os.environ.get(HOSTS_VARIABLE, "")
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    return names or None


def is_listed(host: str, listed: Collection[str]) -> bool:
    """Whether a host is on a list; a name that starts with a dot admits every host below it.

    Example:
        >>> is_listed("a.tiles.net", [".tiles.net"]), is_listed("tiles.net", [".tiles.net"])
        (True, False)
    """
    return any(host == name or (name.startswith(".") and host.endswith(name)) for name in listed)


def local_path(address: str) -> str:
    """The path that a local address names: `file://` and percent-encoding are removed.

    Example:
        >>> local_path("file:///data/my%20scene/B02.tif"), local_path("data/my%20scene.tif")
        ('/data/my scene/B02.tif', 'data/my%20scene.tif')
    """
    return unquote(urlsplit(address).path) if address.startswith("file://") else address


def resolve(href: str, *, document: str) -> str:
    r"""Make a reference absolute, relative to the document that holds it.

    Args:
        href: path or URL, as written in the document.
        document: path or URL of the document itself.

    Returns:
        A URL, or a plain path for a local file. The query string of `href` is kept, that of `document` is not.

    Raises:
        ForeignAddressError: a remote document names a file on this machine, or a document from a public host names
            a host of this machine or of a private network that `LANDLOOM_HOSTS` does not name; or a document names one
            of GDAL's virtual file systems.

    Example:
        >>> resolve("./B02.tif", document="s3://bucket/a/b/item.json")
        's3://bucket/a/b/B02.tif'
        >>> resolve("../c.json", document="/data/a/item.json"), resolve(r"..\c.json", document="/data/a/item.json")
        ('/data/c.json', '/data/c.json')
        >>> resolve("file:///etc/passwd", document="https://example.org/item.json")
        Traceback (most recent call last):
        landloom.errors.ForeignAddressError: https://example.org/item.json: names file:///etc/passwd, a file on this ...
    """
    if "\\" in href and "/" not in href:
        href = href.replace("\\", "/")  # written on Windows
    if is_remote(href):
        _check_network(href, document)
        return href
    if not is_remote(document):
        if href.startswith("/vsi"):
            raise ForeignAddressError(f"{document}: names {href}; expected a URL or a path")
        folder = posixpath.dirname(local_path(document))
        return local_path(href) if href.startswith("file://") else posixpath.normpath(posixpath.join(folder, href))
    if href.startswith(("file:", "/", "\\")):
        raise ForeignAddressError(
            f"{shown(document)}: names {shown(href)}, a file on this machine; expected a URL or a relative path"
        )
    parts = urlsplit(document)
    path, _, query = href.partition("?")
    joined = posixpath.normpath(posixpath.join("/", posixpath.dirname(parts.path), path))
    return urlunsplit((parts.scheme, parts.netloc, joined, query, ""))


def _check_network(href: str, document: str) -> None:
    """Refuse references from the public network into a private one: the other end cannot know what lies there."""
    if not is_remote(document) or _is_private(_host(document)):
        return
    host = _host(href)
    if _is_private(host) and not is_listed(host, listed_hosts() or ()):
        raise ForeignAddressError(
            f"{shown(document)}: names {shown(href)}, a host of this machine or of a private network, refused unless "
            f"{HOSTS_VARIABLE} names it"
        )


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _is_private(host: str) -> bool:
    host = host.rstrip(".")
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_global
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorName:
    """A vector file as users write it: `file.gpkg|layer`, `file.csv|encoding=cp1252`."""

    file: str
    """Path or URL."""
    layer: str | None = None
    """Layer of it."""
    encoding: str | None = None
    """Encoding of its text, where that is not UTF-8."""

    @classmethod
    def parse(
        cls, text: str, layer: str | None = None, encoding: str | None = None, *, whole: bool = False
    ) -> VectorName:
        """Read what follows the bars; QGIS writes `|layername=layer`.

        Args:
            text: path or URL, as the user wrote it.
            layer: as named apart from it.
            encoding: as named apart from it.
            whole: whether a file of exactly this name is there.

        Raises:
            InvalidInputError: two different layers, or encodings.

        Example:
            >>> VectorName.parse("data/m.gpkg|one"), VectorName.parse("p.csv|encoding=cp1252").encoding
            (VectorName(file='data/m.gpkg', layer='one', encoding=None), 'cp1252')
        """
        file, own, said = text, None, None
        while not whole and own is None:
            rest, bar, last = file.rpartition("|")
            if not (bar and rest):
                break
            if last.startswith("encoding=") and said is None:
                said = last.removeprefix("encoding=")
            else:
                own = last.removeprefix("layername=")
            file = rest
        layer, encoding = _agreed(file, "layers", own, layer), _agreed(file, "encodings", said, encoding)
        return cls(file=file, layer=layer, encoding=encoding)


def _agreed(file: str, what: str, value: str | None, other: str | None) -> str | None:
    if None not in (value, other) and other != value:
        raise InvalidInputError(f"{shown(file)}: got the {what} {value!r} and {other!r}, expected one")
    return other if value is None else value
