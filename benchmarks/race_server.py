"""The archive of the races on the loopback, with latency, by another process."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from landloom.simulate.remote.behaviour import Behaviour
from landloom.simulate.remote.serving import Served
from landloom.simulate.remote.serving import served as served_remotely

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_before: dict[str, tuple[int, int]] = {}
"""Address → what was counted at the last call."""


@contextmanager
def served(folder: Path, pause: float) -> Iterator[str]:
    """A folder, each answer after a pause in seconds.

    Yields:
        Its address.
    """
    with served_remotely(Behaviour(latency=pause), folder=folder) as server:
        yield server.address


def counted(address: str) -> tuple[int, int]:
    """Requests and bytes since the last call."""
    tally = Served(address=address).tally()
    now = tally.requests.total(), tally.sizes.total()
    before = _before.get(address, (0, 0))
    _before[address] = now
    return now[0] - before[0], now[1] - before[1]
