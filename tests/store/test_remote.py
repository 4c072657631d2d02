"""Whole copies of remote files, fetched once from a real server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landloom.errors import ForeignAddressError, PermanentFaultError, TransientFaultError
from landloom.store.patience import Patience
from landloom.store.remote import fetched

if TYPE_CHECKING:
    from tests.web import FaultyServer

HASTY = Patience(attempts=1, timeout=5)


def test_a_copy_is_whole_and_goes_with_its_context(faulty: FaultyServer) -> None:
    (faulty.root / "a.tif").write_bytes(bytes(range(256)) * 100)
    with fetched(f"{faulty.address}/a.tif") as copy:
        path = Path(copy)
        assert path.read_bytes() == (faulty.root / "a.tif").read_bytes()
    assert not path.exists()
    assert len(faulty.requests) == 1


def test_what_is_gone_is_permanent_and_what_fails_is_not(faulty: FaultyServer) -> None:
    with pytest.raises(PermanentFaultError), fetched(f"{faulty.address}/absent.tif", HASTY):
        pass
    (faulty.root / "a.tif").write_bytes(b"1")
    for status in (503, 403):
        faulty.fail(status=status)
        with pytest.raises(TransientFaultError), fetched(f"{faulty.address}/a.tif", HASTY):
            pass
    faulty.heal()
    with fetched(f"{faulty.address}/a.tif", HASTY) as copy:
        assert Path(copy).read_bytes() == b"1"


def test_hosts_that_may_not_be_contacted_are_not() -> None:
    with pytest.raises(ForeignAddressError), fetched("http://169.254.169.254/a.tif"):
        pass
