from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.corpus.manifest import FileEntry, manifest_bytes, read_manifest
from landloom.errors import InvalidDocumentError, InvalidValueError

entries = st.builds(FileEntry.of, st.text("abc/._-", min_size=1), st.binary(max_size=20))


@given(st.lists(entries, unique_by=lambda entry: entry.path), st.randoms())
def test_round_trip_in_any_order(rows: list[FileEntry], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    content = manifest_bytes(shuffled)
    assert content == manifest_bytes(rows)
    assert read_manifest(content) == tuple(sorted(rows))


def test_multihash_is_that_of_sha256() -> None:
    assert FileEntry.of("a", b"x").multihash == "1220" + hashlib.sha256(b"x").hexdigest()


def test_refusals() -> None:
    with pytest.raises(InvalidValueError, match="twice"):
        manifest_bytes([FileEntry.of("a", b"1"), FileEntry.of("a", b"2")])
    with pytest.raises(InvalidDocumentError, match="as Parquet"):
        read_manifest(b"PAR?")
