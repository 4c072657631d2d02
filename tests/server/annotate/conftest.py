"""One campaign for tests that leave it usable, served for all of them, with everybody signed in once."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.annotation import KINDS, PEOPLE, Person, World, browser, make_world, serving

from landloom.server.annotate.serving import Listening

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, kw_only=True)
class Office:
    """A server and its people."""

    world: World
    url: str
    people: dict[str, Person]
    """Signed in, by name; `nobody` is not."""


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A campaign with tasks of every kind; reference tasks wait for the expert."""
    folder = tmp_path_factory.mktemp("office")
    database = f"sqlite:///{folder}/ledger.sqlite"
    world = make_world(folder, database, chips=12, kinds=KINDS, annotators=50)
    with ExitStack() as stack:
        stack.enter_context(world.ledger)
        url = stack.enter_context(serving(world, Listening().site))
        people = {name: stack.enter_context(browser(url, name)) for name in PEOPLE}
        people["nobody"] = stack.enter_context(browser(url, "nobody", signed_in=False))
        yield Office(world=world, url=url, people=people)
