"""The demo of annotation, on a small corpus: a real server, real submissions, a consensus in the corpus."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from tests.notebooks import execute

from landloom.annotate.consensus.methods import ENOUGH
from landloom.annotate.ledger.answers import answered_tasks
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.tasks.cut import cut_chip
from landloom.annotate.tasks.values import CampaignSettings
from landloom.corpus.audit.validate import audit
from landloom.errors import LandloomError
from landloom.pipelines.annotation.campaign import CampaignOptions, init_campaign
from landloom.pipelines.annotation.folder import open_folder
from landloom.pipelines.demos.annotate import PEOPLE, REFERENCES, VISITOR, label_corpus
from landloom.pipelines.demos.served import served
from landloom.pipelines.demos.workers import Worker
from landloom.query.corpus import Corpus
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.annotate.tasks.values import TaskWindow
    from landloom.pipelines.build import BuildReport


@pytest.mark.slow
def test_people_label_a_corpus_and_the_consensus_is_nearer_the_truth(
    granules: BuildReport, granule_archive: Path, tmp_path: Path
) -> None:
    corpus, place = tmp_path / "corpus", tmp_path / "annotation"
    shutil.copytree(granules.corpus, corpus)
    done = label_corpus(corpus, place, granule_archive, chips=6, references=REFERENCES)
    assert REFERENCES >= ENOUGH, "fewer references do not promise that consensus finds out who copies"
    assert (done.tasks, done.references) == (54, REFERENCES)
    counts = {one.name: one.submissions for one in done.done}
    assert counts == {"eve": REFERENCES, **{one.name: 54 for one in PEOPLE}}
    assert done.right["consensus"] >= max(done.right["guess"], done.right["published"])
    there = open_folder(place)
    with open_ledger(there.database) as ledger:
        tasks = list(answered_tasks(ledger, there.name))
    assert all(len(task.answers) == len(PEOPLE) for task in tasks)
    audit(open_store(str(corpus))).demand()
    out = execute("3-", corpus, tmp_path)
    assert all(f"{labels}, {word}" in out for labels in ("guess", "consensus") for word in ("alike", "weighted")), out
    assert "figures: 2" in out

    again = label_corpus(corpus, place, granule_archive)
    assert {one.submissions for one in again.done} == {0}
    assert not again.consensus.added
    assert again.right == done.right

    carried = CampaignOptions(carry_from=str(place), name="next year")
    init_campaign(str(corpus), tmp_path / "next", CampaignSettings(blind_share=0, planted_share=0), carried)
    assert _guesses(tmp_path / "next") == _consensus(corpus, done.consensus.product or "")

    with served("annotate", "serve", place) as address:
        with pytest.raises(LandloomError, match="got status 401"):
            Worker(address, VISITOR, done.password)  # of the run before
        visitor = Worker(address, VISITOR, again.password)
        (assignment,) = visitor.post("assignments", {"count": 1})["assignments"]
    assert assignment["task"]["height"] == 32


def _guesses(place: Path) -> dict[TaskWindow, bytes | None]:
    there = open_folder(place)
    with open_ledger(there.database) as ledger:
        return {task.window: task.guess for task in answered_tasks(ledger, there.name, unanswered=True)}


def _consensus(corpus: Path, key: str) -> dict[TaskWindow, bytes | None]:
    """What next year's tasks should show: the class of the consensus, nothing where nobody labelled."""
    opened, found = Corpus.open(corpus), {}
    for chip in opened.query().ids:
        labels = opened.select(chip).cube(chip, key, observed_only=True).to_numpy()
        for window in cut_chip(chip, 96, 96, 32):
            part = labels[:1, 0, window.row : window.row + 32, window.column : window.column + 32]
            found[window] = part.tobytes() if part.any() else None
    return found
