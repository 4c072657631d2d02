"""`landloom annotate serve`: what it refuses, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.annotation import World, landloom, make_world

from landloom.cli.annotate.serving import announcement

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("command")
    made = make_world(folder, f"sqlite:///{folder}/ledger.sqlite", chips=1, people={})
    with made.ledger:
        yield made


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("CAMPAIGN", "--host", "0.0.0.0"), "passwords would travel in the clear"),
        (("CAMPAIGN", "--tls-cert", "x"), "expected both"),
        (("CAMPAIGN", "--port", "70000"), "got port 70000"),
        (("nowhere",), "got no campaign.json"),
    ],
)
def test_what_is_refused(world: World, arguments: tuple[str, ...], reason: str) -> None:
    given = [str(world.campaign) if one == "CAMPAIGN" else one for one in arguments]
    done = landloom("serve", *given, "--database", world.database)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert reason in done.stderr


def test_what_is_said_at_the_start() -> None:
    lines = announcement("annotation", "http://127.0.0.1:8000/", behind_proxy=True, page=False)
    assert lines[0] == "annotation: http://127.0.0.1:8000/annotate/ is the annotation page; stop with Ctrl-C"
    assert "X-Forwarded-For" in lines[1]
    assert "make web" in lines[2]
