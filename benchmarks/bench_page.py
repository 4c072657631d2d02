"""The annotation page in a headless Chromium without a GPU, over windows of 24 scenes × 96 × 96 pixels × 10 bands.

Times are the page's own (`performance.measure`): from the time stamp of the key or pointer event until the frame that
shows its effect was painted. The server runs in this process, and shares its cores with the browser.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pytest
from tests.chromium import chromium
from tests.desk import at, desk, measures, see_all, wait_for_task

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from tests.desk import Desk

TASKS = 6
"""Tasks that are submitted unchanged."""
AHEAD = 1_500
"""Milliseconds in which the next two tasks are fetched."""


def unchanged(page: Page) -> float:
    """Seconds for one task by keyboard: look at every scene, submit, see the next."""
    first = wait_for_task(page)
    began = page.evaluate("performance.now()")
    see_all(page)
    page.keyboard.press("Enter")
    wait_for_task(page, first)
    return float(page.evaluate("performance.now()") - began) / 1_000


def measure(office: Desk) -> dict[str, float]:
    """One person's first minutes."""
    page = office.sit("clock", office.context(1600, 900))
    wait_for_task(page)
    page.wait_for_timeout(AHEAD)
    for _ in range(25):
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(50)
    page.mouse.move(*at(page, 4, 4))
    page.mouse.down()
    for row in range(4, 28):
        page.mouse.move(*at(page, row, 28 - row % 8))
        # A hand is not in step with the screen; without a pause each event would come just after a frame.
        page.wait_for_timeout(row * 7 % 17)
    page.mouse.up()
    page.keyboard.press("Control+z")
    seconds = []
    for _ in range(TASKS):
        seconds.append(unchanged(page))
        page.wait_for_timeout(AHEAD)
    return {
        "page_rendering_ms": median(measures(page, "rendering")),
        "page_stroke_ms": median(measures(page, "stroke")),
        "page_next_task_ms": median(measures(page, "next task")[-TASKS:]),
        "page_unchanged_task_s": median(seconds),
    }


def start(browser: Browser) -> dict[str, float]:
    """On a campaign of its own."""
    with tempfile.TemporaryDirectory() as scratch, desk(Path(scratch), browser, count=12) as office:
        return measure(office)


def run() -> dict[str, float]:
    """Nothing where there is no Chromium: the bars count as short."""
    try:
        with chromium() as browser:
            return start(browser)
    except pytest.skip.Exception:
        return {}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
