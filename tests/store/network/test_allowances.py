"""A process reads no more from hosts than it may."""

from __future__ import annotations

import pytest

from landloom.store.network.allowances import BudgetError, allowed, listed_name, promised, spend


def test_names_are_hosts_ends_of_hosts_and_buckets() -> None:
    listed = ["example.org", "eodata", "10.0.0.1:8080"]
    hosts = ["example.org", "a.example.org:443", "s3://eodata", "10.0.0.1:8080", "10.0.0.1:80", "badexample.org"]
    assert [listed_name(host, listed) for host in hosts] == [*("example.org",) * 2, *listed[1:], None, None]


def test_a_process_promises_no_more_than_it_may_read() -> None:
    with allowed({"a.org": 100}):
        with promised("a.org", 60), promised("a.org", 40), pytest.raises(BudgetError), promised("a.org", 1):
            pass
        spend("a.org", 100)
        with pytest.raises(BudgetError, match=r"budget of a\.org"), promised("x.a.org", 0):
            pass
        with promised("b.org", 10**9):
            pass
    with promised("a.org", 10**9):
        pass
