"""Digests: sha256 in the notations of manifests and of the STAC file extension."""

from __future__ import annotations

import hashlib
from typing import Final

_SHA256_MULTIHASH: Final = "1220"
"""Code of sha2-256 and length 32 (multiformats table)."""


def sha256_hex(data: bytes | memoryview) -> str:
    """The digest as 64 hexadecimal digits.

    Example:
        >>> sha256_hex(b"")[:16]
        'e3b0c44298fc1c14'
    """
    return hashlib.sha256(data).hexdigest()


def multihash(sha256: str) -> str:
    """A digest in the multihash form of `file:checksum`: algorithm, length, digest.

    Example:
        >>> multihash(sha256_hex(b""))[:12]
        '1220e3b0c442'
    """
    return _SHA256_MULTIHASH + sha256
