"""The page as files: those that were built, and nothing else; no script or style stands in a page itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.annotation import PEOPLE, browser

from landloom.server.annotate.guard import POLICY
from landloom.server.annotate.page import INDEX, STATIC, Page, PageFile, built, page_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.annotate.conftest import Office

INLINE = re.compile(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A page as the build leaves it, beside a file that is nobody's business."""
    own = tmp_path / "annotate"
    (own / "assets").mkdir(parents=True)
    (own / INDEX).write_text('<!doctype html><script type="module" src="./assets/a-1.js"></script>', encoding="utf-8")
    (own / "assets" / "a-1.js").write_text("export {};" * 200, encoding="utf-8")
    (own / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    return own


def test_every_page_is_under_a_strict_policy(office: Office) -> None:
    with httpx.Client(base_url=office.url) as http:
        assert http.get("/").headers["location"] == "/annotate/"
        assert http.get("/annotate").headers["location"] == "/annotate/"
        page = http.get("/annotate/")
        assert page.headers["content-security-policy"] == POLICY
        assert "unsafe" not in POLICY
        assert page.headers["cache-control"] == "no-cache"
        assert not INLINE.search(page.text)
        assert http.get("/nothing").status_code == 404
        assert http.post("/annotate/").status_code == 405
        head = http.head("/annotate/")
        assert (head.status_code, head.content) == (200, b"")


@pytest.mark.skipif(not built(), reason="the page is not built in this checkout")
def test_the_built_page_holds_nothing_inline() -> None:
    for path in STATIC.rglob("*.html"):
        assert not INLINE.search(path.read_text(encoding="utf-8"))


def test_files_of_the_page(folder: Path) -> None:
    files = page_files(folder)
    assert set(files) == {INDEX, "assets/a-1.js", "icon.svg"}
    assert files["assets/a-1.js"].media == "text/javascript"
    assert "immutable" in files["assets/a-1.js"].cache
    assert files[INDEX].cache == files["icon.svg"].cache == "no-cache"
    plain = page_files(folder / "none")
    assert b"make web" in plain[INDEX].content
    assert not INLINE.search(plain[INDEX].content.decode())


def test_a_file_is_packed_or_unchanged(folder: Path) -> None:
    file = page_files(folder)["assets/a-1.js"]
    packed = file.response({"accept-encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(file.content)
    whole = file.response({})
    assert whole.body == file.content
    assert file.response({"if-none-match": whole.headers["etag"]}).status_code == 304
    assert PageFile.of("a.woff2", b"x").packed is None
    assert Page({INDEX: file}).files == {INDEX: file}


@pytest.mark.parametrize(
    "name", ["../secret", "..%2fsecret", "assets/../../secret", "%2e%2e/secret", "assets", "/etc/passwd"]
)
def test_nothing_else_is_served(office: Office, name: str) -> None:
    with browser(office.url, next(iter(PEOPLE)), signed_in=False) as person:
        answer = person.http.get(f"{office.url}/annotate/{name}")
        assert answer.status_code == 404
        assert "secret" not in answer.text
