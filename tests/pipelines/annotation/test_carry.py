"""Next year's campaign starts from this year's consensus, where the series changed first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.chips import write_world

from landloom.annotate.ledger.accounts.users import create_user, grant
from landloom.annotate.ledger.answers import answered_tasks
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.ledger.queue import take
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.values import CampaignSettings
from landloom.errors import CorpusError
from landloom.pipelines.annotation.campaign import CampaignOptions, init_campaign
from landloom.pipelines.annotation.folder import open_folder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chips import World

SETTINGS = CampaignSettings(task_size=10, context=40, reference_share=0, blind_share=0, planted_share=0)


def test_changed_places_come_first(tmp_path: Path) -> None:
    before = write_world(tmp_path / "2018", labels="consensus", probabilities=False, chips=1)
    write_lineage(before, "this year")
    init_campaign(str(before.folder), tmp_path / "first", SETTINGS, CampaignOptions(name="this year"))
    after = write_world(tmp_path / "2019", labels=None, year=2019, chips=1)
    options = CampaignOptions(carry_from=str(tmp_path / "first"))
    done = init_campaign(str(after.folder), tmp_path / "second", SETTINGS, options)
    assert (done.chips, done.classes, done.notes) == (2, 7, ())
    there = open_folder(tmp_path / "second")
    with open_ledger(there.database) as ledger:
        user = create_user(ledger, "ann", "correct horse battery")
        grant(ledger, user, Role.ANNOTATOR, there.name, by=None)
        tasks = list(answered_tasks(ledger, there.name, unanswered=True))
        first = take(ledger, there.name, user, 3)
    for task in tasks:
        one = task.window
        guess = before.guess[one.chip][one.row : one.row + 10, one.column : one.column + 10]
        assert task.guess == guess.tobytes()
    for assignment in first:
        one = assignment.window
        inside = np.s_[one.row : one.row + 10, one.column : one.column + 10]
        doubtful = before.guess[one.chip][inside] != before.truth[one.chip][inside]
        changed = before.truth[one.chip][inside] != after.truth[one.chip][inside]
        assert changed.any() or doubtful.any()


def test_the_consensus_of_another_campaign_is_not_carried(tmp_path: Path) -> None:
    world = write_world(tmp_path / "2018", labels="consensus", probabilities=False, chips=1)
    write_lineage(world, "chips-first")  # of a campaign in another folder of this name
    assert init_campaign(str(world.folder), tmp_path / "first", SETTINGS).name == "chips-first-2"
    options = CampaignOptions(carry_from=str(tmp_path / "first"))
    with pytest.raises(CorpusError, match="got a campaign without a consensus"):
        init_campaign(str(world.folder), tmp_path / "second", SETTINGS, options)


def write_lineage(world: World, campaign: str) -> None:
    path = world.folder / "resources/chips_consensus_lineage.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"campaign": campaign}), encoding="utf-8")


def test_a_campaign_without_consensus_carries_nothing(world: World, tmp_path: Path) -> None:
    init_campaign(str(world.folder), tmp_path / "first", SETTINGS)
    options = CampaignOptions(carry_from=str(tmp_path / "first"))
    with pytest.raises(CorpusError, match="got a campaign without a consensus; run landloom annotate consensus"):
        init_campaign(str(world.folder), tmp_path / "second", SETTINGS, options)
