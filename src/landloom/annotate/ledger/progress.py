"""Progress of a campaign: the rows behind the manager's page. Figures are computed from them elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.tasks.trust import ReferenceResult, Trust
    from landloom.annotate.tasks.values import TaskKind, TaskWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipProgress:
    """Progress of one chip; sums over chips are those of the campaign."""

    chip: str
    tasks: int
    done: int
    """Tasks with all their answers."""
    started: int
    """Tasks with at least one counted answer that are not done."""
    submissions: int
    """Answers that count."""
    needed: int
    """Answers wanted."""
    surplus: int
    """Answers kept that do not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionRow:
    """One answer of an annotator, without its labels."""

    sequence: int
    annotator: str
    """Pseudonym."""
    name: str
    """Login name."""
    task: str
    window: TaskWindow
    kind: TaskKind
    recorded: datetime
    seconds: float
    pixels: int
    changed: int
    counts: dict[int, tuple[int, int]]
    """Class code → pixels labelled as it, and how many of them differ from the guess."""
    flagged: bool
    comment: str
    counted: bool
    planted: int
    """Altered pixels of the guess; 0 for all but planted tasks."""
    copied: int
    """Altered pixels that were left as they were."""
    result: ReferenceResult | None
    """Comparison with the expert's answer, of reference and qualification tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatorRow:
    """One annotator's standing."""

    name: str
    pseudonym: str
    trust: Trust
    qualified: bool | None
    submissions: int
    counted: int
    """Submissions that count."""
    live: int
    """Tasks on loan."""


def chips(ledger: Ledger, campaign: str) -> tuple[ChipProgress, ...]:
    """Progress of each chip, by name."""
    raise NotImplementedError


def submissions(ledger: Ledger, campaign: str, *, after: int = 0) -> Iterator[SubmissionRow]:
    """Answers of annotators (not of experts, reviewers and files) in the order of the ledger, after a sequence."""
    raise NotImplementedError


def annotators(ledger: Ledger, campaign: str) -> tuple[AnnotatorRow, ...]:
    """Everybody who has taken a task or has the role, by name."""
    raise NotImplementedError
