"""That no work is lost on the annotation page: drafts, submissions without a network, two tabs, the last place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.chromium import chromium, shoot
from tests.desk import Desk, at, desk, labels, see_all, sign_in, wait_for_task

from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.values import TaskKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def room(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One campaign for tests that leave others their tasks."""
    with desk(tmp_path_factory.mktemp("room"), browser, count=32, annotators=60) as found:
        yield found


def stroke(page: Page, key: str, row: int) -> None:
    """A line of a class along a row."""
    page.keyboard.press(key)
    page.mouse.move(*at(page, row, 3))
    page.mouse.down()
    page.mouse.move(*at(page, row, 28))
    page.mouse.up()


def test_a_reload_in_mid_task_keeps_every_stroke(room: Desk) -> None:
    """At once after the stroke: the server has no draft yet."""
    page = room.sit("reloader")
    task = wait_for_task(page)
    see_all(page)
    stroke(page, "2", 12)
    page.get_by_label("Comment").fill("half done")
    painted = labels(page)
    page.reload()
    assert wait_for_task(page) == task
    assert np.array_equal(labels(page), painted)
    assert page.get_by_label("Comment").input_value() == "half done"
    assert page.locator(".missing").get_attribute("data-missing") == ""  # scenes stay seen
    assert (painted[12, 3:29] == 2).all()
    page.keyboard.press("Control+z")  # undo outlives the page
    page.wait_for_selector('[data-changed="0"]')
    page.reload()
    assert wait_for_task(page) == task
    page.wait_for_selector('[data-changed="0"]')
    page.keyboard.press("Control+Shift+z")
    page.wait_for_selector('[data-changed]:not([data-changed="0"])')
    assert np.array_equal(labels(page), painted)


def test_scenes_stay_seen_though_nothing_was_painted(room: Desk) -> None:
    page = room.sit("looker")
    task = wait_for_task(page)
    see_all(page)
    page.wait_for_timeout(1_500)
    page.reload()
    assert wait_for_task(page) == task
    page.wait_for_selector('.missing[data-missing=""]', state="attached")
    page.keyboard.press("Enter")
    wait_for_task(page, task)


def test_another_browser_goes_on_from_the_draft_on_the_server(room: Desk) -> None:
    page = room.sit("mover")
    task = wait_for_task(page)
    stroke(page, "3", 20)
    painted = labels(page)
    page.wait_for_selector('[data-saved="server"]')
    other = room.open(room.context())
    sign_in(other, "mover")
    assert wait_for_task(other) == task
    stroke(other, "2", 3)
    found = labels(other)
    assert np.array_equal(found[18:23], painted[18:23])
    assert (found[3, 3:29] == 2).all()


@pytest.mark.slow
def test_two_tabs_on_one_task_are_told_of_each_other(room: Desk) -> None:
    page = room.sit("double")
    wait_for_task(page)
    other = room.open(room.context())
    sign_in(other, "double")
    wait_for_task(other)
    stroke(page, "2", 5)
    page.wait_for_selector('[data-saved="server"]')
    stroke(other, "3", 25)
    other.get_by_text("also edited in another window").wait_for()
    other.get_by_role("button", name="Take the other").click()
    assert (labels(other)[5, 3:29] == 2).all()
    assert not (labels(other)[25] == 3).all()
    other.keyboard.press("Control+z")  # even that can be taken back
    assert (labels(other)[25, 3:29] == 3).all()
    other.wait_for_selector('[data-saved="server"]')
    stroke(page, "1", 9)
    page.get_by_text("also edited in another window").wait_for()
    page.get_by_role("button", name="Keep mine").click()
    page.wait_for_selector('[data-saved="server"]')
    assert (labels(page)[9, 3:29] == 1).all()


def test_work_without_a_network_is_sent_later(room: Desk) -> None:
    context = room.context()
    page = room.sit("offliner", context)
    first = wait_for_task(page)
    page.wait_for_timeout(2_000)  # the next two are fetched meanwhile
    context.set_offline(True)
    see_all(page)
    stroke(page, "2", 10)
    page.keyboard.press("Enter")
    second = wait_for_task(page, first)
    page.wait_for_selector('[data-waiting="1"]')
    see_all(page)
    page.keyboard.press("Enter")
    wait_for_task(page, second)
    page.wait_for_selector('[data-waiting="2"]')
    assert [row for row in room.rows if row.name == "offliner"] == []
    context.set_offline(False)
    page.wait_for_selector('[data-waiting="0"][data-sent="2"]')
    rows = [row for row in room.rows if row.name == "offliner"]
    assert len(rows) == 2
    assert rows[0].changed > 0
    assert all(row.counted for row in rows)


def test_what_waits_outlives_the_page(room: Desk) -> None:
    context = room.context()
    page = room.sit("leaver", context)
    first = wait_for_task(page)
    page.wait_for_timeout(1_500)
    context.set_offline(True)
    see_all(page)
    page.keyboard.press("Enter")
    wait_for_task(page, first)
    page.wait_for_selector('[data-waiting="1"]')
    page.close()
    context.set_offline(False)
    page = room.open(context)
    page.wait_for_selector('[data-waiting="0"][data-sent="1"]')
    assert [row.name for row in room.rows].count("leaver") == 1


@pytest.mark.slow
def test_a_session_that_ends_keeps_the_work(room: Desk) -> None:
    context = room.context()
    page = room.sit("guest", context)
    first = wait_for_task(page)
    stroke(page, "2", 10)
    painted = labels(page)
    context.clear_cookies()
    page.get_by_text("Your session has ended").wait_for()  # the draft could not be saved
    shoot(page, "ended")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Your session has ended").wait_for(state="detached")
    page.wait_for_selector('[data-saved="server"]')
    assert wait_for_task(page) == first
    assert np.array_equal(labels(page), painted)


def test_two_browsers_race_for_the_last_place(browser: Browser, tmp_path: Path) -> None:
    """One task with one place: one of them gets it, the other is told that there is none."""
    with desk(tmp_path, browser, count=1, annotators=1) as office:
        for name in ("ada", "ben"):
            office.person(name)
        pages = [office.open(office.context()) for _ in range(2)]
        for page, name in zip(pages, ("ada", "ben"), strict=True):
            page.get_by_label("Name").fill(name)
            page.get_by_label("Password").fill("correct horse battery")
        for page in pages:
            page.get_by_role("button", name="Log in").click(no_wait_after=True)
        for page in pages:
            page.wait_for_selector('[data-status="empty"], main.work:not([hidden]):not([data-task=""])')
        holders = [page for page in pages if page.locator("main.work:not([hidden])").count()]
        assert len(holders) == 1
        see_all(holders[0])
        holders[0].keyboard.press("Enter")
        holders[0].wait_for_selector('[data-waiting="0"][data-sent="1"]')
        holders[0].wait_for_selector('[data-status="empty"]')
        assert len(office.rows) == 1
        shoot(holders[0], "empty")


@pytest.mark.slow
def test_a_qualification_round_shows_how_it_went(browser: Browser, tmp_path: Path) -> None:
    with desk(tmp_path, browser, count=2, annotators=2, kinds=(TaskKind.QUALIFICATION,), qualification=2) as office:
        expert = office.sit("expert", role=Role.EXPERT)
        for number in range(2):
            wait_for_task(expert)
            see_all(expert)
            expert.keyboard.press("Enter")
            expert.wait_for_selector(f'[data-waiting="0"][data-sent="{number + 1}"]')
        page = office.sit("learner")
        wait_for_task(page)
        assert page.get_by_text("Qualification", exact=True).is_visible()
        stroke(page, "2", 10)
        see_all(page)
        page.keyboard.press("Enter")
        page.get_by_role("dialog").wait_for()
        assert "of the pixels agree with the expert" in page.get_by_role("dialog").inner_text()
        shoot(page, "qualification")
        page.keyboard.press("Enter")
        page.get_by_role("dialog").wait_for(state="detached")
        wait_for_task(page)


def test_a_blind_task_needs_a_class_for_every_pixel(browser: Browser, tmp_path: Path) -> None:
    with desk(tmp_path, browser, count=1, annotators=1, kinds=(TaskKind.BLIND,)) as office:
        page = office.sit("seer")
        wait_for_task(page)
        page.keyboard.press("v")
        page.get_by_text("1024 pixels have no class yet").wait_for()
        shoot(page, "blind")
        page.keyboard.press("5")
        page.keyboard.press("f")
        page.mouse.click(*at(page, 10, 10))
        page.wait_for_selector('.missing[data-missing=""]', state="attached")
        page.keyboard.press("Enter")
        page.wait_for_selector('[data-status="empty"]')
        assert [row.changed for row in office.rows] == [1024]


def test_a_skipped_task_makes_room_for_the_next(room: Desk) -> None:
    page = room.sit("skipper")
    first = wait_for_task(page)
    page.keyboard.press("k")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("2")
    wait_for_task(page, first)
    page.reload()
    assert wait_for_task(page) != first
