"""Which hosts may be contacted: the list of the user, and never an address by which clouds know their machines."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import ForeignAddressError
from landloom.model.address import HOSTS_VARIABLE
from landloom.store.hosts import check_host, check_peer

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
