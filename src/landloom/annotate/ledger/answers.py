"""What was answered: the rows behind consensus and scores. Never for annotators."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import AnsweredTask


def answered_tasks(
    ledger: Ledger, campaign: str, *, counted: bool = True, unanswered: bool = False
) -> Iterator[AnsweredTask]:
    """Tasks with their answers, chip by chip, from one state of the ledger.

    Args:
        ledger: an open one.
        campaign: its name.
        counted: only answers that count; False: surplus and untrusted work as well.
        unanswered: whether tasks without an answer come, too.
    """
    raise NotImplementedError


def record_consensus(ledger: Ledger, campaign: str, *, method: str, version: str, sequence: int, report: str) -> int:
    """Record that a consensus was computed.

    Returns:
        Number of the run, from 1.
    """
    raise NotImplementedError
