"""New campaigns on corpora with and without a guess, in a real ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.chips import write_world

from landloom.annotate.ledger.answers import answered_tasks
from landloom.annotate.ledger.campaigns import campaign
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.ledger.errors import ConflictError
from landloom.annotate.tasks.values import CampaignSettings, TaskKind
from landloom.errors import CorpusError, InvalidInputError, NotFoundError
from landloom.pipelines.annotation.campaign import CampaignOptions, init_campaign
from landloom.pipelines.annotation.folder import open_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.chips import World
    from tests.conftest import Ran

    from landloom.annotate.tasks.values import TaskWindow

SETTINGS = CampaignSettings(task_size=20, context=40, reference_share=0.2, seed=3)


def test_a_campaign_is_in_its_ledger_as_planned(world: World, tmp_path: Path) -> None:
    options = CampaignOptions(acceptance={"Water": 0.95}, password="correct horse battery")  # noqa: S106
    done = init_campaign(str(world.folder), tmp_path / "annotation", SETTINGS, options)
    assert (done.name, done.chips, done.tasks, done.submissions) == ("chips-annotation", 4, 36, 108)
    assert done.kinds == {"regular": 28, "reference": 7, "blind": 1}
    assert (done.admin, done.password) == ("admin", None)
    there = open_folder(tmp_path / "annotation")
    with open_ledger(there.database) as ledger:
        known = campaign(ledger, there.name)
        tasks = list(answered_tasks(ledger, there.name, unanswered=True))
    assert known.taxonomy == "landcovernet"
    assert known.settings.acceptance == {1: 0.95}
    assert known.settings.series == "s2_scenes"
    assert len(tasks) == 36
    for task in tasks:
        one = task.window
        truth = world.guess[one.chip][one.row : one.row + 20, one.column : one.column + 20].tobytes()
        assert (task.original if task.kind is TaskKind.BLIND else task.guess) == truth


def test_a_second_time_is_refused_and_changes_nothing(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "annotation"
    init_campaign(str(world.folder), folder, SETTINGS)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".sqlite-shm"}
    with pytest.raises(CorpusError, match="got a folder with a campaign"):
        init_campaign(str(world.folder), folder, CampaignSettings(annotators=5))
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".sqlite-shm"} == before
    shared = f"sqlite:///{folder}/ledger.sqlite"
    same = CampaignOptions(database=shared, name="chips-annotation")
    with pytest.raises(ConflictError):
        init_campaign(str(world.folder), tmp_path / "other", SETTINGS, same)
    assert not (tmp_path / "other" / "campaign.json").exists()
    second = init_campaign(
        str(world.folder), tmp_path / "other", SETTINGS, CampaignOptions(database=shared, name="second")
    )
    assert second.admin is None  # the ledger has its admin


def test_campaigns_on_one_corpus_get_names_of_their_own(world: World, tmp_path: Path) -> None:
    """Their consensus lies side by side in the corpus, told apart by them."""
    shared = CampaignOptions(database=f"sqlite:///{tmp_path}/ledger.sqlite")
    folders = [tmp_path / "a", tmp_path / "b", tmp_path / "elsewhere" / "a"]
    made = [init_campaign(str(world.folder), folder, SETTINGS, shared).name for folder in folders]
    assert made == ["chips-a", "chips-b", "chips-a-2"]


def test_random_passwords_are_kept_nowhere(world: World, tmp_path: Path) -> None:
    done = init_campaign(str(world.folder), tmp_path / "annotation", SETTINGS)
    assert done.password is not None
    assert len(done.password) >= 16
    assert "password" not in done.document()
    for path in (tmp_path / "annotation").iterdir():
        assert done.password.encode() not in path.read_bytes()


def test_without_a_guess_the_taxonomy_is_named(world: World, tmp_path: Path) -> None:
    write_world(tmp_path / "corpus", chips=1, scenes=2, labels=None)
    with pytest.raises(NotFoundError, match="has neither a guess nor labels with a taxonomy; name one by --taxonomy"):
        init_campaign(str(tmp_path / "corpus"), tmp_path / "a", SETTINGS)
    done = init_campaign(str(tmp_path / "corpus"), tmp_path / "a", SETTINGS, CampaignOptions(taxonomy="clc", level=1))
    assert (done.classes, done.kinds) == (5, {"regular": 14, "reference": 4})
    again = init_campaign(
        str(world.folder), tmp_path / "b", SETTINGS, CampaignOptions(guess="none", taxonomy="worldcover")
    )
    assert again.classes == 11
    assert "blind" not in again.kinds


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (CampaignOptions(taxonomy="clc"), "got taxonomy 'clc' with a guess of 'landcovernet'"),
        (CampaignOptions(acceptance={"Sea": 0.9}), "got class 'Sea', expected one of the campaign"),
        (CampaignOptions(where="stratum = 'nowhere'"), "got no chips for the campaign"),
        (CampaignOptions(carry_from="elsewhere", guess="guess"), "got --carry-from with a guess"),
    ],
)
def test_what_cannot_be_meant_is_refused(world: World, tmp_path: Path, options: CampaignOptions, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        init_campaign(str(world.folder), tmp_path / "a", SETTINGS, options)
    assert not (tmp_path / "a").exists()


def test_chips_are_chosen_by_filter_and_number(world: World, tmp_path: Path) -> None:
    options = CampaignOptions(where="stratum = '33UUR'", limit=1)
    assert init_campaign(str(world.folder), tmp_path / "a", SETTINGS, options).chips == 1


def test_the_command_prints_counts_and_the_password_once(world: World, tmp_path: Path, run: Callable[..., Ran]) -> None:
    folder = tmp_path / "annotation"
    ran = run("annotate", "init", world.folder, "--campaign", folder, "--task-size", 20, "--context", 40)
    assert ran.code == 0
    assert "chips-annotation: 4 chips, 36 tasks (33 regular, 2 reference, 1 blind)" in ran.out
    assert "(shown only now)" in ran.out
    ran = run("annotate", "init", world.folder, "--campaign", folder)
    assert ran.code == 1
    assert "expected a new one; nothing was changed" in ran.err
    ran = run("annotate", "init", world.folder, "--campaign", tmp_path / "b", "--accept", "Water")
    assert "got 'Water', expected class=accuracy" in ran.err


def test_the_pool_of_references_can_be_drawn_again(world: World, tmp_path: Path, run: Callable[..., Ran]) -> None:
    folder = tmp_path / "annotation"
    init_campaign(str(world.folder), folder, SETTINGS)
    before = _references(folder)
    ran = run("annotate", "redraw", folder, "--count", 5, "--seed", 8)
    assert ran.code == 0
    assert "chips-annotation: 5 reference tasks wait for an expert" in ran.out
    after = _references(folder)
    assert (len(before), len(after)) == (7, 5)
    assert after != before
    assert "expected at most" in run("annotate", "redraw", folder, "--count", 99, "--seed", 8).err


def _references(folder: Path) -> set[TaskWindow]:
    there = open_folder(folder)
    with open_ledger(there.database) as ledger:
        tasks = answered_tasks(ledger, there.name, unanswered=True)
        return {task.window for task in tasks if task.kind is TaskKind.REFERENCE}
