"""What tells versions of a file apart, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import PermanentFaultError
from landloom.store.raster import open_raster
from landloom.store.versions import Version, note_version, noted_versions

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS = st.builds(
    Version,
    size=st.none() | st.integers(0, 3),
    etag=st.none() | st.sampled_from(['"a"', '"b"']),
    modified=st.none() | st.sampled_from(["Mon", "Tue"]),
    absent=st.booleans(),
)


@given(VERSIONS, VERSIONS)
def test_only_what_both_state_tells_them_apart(one: Version, other: Version) -> None:
    assert not one.differs(one)
    assert one.differs(other) == other.differs(one)
    if not one.absent and not other.absent and None in (one.size, other.size) and one.etag is one.modified is None:
        assert not one.differs(other)


@given(VERSIONS)
def test_they_are_stored_and_read_back(one: Version) -> None:
    assert Version.parse(one.document()) == one


def test_files_are_noted_when_they_are_opened_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "x.tif").write_bytes(b"junk")
    note_version("outside", Version(size=1))
    with noted_versions() as noted:
        for name in ("x.tif", "y.tif"):
            with pytest.raises(PermanentFaultError), open_raster(str(tmp_path / name)):
                pass
    assert noted == {str(tmp_path / "x.tif"): Version(size=4), str(tmp_path / "y.tif"): Version(absent=True)}
