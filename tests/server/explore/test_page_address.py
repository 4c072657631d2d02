"""The address of the explorer, its keys and its sizes, in a real Chromium; axe-core looks at every state."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.chromium import OVERLAPS, SIZES, chromium, is_whole, shoot, violations
from tests.server.conftest import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page
    from tests.server.conftest import Served


@pytest.fixture(scope="module")
def page(own: Served) -> Iterator[Page]:
    """A page that no script may fail on."""
    failures: list[str] = []
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        context.set_default_timeout(120_000)  # the first answer of a fresh clone compiles kernels
        opened = context.new_page()
        opened.on("pageerror", lambda failure: failures.append(str(failure)))
        with running(own.corpus) as url:
            opened.goto(url)
            yield opened
    assert failures == []


def go(page: Page, text: str) -> None:
    """Open an address anew."""
    root = page.url.split("#")[0]
    page.goto("about:blank")
    page.goto(f"{root}{text}")
    page.wait_for_selector("[data-count]:not([data-count=''])")


def sample_of(own: Served) -> str:
    return own.corpus.query().ids[int(np.flatnonzero(own.exists["s2"].any(axis=1))[0])]


def test_every_state_is_whole_and_accessible_at_every_size(page: Page, own: Served) -> None:
    name = sample_of(own)
    states = {
        "map": "",
        "sample": f"#sample={name}&colour=clc_3&filter=clc_2+>+0.1",
        "gallery": "#show=gallery&sort=clc_2",
        "doubt": "#sample=nonsense&filter=nope+>+1",
    }
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for state, address in states.items():
            root = page.url.split("#")[0]
            page.goto("about:blank")
            page.goto(f"{root}{address}")
            page.wait_for_selector(
                {"sample": ".multiples img", "gallery": ".thumbs img", "doubt": ".notice"}.get(state, ".legend")
            )
            page.wait_for_load_state("networkidle")
            is_whole(page, f"explore-{state}", axe=width != 1920)
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_label("Class", exact=True).wait_for()
    assert page.evaluate(OVERLAPS) == []
    assert violations(page) == []
    shoot(page, "explore-drawer")
    page.keyboard.press("Escape")
    page.get_by_label("Class", exact=True).wait_for(state="hidden")
    page.set_viewport_size({"width": 1280, "height": 720})


def test_a_link_opens_as_it_was(page: Page, own: Served) -> None:
    west, south, _, north = own.corpus.query().to_geodataframe().total_bounds.tolist()
    box = f"{west:.5f},{south:.5f},{west + 0.2:.5f},{north:.5f}"
    wanted = own.corpus.query(region=tuple(map(float, box.split(","))))
    assert 0 < len(wanted) < len(own.corpus)
    go(page, f"#box={box}")
    page.wait_for_selector(f'[data-count="{len(wanted)}"]')
    page.wait_for_timeout(300)
    assert page.url.endswith(f"#box={box}")  # until a person moves the map
    assert page.get_by_label("Only what is in view").is_checked()
    name, step = sample_of(own), own.corpus.info.product("s2").timesteps[-1].name
    text = f"#view=12.00000,50.00000,5.00&sample={name}&date={step}&bands=B08&colour=stratum"
    go(page, text)
    page.locator(".sample .step").wait_for()
    page.wait_for_timeout(300)
    assert page.url.endswith(text)
    assert page.locator(".legend summary").first.inner_text() == "Stratum"
    assert page.get_by_label("Bands").input_value() == "B08"


def test_back_goes_back_and_the_address_can_be_written(page: Page, own: Served) -> None:
    go(page, "")
    name, other = sample_of(own), own.corpus.query().ids[0]
    page.evaluate("text => { location.hash = text }", f"sample={name}&filter=clc_2+>=+0")
    page.wait_for_selector(f'[data-sample="{name}"]')
    page.get_by_role("button", name="Gallery").click()
    page.locator(".gallery").wait_for()
    page.go_back()
    page.locator(".gallery").wait_for(state="detached")
    page.wait_for_selector(f'[data-sample="{name}"]')
    page.go_back()
    page.locator(".sample").wait_for(state="detached")
    assert "#" not in page.url
    page.evaluate("text => { location.hash = text }", f"sample={other}")
    page.wait_for_selector(f'[data-sample="{other}"]')
    page.evaluate("location.hash = 'sample=nonsense&product=s9&what=1'")
    page.locator(".notice", has_text="nonsense").wait_for()
    for said in ("nonsense", "no product 's9'", "'what' means nothing here"):
        assert said in page.locator(".notice").inner_text()


def test_keys_reach_samples_and_move_the_map(page: Page, own: Served) -> None:
    ids = own.corpus.query(where="clc_2 >= 0.3").ids
    go(page, f"#filter=clc_2+>=+0.3&sample={ids[0]}")
    page.wait_for_selector(f'[data-sample="{ids[0]}"]')
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(f'[data-sample="{ids[1]}"]')
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(f'[data-sample="{ids[0]}"]')
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(f'[data-sample="{ids[-1]}"]')
    page.keyboard.press("Escape")
    page.locator(".sample").wait_for(state="detached")
    page.locator(".map").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(f'[data-sample="{ids[-1]}"]')  # the map is where it was
    page.locator(".map").focus()
    before = page.url
    page.keyboard.press("ArrowUp")
    page.wait_for_function("before => location.href !== before && /view=/.test(location.hash)", arg=before)
    page.keyboard.press("/")
    assert page.evaluate(
        "document.activeElement.closest('.map') !== null"
    )  # of the map, "/" is none of the page's keys
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement !== document.body")


def test_chips_are_drawn_on_the_map_at_their_date(page: Page, own: Served) -> None:
    row = int(np.flatnonzero(own.exists["s2"].any(axis=1))[0])
    name, steps = sample_of(own), np.flatnonzero(own.exists["s2"][row])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    go(page, f"#filter=id+%3D+'{name}'&sample={name}")
    slider = page.get_by_label("Date of all chips")
    slider.fill(str(steps[0]))
    step = own.corpus.info.product("s2").timesteps[int(steps[0])].name
    assert page.locator(".chip-bar strong").inner_text() == step
    page.wait_for_load_state("networkidle")
    assert any(re.search(f"{name}/s2/{step}.png$", url) for url in asked)
    page.keyboard.press("Escape")
    page.get_by_label("Only what is in view").check()
    page.wait_for_selector('[data-count="1"]')


def test_the_gallery_is_in_order(page: Page, own: Served) -> None:
    go(page, "#show=gallery")
    page.get_by_label("Sort by").select_option("clc_2")
    page.locator(".thumbs li").nth(3).wait_for()
    asked = {"product": "s2", "sort": "share", "column": "clc_2"}
    wanted = own.http.get("/explore/gallery", params=asked).json()
    page.wait_for_function(
        "text => document.querySelector('.thumbs img')?.alt === text",
        arg=f"{wanted['items'][0]['id']}, {wanted['items'][0]['step']}",
    )
    page.get_by_role("button", name="Show more").click()
    page.locator(".thumbs li").nth(60).wait_for()
    page.locator(".thumbs button").first.click()
    page.wait_for_selector(f'[data-sample="{wanted["items"][0]["id"]}"]')
    assert page.locator(".sample .step").inner_text() == wanted["items"][0]["step"]
