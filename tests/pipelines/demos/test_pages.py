"""The pages of the corpora of all demos in a real Chromium: each in every window, with what people do first."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.chromium import SIZES, is_whole, look_at_file, watched
from tests.server.conftest import running

from landloom.products.guess.report import write_guess_report
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page
    from tests.chromium import Watched

    from landloom.pipelines.build import BuildReport

COME = "[...document.images].every((one) => one.complete || one.loading === 'lazy')"
"""Whether all pictures in sight have come."""


@pytest.fixture(scope="module")
def found() -> Iterator[Watched]:
    with watched() as page:
        yield page


def corpus_of(name: str, request: pytest.FixtureRequest) -> Path:
    """The corpus of a demo, smaller, from fixtures that other tests of the session use too."""
    if name == "demo":
        return request.getfixturevalue("tiny_corpus")  # type: ignore[no-any-return]
    if name == "landcovernet":
        built: BuildReport = request.getfixturevalue("granules")
        return built.corpus
    folder: Path = request.getfixturevalue({"parcels": "series", "fused": "fused"}[name])
    return folder / "corpus"


def go(page: Page, root: str, text: str, ready: str) -> None:
    """Open an address anew, and wait until all pictures in sight have come."""
    page.goto("about:blank")
    page.goto(f"{root}/{text}")
    page.wait_for_selector(ready)
    until = time.monotonic() + 60
    while not page.evaluate(COME):  # wait_for_function needs eval, which the page's policy forbids
        assert time.monotonic() < until, "pictures do not come"
        page.wait_for_timeout(50)


@pytest.mark.parametrize("name", ["demo", "landcovernet", "parcels", "fused"])
def test_the_pages_of_a_demo_are_whole_and_work(
    name: str, found: Watched, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder, page = corpus_of(name, request), found.page
    corpus = Corpus.open(folder, cache=tmp_path)
    sample = corpus.query().ids[-1]
    states = {
        "map": ("", f'[data-count="{len(corpus)}"]'),
        "sample": (f"#sample={sample}", ".multiples img"),
        "gallery": ("#show=gallery&sort=valid", ".thumbs img"),
    }
    with running(corpus) as root:
        for state, (address, ready) in states.items():
            for width, height in SIZES:
                page.set_viewport_size({"width": width, "height": height})
                if width != 1920:  # there, a window that is made larger
                    go(page, root, address, ready)
                is_whole(page, f"{name}-{state}", axe=width != 1920)
        page.set_viewport_size({"width": 1280, "height": 720})
        work(page, root, corpus)
    look_at_file(found, folder / "report.html", f"{name}-report")
    assert found.troubles == []


def work(page: Page, root: str, corpus: Corpus) -> None:
    """Filter, open a sample, step through dates, and open the address of it all anew."""
    go(page, root, "", "[data-count]:not([data-count=''])")
    where = f"id IN ('{corpus.query().ids[1]}', '{corpus.query().ids[-1]}')"
    wanted = corpus.query(where=where)
    page.get_by_text("Filter as text").click()
    page.get_by_label("CQL2 filter").fill(where)
    page.wait_for_selector(f'[data-count="{len(wanted)}"]')
    page.get_by_role("button", name="Gallery").click()
    page.locator(".thumbs button").first.click()
    page.wait_for_selector(f'.sample[data-sample="{wanted.ids[0]}"]')
    slider = page.get_by_label("Timestep")
    slider.fill("0")
    first = page.locator(".sample .step").inner_text()
    slider.press("ArrowRight")
    page.wait_for_function("first => document.querySelector('.sample .step').innerText !== first", arg=first)
    shown, address = page.locator(".sample .step").inner_text(), page.url
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector(f'.sample[data-sample="{wanted.ids[0]}"] .multiples img')
    assert page.locator(".sample .step").inner_text() == shown
    page.wait_for_selector(f'[data-count="{len(wanted)}"]')


def test_the_page_of_guesses_is_whole(found: Watched, granules: BuildReport, tmp_path: Path) -> None:
    look_at_file(found, write_guess_report(granules.corpus, out=tmp_path / "guess.html"), "landcovernet-guess")
