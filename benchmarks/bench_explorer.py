"""The explorer in a headless Chromium without a GPU, over a corpus of the published size known by its resource files.

The server runs in this process, and shares its cores with the browser. Frames are counted by the page: a stall is the
longest time between two of them while the map is dragged.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pytest
from benchmarks.bench_server import SAMPLES
from tests.chromium import SIZES, chromium, is_whole
from tests.server.conftest import running

from landloom.query.corpus import Corpus
from landloom.query.index.synthetic import synthetic_samples, write_resources

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FILTERS = ("Coniferous forest", "Pastures", "Water bodies", "Peat bogs", "Mixed forest")
WATCH = """() => {
  window.longest = 0;
  let last = performance.now();
  const next = (now) => {
    window.longest = Math.max(window.longest, now - last);
    last = now;
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
}"""
OTHER = "count => document.querySelector('[data-count]').dataset.count !== count"


def filtered(page: Page, name: str) -> float:
    """Milliseconds from the click that adds a condition until its count is shown; then the condition is taken out."""
    page.get_by_label("Class", exact=True).fill(name)
    before = page.locator("[data-count]").get_attribute("data-count")
    began = time.perf_counter()
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_function(OTHER, arg=before, polling=10)
    taken = 1_000 * (time.perf_counter() - began)
    page.locator(".conditions button").first.click()
    page.wait_for_selector(f'[data-count="{before}"]')
    return taken


def dragged(page: Page) -> float:
    """Milliseconds of the longest frame while the map is dragged."""
    box = page.locator(".map").bounding_box()
    if box is None:
        raise RuntimeError("the page shows no map")
    page.evaluate("window.longest = 0")
    page.mouse.move(box["x"] + 400, box["y"] + 300)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(box["x"] + 400 - 3 * step, box["y"] + 300 - 2 * step)
        page.wait_for_timeout(16)
    page.mouse.up()
    page.wait_for_timeout(500)
    return float(page.evaluate("window.longest"))


def measure(browser: Browser, address: str) -> dict[str, float]:
    """One person's first minute."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    began = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(f'[data-count="{SAMPLES}"]')
    first = time.perf_counter() - began
    page.wait_for_load_state("networkidle")
    times = [filtered(page, name) for name in FILTERS]
    page.evaluate(WATCH)
    stalls = [dragged(page) for _ in range(3)]
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.get_by_role("button", name="Whole corpus").click()
        page.wait_for_timeout(1000)
        is_whole(page, f"explore-{SAMPLES}")
    return {
        "explorer_first_map_s": first,
        "explorer_filter_ms": median(times),
        "explorer_stall_ms": median(stalls),
    }


def run() -> dict[str, float]:
    """Nothing where there is no Chromium: the bars count as short."""
    try:
        with chromium() as browser, tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "corpus"
            write_resources(synthetic_samples(SAMPLES), folder / "resources")
            corpus = Corpus.open(folder, cache=Path(scratch) / "cache")
            with running(corpus) as address:
                return measure(browser, address)
    except pytest.skip.Exception:
        return {}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
