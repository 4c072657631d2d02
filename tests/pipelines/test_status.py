"""Status: what is done, failed and missing of the last plan, out of the journal."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.engine.tasks import unit

from landloom.engine.journal import Journal
from landloom.engine.place import JOURNAL
from landloom.engine.units import Outcome
from landloom.errors import CorpusError
from landloom.pipelines.status import PLAN, keep_plan, read_status

if TYPE_CHECKING:
    from pathlib import Path


def counts(folder: Path) -> dict[str, tuple[int, int, int]]:
    return {row.product: (row.done, row.failed, row.missing) for row in read_status(folder).rows}


def test_status_says_what_is_done_failed_and_missing(tiny_corpus: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(tiny_corpus, corpus)
    assert counts(corpus) == {"s2": (2, 0, 0), "candidates.clc": (2, 0, 0), "labels.clc": (2, 0, 0)}
    with Journal(corpus / JOURNAL) as journal:
        tiles = sorted(entry.tile for entry in journal.entries() if entry.product == "s2")
        first, second = (replace(unit("s2", tile=tile), kind="composite") for tile in tiles)
        entry = journal.get(first.id)
        assert entry is not None
        journal.record_failure(replace(first, key=entry.key), "timeout", seconds=0)
        journal.record_failure(replace(second, key="other inputs"), "timeout", seconds=0)
    with closing(sqlite3.connect(corpus / JOURNAL, isolation_level=None)) as lost:
        lost.execute("delete from unit where id = ?", (f"labels.clc/{tiles[0]}",))
    assert counts(corpus) == {"s2": (0, 1, 1), "candidates.clc": (2, 0, 0), "labels.clc": (1, 0, 1)}
    assert read_status(corpus).failures == (f"{first.id} (attempt 2): timeout",)


def test_what_no_plan_names_counts_by_itself(tmp_path: Path) -> None:
    """Stages before the plan; and all of a journal whose plan was never noted."""
    with Journal(tmp_path / JOURNAL) as journal:
        journal.record_outcome(unit("stage"), Outcome(files=()), seconds=0)
        journal.record_failure(unit("stage", part=1), "404", seconds=0)
        assert counts(tmp_path) == {"stage": (1, 1, 0)}
        keep_plan(journal, [unit("s2"), unit("s2", part=1), unit("labels.clc")])
        assert counts(tmp_path) == {"stage": (1, 1, 0), "s2": (0, 0, 2), "labels.clc": (0, 0, 1)}
        keep_plan(journal, [unit("s2")])
        assert counts(tmp_path) == {"stage": (1, 1, 0), "s2": (0, 0, 1)}
    document = read_status(tmp_path).document()
    assert document["products"][0] == {"product": "s2", "done": 0, "failed": 0, "missing": 1}
    assert document["failures"] == ["stage/33N_16E-243N part 2 (attempt 1): 404"]


def test_a_plan_of_before_there_were_shards_is_read(tmp_path: Path) -> None:
    with Journal(tmp_path / JOURNAL) as journal:
        journal.keep(PLAN, PLAN, json.dumps({"s2/33N_16E-243N": ["s2", "key"]}))
    assert counts(tmp_path) == {"s2": (0, 0, 1)}


def test_where_no_build_has_been(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no journal, so no build has run here"):
        read_status(tmp_path)
    assert not list(tmp_path.iterdir())
