"""The series of the pixel under the pointer, in a real Chromium over a corpus with a fused series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.chromium import chromium, shoot
from tests.server.conftest import running

from landloom.query.corpus import Corpus
from landloom.query.pixel_series import SampleSeries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def corpus(fused: Path) -> Corpus:
    return Corpus.open(fused / "corpus")


@pytest.fixture(scope="module")
def page(corpus: Corpus) -> Iterator[Page]:
    """The page of the first sample; no script may fail."""
    failures: list[str] = []
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        context.set_default_timeout(120_000)  # the first answer of a fresh clone compiles kernels
        page = context.new_page()
        page.on("pageerror", lambda failure: failures.append(str(failure)))
        with running(corpus) as address:
            page.goto(f"{address}/#sample={corpus.query().ids[0]}")
            page.wait_for_function("() => document.querySelector('.picker img')?.naturalWidth === 60")
            yield page
    assert failures == []


def hover(page: Page, row: int, column: int) -> None:
    """Point at a pixel of the chip."""
    box = page.locator(".picker").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + (column + 0.5) / 60 * box["width"], box["y"] + (row + 0.5) / 60 * box["height"])
    page.wait_for_selector(f'[data-pixel="{row},{column}"]')


def test_the_series_under_the_pointer_has_uncertainty_and_quality(page: Page, corpus: Corpus) -> None:
    hover(page, 12, 40)
    sample = corpus.query().ids[0]
    wanted = SampleSeries.read(corpus, sample).pixel(12, 40)
    assert page.locator(".strip[data-band]").count() == 5  # four bands and the vegetation index
    for n, band in enumerate(wanted.bands):
        strip = page.locator(f'.strip[data-band="{band}"]')
        assert strip.locator("circle").count() == int(wanted.observed.sum())
        assert strip.locator("polygon.sigma").count() == 2
        page.get_by_label("Timestep").fill("3")
        assert wanted.sigma is not None
        told = f"{band}: {wanted.values[3, n]:.4f} ± {wanted.sigma[3, n]:.4f}"
        page.wait_for_selector(f'.strip[aria-label="{told}"]')
    assert page.locator(".strip.quality .pass").count() == len(wanted.overpasses)
    behind = wanted.overpass(3)
    assert behind is not None
    said = page.locator(".readout").inner_text()
    assert f"{wanted.quality['synthetic'][3]:.0f} % synthetic" in said
    assert behind.scenes[0] in said
    shoot(page, "explore-series")


def test_it_follows_pointer_and_keys(page: Page) -> None:
    hover(page, 20, 20)
    before = page.locator('.strip[data-band="nir"] polyline').get_attribute("points")
    hover(page, 50, 5)
    assert page.locator('.strip[data-band="nir"] polyline').get_attribute("points") != before
    page.locator(".picker").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector('[data-pixel="49,6"]')


def test_a_click_on_the_series_shows_its_timestep(page: Page) -> None:
    hover(page, 10, 10)
    strip = page.locator('.strip[data-band="red"]')
    box = strip.bounding_box()
    assert box is not None
    strip.click(position={"x": box["width"] - 4, "y": 10})
    assert page.locator(".step").inner_text() == "2018-08-02"


@pytest.mark.parametrize("width", [1000, 700])
def test_narrow_windows_keep_it_whole(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.locator(".picker").scroll_into_view_if_needed()
    hover(page, 30, 30)
    box = page.locator('.strip[data-band="nir"]').bounding_box()
    assert box is not None
    assert 0 <= box["x"] < box["x"] + box["width"] <= width
    shoot(page, "explore-series")
