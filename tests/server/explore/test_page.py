"""The explorer page in a real Chromium, against the query engine; without one it is skipped, but not in CI."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.chromium import SHOTS, chromium
from tests.server.conftest import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page
    from tests.server.conftest import Served

WHERE = "clc_2 >= 0.5"


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    """A page of a headless Chromium."""
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        context.set_default_timeout(120_000)  # the first answer of a fresh clone compiles kernels
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        yield context.new_page()


@pytest.fixture(scope="module")
def address(browser_page: Page, own: Served) -> Iterator[str]:
    """A server that was started after the page was built: the session's own may be older."""
    del browser_page  # asked for only so that the page is built by now
    with running(own.corpus) as url:
        yield url


@pytest.fixture
def opened(browser_page: Page, own: Served, address: str) -> Iterator[Page]:
    """The page over the small corpus; it may ask nobody but the server, and no script may fail."""
    asked: list[str] = []
    failures: list[str] = []

    def note_request(request: object) -> None:
        asked.append(str(getattr(request, "url", "")))

    def note_failure(failure: object) -> None:
        failures.append(str(failure))

    browser_page.on("request", note_request)
    browser_page.on("pageerror", note_failure)
    browser_page.goto("about:blank")
    browser_page.goto(address)
    browser_page.wait_for_selector(f'[data-count="{len(own.corpus)}"]')
    yield browser_page
    browser_page.remove_listener("request", note_request)
    browser_page.remove_listener("pageerror", note_failure)
    assert failures == []
    assert [url for url in asked if not url.startswith((address, "data:", "about:", "blob:"))] == []


def field(opened: Page) -> Locator:
    """The filter as text, unfolded."""
    if opened.locator("details.text[open]").count() == 0:
        opened.get_by_text("Filter as text").click()
    return opened.get_by_label("CQL2 filter")


def ask(opened: Page, text: str, count: int) -> None:
    field(opened).fill(text)
    opened.wait_for_selector(f'[data-count="{count}"]')


def test_filter_chooses_what_the_query_chooses(opened: Page, own: Served) -> None:
    wanted = own.corpus.query(where=WHERE)
    assert 0 < len(wanted) < len(own.corpus)
    ask(opened, WHERE, len(wanted))
    assert f"{len(wanted.assets):,} files" in opened.locator(".count").inner_text()
    share = max(wanted.histogram(level=3).values()) / len(wanted)
    assert opened.locator(".bar .number").first.inner_text() == f"{100 * share:.1f} %"
    assert "#filter=" in opened.url


def test_controls_write_the_filter(opened: Page, own: Served) -> None:
    text = field(opened)
    opened.get_by_role("button", name="DE", exact=True).click()
    opened.get_by_role("button", name="FI", exact=True).click()
    assert text.input_value() == "stratum IN ('DE', 'FI')"
    opened.get_by_role("button", name="DE", exact=True).click()
    for share in ("50", "50", "25"):  # the same twice is one; another limit takes its place
        opened.get_by_label("Class", exact=True).fill("agricultural areas")
        opened.get_by_label("Share", exact=True).fill(share)
        opened.get_by_role("button", name="Add", exact=True).click()
    assert text.input_value() == "stratum IN ('FI') AND clc_2 >= 0.25"
    wanted = own.corpus.query(where=text.input_value())
    opened.wait_for_selector(f'[data-count="{len(wanted)}"]')
    assert opened.locator(".conditions li span").all_inner_texts() == ["stratum FI", "Agricultural areas ≥ 25 %"]
    opened.get_by_role("button", name="Remove: stratum FI").click()
    assert text.input_value() == "clc_2 >= 0.25"
    opened.locator(".bar").first.click()
    opened.locator(".bar").first.click()
    assert text.input_value().count(" AND ") == 1
    either = "(clc_1 > 0.1 OR clc_3 > 0.1)"
    ask(
        opened,
        f"{either} AND clc_2 BETWEEN 0.1 AND 0.9",
        len(own.corpus.query(where=f"{either} AND clc_2 BETWEEN 0.1 AND 0.9")),
    )
    opened.get_by_role("button", name="Remove: clc_2 BETWEEN 0.1 AND 0.9").click()
    assert text.input_value() == either


@pytest.mark.usefixtures("halves")
def test_another_split_set_is_chosen(opened: Page, own: Served) -> None:
    ask(opened, WHERE, len(own.corpus.query(where=WHERE)))
    opened.reload()
    opened.get_by_label("Split set").select_option("halves")
    opened.get_by_role("button", name="fold-2", exact=True).click()
    wanted = own.corpus.query(where=WHERE, split_set="halves", split="fold-2")
    opened.wait_for_selector(f'[data-count="{len(wanted)}"]')
    assert 'split_set="halves"' in opened.locator(".copy pre").inner_text()
    assert "split_set=halves" in opened.url
    opened.get_by_label("Split set").select_option("")
    opened.wait_for_selector('[data-count="0"]')  # the splits of the recipe have no fold
    field(opened).fill("")
    opened.wait_for_selector(f'[data-count="{len(own.corpus)}"]')
    assert "split_set" not in opened.url


def test_another_label_product_is_chosen(browser_page: Page, twice: Served) -> None:
    with running(twice.corpus) as url:
        browser_page.goto(url)
        browser_page.wait_for_selector(f'[data-count="{len(twice.corpus)}"]')
        legend, bars = browser_page.locator(".legend li"), browser_page.locator(".bar .name")
        assert legend.all_inner_texts() == ["Water bodies"]
        browser_page.get_by_label("Labels").select_option("labels-2024")
        legend.nth(1).wait_for()
        bars.nth(1).wait_for()
        assert legend.all_inner_texts() == bars.all_inner_texts() == ["Broad-leaved forest", "Water bodies"]
        assert "labels=labels-2024" in browser_page.url
        bars.first.click()
        assert browser_page.locator(".conditions li").get_attribute("title") == '"labels-2024_clc_311" >= 0.5'
        wanted = twice.corpus.query(where='"labels-2024_clc_311" >= 0.5')
        browser_page.wait_for_selector(f'[data-count="{len(wanted)}"]')
        name = wanted.ids[0]
        browser_page.goto(f"{url}/#labels=labels-2024&sample={name}")
        browser_page.reload()
        browser_page.wait_for_selector(f'[data-sample="{name}"]')
        assert browser_page.locator(".labels tr").all_inner_texts()[0].split("\t")[0].strip() == "Broad-leaved forest"
        SHOTS.mkdir(parents=True, exist_ok=True)
        browser_page.screenshot(path=SHOTS / "explore-labels.png")


def test_bad_filter_is_explained(opened: Page, own: Served) -> None:
    """With the answer that was there before it."""
    ask(opened, WHERE, wanted := len(own.corpus.query(where=WHERE)))
    field(opened).fill("clc_21a > 0.5")
    alert = opened.get_by_role("alert")
    alert.wait_for()
    assert "clc_21" in alert.inner_text()
    assert opened.locator(".count").inner_text().startswith(f"{wanted} of 80 samples")
    assert opened.locator(".count em").inner_text() == "before this filter"
    assert opened.locator(".bar").count() > 0
    assert opened.locator(".copy").count() == 0


def test_samples_are_painted(opened: Page, own: Served) -> None:
    """Colours of classes stand on the map, and leave it with an empty selection."""
    painted = """() => {
      const canvas = [...document.querySelectorAll('.map canvas')].sort((a, b) => b.width - a.width)[0];
      const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      let count = 0;
      for (let i = 0; i < data.length; i += 4) {
        const [r, g, b, a] = data.slice(i, i + 4);
        if (a > 200 && Math.max(r, g, b) - Math.min(r, g, b) > 60) count++;
      }
      return count;
    }"""
    opened.wait_for_timeout(500)
    assert opened.evaluate(painted) > 50
    assert len(own.corpus.query(where="clc_1 > 0.99 AND clc_2 > 0.99")) == 0
    ask(opened, "clc_1 > 0.99 AND clc_2 > 0.99", 0)
    opened.wait_for_timeout(500)
    assert opened.evaluate(painted) == 0


def test_sample_shows_cube_labels_and_lineage(opened: Page, own: Served, address: str) -> None:
    row = int(np.flatnonzero(own.exists["s2"].any(axis=1))[0])
    name = own.corpus.query().ids[row]
    steps = np.flatnonzero(own.exists["s2"][row])
    opened.goto(f"{address}/#sample={name}")
    opened.reload()
    opened.wait_for_selector(f'[data-sample="{name}"] .multiples img')
    images = opened.locator(".multiples img")
    assert images.count() == len(steps)
    for place in range(len(steps)):
        opened.wait_for_function("n => document.querySelectorAll('.multiples img')[n].naturalWidth === 60", arg=place)
    linked = next(iter(own.corpus.select([name]).linked()))
    assert opened.locator(".labels tr").count() == min(len(linked.fractions), 8)
    slider = opened.get_by_label("Timestep")
    slider.fill("0")
    step = own.corpus.info.product("s2").timesteps[steps[0]].name
    assert opened.locator(".step").inner_text() == step
    assert f"S2A {step}" in opened.locator(".lineage").inner_text()


def test_click_on_the_map_opens_a_sample(opened: Page, own: Served) -> None:
    ask(opened, f"id = '{own.corpus.query().ids[3]}'", 1)
    opened.get_by_role("button", name="What is chosen").click()
    opened.wait_for_timeout(300)
    box = opened.locator(".map").bounding_box()
    assert box is not None
    # Fitting leaves room at the right for the legend, as it leaves a margin at the left.
    opened.mouse.click(box["x"] + (box["width"] - 260 + 40) / 2, box["y"] + box["height"] / 2)
    opened.wait_for_selector(f'[data-sample="{own.corpus.query().ids[3]}"]')


def test_what_is_copied_runs(opened: Page, own: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = own.corpus.query(where=WHERE)
    ask(opened, WHERE, len(wanted))
    opened.get_by_role("button", name="Copy", exact=True).click()
    opened.get_by_role("button", name="Copied").wait_for()
    script = opened.evaluate("navigator.clipboard.readText()")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANDLOOM_CACHE", str(tmp_path / "cache"))
    exec(compile(script, "copied", "exec"), {})  # noqa: S102 - that it runs is what is tested
    assert (tmp_path / "files.txt").read_text(encoding="utf-8").split() == wanted.assets.paths()
    with opened.expect_download() as download:
        opened.get_by_text("Download the list").click()
    assert Path(download.value.path()).read_text(encoding="utf-8").split() == wanted.assets.paths()


def test_the_command_that_is_copied_runs(opened: Page, own: Served, tmp_path: Path) -> None:
    where = "stratum = 'DE' AND clc_2 >= 0.5"
    wanted = own.corpus.query(where=where)
    ask(opened, where, len(wanted))
    opened.get_by_role("button", name="CLI", exact=True).click()
    opened.get_by_role("button", name="Copy", exact=True).click()
    opened.get_by_role("button", name="Copied").wait_for()
    program, *arguments = shlex.split(opened.evaluate("navigator.clipboard.readText()"))
    assert program == "landloom"
    command = [sys.executable, "-m", "landloom.cli", *arguments]
    environment = {**os.environ, "LANDLOOM_CACHE": str(tmp_path / "cache")}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=120)
    assert (tmp_path / "files.txt").read_text(encoding="utf-8").split() == wanted.assets.paths()
