"""Signs of life come while nothing is done, and stop with the work."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from landloom.reports.heartbeat import Heartbeat
from landloom.reports.terminal import ProgressBars

if TYPE_CHECKING:
    import pytest


def test_signs_come_between_steps_and_end_with_the_work() -> None:
    said: list[float] = []
    with Heartbeat(said.append, every=0.05) as beat:
        while len(said) < 2:
            time.sleep(0.01)
        beat.step()
    count = len(said)
    assert said[0] >= 0.05
    assert said[1] > said[0]  # seconds since the last step
    time.sleep(0.2)
    assert len(said) == count


def test_a_stage_without_an_advance_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBars(every=0.05) as bars:
        bars.started("finishing", 3)
        bars.advanced("index", None)
        until = time.monotonic() + 30
        seen = ""
        while "finishing: 1 of 3" not in seen and time.monotonic() < until:
            time.sleep(0.02)
            seen += capsys.readouterr().err
    assert "finishing: 1 of 3, " in seen
    assert not sys.stderr.isatty()
