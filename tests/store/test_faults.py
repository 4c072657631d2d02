"""A fault is permanent only where that is proven, for every status and every error of the system."""

from __future__ import annotations

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import PermanentFaultError
from landloom.store.faults import GONE, http_fault, os_fault

PROVEN = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP}


@given(st.integers(300, 599))
def test_only_what_is_gone_is_permanent(status: int) -> None:
    fault = http_fault(status, "B04.tif")
    assert isinstance(fault, PermanentFaultError) == (status in GONE)
    assert str(fault).startswith(f"B04.tif: HTTP {status}")


@pytest.mark.parametrize("status", [401, 403, 409, 429])
def test_what_would_help_is_said(status: int) -> None:
    assert len(str(http_fault(status, "B04.tif"))) > len(f"B04.tif: HTTP {status}: ")


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_only_a_path_that_leads_nowhere_is_permanent(number: int) -> None:
    fault = os_fault(OSError(number, os.strerror(number)), "B04.tif")
    assert isinstance(fault, PermanentFaultError) == (number in PROVEN)
    assert str(fault).startswith(f"B04.tif: {os.strerror(number)}")


def test_an_error_without_a_number_may_pass() -> None:
    assert not isinstance(os_fault(OSError(), "B04.tif"), PermanentFaultError)
    assert str(os_fault(OSError(), "B04.tif")) == "B04.tif: OSError"
