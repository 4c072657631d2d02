"""Reference, blind and planted tasks look like all others: keys, sizes, ids, headers, order, timing."""

from __future__ import annotations

import json
import re
import time
from base64 import b64decode
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import mean, median
from typing import TYPE_CHECKING, Any

import pytest
from tests.annotation import GUESS, KINDS, NAME, PIXELS, Person, browser, make_world, serving

from landloom.annotate.ledger.progress import submissions
from landloom.annotate.tasks.values import TaskKind

if TYPE_CHECKING:
    from collections.abc import Iterator

ANNOTATORS = 5
ID = re.compile(r"[A-Za-z0-9_-]{22}")
WORDS = ("reference", "blind", "planted", "kind", "regular", "expert", "priority", "original", "copies", "gold")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What an annotator could notice of one task."""

    kind: TaskKind
    rank: int
    task: dict[str, Any]
    receipt: dict[str, Any]
    headers: tuple[tuple[str, ...], ...]
    sizes: tuple[int, ...]
    seconds: float


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    """Everything that annotators get in a campaign of which they do every task."""
    folder = tmp_path_factory.mktemp("hidden")
    people: dict[str, tuple[str, str] | None] = {f"a{number}": (NAME, "annotator") for number in range(ANNOTATORS)}
    people["exp"] = (NAME, "expert")
    database = f"sqlite:///{folder}/ledger.sqlite"
    world = make_world(folder, database, chips=4, kinds=KINDS, people=people, annotators=9, trust_mark=0.0)
    with ExitStack() as stack:
        stack.enter_context(world.ledger)
        url = stack.enter_context(serving(world))
        expert = stack.enter_context(browser(url, "exp"))
        while tasks := expert.take():
            assert expert.submit(tasks[0]["id"]).status_code == 200
        found = [one for name in people if name != "exp" for one in _walk(stack.enter_context(browser(url, name)), url)]
        kinds = {
            (row.window.chip, row.window.row, row.window.column): row.kind for row in submissions(world.ledger, NAME)
        }
    return [Seen(kind=kinds[place], **values) for place, values in found]


def _walk(person: Person, url: str) -> Iterator[tuple[tuple[str, int, int], dict[str, Any]]]:
    """Do every task that there is."""
    rank = 0
    while tasks := person.take():
        (task,) = tasks
        began = time.perf_counter()
        window = person.http.get(url + task["window"]["href"])
        segments = person.get(f"api/assignments/{task['id']}/superpixels")
        receipt = person.submit(task["id"])
        seconds = time.perf_counter() - began
        answers = (window, segments, receipt)
        values = {
            "rank": rank,
            "task": task,
            "receipt": receipt.json(),
            "headers": tuple(tuple(answer.headers) for answer in answers),
            "sizes": (len(window.content), len(segments.content)),
            "seconds": seconds,
        }
        yield (task["chip"], task["task"]["row"], task["task"]["column"]), values
        rank += 1


def by_kind(seen: list[Seen]) -> dict[TaskKind, list[Seen]]:
    groups = defaultdict(list)
    for one in seen:
        groups[one.kind].append(one)
    assert set(groups) == set(KINDS)
    assert all(len(own) == 9 * ANNOTATORS for own in groups.values())
    return groups


def shape(value: Any) -> Any:
    """Keys and types of a document."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else type(value).__name__


def test_documents_have_the_same_keys_and_sizes(seen: list[Seen]) -> None:
    shapes, sizes = set(), set()
    for one in seen:
        task = json.loads(json.dumps(one.task))
        task["task"] |= {"row": 0, "column": 0}
        task["window"] |= {"row_offset": 0, "column_offset": 0}
        task["window"]["clear"] = [0.0 for _ in task["window"]["clear"]]
        shapes.add(json.dumps([shape(task), shape(one.receipt), list(task)]))
        sizes.add((len(json.dumps(task)), one.headers, one.sizes))
    assert len(shapes) == 1
    assert len(sizes) == 1


def test_ids_tell_nothing(seen: list[Seen]) -> None:
    ids = [one.task["id"] for one in seen]
    assert len(set(ids)) == len(ids), "even the same task has another id for everybody"
    assert all(ID.fullmatch(one) for one in ids)
    letters = {kind: mean(ord(one.task["id"][0]) for one in own) for kind, own in by_kind(seen).items()}
    assert max(letters.values()) - min(letters.values()) < 25, "21 is the deviation of one letter"


def test_no_word_tells(seen: list[Seen]) -> None:
    for one in seen:
        text = json.dumps([one.task, one.receipt, one.headers]).lower()
        assert not [word for word in WORDS if word in text]


def test_a_guess_is_a_raster_for_every_kind(seen: list[Seen]) -> None:
    for kind, own in by_kind(seen).items():
        guesses = {b64decode(one.task["guess"]) for one in own}
        assert all(len(guess) == PIXELS for guess in guesses)
        if kind is TaskKind.BLIND:
            assert guesses == {bytes(PIXELS)}
        elif kind is not TaskKind.PLANTED:
            assert guesses == {GUESS}
        assert {one.receipt["feedback"] for one in own} == {None}
        assert {one.receipt["state"] for one in own} == {"accepted"}


def test_the_order_tells_nothing(seen: list[Seen]) -> None:
    """Mean ranks of kinds are those of chance: five standard errors of 45 draws from 36 ranks are 7.7."""
    for own in by_kind(seen).values():
        assert abs(mean(one.rank for one in own) - 17.5) < 7.7


def test_the_time_tells_nothing(seen: list[Seen]) -> None:
    """Medians of 45 tasks each; no kind takes another path, so a factor of 3 is noise at most."""
    medians = [median(one.seconds for one in own) for own in by_kind(seen).values()]
    assert max(medians) < 3 * min(medians)


def test_reference_tasks_wait_for_the_expert(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("waiting")
    people: dict[str, tuple[str, str] | None] = {"ann": (NAME, "annotator"), "exp": (NAME, "expert")}
    database = f"sqlite:///{folder}/ledger.sqlite"
    kinds = (TaskKind.REGULAR, TaskKind.REFERENCE, TaskKind.REFERENCE)
    world = make_world(folder, database, chips=1, kinds=kinds, people=people)
    with world.ledger, serving(world) as url, browser(url, "ann") as ann, browser(url, "exp") as expert:
        done = 0
        while tasks := ann.take():
            done += ann.submit(tasks[0]["id"]).status_code == 200
        assert done == 3, "regular tasks alone"
        (task,) = expert.take()
        assert ann.take() == []
        assert expert.submit(task["id"]).status_code == 200
        assert len(ann.take()) == 1
