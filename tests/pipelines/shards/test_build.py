"""Shards in processes of their own, some of them killed, join to the same bytes as one build."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from tests.projects import digest_of

from landloom.engine.context import build_context, shard_context
from landloom.engine.journal import Journal
from landloom.engine.place import JOURNAL
from landloom.engine.shards import Shard, begun_shards
from landloom.errors import BuildError, CorpusError
from landloom.pipelines.build import build
from landloom.pipelines.shards.build import build_shard, prepare
from landloom.pipelines.status import read_status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran


@pytest.fixture
def shards(tiny_corpus: Path) -> tuple[Shard, ...]:
    """As few as put the two tiles of the corpus into different ones; the first two of the result have one each."""
    with Journal(tiny_corpus / JOURNAL) as journal:
        tiles = sorted({entry.tile for entry in journal.entries() if entry.product == "s2"})
    for count in range(2, 99):
        every = [Shard(count, number) for number in range(1, count + 1)]
        owners = [next(shard for shard in every if shard.has(tile)) for tile in tiles]
        if len(set(owners)) == len(tiles):
            return (*owners, *(shard for shard in every if shard not in owners))
    raise AssertionError(tiles)


def begin(recipe: Path, out: Path, shard: Shard) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "landloom.cli", "build", str(recipe), "--out", str(out), "--workers", "1"]
    told = subprocess.DEVNULL
    return subprocess.Popen([*command, "--shard", str(shard)], stdout=told, stderr=told, start_new_session=True)


def test_shards_join_to_the_same_bytes(
    shards: tuple[Shard, ...], tiny: Path, tiny_corpus: Path, tmp_path: Path
) -> None:
    """One is killed as soon as there is a chip; then two at a time; the last build runs nothing."""
    out = tmp_path / "corpus"
    assert prepare(tiny, out=out) == 4
    killed = begin(tiny, out, shards[0])
    while not any((out / "imagery").rglob("*.tif")):
        assert killed.poll() is None
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    with pytest.raises(BuildError, match="no shard has made it"):
        build(tiny, out=out, finish=True)
    assert str(shards[0]) in read_status(out).shards
    running = [begin(tiny, out, shard) for shard in shards[:2]]
    assert [one.wait() for one in running] == [0, 0]
    assert [build_shard(tiny, shard, out=out).units for shard in shards[2:]] == [0] * len(shards[2:])
    again = build_shard(tiny, shards[0], out=out)
    assert (again.units, again.units_run, again.left) == (2, 0, 0)
    assert read_status(out).shards == ()
    report = build(tiny, out=out, finish=True)
    assert report.units_run == 0
    assert digest_of(out) == digest_of(tiny_corpus)
    assert begun_shards(out) == []
    assert build(tiny, out=out).units_run == 0


def test_status_lists_the_shards_that_have_something_left(
    shards: tuple[Shard, ...], tiny: Path, tmp_path: Path
) -> None:
    build_shard(tiny, shards[0], out=tmp_path / "corpus")
    assert read_status(tmp_path / "corpus").shards == (f"{shards[1]} (not begun)",)
    build_shard(tiny, shards[1], out=tmp_path / "corpus")
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
