"""Digests: sha256 in the notations of manifests and of the STAC file extension."""

from __future__ import annotations

from typing import Final

_SHA256_MULTIHASH: Final = "1220"
"""Code of sha2-256 and length 32 (multiformats table)."""


def multihash(sha256: str) -> str:
    """A digest in the multihash form of `file:checksum`: algorithm, length, digest.

    Example:
        >>> import hashlib
        >>> multihash(hashlib.sha256(b"").hexdigest())[:12]
        '1220e3b0c442'
    """
    return _SHA256_MULTIHASH + sha256
