"""Access control for hosts.

`LANDLOOM_HOSTS` (the option `--hosts` of the command line) limits access to a list of names separated by commas; a name
that starts with a dot admits every host below it. Metadata services of clouds, and link-local addresses, are refused
unless they are on that list, both by name and by the address of the established connection.

obstore has no option for redirects. It follows up to ten by itself, to another host without credentials, and from https
to https only. So documents and rasters on web servers are read by landloom's own client, which checks every redirect,
and downloads of whole corpora use it too while hosts are limited. What is left: without a list, such a download may be
redirected to a link-local address that answers https, or, from a server on the loopback interface, http. Object stores
(S3, Azure, Google) are read through obstore alone: their endpoints come from the environment, and are trusted.
"""

from __future__ import annotations

import ipaddress
import os
from typing import Final
from urllib.parse import urlsplit

from landloom.errors import ForeignAddressError
from landloom.model.address import HOSTS_VARIABLE, shown

_WEB: Final = frozenset({"http", "https"})
_METADATA_NAMES: Final = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})
_METADATA: Final = tuple(
    ipaddress.ip_network(network)
    for network in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "100.100.100.200/32", "192.0.0.192/32")
)


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
    allowed = _allowed()
    if allowed is not None:
        if not any(host == name or (name.startswith(".") and host.endswith(name)) for name in allowed):
            raise ForeignAddressError(
                f"{shown(address)}: {host} is not among the hosts allowed by {HOSTS_VARIABLE} (--hosts)"
            )
        return
    if (parts.scheme in _WEB and host in _METADATA_NAMES) or _is_metadata(host):
        raise _refused(shown(address))


def check_peer(ip: str, host: str) -> None:
    """Check the actual address of a connection to a host.

    Args:
        ip: address of the peer.
        host: requested name.

    Raises:
        ForeignAddressError: the name resolves to a link-local or metadata address and is not allowed by name.

    Example:
        >>> check_peer("127.0.0.1", "localhost")
        >>> check_peer("169.254.169.254", "harmless.example")
        Traceback (most recent call last):
        landloom.errors.ForeignAddressError: harmless.example (169.254.169.254): link-local and metadata addresses ...
    """
    if _is_metadata(ip) and host not in (_allowed() or ()):
        raise _refused(f"{host} ({ip})")


def hosts_are_limited() -> bool:
    """Whether only listed hosts may be contacted.

    Example:
        >>> hosts_are_limited()
        False
    """
    return _allowed() is not None


def _allowed() -> tuple[str, ...] | None:
    text = os.environ.get(HOSTS_VARIABLE, "")
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    return names or None


def _is_metadata(host: str) -> bool:
    try:
        ip = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    return any(mapped.version == network.version and mapped in network for network in _METADATA)


def _refused(what: str) -> ForeignAddressError:
    return ForeignAddressError(
        f"{what}: link-local and metadata addresses are refused unless {HOSTS_VARIABLE} names them"
    )
