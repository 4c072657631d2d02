"""One function makes every reference absolute, and nothing remote names something local."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import ForeignAddressError
from landloom.model.address import HOSTS_VARIABLE, is_remote, resolve, shown

REMOTE = st.sampled_from(["https://host/a/b/item.json?token=1", "s3://bucket/a/item.json", "http://127.0.0.1:8/c.json"])


@pytest.mark.parametrize(
    ("href", "document", "expected"),
    [
        ("B02.tif", "/a/b/item.json", "/a/b/B02.tif"),
        ("/x/B02.tif", "/a/b/item.json", "/x/B02.tif"),
        ("file:///x/my%20B02.tif", "/a/b/item.json", "/x/my B02.tif"),
        ("../B02.tif", "https://host/a/b/item.json?token=1", "https://host/a/B02.tif"),
        ("B02.tif?sig=a/b", "https://host/a/item.json", "https://host/a/B02.tif?sig=a/b"),
        ("../../../../etc/x.tif", "https://host/a/item.json", "https://host/etc/x.tif"),
        ("s3://other/B02.tif", "/a/item.json", "s3://other/B02.tif"),
        ("https://other/B02.tif", "https://host/a/item.json", "https://other/B02.tif"),
        ("B02.tif", "file:///a/item.json", "/a/B02.tif"),
        ("./item.json", "catalog.json", "item.json"),
    ],
)
def test_references(href: str, document: str, expected: str) -> None:
    assert resolve(href, document=document) == expected


@pytest.mark.parametrize("href", ["/abs/B02.tif", "file:///abs/B02.tif", "file:B02.tif", "/vsicurl/x", "\\\\host\\x"])
@pytest.mark.parametrize("document", ["https://host/item.json", "s3://bucket/item.json"])
def test_nothing_remote_names_something_local(href: str, document: str) -> None:
    with pytest.raises(ForeignAddressError, match="a file on this machine"):
        resolve(href, document=document)


@given(href=st.text(), document=REMOTE)
def test_what_a_remote_document_names_is_remote(href: str, document: str) -> None:
    try:
        found = resolve(href, document=document)
    except (ForeignAddressError, ValueError):
        return
    assert is_remote(found)


@pytest.mark.parametrize(
    ("document", "href"),
    [
        ("https://example.org/item.json", "http://127.0.0.1:8080/admin"),
        ("https://example.org/item.json", "http://localhost/B04.tif"),
        ("https://example.org/item.json", "http://10.0.0.7/B04.tif"),
        ("https://example.org/item.json", "http://[::1]/B04.tif"),
        ("https://example.org/item.json", "http://[::ffff:192.168.1.1]/B04.tif"),
        ("s3://bucket/item.json", "http://169.254.169.254/latest"),
        ("https://example.org/item.json", "https://db.internal/B04.tif"),
        ("/data/item.json", "/vsicurl/http://10.0.0.7/B04.tif"),
    ],
)
def test_no_document_leads_into_a_private_network(document: str, href: str) -> None:
    with pytest.raises(ForeignAddressError, match="names"):
        resolve(href, document=document)


def test_a_private_archive_may_name_private_hosts() -> None:
    assert resolve("http://10.0.0.7/B04.tif", document="http://127.0.0.1:1/item.json") == "http://10.0.0.7/B04.tif"
    assert resolve("http://127.0.0.1/B04.tif", document="/data/item.json") == "http://127.0.0.1/B04.tif"


@pytest.mark.parametrize(
    ("listed", "host"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("example.org, LOCALHOST", "localhost:8080"),
        ("::1", "[::1]:80"),
        ("db.internal", "DB.internal"),
        (".internal", "db.internal"),
    ],
)
def test_private_hosts_on_the_list_may_be_named(listed: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    href, document = f"http://{host}/B04.tif", "https://example.org/item.json"
    monkeypatch.setenv(HOSTS_VARIABLE, listed)
    assert resolve(href, document=document) == href
    for other in ("", "example.org", "10.0.0.70", "al"):
        monkeypatch.setenv(HOSTS_VARIABLE, other)
        with pytest.raises(ForeignAddressError, match="a private network, refused unless LANDLOOM_HOSTS names it"):
            resolve(href, document=document)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://u:p@h.org:8080/a.tif", "https://h.org:8080/a.tif"),
        ("https://h.org/a.tif?sv=1&sig=SECRET#SECRET", "https://h.org/a.tif?…"),
        ("https://h.org?token=SECRET", "https://h.org?…"),
        ("https://u:p@ss@h.org/@a", "https://h.org/@a"),
        ("s3://bucket/a b.tif", "s3://bucket/a b.tif"),
        ("C:\\a@b?c", "C:\\a@b?c"),
        ("https://h.org/a\n\x1b[31m", "https://h.org/a\\n\\x1b[31m"),
    ],
)
def test_what_is_shown_of_an_address_holds_no_secret(address: str, expected: str) -> None:
    assert shown(address) == expected
