"""Sessions, passwords, invitations and roles over HTTP: what ends, what is refused, and what nobody learns."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from tests.annotation import NAME, PASSWORD, Person, browser, make_world, serving

from landloom.annotate.ledger.accounts.attempts import PER_PAIR
from landloom.annotate.ledger.accounts.passwords import LONGEST
from landloom.annotate.ledger.accounts.users import create_user, grant
from landloom.annotate.ledger.values import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.annotate.conftest import Office

NEW = "another good password"


@pytest.fixture
def name(office: Office) -> str:
    """An annotator of one's own, whose password may be changed."""
    made = f"own-{uuid4().hex[:8]}"
    grant(office.world.ledger, create_user(office.world.ledger, made, PASSWORD), Role.ANNOTATOR, NAME, by=None)
    return made


@pytest.fixture
def person(office: Office, name: str) -> Iterator[Person]:
    with browser(office.url, name) as found:
        yield found


def cookie(person: Person) -> str:
    return str(person.http.cookies["session"])


def test_a_session_is_a_new_one_at_each_login(office: Office, name: str) -> None:
    with browser(office.url, name, signed_in=False) as person:
        planted = "x" * 43
        person.http.cookies.set("session", planted, domain="127.0.0.1", path="/")
        assert person.get("api/me").status_code == 401
        answer = person.login()
        set_cookie = answer.headers["set-cookie"]
        assert planted not in set_cookie
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(set_cookie.split("; "))
        assert "Secure" not in set_cookie
        first = set_cookie.partition(";")[0].partition("=")[2]
        assert person.csrf not in first
        person.http.cookies.clear()
        person.http.cookies.set("session", first, domain="127.0.0.1", path="/")
        second = person.login().headers["set-cookie"].partition(";")[0].partition("=")[2]
        assert second != first
        for token, status in ((planted, 401), (first, 401), (second, 200)):
            person.http.cookies.clear()
            assert person.get("api/me", headers={"Cookie": f"session={token}"}).status_code == status


def test_logging_out_ends_the_session_on_the_server(person: Person) -> None:
    token = cookie(person)
    assert person.post("api/logout", headers={"X-CSRF": "no"}).status_code == 403
    answer = person.post("api/logout")
    assert answer.status_code == 200
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert "session" not in person.http.cookies
    person.http.cookies.set("session", token, domain="127.0.0.1", path="/")
    assert person.get("api/me").status_code == 401


def test_another_password_ends_other_sessions(office: Office, name: str, person: Person) -> None:
    with browser(office.url, name) as elsewhere:
        assert person.post("api/password", {"old": "wrong password", "new": NEW}).status_code == 401
        assert person.post("api/password", {"old": PASSWORD, "new": "short"}).status_code == 400
        assert elsewhere.get("api/me").status_code == 200
        assert person.post("api/password", {"old": PASSWORD, "new": NEW}).status_code == 200
        assert (person.get("api/me").status_code, elsewhere.get("api/me").status_code) == (200, 401)
        assert elsewhere.login().status_code == 401
        assert elsewhere.login(NEW).status_code == 200


def test_guessing_is_slow_and_knowing_does_not_help(office: Office, name: str) -> None:
    with browser(office.url, name, signed_in=False) as person:
        statuses = [person.login(f"wrong password {number}").status_code for number in range(PER_PAIR + 2)]
        assert statuses == [401] * PER_PAIR + [429] * 2
        answer = person.login()
        assert (answer.status_code, answer.json()["code"]) == (429, "Too Many Requests"), "the right one is not tried"
        assert int(answer.headers["retry-after"]) > 0
        assert "set-cookie" not in answer.headers


def test_nobody_learns_which_names_exist(office: Office, name: str) -> None:
    seconds: dict[bool, list[float]] = {True: [], False: []}
    contents = set()
    with browser(office.url, "x", signed_in=False) as person:
        for _ in range(4):
            for known in (True, False):
                person.name = name if known else f"none-{uuid4().hex[:8]}"
                began = time.perf_counter()
                answer = person.login("wrong password")
                seconds[known].append(time.perf_counter() - began)
                contents.add((answer.status_code, answer.content, tuple(sorted(set(answer.headers) - {"date"}))))
    assert len(contents) == 1
    # Hashing takes a hundred times longer than everything else: a factor of 5 is far from both.
    assert max(map(median, seconds.values())) < 5 * min(map(median, seconds.values()))


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "ann"},
        {"password": PASSWORD},
        {"name": "ann", "password": PASSWORD, "role": "admin"},
        {"name": ["ann"], "password": PASSWORD},
        {"name": "ann", "password": "x" * 1025},
        {"name": "a\0nn", "password": PASSWORD},
        {"name": {"$ne": ""}, "password": {"$ne": ""}},
    ],
    ids=str,
)
def test_logins_that_are_none(office: Office, fields: dict[str, object]) -> None:
    with browser(office.url, "x", signed_in=False) as person:
        assert person.post("api/login", fields).status_code == 400


def test_the_longest_password_is_one_here_too(office: Office, name: str, person: Person) -> None:
    longest = "x" * LONGEST
    assert person.post("api/password", {"old": PASSWORD, "new": longest}).status_code == 200
    with browser(office.url, name, signed_in=False) as again:
        assert again.login(longest).status_code == 200


def test_nobody_promotes_themselves(office: Office) -> None:
    for name in ("ann", "rev", "exp", "far", "new"):
        for role in Role:
            answer = office.people[name].post("api/manage/roles", {"name": name, "role": role, "granted": True})
            assert answer.status_code == 404
            assert office.people[name].post("api/invitations", {"name": "me2", "role": role}).status_code == 404
    man = office.people["man"]
    for role in Role:
        assert man.post("api/manage/roles", {"name": "man", "role": role, "granted": True}).status_code == 403
    for given in ("manager", "admin"):
        assert man.post("api/manage/roles", {"name": "new", "role": given, "granted": True}).status_code == 403
        assert man.post("api/invitations", {"name": "friend", "role": given}).status_code == 403
    assert man.post("api/manage/roles", {"name": "adm", "role": "admin", "granted": False}).status_code == 403
    for wrong in ("root", "", None, ["admin"], "Admin"):
        assert man.post("api/manage/roles", {"name": "new", "role": wrong}).status_code == 400
    assert {person["name"]: person["roles"] for person in man.get("api/manage/people").json()["people"]} == {
        person["name"]: person["roles"] for person in office.people["adm"].get("api/manage/people").json()["people"]
    }
    assert [office.people[name].get("api/me").json()["roles"] for name in ("ann", "man", "new", "far")] == [
        ["annotator"],
        ["manager"],
        [],
        [],
    ]


def test_roles_come_and_go_at_once(office: Office, name: str, person: Person) -> None:
    man = office.people["man"]
    assert person.get("api/manage/adjudication").status_code == 404
    given = man.post("api/manage/roles", {"name": name, "role": "reviewer", "granted": True})
    assert given.json() == {"name": name, "roles": ["annotator", "reviewer"]}
    assert person.get("api/manage/adjudication").status_code == 200
    man.post("api/manage/roles", {"name": name, "role": "reviewer", "granted": False})
    assert person.get("api/manage/adjudication").status_code == 404
    assert man.post("api/manage/roles", {"name": "none", "role": "reviewer"}).status_code == 404
    actions = [event["action"] for event in man.get("api/manage/audit").json()["events"]]
    assert len(actions) >= 2


def test_an_invitation_is_good_once(office: Office) -> None:
    name = f"guest-{uuid4().hex[:8]}"
    token = office.people["man"].post("api/invitations", {"name": name, "role": "annotator"}).json()["token"]
    assert token not in office.people["man"].get("api/manage/audit").text
    with browser(office.url, name, signed_in=False) as guest:
        assert guest.post("api/invitations/accept", {"token": token, "password": "short"}).status_code == 400
        assert guest.post("api/invitations/accept", {"token": token[:-1], "password": PASSWORD}).status_code == 404
        accepted = guest.post("api/invitations/accept", {"token": token, "password": PASSWORD})
        assert accepted.json() == {"user": {"name": name}}
        assert guest.post("api/invitations/accept", {"token": token, "password": PASSWORD}).status_code == 404
        assert guest.login().status_code == 200
        assert guest.get("api/me").json()["roles"] == ["annotator"]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "=HYPERLINK(1)", "x" * 81, "a\nb", "\x1b[2J", ""])
def test_names_of_people(office: Office, text: str) -> None:
    answer = office.people["man"].post("api/invitations", {"name": text, "role": "annotator"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.status_code in (200, 400, 409)


def test_people_of_another_campaign_see_nothing(tmp_path: Path) -> None:
    world = make_world(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite", chips=1)
    with world.ledger, serving(world) as url, browser(url, "far") as far:
        assert far.get("api/me").json()["roles"] == []
        assert far.get("api/campaign").status_code == 404
        assert far.post("api/assignments", {"count": 1}).status_code == 404
