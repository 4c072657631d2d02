"""Parts of remote files are the bytes of one version, by ranges or from a whole copy, or a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.errors import ForeignAddressError, PermanentFaultError, TransientFaultError
from landloom.store.open import open_store
from landloom.store.patience import Patience
from landloom.store.ranges import BLOCK, open_source

if TYPE_CHECKING:
    from tests.web import FaultyServer

DATA = bytes(number * 7 % 251 for number in range(3 * BLOCK + 17))
HASTY = Patience(attempts=2, first_wait=0.001, longest_wait=0.002, timeout=5)


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, len(DATA)])
@pytest.mark.parametrize("whole", [None, {}, {"Transfer-Encoding": "chunked"}, {"Content-Encoding": "gzip"}])
def test_parts_are_those_of_the_file(faulty: FaultyServer, size: int, whole: dict[str, str] | None) -> None:
    if size == 0 and whole is None:
        faulty.script = [416, 200]
    faulty.whole = whole
    (faulty.root / "a.tif").write_bytes(DATA[:size])
    source = open_source(f"{faulty.address}/a.tif", HASTY)
    try:
        assert source.size == size
        assert source.head == DATA[: min(size, BLOCK)]
        for start, stop in ((0, size), (size // 3, size // 2), (max(size - 9, 0), size)):
            if stop > start:
                assert source.part(start, stop) == DATA[start:stop]
    finally:
        source.close()


def test_a_file_that_is_replaced_is_no_mixture(faulty: FaultyServer) -> None:
    path = faulty.root / "a.tif"
    path.write_bytes(DATA)
    source = open_source(f"{faulty.address}/a.tif", HASTY)
    path.write_bytes(DATA + b"more")
    with pytest.raises(TransientFaultError, match="changed"):
        source.part(BLOCK, BLOCK + 10)
    path.unlink()
    with pytest.raises(PermanentFaultError, match="404"):
        source.part(BLOCK, BLOCK + 10)


def test_bytes_from_another_place_are_refused(faulty: FaultyServer) -> None:
    (faulty.root / "a.tif").write_bytes(DATA)
    source, store = open_source(f"{faulty.address}/a.tif", HASTY), open_store(faulty.address)
    faulty.late = 3
    with pytest.raises(TransientFaultError, match="from byte 10"):
        source.part(10, 20)
    with pytest.raises(TransientFaultError, match="bytes 10 onward"):
        store.get_range("a.tif", 10, 10)


def test_what_fails_for_a_while_is_asked_again_and_then_transient(faulty: FaultyServer) -> None:
    (faulty.root / "a.tif").write_bytes(DATA)
    faulty.script = [503, 200, 429, 200]
    source = open_source(f"{faulty.address}/a.tif", HASTY)
    assert source.part(0, 5) == DATA[:5]
    faulty.fail(status=403)
    with pytest.raises(TransientFaultError, match="403"):
        source.part(0, 5)


def test_redirects_are_followed_and_asked_anew_when_they_lapse(faulty: FaultyServer) -> None:
    (faulty.root / "signed-1.tif").write_bytes(DATA)
    faulty.redirect = {"/a.tif": (302, f"{faulty.address}/signed-1.tif")}
    source = open_source(f"{faulty.address}/a.tif", HASTY)
    assert source.part(10, 20) == DATA[10:20]
    (faulty.root / "signed-1.tif").rename(faulty.root / "signed-2.tif")
    faulty.redirect = {"/a.tif": (302, f"{faulty.address}/signed-2.tif")}
    assert source.part(20, 30) == DATA[20:30]


def test_what_is_not_there_or_may_not_be_asked_is_permanent(faulty: FaultyServer) -> None:
    with pytest.raises(PermanentFaultError, match=r"absent\.tif"):
        open_source(f"{faulty.address}/absent.tif", HASTY)
    with pytest.raises(ForeignAddressError):
        open_source("http://169.254.169.254/a.tif", HASTY)
    with pytest.raises(PermanentFaultError):
        open_source("ftp://example.org/a.tif", HASTY)
