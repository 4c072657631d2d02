"""Twenty annotators at once, on a server that is killed five times, and on a disk that is full."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.annotation import NAME, make_world
from tests.annotators import check_kept, process, run_crowd

if TYPE_CHECKING:
    from pathlib import Path

ANNOTATORS = 20
COPIES = 9
KILLS = 5
AHEAD = 3
"""Tasks that each of them holds, as the page does."""


@pytest.mark.slow
def test_nothing_is_lost_and_nobody_holds_a_place_twice(tmp_path: Path, ledger_url: str) -> None:
    """2,000 submissions: each one acknowledged is kept, although the server is killed (SIGKILL) five times."""
    wanted = 2_000
    names = [f"a{number}" for number in range(ANNOTATORS)]
    people: dict[str, tuple[str, str] | None] = dict.fromkeys(names, (NAME, "annotator"))
    world = make_world(tmp_path, ledger_url, chips=25, people=people, annotators=COPIES)
    world.ledger.close()
    with process(world.campaign, ledger_url) as server:
        crowd, threads = run_crowd(server.port, names, wanted, AHEAD)
        for number in range(1, KILLS + 1):
            while not crowd.done and len(crowd.kept) < number * wanted // (KILLS + 1):
                time.sleep(0.005)
            server.kill()
            server.start()
        for thread in threads:
            thread.join()
        assert server.stop() in (0, 143)
    assert len(crowd.kept) >= wanted
    check_kept(world.ledger, NAME, crowd, COPIES)
    world.ledger.close()
