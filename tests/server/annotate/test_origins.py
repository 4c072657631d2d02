"""Whose requests count as sent by a page of this server, and which host names mean it."""

from __future__ import annotations

import pytest

from landloom.server.annotate.origins import Site, is_loopback

PLAIN = Site(secure=False, loopback=True)
PUBLIC = Site(secure=True, loopback=False)
PROXIED = Site(secure=True, loopback=False, proxied=True)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "127.8.0.1", "[::1]:8000"])
def test_names_of_this_machine(host: str) -> None:
    assert PLAIN.serves(host)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "0.0.0.0", "192.0.2.1", "[::2]", "["],
)
def test_foreign_names_are_not_answered_on_loopback(host: str) -> None:
    assert not PLAIN.serves(host)
    assert PUBLIC.serves(host)


def test_only_own_pages_and_other_clients_than_browsers() -> None:
    own = {"host": "annotate.example", "origin": "https://annotate.example"}
    assert PUBLIC.same_origin(own)
    assert PUBLIC.same_origin(own | {"sec-fetch-site": "same-origin"})
    assert PUBLIC.same_origin({"host": "annotate.example"})
    for other in (
        {"origin": "http://annotate.example"},
        {"origin": "https://annotate.example:8443"},
        {"origin": "https://annotate.example.evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "none"},
    ):
        assert not PUBLIC.same_origin(own | other), other


def test_a_proxy_states_the_client_and_nobody_else() -> None:
    headers = {"x-forwarded-for": "203.0.113.9, 198.51.100.7"}
    assert PROXIED.client(headers, "127.0.0.1") == "198.51.100.7", "the one that the proxy itself wrote"
    assert PUBLIC.client(headers, "192.0.2.1") == "192.0.2.1"
    assert PROXIED.client({}, "127.0.0.1") == "127.0.0.1"
    assert not is_loopback("localhost.")
