"""Protection against requests that another site makes a browser send (CSRF), and against foreign host names."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """How browsers reach this server.

    Example:
        >>> site = Site(secure=False, loopback=True)
        >>> site.serves("localhost:8000"), site.serves("rebound.example:8000")
        (True, False)
        >>> site.same_origin({"host": "localhost:8000", "origin": "https://elsewhere.example"})
        False
    """

    secure: bool
    """Over TLS, ended here or by a proxy in front."""
    loopback: bool
    """Only from this machine."""
    proxied: bool = False
    """Through a proxy, which states the address of the client in `X-Forwarded-For`."""

    def serves(self, host: str) -> bool:
        """Whether a `Host` header can mean this server; on loopback, only names of this machine do.

        A page of another site whose name was made to point at 127.0.0.1 (DNS rebinding) gets no answer.
        """
        return not self.loopback or is_loopback(_without_port(host))

    def same_origin(self, headers: Mapping[str, str]) -> bool:
        """Whether a request was sent by a page of this server, or by a client that is no browser."""
        fetched = headers.get("sec-fetch-site")
        origin = headers.get("origin")
        own = f"{'https' if self.secure else 'http'}://{headers.get('host', '')}"
        return fetched in (None, "same-origin") and origin in (None, own)

    def client(self, headers: Mapping[str, str], peer: str) -> str:
        """The address of the client: behind a proxy, the last entry, which is the one that the proxy wrote."""
        forwarded = headers.get("x-forwarded-for", "") if self.proxied else ""
        return forwarded.rsplit(",", 1)[-1].strip()[:64] or peer


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
        (True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _without_port(host: str) -> str:
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
