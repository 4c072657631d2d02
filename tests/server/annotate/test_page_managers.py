"""The manager's page and adjudication in a real Chromium: figures as the server has them, decisions that are kept."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import numpy as np
import pytest
from tests.annotation import Person
from tests.chromium import SIZES, chromium, is_whole, shoot
from tests.desk import NAME, SCENES, SCRIPT, SIDE, Desk, at, desk, see_all, sign_in, wait_for_task

from landloom.annotate.ledger.answers import answered_tasks
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.values import TaskKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

KINDS = (TaskKind.REGULAR, TaskKind.REFERENCE)
PEOPLE = ("exp", "amy", "bea")


def answer(task: dict[str, Any], seed: int, share: float) -> dict[str, Any]:
    """A submission that repaints a block of the guess."""
    from base64 import b64decode

    rng = np.random.default_rng(seed)
    labels = np.frombuffer(b64decode(task["guess"]), np.uint8).reshape(SIDE, SIDE).copy()
    side = round(SIDE * share)
    row, column = rng.integers(0, SIDE - side, 2)
    labels[row : row + side, column : column + side] = rng.choice([2, 3, 5, 6])
    return {
        "submission": str(uuid4()),
        "labels": b64encode(labels.tobytes()).decode(),
        "seconds": float(rng.gamma(4, 6)),
        "dates_viewed": list(range(SCENES)),
        "flagged": bool(seed % 5 == 0),
        "comment": SCRIPT,
        "client": "test",
    }


def work(office: Desk, name: str, share: float) -> None:
    """Do everything that the queue gives."""
    with httpx.Client(base_url=f"{office.url}/annotate/", timeout=60) as http:
        person = Person(http, name)
        person.login()
        while tasks := person.take(3):
            for number, task in enumerate(tasks):
                body = answer(task, number + len(office.rows), share)
                assert person.post(f"api/assignments/{task['id']}/submit", body).status_code == 200


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def office(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A campaign that two people have finished, with reference tasks."""
    with desk(tmp_path_factory.mktemp("office"), browser, count=16, annotators=2, kinds=KINDS) as found:
        for name, role in zip(PEOPLE, (Role.EXPERT, Role.ANNOTATOR, Role.ANNOTATOR), strict=True):
            found.person(name, role)
        for name, share in zip(PEOPLE, (0.1, 0.3, 0.5), strict=True):
            work(found, name, share)
        yield found


def opened(office: Desk, name: str, role: Role, width: int = 1280, height: int = 720) -> Page:
    """The first page of somebody."""
    return office.sit(name, office.context(width, height), role)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1600, 900), (1920, 1080)])
def test_the_manager_sees_the_figures_of_the_server(office: Desk, width: int, height: int) -> None:
    page = opened(office, f"boss {width}", Role.MANAGER, width, height)
    page.wait_for_selector('[data-done="16"]')
    for title in ("Annotators", "Agreement", "Disagreement map", "Classes and cost", "Throughput"):
        page.get_by_role("region", name=title, exact=True).wait_for()
    page.get_by_role("button", name="amy").wait_for()
    shoot(page, "manage")
    matrix = page.locator(".matrix tbody tr")
    assert matrix.count() == 7
    page.get_by_role("button", name="bea").click()
    page.get_by_role("heading", name="Confusion on reference tasks: bea").wait_for()
    page.get_by_label("Cost of an hour").fill("36")
    costs = page.get_by_role("region", name="Classes and cost").locator("tbody td:last-child").all_inner_texts()
    whole = sum(row.seconds for row in office.rows if row.name in ("amy", "bea", "exp")) / 100
    assert 0 < sum(float(cost) for cost in costs) <= whole * 1.02
    assert page.locator("main.manage").evaluate("one => one.scrollWidth <= one.clientWidth")
    page.locator("main.manage").evaluate("one => one.scrollTo(0, 1e5)")
    shoot(page, "manage-end")
    assert page.locator("img").count() == 0  # the comment and the class are text


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_managers_page_is_whole_in_every_window(office: Desk, width: int, height: int) -> None:
    page = opened(office, f"head {width}", Role.MANAGER, width, height)
    page.wait_for_selector('[data-done="16"]')
    page.get_by_role("button", name="amy").wait_for()
    is_whole(page, "annotate-manage", axe=width != 1920)


def test_every_figure_can_be_had_as_png_and_csv(office: Desk) -> None:
    page = opened(office, "collector", Role.MANAGER)
    page.wait_for_selector('[data-done="16"]')
    links = page.locator(".downloads a")
    addresses = links.evaluate_all("links => links.map((link) => link.href)")
    assert len(addresses) >= 14
    for address in addresses:
        answer = page.request.get(address)
        assert answer.ok, f"{address}: {answer.text()}"
        assert answer.body().startswith(b"\x89PNG" if address.endswith(".png") else b"")
        assert len(answer.body()) > 20
    for place in range(2):
        with page.expect_download() as waiting:
            links.nth(place).click()
        assert waiting.value.suggested_filename == f"progress.{('png', 'csv')[place]}"


def test_a_manager_invites_and_the_invited_one_begins(office: Desk) -> None:
    page = opened(office, "host", Role.MANAGER)
    form = page.get_by_role("form", name="Invite")
    form.get_by_label("Name").fill("dave")
    form.get_by_role("button", name="Invite").click()
    link = page.locator("code.link").inner_text()
    guest = office.open(office.context())
    guest.get_by_role("link", name="I have an invitation").click()
    assert guest.get_by_label("Invitation", exact=True).is_visible()  # for those who were told the token alone
    guest.goto(link)
    guest.get_by_label("New password", exact=True).fill("a good long password")
    guest.get_by_label("New password again").fill("a good long password")
    shoot(guest, "invited")
    guest.get_by_role("button", name="Go on").click()
    guest.wait_for_url("**/annotate/#/")
    guest.wait_for_selector("form, .top")


def test_a_reviewer_decides_what_is_disputed(office: Desk) -> None:
    """Both answers can be looked at and taken over; the decision is in the ledger."""
    page = opened(office, "judge", Role.REVIEWER, 1600, 900)
    page.locator(".queue button").first.wait_for()
    disputed = int(page.locator("[data-disputed]").get_attribute("data-disputed") or 0)
    assert disputed > 0
    page.locator(".queue button").first.click()
    task = page.locator(".work[data-task]").get_attribute("data-task")
    assert f"Answer 1: {SCRIPT}" in page.locator(".comments").inner_text()
    page.get_by_role("button", name="Answer 2").click()
    shoot(page, "review")
    page.get_by_role("button", name="take over").nth(1).click()
    page.keyboard.press("3")
    page.locator("canvas.edit").click(position={"x": 200, "y": 200})
    page.get_by_role("button", name="Decide").click()
    page.wait_for_selector('[data-decided="1"]')
    page.wait_for_selector(f'[data-disputed="{disputed - 1}"]')
    found = next(one for one in answered_tasks(office.ledger, NAME) if one.id == task)
    assert found.adjudicated is not None
    mine, other = np.frombuffer(found.adjudicated, np.uint8), np.frombuffer(found.answers[1].labels, np.uint8)
    assert 0 < np.count_nonzero(mine != other) <= 9


def test_an_expert_works_on_the_same_page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Reference tasks come to experts alone at first, and then to annotators, as any other."""
    folder = tmp_path_factory.mktemp("expert")
    with desk(folder, browser, count=1, annotators=1, kinds=(TaskKind.REFERENCE,)) as small:
        page = small.sit("early")
        page.wait_for_selector('[data-status="empty"]')
        expert = small.sit("expert", role=Role.EXPERT)
        wait_for_task(expert)
        see_all(expert)
        expert.mouse.click(*at(expert, 3, 3))
        expert.keyboard.press("Enter")
        expert.wait_for_selector('[data-status="empty"]')
        page.reload()
        wait_for_task(page)
        assert page.locator(".badge").count() == 0


def test_people_see_their_own_pages_alone(office: Desk) -> None:
    page = opened(office, "plain", Role.ANNOTATOR)
    page.locator("nav a").first.wait_for()
    assert page.locator("nav a").all_inner_texts() == ["Tasks", "plain"]
    page.goto(f"{office.url}/annotate/#/manage")
    page.get_by_text("not").first.wait_for()
    other = office.open(office.context())
    office.person("viewer", Role.REVIEWER)
    sign_in(other, "viewer")
    other.locator("nav a").first.wait_for()
    assert other.locator("nav a").all_inner_texts() == ["Adjudication", "viewer"]
