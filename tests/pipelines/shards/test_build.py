"""Shards in processes of their own, some of them killed, join to the same bytes as one build."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.projects import digest_of

from landloom.engine.context import build_context, shard_context
from landloom.engine.shards import Shard, begun_shards
from landloom.errors import BuildError, CorpusError
from landloom.pipelines.build import build
from landloom.pipelines.shards.build import build_shard, prepare
from landloom.pipelines.status import read_status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

COUNT = 4


def test_shards_join_to_the_same_bytes(tiny: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    """Processes side by side, one after the other has been killed; the last build runs nothing."""
    out = tmp_path / "corpus"
    units = prepare(tiny, out=out)
    command = [sys.executable, "-m", "landloom.cli", "build", str(tiny), "--out", str(out), "--workers", "1"]
    first = subprocess.Popen([*command, "--shard", f"1/{COUNT}"], stdout=subprocess.DEVNULL)
    first.kill()
    first.wait()
    with pytest.raises(BuildError, match="no shard has made it"):
        build(tiny, out=out, finish=True)
    running = [subprocess.Popen([*command, "--shard", f"{n}/{COUNT}"], stdout=subprocess.DEVNULL) for n in (1, 2)]
    made = [build_shard(tiny, Shard(COUNT, number), out=out) for number in (3, 4)]
    assert [one.wait() for one in running] == [0, 0]
    assert sum(one.units for one in made) <= units
    assert all(one.units_run == one.units for one in made)
    assert build_shard(tiny, Shard(COUNT, 3), out=out).units_run == 0
    assert read_status(out).shards == ()
    report = build(tiny, out=out, finish=True)
    assert report.units_run == 0
    assert digest_of(out) == digest_of(tiny_corpus)
    assert begun_shards(out) == []
    assert build(tiny, out=out).units_run == 0


def test_status_lists_the_shards_that_have_something_left(tiny: Path, tmp_path: Path) -> None:
    build_shard(tiny, Shard(2, 1), out=tmp_path / "corpus")
    state = read_status(tmp_path / "corpus")
    left = {tile for row in state.rows for tile in [row.product] * row.missing}
    assert state.shards == (("2/2 (not begun)",) if left else ())
    build_shard(tiny, Shard(2, 2), out=tmp_path / "corpus")
    assert read_status(tmp_path / "corpus").document()["shards"] == []


def test_a_shard_is_built_once_at_a_time_and_never_beside_the_whole(tmp_path: Path) -> None:
    with shard_context(tmp_path, Shard(2, 1)), shard_context(tmp_path, Shard(2, 2)):
        with pytest.raises(CorpusError, match=r"1-of-2: another process"), shard_context(tmp_path, Shard(2, 1)):
            pass
        with pytest.raises(CorpusError, match="another process"), build_context(tmp_path):
            pass
    with build_context(tmp_path), pytest.raises(CorpusError), shard_context(tmp_path, Shard(2, 1)):
        pass


def test_only_one_of_the_options_at_a_time(run: Callable[..., Ran], tiny: Path) -> None:
    assert "expected one of them" in run("build", str(tiny), "--shard", "1/2", "--finish").err
