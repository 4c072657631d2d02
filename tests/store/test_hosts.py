"""Which hosts may be contacted: the list of the user, and never an address by which clouds know their machines."""

from __future__ import annotations

import ipaddress
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import ForeignAddressError
from landloom.model.address import HOSTS_VARIABLE
from landloom.store.hosts import check_host, check_peer, is_private, led_by, limited_to, why_refused

LINK_LOCAL = st.ip_addresses(network="169.254.0.0/16") | st.ip_addresses(network="fe80::/10")


@pytest.fixture(autouse=True)
def _no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HOSTS_VARIABLE, raising=False)


@given(LINK_LOCAL)
def test_link_local_addresses_are_refused_however_they_are_written(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    host = f"[{ip}]" if ip.version == 6 else str(ip)
    hosts = [host] if ip.version == 6 else [host, f"[::ffff:{ip}]"]
    for one in hosts:
        with pytest.raises(ForeignAddressError, match="link-local and metadata"):
            check_host(f"http://{one}:8080/latest")
    with pytest.raises(ForeignAddressError, match="link-local and metadata"):
        check_peer(str(ip), "example.org")


@given(
    st.ip_addresses(v=4).filter(lambda ip: ip.is_global or ip.is_loopback or ip in ipaddress.ip_network("10.0.0.0/8"))
)
def test_other_addresses_may_be_contacted(ip: ipaddress.IPv4Address) -> None:
    if ip not in ipaddress.ip_network("192.0.0.0/24"):
        check_host(f"https://{ip}/B04.tif")
        check_peer(str(ip), "example.org")


@pytest.mark.parametrize(
    "host", ["metadata", "metadata.google.internal", "METADATA.goog", "100.100.100.200", "[fd00:ec2::254]"]
)
def test_names_and_numbers_of_metadata_services_are_refused(host: str) -> None:
    with pytest.raises(ForeignAddressError):
        check_host(f"http://{host}/computeMetadata")


@pytest.mark.parametrize("address", ["https:///B04.tif", "B04.tif", "https://example.org:port/", "http://[::1/a"])
def test_an_address_without_a_host_is_none(address: str) -> None:
    with pytest.raises(ForeignAddressError, match="not a valid address"):
        check_host(address)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://example.org/a", True),
        ("https://EXAMPLE.org/a", True),
        ("https://a.tiles.net/a", True),
        ("s3://bucket/a", True),
        ("https://tiles.net/a", False),
        ("https://eviltiles.net/a", False),
        ("https://example.org.evil.net/a", False),
        ("https://example.org@evil.net/a", False),
        ("http://169.254.169.254/a", True),
        ("http://169.254.169.253/a", False),
    ],
)
def test_a_list_admits_its_names_and_no_others(address: str, *, allowed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOSTS_VARIABLE, " Example.org, .tiles.net,bucket,169.254.169.254")
    if allowed:
        check_host(address)
        return
    with pytest.raises(ForeignAddressError, match=HOSTS_VARIABLE):
        check_host(address)


def test_a_name_on_the_list_may_lead_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOSTS_VARIABLE, "inner.example")
    check_peer("169.254.169.254", "inner.example")
    with pytest.raises(ForeignAddressError):
        check_peer("169.254.169.254", "other.example")


PRIVATE = st.sampled_from(
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/12", "fc00::/16", "::1/128"]
).flatmap(lambda network: st.ip_addresses(network=network))
PUBLIC = st.sampled_from(["1.1.1.0/24", "8.8.0.0/16", "2606:4700::/32"]).flatmap(
    lambda network: st.ip_addresses(network=network)
)


@given(
    origin=st.none() | PRIVATE | PUBLIC, peer=PRIVATE | PUBLIC, named=st.sampled_from(["", "inner.example", ".example"])
)
def test_a_public_document_leads_to_public_hosts_or_named_ones(origin: object, peer: object, named: str) -> None:
    public = origin is not None and not is_private(str(origin))
    refused = why_refused(str(peer), "inner.example", None if origin is None else str(origin), [named] if named else [])
    assert (refused is not None) == (public and is_private(str(peer)) and not named)


@given(origin=st.none() | PRIVATE | PUBLIC, peer=LINK_LOCAL, named=st.sampled_from(["", "inner.example", ".example"]))
def test_link_local_peers_are_refused_unless_named_exactly(origin: object, peer: object, named: str) -> None:
    refused = why_refused(str(peer), "inner.example", None if origin is None else str(origin), [named] if named else [])
    assert (refused is None) == (named == "inner.example")


@given(PRIVATE | PUBLIC)
def test_what_carries_an_address_is_as_private_as_that(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if ip.version == 4:
        number = int(ip)
        carried = [f"::ffff:{ip}", f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}"]
        assert {is_private(one) for one in carried} == {is_private(str(ip))}


def test_a_document_whose_host_cannot_be_looked_up_counts_as_public() -> None:
    with led_by("https://no-such-host.invalid/catalog.json"), pytest.raises(ForeignAddressError, match="leads to"):
        check_peer("10.0.0.7", "inner.example")
    with led_by("/data/catalog.json"):
        check_peer("10.0.0.7", "inner.example")


def test_calls_under_different_lists_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one process, as in a Dask worker with several threads and users."""
    monkeypatch.setenv(HOSTS_VARIABLE, "own.example")
    lists = ["a.example", "b.example", "", "a.example"] * 8

    def admitted(hosts: str) -> list[str]:
        found = []
        with limited_to(hosts):
            for host in ("a.example", "b.example", "own.example"):
                with suppress(ForeignAddressError):
                    check_host(f"https://{host}/a")
                    found.append(host)
        return found

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(admitted, lists)) == [[hosts or "own.example"] for hosts in lists]
    check_host("https://own.example/a")
