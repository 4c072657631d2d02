from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from landloom.errors import InvalidValueError
from landloom.server.app import create_app
from landloom.server.explore.basemap import Basemap

if TYPE_CHECKING:
    from tests.server.conftest import Served


def test_only_the_page_may_show_tiles_and_only_those(own: Served) -> None:
    basemap = Basemap("https://{a-c}.tiles.example/{z}/{x}/{y}.png", "© Example")
    client = TestClient(create_app(own.corpus, basemap), base_url="http://127.0.0.1")
    assert client.get("/explore/corpus").json()["basemap"] == {"url": basemap.url, "credit": "© Example"}
    policies = [
        client.get(path, headers={"accept": "text/html"}).headers["content-security-policy"]
        for path in ("/", "/queryables")
    ]
    assert ["https://*.tiles.example" in policy for policy in policies] == [True, False]
    assert own.http.get("/explore/corpus").json()["basemap"] is None
    assert "tiles.example" not in own.http.get("/", headers={"accept": "text/html"}).headers["content-security-policy"]


@pytest.mark.parametrize(
    "url", ["ftp://a/{z}/{x}/{y}", "https://a/{x}/{y}", "https://a/{z}/{x}", "https://a b; script-src */{z}/{x}/{y}"]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(InvalidValueError, match="tiles: got"):
        Basemap(url)
