"""Digests against hashlib, and the multihash of the multiformats table."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from landloom.formats.digest import multihash


@given(st.binary())
def test_digests(data: bytes) -> None:
    digest = hashlib.sha256(data)
    assert bytes.fromhex(multihash(digest.hexdigest())) == bytes((0x12, digest.digest_size)) + digest.digest()


def test_published_answers() -> None:
    """FIPS 180-2, appendix B.1: the digest of `abc`."""
    wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert multihash(wanted) == f"1220{wanted}"
