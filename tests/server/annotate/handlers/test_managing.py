"""The manager's page over HTTP: numbers against a count of our own, adjudication, figures, texts of others."""

from __future__ import annotations

import csv
import io
from base64 import b64decode, b64encode
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from tests.annotation import GUESS, KINDS, PIXELS, PLANTED, SCRIPT, Person, World, browser, make_world, serving

from landloom.server.annotate.handlers.figures import FIGURES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMULA = "=cmd|' /C calc'!A0"
EDITED = bytes([5]) * 40 + GUESS[40:]
PEOPLE = {
    "ann": ("sites", "annotator"),
    FORMULA: ("sites", "annotator"),
    "exp": ("sites", "expert"),
    "rev": ("sites", "reviewer"),
    "man": ("sites", "manager"),
}


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A campaign of nine tasks that two people have done: one as it was, one with forty pixels changed."""

    world: World
    url: str
    man: Person
    rev: Person


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    folder = tmp_path_factory.mktemp("managing")
    database = f"sqlite:///{folder}/ledger.sqlite"
    world = make_world(folder, database, chips=1, kinds=KINDS, people=PEOPLE, annotators=2, trust_mark=0.0)
    with ExitStack() as stack:
        stack.enter_context(world.ledger)
        url = stack.enter_context(serving(world))
        people = {name: stack.enter_context(browser(url, name)) for name in PEOPLE}
        while tasks := people["exp"].take():
            assert people["exp"].submit(tasks[0]["id"]).status_code == 200
        for name, labels in (("ann", GUESS), (FORMULA, EDITED)):
            while tasks := people[name].take():
                guess = b64decode(tasks[0]["guess"])
                own = PLANTED if name == "ann" and guess == PLANTED else labels
                answer = people[name].submit(tasks[0]["id"], own, comment=SCRIPT, flagged=name == "ann", seconds=10.0)
                assert answer.status_code == 200
        yield Finished(world=world, url=url, man=people["man"], rev=people["rev"])


def test_progress(finished: Finished) -> None:
    found = finished.man.get("api/manage/progress").json()
    assert found["totals"] == {
        "tasks": 9,
        "done": 9,
        "started": 0,
        "submissions": 18,
        "needed": 18,
        "surplus": 0,
    }
    assert sum(row["submissions"] for row in found["days"]) == 18
    assert found["seconds"] == {"total": 180.0, "median": 10.0}
    assert found["flagged"] == 9
    assert sum(row["pixels"] for row in found["classes"]) == 18 * PIXELS
    assert sum(row["seconds"] for row in found["classes"]) == pytest.approx(180.0)


def test_annotators(finished: Finished) -> None:
    rows = {row["name"]: row for row in finished.man.get("api/manage/annotators").json()["annotators"]}
    ann, other = rows["ann"], rows[FORMULA]
    assert (ann["submissions"], ann["score"]["accuracy"]["value"]) == (9, 1.0)
    assert other["score"]["accuracy"]["value"] == pytest.approx(1 - 40 / PIXELS)
    assert ann["score"]["planted_accepted"]["value"] == 1.0
    assert other["score"]["planted_accepted"]["value"] == pytest.approx(40 / 80), "half of it by chance"
    assert other["edit_rate"] > ann["edit_rate"]
    matrix = finished.man.get("api/manage/confusions", params={"annotator": FORMULA}).json()
    assert matrix["codes"] == [1, 2, 5]
    assert matrix["matrix"][0] == [2 * (PIXELS // 2 - 40), 0, 2 * 40], "two reference tasks"
    whole = finished.man.get("api/manage/confusions").json()["matrix"]
    assert sum(map(sum, whole)) == 4 * PIXELS
    assert finished.man.get("api/manage/confusions", params={"annotator": "nobody"}).status_code == 404


def test_agreement_and_disagreement(finished: Finished) -> None:
    found = finished.man.get("api/manage/agreement").json()
    assert found["experts"] == {"tasks": 0, "pixels": 0, "agreement": None}
    assert found["pixels"] == 9 * PIXELS
    assert found["pairs"][0]["annotators"] == sorted(found["pairs"][0]["annotators"], key=["ann", FORMULA].index) or (
        set(found["pairs"][0]["annotators"]) == {"ann", FORMULA}
    )
    assert 0 < found["krippendorff_alpha"] < 1
    (chip,) = finished.rev.get("api/manage/disagreement").json()["chips"]
    assert len(chip["tasks"]) == 9
    assert {round(task["share"] * PIXELS) for task in chip["tasks"]} == {40}


def test_adjudication_says_neither_who_nor_what_kind(finished: Finished) -> None:
    found = finished.rev.get("api/manage/adjudication").json()
    tasks = found["tasks"]
    assert found["count"] == len(tasks) > 0
    text = finished.rev.get("api/manage/adjudication").text
    assert not [word for word in ("ann", "pseudonym", "reference", "planted", "blind", "kind") if f'"{word}' in text]
    task = tasks[0]["task"]
    path = f"api/manage/adjudication/{task}"
    assert finished.rev.post(path, {"labels": b64encode(GUESS[:-1]).decode()}).status_code == 400
    assert finished.rev.post(path, {"labels": b64encode(bytes([9]) + GUESS[1:]).decode()}).status_code == 400
    decision = {"labels": b64encode(GUESS).decode(), "comment": SCRIPT}
    assert finished.rev.post(path, decision).status_code == 400  # without an id, a repeated call would decide twice
    answer = finished.rev.post(path, decision | {"submission": str(uuid4())})
    assert answer.status_code == 200, answer.text
    left = [row["task"] for row in finished.rev.get("api/manage/adjudication").json()["tasks"]]
    assert task not in left
    assert len(left) == len(tasks) - 1


def test_answers_are_shown_only_when_all_are_in(tmp_path: Path) -> None:
    """Somebody who reviews and annotates could else copy what others have answered."""
    people = {"ann": ("sites", "annotator"), "bob": ("sites", "annotator"), "rev": ("sites", "reviewer")}
    world = make_world(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite", chips=1, people=people, annotators=3)
    with world.ledger, serving(world) as url, ExitStack() as stack:
        ann, bob, rev = (stack.enter_context(browser(url, name)) for name in people)
        places = set()
        for person, labels in ((ann, GUESS), (bob, EDITED)):
            while tasks := person.take():
                assert person.submit(tasks[0]["id"], labels).status_code == 200
                places.add(tasks[0]["chip"])
        (chip,) = rev.get("api/manage/disagreement").json()["chips"]
        assert {chip["chip"]} == places
        for task in chip["tasks"]:
            for path in ("", "/window", "/superpixels"):
                assert rev.get(f"api/manage/adjudication/{task['task']}{path}").status_code == 404
        assert rev.get("api/manage/adjudication").json() == {"tasks": [], "count": 0}


@pytest.mark.parametrize("name", FIGURES)
def test_figures(finished: Finished, name: str) -> None:
    picture = finished.man.get(f"api/manage/figures/{name}.png")
    assert (picture.headers["content-type"], picture.content[:4]) == ("image/png", b"\x89PNG")
    table = finished.man.get(f"api/manage/figures/{name}.csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.headers["content-disposition"] == f'attachment; filename="{name}.csv"'
    header, *rows = csv.reader(io.StringIO(table.text))
    assert tuple(header) == FIGURES[name].header
    assert rows
    assert all(len(row) == len(header) for row in rows)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "+"))], (
        "spreadsheets compute nothing"
    )


def test_texts_of_others_come_back_as_json_and_nothing_else(finished: Finished) -> None:
    """What somebody wrote is in no page, and in no response that a browser would show as one."""
    seen = 0
    for path in ("progress", "annotators", "confusions", "adjudication", "people", "audit", "agreement"):
        answer = finished.man.get(f"api/manage/{path}")
        seen += SCRIPT in answer.text or FORMULA in answer.text
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert seen >= 4
    assert SCRIPT in finished.man.get("api/campaign").json()["classes"][1]["name"]
    page = finished.man.get("./")
    assert page.headers["content-type"].startswith("text/html")
    assert SCRIPT not in page.text


def test_numbers_are_kept_for_some_seconds_alone() -> None:
    from landloom.server.annotate.summaries import Kept

    class Clock:
        now = 0.0

        def __call__(self) -> float:
            return self.now

    clock, calls = Clock(), []

    def compute() -> int:
        calls.append(0)
        clock.now += 2.0
        return len(calls)

    kept = Kept(clock=clock)
    assert [kept.get("a", compute), kept.get("a", compute), kept.get("b", compute)] == [1, 1, 2]
    clock.now += 39.0
    assert kept.get("a", compute) == 3, "twenty times as long as it took"
