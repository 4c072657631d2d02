"""Access control for hosts.

`LANDLOOM_HOSTS` (the option `--hosts` of the command line) limits access to a list of names separated by commas; a name
that starts with a dot admits every host below it. Metadata services of clouds, and link-local addresses, are refused
unless they are on that list, both by name and by the address of the established connection.

A document from a public host, or a redirect of one, leads to public hosts only: whatever a name in it resolves to, a
connection that ends on this machine or in a private network is closed before anything is sent, unless the list names
the host. A host that was public once counts as public from then on. Through a proxy, which resolves names itself, the
names alone are checked.

obstore has no option for redirects. It follows up to ten by itself, to another host without credentials, and from https
to https only. So documents and rasters on web servers are read by landloom's own client, which checks every redirect,
and downloads of whole corpora use it too while hosts are limited. What is left: without a list, such a download may be
redirected to a private address that answers https, or, from a server on the loopback interface, http. Object stores
(S3, Azure, Google) are read through obstore alone: their endpoints come from the environment, and are trusted.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from landloom.errors import ForeignAddressError
from landloom.model.address import HOSTS_VARIABLE, is_listed, is_remote, listed_hosts, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_WEB: Final = frozenset({"http", "https"})
_METADATA_NAMES: Final = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})
_METADATA: Final = tuple(
    ipaddress.ip_network(network)
    for network in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "100.100.100.200/32", "192.0.0.192/32")
)
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses that end in the IPv4 address that is meant."""


@dataclass(frozen=True, slots=True)
class Lead:
    """What led to an address that is requested."""

    document: str
    """Address of the document that names it, or of the one that is redirected."""
    redirect: bool = False
    """Whether it is a redirect."""


@dataclass(frozen=True, slots=True)
class Peers:
    """Host → an address at which this process has reached it."""

    public: dict[str, str]
    private: dict[str, str]


_lead: ContextVar[Lead | None] = ContextVar("lead", default=None)
_peers: Final = Peers({}, {})


def check_host(address: str) -> None:
    """Check that the host of a URL, or the bucket of an object store, may be contacted.

    Raises:
        ForeignAddressError: it may not, or the address has no host.

    Example:
        >>> check_host("https://example.org/B04.tif")
        >>> check_host("http://169.254.169.254/latest/meta-data")
        Traceback (most recent call last):
        landloom.errors.ForeignAddressError: http://169.254.169.254/latest/meta-data: link-local and metadata ...
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ForeignAddressError(f"{shown(address)}: not a valid address: {error}") from error
    if not host:
        raise ForeignAddressError(f"{shown(address)}: not a valid address: no host")
    allowed = listed_hosts()
    if allowed is not None:
        if not is_listed(host, allowed):
            raise ForeignAddressError(
                f"{shown(address)}: {host} is not among the hosts allowed by {HOSTS_VARIABLE} (--hosts)"
            )
        return
    if (parts.scheme in _WEB and host in _METADATA_NAMES) or _is_metadata(host):
        raise ForeignAddressError(_link_local(shown(address)))


def check_peer(ip: str, host: str) -> None:
    """Check the actual address of a connection to a host, and remember it.

    Args:
        ip: address of the peer.
        host: requested name.

    Raises:
        ForeignAddressError: the name resolves to a link-local or metadata address, or a public document led to a
            private one; and the host is not allowed by name.

    Example:
        >>> check_peer("127.0.0.1", "localhost")
        >>> check_peer("169.254.169.254", "harmless.example")
        Traceback (most recent call last):
        landloom.errors.ForeignAddressError: harmless.example (169.254.169.254): link-local and metadata addresses ...
    """
    (_peers.private if is_private(ip) else _peers.public).setdefault(host, ip)
    lead = _lead.get() if is_private(ip) else None
    refused = why_refused(ip, host, None if lead is None else _origin(lead.document), listed_hosts() or ())
    if refused is not None:
        raise ForeignAddressError(refused if lead is None else f"{shown(lead.document)}: leads to {refused}")


def check_again(host: str) -> None:
    """Check a host whose connections may be open from another request; errors as of `check_peer`."""
    ip = _peers.private.get(host)
    if ip is not None and _lead.get() is not None:
        check_peer(ip, host)


def why_refused(peer: str, host: str, origin: str | None, allowed: Collection[str]) -> str | None:
    """Why a connection is refused; None if it is not.

    Args:
        peer: address of its other end.
        host: requested name.
        origin: address of the host whose document or redirect led to it, or its name; None if the user named the host.
        allowed: names that the user lists.

    Example:
        >>> why_refused("10.0.0.7", "tiles.example", "10.0.0.8", ())
        >>> why_refused("10.0.0.7", "tiles.example", "1.1.1.1", ())
        'tiles.example (10.0.0.7), an address of this machine or of a private network, refused unless LANDLOOM_HOSTS ...
    """
    if host in allowed:
        return None
    if _is_metadata(peer):
        return _link_local(f"{host} ({peer})")
    if origin is None or is_private(origin) or not is_private(peer) or is_listed(host, allowed):
        return None
    return (
        f"{host} ({peer}), an address of this machine or of a private network, refused unless {HOSTS_VARIABLE} names it"
    )


@contextmanager
def led_by(document: str | None, *, redirect: bool = False) -> Iterator[None]:
    """Requests within go to what a document names; None: to what the user names."""
    token = _lead.set(None if document is None else Lead(document, redirect=redirect))
    try:
        yield
    finally:
        _lead.reset(token)


def lead() -> Lead | None:
    """What led to the address that is being requested; None if the user named it."""
    return _lead.get()


def redirected(address: str) -> None:
    """The request within `led_by` goes on to where an address redirects it."""
    _lead.set(Lead(address, redirect=True))


def peers() -> Peers:
    """The hosts that this process has reached, for its workers on this machine."""
    return Peers(dict(_peers.public), dict(_peers.private))


def take_over_peers(found: Peers) -> None:
    """Remember the hosts that another process of this machine has reached."""
    _peers.public.update(found.public)
    _peers.private.update(found.private)


def hosts_are_limited() -> bool:
    """Whether only listed hosts may be contacted.

    Example:
        >>> hosts_are_limited()
        False
    """
    return listed_hosts() is not None


class _Turn:
    """Lets calls under the same list run at the same time, and others wait: the list holds for a whole process."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._running = 0
        self._list = self._own = ""

    def enter(self, hosts: str) -> None:
        with self._free:
            self._free.wait_for(lambda: not self._running or self._list == hosts)
            if not self._running:
                self._list, self._own = hosts, os.environ.get(HOSTS_VARIABLE, "")
                os.environ[HOSTS_VARIABLE] = hosts or self._own
            self._running += 1

    def leave(self) -> None:
        with self._free:
            self._running -= 1
            if not self._running:
                os.environ[HOSTS_VARIABLE] = self._own
                self._free.notify_all()


_turn: Final = _Turn()


@contextmanager
def limited_to(hosts: str) -> Iterator[None]:
    """Only these hosts may be contacted within, by any thread of this process.

    Args:
        hosts: names, separated by commas; empty for the limits of this process itself.

    Example:
        >>> with limited_to("example.org"):
        ...     hosts_are_limited()
        True
    """
    _turn.enter(hosts)
    try:
        yield
    finally:
        _turn.leave()


def _origin(document: str) -> str | None:
    """Address of a document's host: a public one if it ever had one; its name if it has none; None if it is local."""
    host = urlsplit(document).hostname if is_remote(document) else None
    if not host:
        return None
    return _peers.public.get(host) or _peers.private.get(host) or _looked_up(host)


@cache
def _looked_up(host: str) -> str:
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return host
    return next((ip for ip in found if not is_private(ip)), found[0])


def is_private(address: str) -> bool:
    """Whether an IP address is of this machine, of a private network or of none; a name is not.

    Example:
        >>> is_private("127.0.0.1"), is_private("64:ff9b::7f00:1"), is_private("1.1.1.1"), is_private("example.org")
        (True, True, False, False)
    """
    return any(not one.is_global for one in _addresses(address))


def _is_metadata(host: str) -> bool:
    return any(one.version == network.version and one in network for one in _addresses(host) for network in _METADATA)


def _addresses(host: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]:
    """The IP address that a text is, if any, and the IPv4 address that an IPv6 address carries."""
    try:
        ip = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ()
    if isinstance(ip, ipaddress.IPv4Address):
        return (ip,)
    if ip.ipv4_mapped is not None:
        return (ip.ipv4_mapped,)
    inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else ip.sixtofour
    return (ip,) if inner is None else (ip, inner)


def _link_local(what: str) -> str:
    return f"{what}: link-local and metadata addresses are refused unless {HOSTS_VARIABLE} names them"
