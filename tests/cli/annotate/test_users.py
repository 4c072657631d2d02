"""`landloom annotate users` as a process: accounts, roles, invitations and passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.annotation import NAME, PASSWORD, World, browser, landloom, make_world, serving

from landloom.cli.annotate import users

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("command")
    made = make_world(folder, f"sqlite:///{folder}/ledger.sqlite", chips=1, people={})
    with made.ledger:
        yield made


def test_people_from_the_command_line(world: World) -> None:
    campaign, where = str(world.campaign), ["--campaign", str(world.campaign), "--database", world.database]
    made = landloom("users", "add", "Zoë", "annotator", *where, text=f"{PASSWORD}\n")
    assert (made.returncode, made.stdout) == (0, f"Zoë: annotator of {NAME}\n"), made.stderr
    invited = landloom("users", "invite", "guest", "reviewer", *where, "--address", "https://labels.example/")
    link, _, token = invited.stdout.strip().rpartition("/")
    assert link == "https://labels.example/annotate/#/invite"
    assert landloom("users", "grant", "Zoë", "expert", *where).returncode == 0
    assert landloom("users", "revoke", "Zoë", "annotator", *where).returncode == 0
    listed = landloom("users", "list", campaign, "--database", world.database).stdout
    assert "Zoë" in listed
    assert "expert" in listed
    assert landloom("users", "password", "Zoë", *where, text="another good one\n").returncode == 0
    with serving(world) as url, browser(url, "Zoë", signed_in=False) as person:
        assert person.login().status_code == 401
        assert person.login("another good one").status_code == 200
        assert person.get("api/me").json()["roles"] == ["expert"]
        accepted = person.post("api/invitations/accept", {"token": token, "password": PASSWORD})
        assert accepted.json() == {"user": {"name": "guest"}}
        assert landloom("users", "disable", "Zoë", *where).returncode == 0
        assert person.get("api/me").status_code == 401


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("add", "x", "root"), "got role 'root', expected one of annotator"),
        (("grant", "nobody", "annotator"), "no user"),
        (("password", "nobody"), "no user"),
        (("add", "\x1b[2J", "annotator"), "expected 1 to 64 printable characters"),
    ],
)
def test_what_is_refused(world: World, arguments: tuple[str, ...], reason: str) -> None:
    assert arguments[0] in dir(users)
    where = ["--campaign", str(world.campaign), "--database", world.database]
    done = landloom("users", *arguments, *where, text=f"{PASSWORD}\n")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert reason in done.stderr
