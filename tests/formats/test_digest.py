"""Digests against hashlib, and the multihash of the multiformats table."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from landloom.formats.digest import multihash, sha256_hex


@given(st.binary())
def test_digests(data: bytes) -> None:
    assert sha256_hex(memoryview(data)) == hashlib.sha256(data).hexdigest()
    mark, length, digest = bytes.fromhex(multihash(sha256_hex(data)))[:2], 32, hashlib.sha256(data).digest()
    assert bytes.fromhex(multihash(sha256_hex(data))) == mark + digest
    assert tuple(mark) == (0x12, length)


def test_published_answers() -> None:
    """FIPS 180-2, appendix B.1: the digest of `abc`."""
    wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_hex(b"abc") == wanted
    assert multihash(wanted) == f"1220{wanted}"
