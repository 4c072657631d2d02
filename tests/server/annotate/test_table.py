"""Security of every route, generated from the table: who may, from which page, with which method and body."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest
from tests.annotation import NAME, OTHER, browser
from tests.server.annotate.samples import (
    CHANGES,
    PRIVATE_CHANGES,
    REQUESTS,
    ROLE_CHECKED,
    ROLES,
    SAMPLES,
    WITH_BODY,
    WITH_ID,
    WITH_JSON,
    Sample,
    name_of,
)

from landloom.annotate.ledger.accounts.users import grant, user
from landloom.annotate.ledger.campaigns import campaign
from landloom.annotate.ledger.queue import take
from landloom.annotate.ledger.values import Role
from landloom.server.annotate.access import Access, allowed
from landloom.server.annotate.guard import POLICY
from landloom.server.annotate.routes import Body
from landloom.server.annotate.table import ROUTES

if TYPE_CHECKING:
    import httpx
    from tests.annotation import Person
    from tests.server.annotate.conftest import Office

NOTHING = {"code": "Not Found", "description": "nothing here"}
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": POLICY,
    "cross-origin-resource-policy": "same-origin",
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
every = pytest.mark.parametrize("sample", SAMPLES, ids=name_of)


def expected(answer: httpx.Response, status: int) -> None:
    """An error in the one shape, with the headers of every response."""
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"code", "description"}
    assert answer.headers["content-type"] == "application/json"
    for name, value in HEADERS.items():
        assert answer.headers[name] == value


def test_the_table_is_whole() -> None:
    assert {(route.method, route.path) for route in ROUTES} == set(REQUESTS)
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize("sample", ROLE_CHECKED, ids=name_of)
@pytest.mark.parametrize("name", ROLES)
def test_who_may(office: Office, sample: Sample, name: str) -> None:
    person = office.people[name]
    answer = sample.by(person)
    if name == "nobody":
        expected(answer, 401)
    elif not allowed(sample.route.access, ROLES[name]):
        expected(answer, 404)
        assert answer.json() == NOTHING
    elif "{id}" in sample.route.path or "{task}" in sample.route.path:
        expected(answer, 404)
    elif sample.route.path == "/api/password":
        expected(answer, 401)
    else:
        assert answer.status_code in (200, 409), answer.text
    assert person.get("api/me").status_code == (401 if name == "nobody" else 200)


@pytest.mark.parametrize("sample", PRIVATE_CHANGES, ids=name_of)
def test_only_pages_of_this_server_change_anything(office: Office, sample: Sample) -> None:
    person, other = office.people[sample.doer], office.people["bob"]
    for headers in (
        {"X-CSRF": ""},
        {"X-CSRF": other.csrf},
        {"X-CSRF": person.csrf[:-1]},
        {"X-CSRF": "\u00fc" * 64},
    ):
        encoded = {name: value.encode("latin-1") for name, value in headers.items()}
        expected(sample.by(person, headers=encoded), 403)


@pytest.mark.parametrize("sample", CHANGES, ids=name_of)
def test_pages_of_other_sites_change_nothing(office: Office, sample: Sample) -> None:
    person = office.people[sample.doer]
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": office.url.replace("http:", "https:")},
        {"Origin": f"{office.url}0"},
        {"Origin": office.url, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ):
        expected(sample.by(person, headers=headers), 403)


@every
def test_other_methods_and_sites(office: Office, sample: Sample) -> None:
    person = office.people[sample.doer]
    known = {route.method for route in ROUTES if route.path == sample.route.path}
    for method in METHODS:
        if method not in known:
            answer = person.call(method, sample.path)
            expected(answer, 405)
            assert known <= set(answer.headers["allow"].split(", "))
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": sample.route.method}
    for answer in (
        person.call("OPTIONS", sample.path, headers=asked),
        person.call(sample.route.method, sample.path, headers=asked),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert "server" not in answer.headers


@every
def test_foreign_host_names(office: Office, sample: Sample) -> None:
    person = office.people[sample.doer]
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost:8000@evil.example", "", "a b", "x" * 300):
        answer = sample.by(person, headers={"Host": host})
        assert answer.status_code == 400, host


@pytest.mark.parametrize("sample", WITH_BODY, ids=name_of)
def test_bodies_that_are_packed_large_or_of_another_type(office: Office, sample: Sample) -> None:
    person = office.people[sample.doer]
    media = sample.route.body.media or ""
    most = sample.route.body.most(campaign(office.world.ledger, NAME).settings)
    typed = {"Content-Type": media}
    plain: dict[str, Any] = {"json": None, "content": b"{}"}
    for coding in ("gzip", "deflate", "br", "zstd", "gzip, gzip", "x"):
        bomb = gzip.compress(bytes(1_000_000))
        answer = sample.by(person, **plain | {"content": bomb}, headers=typed | {"Content-Encoding": coding})
        expected(answer, 415)
    for other in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        expected(sample.by(person, **plain, headers={"Content-Type": other}), 415)
    large = bytes(most + 1)
    expected(sample.by(person, **plain | {"content": large}, headers=typed), 413)
    chunks = (large[at : at + 4_096] for at in range(0, len(large), 4_096))
    expected(sample.by(person, **plain | {"content": chunks}, headers=typed), 413)


@pytest.mark.parametrize("sample", WITH_JSON, ids=name_of)
def test_bodies_that_are_malformed(office: Office, sample: Sample) -> None:
    person = office.people[sample.doer]
    deep = b'{"name":' + b"[" * 5_000
    for content in (b"", b"{", b"[]", b"1", b"null", b'"x"', b"\xff\xfe{}", deep, b'{"a": NaN}', b'{"unknown": 1}'):
        answer = sample.by(person, json=None, content=content, headers={"Content-Type": "application/json"})
        expected(answer, 400)


@pytest.mark.parametrize("sample", WITH_ID, ids=name_of)
def test_ids_lead_nowhere_else(office: Office, sample: Sample) -> None:
    person = office.people[sample.doer]
    for text in (
        "..%2F..%2F..%2Fetc%2Fpasswd",
        "%2e%2e",
        "a" * 4_000,
        "%00",
        "n0thing%0d%0aSet-Cookie:x=y",
        "'%20or%201=1--",
        "%E2%80%AE",
        "1",
    ):
        path = sample.route.path.replace("{id}", text).replace("{task}", text).replace("{name}", text).lstrip("/")
        answer = sample.by(person, path)
        assert answer.status_code == 404, text
        assert answer.json() == NOTHING


def test_what_is_not_in_the_table(office: Office) -> None:
    person = office.people["ann"]
    for path in (
        "api",
        "api/",
        "api/users",
        "api/manage",
        "api/manage/figures/progress.exe",
        "api/me/",
        "API/me",
        "..%2Fledger.sqlite",
        "%2e%2e/%2e%2e/etc/passwd",
        "static/../ledger.sqlite",
        "assets/../../../server/app.py",
        "index.html%00",
    ):
        expected(person.get(path), 404)


def test_sessions_that_never_were(office: Office) -> None:
    private = [one for one in SAMPLES if one.route.access is not Access.PUBLIC]
    with browser(office.url, "x", signed_in=False) as person:
        for token in ("x" * 43, "0" * 64, "../../etc/passwd", "' or 1=1 --", "x" * 5_000):
            for sample in private[:4]:
                expected(sample.by(person, headers={"Cookie": f"session={token}"}), 401)
                expected(sample.by(person, headers={"Authorization": f"Bearer {token}"}), 401)


def test_every_route_states_what_it_takes() -> None:
    for route in ROUTES:
        assert route.method in ("GET", "POST", "PUT")
        assert route.method != "GET" or route.body is Body.NONE


def _ids(person: Person) -> str:
    return str(person.take()[0]["id"])


@pytest.mark.parametrize("sample", [one for one in WITH_ID if "{id}" in one.route.path], ids=name_of)
def test_assignments_of_others_do_not_exist(office: Office, sample: Sample) -> None:
    own = _ids(office.people["ann"])
    for name in ("bob", "exp"):
        foreign = sample.by(office.people[name], sample.route.path.format(id=own).lstrip("/"))
        none = sample.by(office.people[name])
        assert (foreign.status_code, foreign.content) == (404, none.content)
        assert list(foreign.headers) == list(none.headers)
    answer = office.people["ann"].post(f"api/assignments/{own}/heartbeat")
    assert answer.status_code == 200, "nobody took or ended it"


@pytest.mark.parametrize("sample", [one for one in WITH_ID if "{id}" in one.route.path], ids=name_of)
def test_own_assignments_of_another_campaign_do_not_exist(office: Office, sample: Sample) -> None:
    ledger, person = office.world.ledger, office.people["ann"]
    ann = user(ledger, "ann")
    grant(ledger, ann, Role.ANNOTATOR, OTHER, by=None)
    elsewhere = take(ledger, OTHER, ann, 1)[0].id
    answer = sample.by(person, sample.route.path.format(id=elsewhere).lstrip("/"))
    assert (answer.status_code, answer.content) == (404, sample.by(person).content)
    assert [one.id for one in take(ledger, OTHER, ann, 1)] == [elsewhere], "nobody took or ended it"
