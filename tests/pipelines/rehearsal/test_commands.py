"""`landloom rehearse` on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landloom.pipelines.rehearsal.words import duration
from landloom.pipelines.starters import write_starter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran


def test_help_shows_an_example(run: Callable[..., Ran]) -> None:
    done = run("rehearse", "--help")
    assert done.code == 0
    assert "Example: landloom rehearse landloom.yaml --samples 2000" in done.out


def test_mistakes_end_in_one_line(run: Callable[..., Ran], tmp_path: Path) -> None:
    write_starter("landcovernet", tmp_path / "landloom.yaml")
    recipe = str(tmp_path / "landloom.yaml")
    for arguments, what in (
        ([], "scheme granule, expected utm24"),
        (["--price", "gold=1"], "got the price 'gold', expected one of read"),
        (["--price", "read=much"], "got 'much', expected an amount such as 0.0004"),
    ):
        done = run("rehearse", recipe, "--out", str(tmp_path / "r"), *arguments)
        assert done.code != 0
        assert what in done.err
        assert "Traceback" not in done.err


def test_durations_are_in_the_unit_that_suits() -> None:
    assert [duration(seconds) for seconds in (0.5, 59, 120, 3600, 86_400, 200_000)] == [
        *("0.5 s", "59 s", "2.0 minutes", "1.0 hours", "24.0 hours", "2.3 days")
    ]
