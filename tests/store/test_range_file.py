"""A remote file read as GDAL does is a local file, and what goes wrong is told afterwards."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landloom.errors import PermanentFaultError, TransientFaultError
from landloom.store.patience import Patience
from landloom.store.range_file import Opener, RangeFile
from landloom.store.ranges import BLOCK

if TYPE_CHECKING:
    from tests.web import FaultyServer

SIZE = 3 * BLOCK + 17
DATA = bytes(number * 7 % 251 for number in range(SIZE))
HASTY = Patience(attempts=2, first_wait=0.001, longest_wait=0.002, timeout=5)
STEPS = st.one_of(
    st.tuples(st.just("seek"), st.integers(0, SIZE + 9), st.just(os.SEEK_SET)),
    st.tuples(st.just("seek"), st.integers(-SIZE, 0), st.just(os.SEEK_END)),
    st.tuples(st.just("read"), st.sampled_from([-1, 0, 1, 100, BLOCK, BLOCK + 1, SIZE]), st.just(0)),
)
PARTS = st.tuples(st.integers(0, SIZE - 1), st.integers(1, BLOCK)).map(lambda one: (one[0], min(one[1], SIZE - one[0])))


@pytest.fixture
def file(faulty: FaultyServer) -> RangeFile:
    (faulty.root / "a.tif").write_bytes(DATA)
    return RangeFile(f"{faulty.address}/a.tif", HASTY)


@given(st.lists(STEPS, max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_every_sequence_of_reads_is_that_of_a_local_file(file: RangeFile, steps: list[tuple[str, int, int]]) -> None:
    local = io.BytesIO(DATA)
    file.seek(0)
    for step, number, whence in steps:
        if step == "seek":
            assert file.seek(number, whence) == local.seek(number, whence)
        else:
            assert file.read(number) == local.read(number)
        assert file.tell() == local.tell()
    file.check()


@given(st.lists(PARTS, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_several_ranges_at_once_are_their_slices(file: RangeFile, parts: list[tuple[int, int]]) -> None:
    found = file.get_byte_ranges([start for start, _ in parts], [size for _, size in parts])
    assert found == [DATA[start : start + size] for start, size in parts]
    file.check()


def test_ranges_beyond_the_end_are_zeros_and_a_permanent_fault(file: RangeFile) -> None:
    assert file.get_byte_ranges([0, SIZE - 5], [4, 10]) == [bytes(4), bytes(10)]
    with pytest.raises(PermanentFaultError, match="truncated"):
        file.check()
    file.check()


def test_what_cannot_be_read_is_told_afterwards_once(file: RangeFile, faulty: FaultyServer) -> None:
    faulty.fail()
    file.seek(2 * BLOCK)
    assert file.read(10) == b""
    with pytest.raises(TransientFaultError, match="503"):
        file.check()
    faulty.heal()
    assert file.read(10) == DATA[2 * BLOCK : 2 * BLOCK + 10]
    file.check()


def test_blocks_are_asked_for_once(file: RangeFile, faulty: FaultyServer) -> None:
    before = len(faulty.requests)
    for start in (0, 10, BLOCK + 1, BLOCK + 500, 5):
        file.seek(start)
        assert file.read(20) == DATA[start : start + 20]
    assert len(faulty.requests) == before + 1


def test_an_opener_knows_its_files_by_name(file: RangeFile) -> None:
    opener = Opener()
    name = opener.add(file)
    assert opener.open(name) is file
    assert (opener.isfile(name), opener.isdir(name), opener.size(name)) == (True, False, SIZE)
    opener.remove(name)
    assert not opener.isfile(name)
    with pytest.raises(FileNotFoundError):
        opener.open(name)
    with pytest.raises(PermissionError):
        opener.rm(name)
