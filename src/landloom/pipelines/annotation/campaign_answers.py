"""The answers of a campaign, read from its ledger, with what they are about."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from landloom.errors import InvalidInputError, counted
from landloom.pipelines.annotation.answers import task_answers
from landloom.pipelines.annotation.folder import open_folder
from landloom.pipelines.annotation.series import SeriesSource
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.annotate.answers.values import TaskAnswers
    from landloom.annotate.consensus.result import Consensus
    from landloom.annotate.ledger.values import AnsweredTask, ExpertAgreement
    from landloom.annotate.tasks.values import Campaign, ClassChoice, TaskWindow
    from landloom.pipelines.annotation.folder import CampaignFolder


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CampaignAnswers:
    """The answers of a campaign, as they are in its ledger now."""

    folder: CampaignFolder
    campaign: Campaign
    source: SeriesSource
    """The series that annotators saw."""
    tasks: tuple[AnsweredTask, ...]
    """Tasks with at least one answer that counts."""
    answers: tuple[TaskAnswers, ...]
    """Of the same tasks."""
    experts: ExpertAgreement

    @classmethod
    def read(cls, folder: str | Path) -> CampaignAnswers:
        """Read the ledger of a campaign.

        Args:
            folder: of the campaign.

        Raises:
            CorpusError: there is no campaign, or no corpus.
            InvalidInputError: nobody has answered yet.
        """
        from landloom.annotate.ledger.answers import answered_tasks, expert_agreement  # noqa: PLC0415 - the extra `annotate`
        from landloom.annotate.ledger.campaigns import campaign  # noqa: PLC0415 - the extra `annotate`
        from landloom.annotate.ledger.database import open_ledger  # noqa: PLC0415 - the extra `annotate`

        there = open_folder(folder)
        with open_ledger(there.database) as ledger:
            known = campaign(ledger, there.name)
            tasks = tuple(answered_tasks(ledger, there.name))
            experts = expert_agreement(ledger, there.name)
        if not tasks:
            raise InvalidInputError(f"{folder}: got a campaign without any answer, expected at least one")
        source = SeriesSource(corpus=Corpus.open(there.corpus), key=known.settings.series)
        return cls(
            folder=there,
            campaign=known,
            source=source,
            tasks=tasks,
            answers=tuple(task_answers(task) for task in tasks),
            experts=experts,
        )

    @property
    def classes(self) -> tuple[ClassChoice, ...]:
        """In order of their codes, which is that of posteriors and votes."""
        return tuple(sorted(self.campaign.classes, key=lambda one: one.code))

    @property
    def decided(self) -> dict[int, NDArray[np.uint8]]:
        """Position of a task → what a reviewer decided."""
        return {
            at: np.frombuffer(task.adjudicated, np.uint8)
            for at, task in enumerate(self.tasks)
            if task.adjudicated is not None
        }

    @property
    def chips(self) -> dict[str, list[tuple[int, TaskWindow]]]:
        """Chip → position and place of each of its tasks."""
        found: dict[str, list[tuple[int, TaskWindow]]] = {}
        for at, task in enumerate(self.tasks):
            found.setdefault(task.window.chip, []).append((at, task.window))
        return found

    @property
    def digest(self) -> str:
        """SHA-256 over everything that a consensus is computed from."""
        whole = hashlib.sha256()
        for task in sorted(self.tasks, key=lambda one: one.window):
            rasters = (task.guess, task.original, task.reference, task.adjudicated)
            whole.update(repr((task.window, task.kind, [None if one is None else one for one in rasters])).encode())
            for answer in sorted(task.answers, key=lambda one: one.annotator):
                whole.update(answer.annotator.encode() + answer.labels)
        return whole.hexdigest()

    def notes(self, found: Consensus) -> tuple[str, ...]:
        """What a reader of the labels has to know: notes of the method, unfinished and decided tasks."""
        wanted = self.campaign.settings.annotators
        fewer = sum(len(task.answers) < wanted for task in self.tasks)
        lines = list(found.notes)
        if fewer:
            lines.append(f"{counted(fewer, 'task')} with fewer than {wanted} answers")
        if self.decided:
            lines.append(f"{counted(len(self.decided), 'task')} decided by a reviewer: confidence 100 %")
        if self.experts.share is not None:
            agreed = f"{100 * self.experts.share:.1f} % of the pixels"
            lines.append(
                f"{counted(self.experts.tasks, 'reference task')} answered by two experts, who agree on {agreed}; "
                "the others are no reference"
            )
        if found.ties:
            lines.append(f"{counted(found.ties, 'pixel')} tied: the guess if it is among them, else the lowest code")
        return tuple(lines)
