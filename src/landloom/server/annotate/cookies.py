"""The cookie of a session: readable by no script, sent to this site alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

SECURE: Final = "__Host-session"
"""Name on TLS: browsers accept it only with Secure, for this host alone."""
PLAIN: Final = "session"
"""Name on plain HTTP on loopback, where browsers refuse the other one."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCookie:
    """How the token of a session is kept in a browser.

    Args:
        secure: whether browsers reach the server over TLS.

    Example:
        >>> SessionCookie(secure=False).removed()
        'session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0'
    """

    secure: bool

    @property
    def name(self) -> str:
        """Its name."""
        return SECURE if self.secure else PLAIN

    def _attributes(self) -> str:
        return f"Path=/; HttpOnly; SameSite=Strict{'; Secure' if self.secure else ''}"

    def header(self, token: str) -> str:
        """The `Set-Cookie` header of a new session; it ends with the browser's, and on the server."""
        return f"{self.name}={token}; {self._attributes()}"

    def removed(self) -> str:
        """The `Set-Cookie` header that removes it."""
        return f"{self.name}=; {self._attributes()}; Max-Age=0"

    def token(self, header: str) -> str | None:
        """The token in a `Cookie` header.

        A name that occurs twice is nobody's session: another path or host may have planted one of them.

        Example:
            >>> SessionCookie(secure=False).token("theme=dark; session=0123456789abcdef")
            '0123456789abcdef'
            >>> SessionCookie(secure=True).token("session=0123456789abcdef")
        """
        pairs = (part.strip().partition("=") for part in header.split(";"))
        found = [value for name, _, value in pairs if name == self.name]
        return found[0] if len(found) == 1 and _TOKEN.fullmatch(found[0]) else None
