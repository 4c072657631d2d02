"""Tiles of a map of others, drawn below the samples."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from landloom.errors import InvalidValueError

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.*:\[\]_-]+")


@dataclass(frozen=True, slots=True)
class Basemap:
    """Where the tiles come from; browsers ask for them, the server never does.

    Example:
        >>> Basemap("https://tiles.example/{z}/{x}/{y}.png", "© Example").document()["credit"]
        '© Example'
    """

    url: str
    """Address with `{z}`, `{x}` and `{y}` or `{-y}`."""
    credit: str = ""
    """Named on the map."""

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://", "/")):
            raise InvalidValueError(f"tiles: got {self.url!r}, expected an address that begins with https://")
        if missing := [name for name in ("{z}", "{x}", "y}") if name not in self.url]:
            raise InvalidValueError(f"tiles: got {self.url!r} without {missing[0].replace('y}', '{y}')}")

        if self.origin and _ORIGIN.fullmatch(self.origin) is None:
            raise InvalidValueError(f"tiles: got the host {self.origin!r}")

    @property
    def origin(self) -> str:
        """Scheme and host, `*` for hosts that take turns, as a content security policy names it; empty for this server.

        Example:
            >>> Basemap("https://{a-c}.tiles.example/{z}/{x}/{y}.png").origin
            'https://*.tiles.example'
        """
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{re.sub(r'[{][^}]*[}]', '*', parts.netloc)}" if parts.netloc else ""

    def document(self) -> dict[str, str]:
        """As JSON values."""
        return {"url": self.url, "credit": self.credit}
