"""A finished corpus with a campaign on it that simulated annotators have answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from tests.chips import CLASSES, World, write_world

from landloom.annotate.ledger.accounts.users import create_user, grant, user
from landloom.annotate.ledger.answers import answered_tasks
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.ledger.imported import import_answers, import_references
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.values import CampaignSettings, TaskKind
from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.manifest import manifest_bytes
from landloom.pipelines.annotation.campaign import CampaignOptions, init_campaign
from landloom.pipelines.annotation.folder import open_folder
from landloom.publication.files import CorpusWriter
from landloom.publication.relisting import relist
from landloom.simulate.annotators import Labeller

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

PASSWORD: Final = "correct horse battery"  # noqa: S105 - of people who do not exist
PEOPLE: Final = {"ann": (0.7, 0.3), "bob": (0.8, 0.5), "cat": (0.9, 0.7)}
"""Name → accuracy, and share of the area that is copied from the guess."""
COMMENT: Final = "=HYPERLINK(A1)"


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A campaign with its answers."""

    world: World
    folder: Path
    """Of the campaign."""

    @property
    def corpus(self) -> Path:
        """Folder of the corpus."""
        return self.world.folder


def whole_corpus(folder: Path, *, side: int = 96) -> World:
    """A corpus of four chips with its catalogue and all manifests."""
    world = write_world(folder, side=side)
    (folder / "manifest" / "corpus.parquet").write_bytes(manifest_bytes([]))
    there = FinishedCorpus.open(str(folder))
    writer = CorpusWriter(info=there.info, store=there.store)
    relist(there, writer, {tile: {} for tile in there.tiles}, lambda _tile, _samples: [])
    return world


def answered_campaign(folder: Path, *, references: int = 24, people: Sequence[str] = tuple(PEOPLE)) -> Answered:
    """A campaign of tasks of 16 × 16 pixels that everybody has answered.

    Args:
        folder: for corpus and campaign.
        references: reference tasks.
        people: who answers.
    """
    world = whole_corpus(folder / "corpus")
    settings = CampaignSettings(
        task_size=16, reference_count=references, annotators=len(people), require_all_scenes=False, trust_mark=0.0
    )
    options = CampaignOptions(password=PASSWORD)
    init_campaign(str(world.folder), folder / "annotation", settings, options)
    there = open_folder(folder / "annotation")
    with open_ledger(there.database) as ledger:
        tasks = list(answered_tasks(ledger, there.name, unanswered=True))
        chips = sorted(world.truth)
        expert = create_user(ledger, "expert", PASSWORD)
        grant(ledger, expert, Role.EXPERT, there.name, by=None)
        known = {
            one.window: _cut(world.truth[one.window.chip], one.window)
            for one in tasks
            if one.kind is TaskKind.REFERENCE
        }
        import_references(ledger, there.name, user(ledger, "expert"), {w: own.tobytes() for w, own in known.items()})
        for number, name in enumerate(people, 1):
            skill, copying = PEOPLE[name]
            labeller = Labeller.drawn(number, classes=len(CLASSES), accuracy=skill, copying=copying)
            person = create_user(ledger, name, PASSWORD)
            grant(ledger, person, Role.ANNOTATOR, there.name, by=None)
            answers = {}
            for one in tasks:
                truth = _places(_cut(world.truth[one.window.chip], one.window))
                shown = None if one.guess is None else _places(np.frombuffer(one.guess, np.uint8).reshape(truth.shape))
                at = {"chip": chips.index(one.window.chip), "row": one.window.row, "column": one.window.column}
                answers[one.window] = np.array(CLASSES, np.uint8)[labeller.label(truth, shown, **at)].tobytes()
            import_answers(ledger, there.name, person, answers)
    return Answered(world=world, folder=folder / "annotation")


def _cut(raster: NDArray[np.uint8], window: object) -> NDArray[np.uint8]:
    row, column, height, width = (getattr(window, name) for name in ("row", "column", "height", "width"))
    return raster[row : row + height, column : column + width].copy()


def _places(raster: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.searchsorted(CLASSES, np.where(np.isin(raster, CLASSES), raster, CLASSES[0]))
