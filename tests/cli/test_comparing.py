"""`landloom leaderboard`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.training.evaluation.cases import drawn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran


def test_from_the_command_line(tmp_path: Path, run: Callable[..., Ran]) -> None:
    for number, name in enumerate(("forest", "tempcnn", "other")):
        made = drawn(200, blocks=8, model=number, corpus="b" if name == "other" else "a")
        (tmp_path / f"{name}.parquet").write_bytes(made.encoded())
    out = tmp_path / "board.html"
    both = [str(tmp_path / "forest.parquet"), str(tmp_path / "tempcnn.parquet")]
    done = run("leaderboard", *both, "--out", str(out))
    assert done.code == 0, done.err
    assert "differences on the same blocks" in done.out
    assert "note: There are only 8 blocks" in done.out
    assert out.exists()
    asked = run("leaderboard", *both, "--out", str(out), "--json", "--by", "brier")
    assert json.loads(asked.out)["by"] == "brier"
    wrong = run("leaderboard", *both, str(tmp_path / "other.parquet"), "--out", str(out))
    assert wrong.code == 1
    assert "other, seed 0: got predictions of the corpus b, expected a" in wrong.err
