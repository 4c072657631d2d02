"""The work of an annotator over HTTP: tasks, windows, drafts, submissions; sent again, refused, given back."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import pytest
from tests.annotation import CLASSES, GUESS, NAME, PIXELS, SIDE, Person, browser, submission

from landloom.annotate.ledger.accounts.users import create_user, grant
from landloom.annotate.ledger.values import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server.annotate.conftest import Office


@pytest.fixture
def ann(office: Office) -> Person:
    return office.people["ann"]


@pytest.fixture
def fresh(office: Office) -> Iterator[Person]:
    """An annotator who has done nothing yet."""
    from tests.annotation import PASSWORD

    name = f"fresh-{uuid4().hex[:8]}"
    grant(office.world.ledger, create_user(office.world.ledger, name, PASSWORD), Role.ANNOTATOR, NAME, by=None)
    with browser(office.url, name) as person:
        yield person


def test_the_campaign(ann: Person) -> None:
    found = ann.get("api/campaign").json()
    assert found["name"] == NAME
    assert found["classes"] == [one.document() for one in CLASSES]
    assert found["task"] == {"size": SIDE, "context": 40}
    assert [band["name"] for band in found["bands"]][:2] == ["B02", "B03"]
    assert {one["name"] for one in found["renderings"]} >= {"True colour", "NDVI", "NDWI"}
    assert ann.get("api/me").json() == {"name": "ann", "roles": ["annotator"], "csrf": ann.csrf}


def test_a_task_from_beginning_to_end(office: Office, fresh: Person) -> None:
    (task,) = fresh.take()
    assert fresh.take() == [task], "a task on loan comes again"
    assert len(b64decode(task["guess"])) == PIXELS
    assert (task["draft"], task["qualification"]) == (None, False)
    window = task["window"]
    content = fresh.http.get(office.url + window["href"])
    shape = (len(window["times"]), len(window["bands"]), window["rows"], window["columns"])
    assert content.headers["content-type"] == "application/octet-stream"
    assert "content-encoding" not in content.headers, "nothing is packed on the way to the same machine"
    size = int(np.prod(shape))
    reflectance = np.frombuffer(content.content[: 2 * size], "<u2").reshape(shape)
    valid = np.frombuffer(content.content[2 * size :], np.uint8).reshape(shape[0], *shape[2:])
    assert set(np.unique(valid)) <= {0, 1}
    assert ((reflectance > 0).all(axis=1) == valid.astype(bool)).all()
    rows = slice(window["row_offset"], window["row_offset"] + SIDE)
    columns = slice(window["column_offset"], window["column_offset"] + SIDE)
    assert np.allclose(window["clear"], valid[:, rows, columns].mean(axis=(1, 2)), atol=1e-4)
    segments = fresh.get(f"api/assignments/{task['id']}/superpixels?size=5").content
    assert np.frombuffer(segments, "<u2").reshape(SIDE, SIDE).min() == 1
    before = task["expires_at"]
    assert fresh.post(f"api/assignments/{task['id']}/heartbeat").json()["expires_at"] >= before
    answer = fresh.submit(task["id"])
    assert answer.json()["state"] == "accepted"
    assert answer.json()["feedback"] is None
    assert fresh.take()[0]["id"] != task["id"]


def test_a_submission_sent_again_is_the_same(fresh: Person) -> None:
    (task,) = fresh.take()
    body = submission(comment="<b>x</b>")
    path = f"api/assignments/{task['id']}/submit"
    first = fresh.post(path, body)
    assert (first.status_code, fresh.post(path, body).content) == (200, first.content)
    other = fresh.post(path, body | {"comment": "y"})
    assert (other.status_code, other.json()["code"]) == (409, "Conflict")
    (next_one,) = fresh.take()
    assert fresh.post(f"api/assignments/{next_one['id']}/submit", body).status_code == 409, "an id of another task"


def test_drafts_have_versions(fresh: Person) -> None:
    (task,) = fresh.take()
    path, draft = f"api/assignments/{task['id']}/draft", bytes(7) + GUESS[7:]

    def put(version: str, labels: bytes = draft) -> tuple[int, str | None]:
        headers = {"If-Match": version, "Content-Type": "application/octet-stream"}
        answer = fresh.call("PUT", path, content=labels, headers=headers)
        return answer.status_code, answer.headers.get("etag")

    assert put('"0"') == (200, '"1"')
    assert put('"0"') == (412, '"1"'), "another tab has saved"
    assert put("1", GUESS) == (200, '"2"')
    for version in ("", "*", "-1", "9" * 30, '"x"'):
        assert put(version)[0] == 400
    assert put('"2"', GUESS[:-1])[0] == 400
    assert put('"2"', bytes([9]) + GUESS[1:])[0] == 400
    assert put('"2"', GUESS + b"\1")[0] == 413
    found = fresh.take()[0]["draft"]
    assert (b64decode(found["labels"]), found["version"]) == (GUESS, 2)
    assert fresh.submit(task["id"]).status_code == 200
    assert put('"2"')[0] == 409


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ""},
        {"labels": "A" * 532},
        {"labels": "****"},
        {"labels": None},
        {"labels": ["AQ=="]},
        {"submission": "1"},
        {"submission": "x" * 36},
        {"submission": "5B5E1C4A-0D5C-4C55-9A9B-6F2B0E1C7A11"},
        {"seconds": -1},
        {"seconds": "12"},
        {"seconds": 1e300},
        {"dates_viewed": [-1]},
        {"dates_viewed": [4]},
        {"dates_viewed": [0, 0]},
        {"dates_viewed": [1.5]},
        {"dates_viewed": "all"},
        {"flagged": 1},
        {"comment": "x" * 2_001},
        {"comment": "\0"},
        {"client": "x" * 101},
        {"role": "admin"},
    ],
    ids=str,
)
def test_a_submission_that_is_not_right_is_refused_by_name(ann: Person, change: dict[str, object]) -> None:
    (task,) = ann.take()
    answer = ann.post(f"api/assignments/{task['id']}/submit", submission() | change)
    assert (answer.status_code, set(answer.json())) == (400, {"code", "description"}), answer.text


@pytest.mark.parametrize(
    "labels",
    [GUESS[:-1], GUESS[:4], bytes(PIXELS), bytes([3]) + GUESS[1:], bytes([255]) + GUESS[1:], bytes([0]) + GUESS[1:]],
    ids=["short", "few", "none", "class 3", "class 255", "one pixel unlabelled"],
)
def test_labels_of_other_sizes_and_classes_are_refused(ann: Person, labels: bytes) -> None:
    (task,) = ann.take()
    answer = ann.submit(task["id"], labels)
    assert (answer.status_code, answer.json()["code"]) == (400, "Bad Request")
    assert ann.take()[0]["id"] == task["id"], "it is still on loan"


def test_a_task_given_back_goes_to_others(fresh: Person) -> None:
    (task,) = fresh.take()
    assert fresh.post(f"api/assignments/{task['id']}/skip", {"reason": "clouds"}).status_code == 200
    assert fresh.take()[0]["id"] != task["id"]
    assert fresh.post(f"api/assignments/{task['id']}/heartbeat").status_code == 409


def test_scenes_that_were_not_shown_may_be_demanded(ann: Person) -> None:
    assert ann.post("api/assignments", {"count": 4}).status_code == 400
    assert ann.post("api/assignments", {"count": 0}).status_code == 400
    assert ann.get("api/assignments/x/superpixels?size=1").status_code == 400
    profiles = ann.get("api/profiles").json()
    assert set(profiles) == {"times", "bands", "classes"}
    assert set(profiles["classes"]) == {"1", "2"}
