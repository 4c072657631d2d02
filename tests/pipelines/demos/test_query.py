"""The demo of queries: every step answers, the subset is whole, the server agrees with the query and is gone after."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from landloom.errors import counted
from landloom.pipelines.demos.query import MONTH, ask_everything
from landloom.query.corpus import Corpus
from landloom.query.transfer.destination import verify

if TYPE_CHECKING:
    from pathlib import Path


def test_every_way_of_asking_agrees(tiny_corpus: Path, tmp_path: Path) -> None:
    done = ask_everything(tiny_corpus, tmp_path / "subset")
    assert [step.name for step in done.steps] == ["open", "box", "labels", "combined", "download", "again", "serve"]
    answers = {step.name: step.answer for step in done.steps}
    corpus = Corpus.open(tiny_corpus)
    found = corpus.query(where=next(step.asked for step in done.steps if step.name == "labels"))
    assert answers["labels"] == f"{counted(len(found), 'sample')}, {counted(len(found.assets), 'file')}"
    assert answers["serve"].startswith(f"{counted(len(found), 'item')} of ")
    assert len(found)
    paths = {str(path.relative_to(tmp_path / "subset")) for path in (tmp_path / "subset").rglob("*.*")}
    chips = {path for path in paths if path.endswith(".tif")}
    assert chips
    assert all(MONTH[0][:7] in path for path in chips)
    assert answers["combined"].startswith(counted(len(chips), "sample"))
    assert answers["again"].endswith("all digests match")
    assert verify(tmp_path / "subset") == []
    json.dumps(done.document())
