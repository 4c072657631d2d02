"""Tiles of a map of others, drawn below the samples."""

from __future__ import annotations

from dataclasses import dataclass

from landloom.errors import InvalidValueError


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

    def document(self) -> dict[str, str]:
        """As JSON values."""
        return {"url": self.url, "credit": self.credit}
