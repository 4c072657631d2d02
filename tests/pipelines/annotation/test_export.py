from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import pytest
from tests.campaigns import PEOPLE, Answered, answered_campaign

from landloom.annotate.ledger.accounts.users import create_user, grant, user
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.ledger.reviews import decide
from landloom.annotate.ledger.values import Role, Submission
from landloom.errors import InvalidInputError
from landloom.formats.geotiff import decode_geotiff
from landloom.pipelines.annotation.campaign_answers import CampaignAnswers
from landloom.pipelines.annotation.consensus import ConsensusOptions, run_consensus
from landloom.pipelines.annotation.export import export_answers
from landloom.pipelines.annotation.folder import open_folder
from landloom.pipelines.annotation.report import campaign_figures

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Answered:
    """A campaign with answers of two people, one task decided by a reviewer."""
    made = answered_campaign(tmp_path_factory.mktemp("export"), references=6, people=("ann", "bob"))
    there = open_folder(made.folder)
    with open_ledger(there.database) as ledger:
        reviewer = create_user(ledger, "rev", "correct horse battery")
        grant(ledger, reviewer, Role.REVIEWER, there.name, by=None)
        task = CampaignAnswers.read(made.folder).tasks[0]
        labels = bytes([5]) * task.window.pixels
        sent = Submission(id=str(uuid4()), labels=labels, seconds=4.0, dates_viewed=(), comment="=1+1")
        decide(ledger, there.name, user(ledger, "rev"), task.id, sent)
    return made


def test_names_stay_in_the_ledger_and_rasters_hold_the_answers(answered: Answered, tmp_path: Path) -> None:
    done = export_answers(answered.folder, tmp_path / "out")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert done.files == len(files)
    for path in files:
        content = path.read_bytes()
        assert not any(f'"{name}"'.encode() in content or f",{name},".encode() in content for name in PEOPLE)
    own = CampaignAnswers.read(answered.folder)
    with (tmp_path / "out" / "answers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == done.answers == 288
    assert {row["annotator"] for row in rows} == {answer.annotator for task in own.tasks for answer in task.answers}
    task = own.tasks[5]
    window, answer = task.window, task.answers[0]
    path = tmp_path / "out" / "labels" / window.chip / f"{answer.annotator}.tif"
    array, _, about = decode_geotiff(path.read_bytes())
    assert about.bands == ("class",)
    part = array[0, window.row : window.row + window.height, window.column : window.column + window.width]
    assert part.tobytes() == answer.labels
    campaign = json.loads((tmp_path / "out" / "campaign.json").read_bytes())
    assert [one["code"] for one in campaign["classes"]] == [1, 2, 3, 4, 5, 6, 7]
    with (tmp_path / "out" / "annotators.csv").open(encoding="utf-8", newline="") as file:
        assert [row["tasks"] for row in csv.DictReader(file)] == ["144", "144"]


def test_a_folder_with_files_is_refused(answered: Answered, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(InvalidInputError, match="expected a new one"):
        export_answers(answered.folder, tmp_path)


def test_what_a_reviewer_decided_is_the_label(answered: Answered, tmp_path: Path) -> None:
    own = CampaignAnswers.read(answered.folder)
    done = run_consensus(answered.folder, ConsensusOptions(method="majority", out=tmp_path / "labels"))
    assert "1 task decided by a reviewer: confidence 100 %" in done.notes
    window = own.tasks[0].window
    labels = decode_geotiff((tmp_path / "labels" / window.chip / "consensus.tif").read_bytes())[0]
    part = labels[:, window.row : window.row + window.height, window.column : window.column + window.width]
    assert np.unique(part[0]).tolist() == [5]
    assert np.unique(part[1]).tolist() == [100]


def test_figures_of_the_report(answered: Answered) -> None:
    found = json.loads(json.dumps(campaign_figures(answered.folder, "published"), allow_nan=False))
    assert found["consensus"]["method"] == "published"
    assert len(found["annotators"]) == 2
    assert sum(one["pixels"] for one in found["classes"].values()) == 2 * 36_864
    assert 0 < found["agreement"]["krippendorff_alpha"] < 1
