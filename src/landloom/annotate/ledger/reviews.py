"""Adjudication: reviewers decide tasks on which annotators disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import AnsweredTask, Submission, User


def disputed(ledger: Ledger, campaign: str, *, least: float = 0.0, most: int = 100) -> tuple[AnsweredTask, ...]:
    """Tasks with all their answers on which these differ, without a decision yet; the most disputed first.

    Args:
        ledger: an open one.
        campaign: its name.
        least: share of the pixels on which answers differ; tasks above it are listed.
        most: number of tasks.
    """
    raise NotImplementedError


def decide(ledger: Ledger, campaign: str, user: User, task: str, submission: Submission) -> int:
    """Record a reviewer's decision on a task; the latest decision counts.

    Returns:
        Its sequence in the ledger.

    Raises:
        NotAllowedError: the user is no reviewer of the campaign, or has answered the task.
        NotFoundError: no such task.
        ConflictError: the id was used for another body.
        InvalidSubmissionError: another size, codes that are no classes, or unlabelled pixels.
    """
    raise NotImplementedError
