"""Passwords: argon2, a bounded number of hashes at a time, and the same time for names that do not exist."""

from __future__ import annotations

import threading
from typing import Final

from landloom.errors import InvalidValueError, MissingExtraError

try:
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError
except ImportError as missing:  # pragma: no cover - the extra is not installed
    raise MissingExtraError.of("annotate", "annotation") from missing

SHORTEST: Final = 10
"""Characters of a password."""
LONGEST: Final = 1024
"""Characters of a password."""
AT_ONCE: Final = 2
"""Hashes that are computed at the same time; each takes 64 MiB."""

_HASHER: Final = PasswordHasher()
_SLOTS: Final = threading.BoundedSemaphore(AT_ONCE)
_NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$bm9ib2R5IGF0IGFsbC4uLg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""A hash with the hasher's parameters that no password has: what is compared for unknown names."""


def hash_password(password: str) -> str:
    """Hash a new password.

    Raises:
        InvalidValueError: it is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidValueError(f"got a password of {len(password)} characters, expected {SHORTEST} to {LONGEST:,}")
    with _SLOTS:
        return _HASHER.hash(password.encode("utf-8", "surrogatepass"))


def matches(stored: str | None, password: str) -> bool:
    """Whether a password is the stored one; takes as long where none is stored.

    Example:
        >>> matches(None, "anything at all")
        False
    """
    with _SLOTS:
        try:
            return _HASHER.verify(stored or _NOBODY, password[:LONGEST].encode("utf-8", "surrogatepass"))
        except (VerificationError, InvalidHashError):
            return False
