"""The hash chain over the submissions of a campaign: each row's digest covers the row before it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from landloom.annotate.ledger.errors import TamperedError
from landloom.annotate.ledger.schema.models import Assignment, Campaign, Submission, Task, User

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.database import Ledger

START: Final = "0" * 64
"""What stands before the first submission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What the digest of a submission covers."""

    campaign: str
    sequence: int
    uuid: str
    task: str
    """Public id."""
    annotator: str
    """Pseudonym."""
    assignment: str
    """Public id; empty for work without one."""
    role: str
    state: str
    sha256: str
    """Of the labels."""
    guess_version: int
    changed: int
    seconds: float
    dates_viewed: str
    flagged: bool
    comment: str
    client: str
    counts: str
    recorded: float
    previous: str

    @property
    def digest(self) -> str:
        """SHA-256 of the fields as compact JSON with sorted keys.

        Example:
            >>> link = Link(
            ...     campaign="a", sequence=1, uuid="u", task="t", annotator="x", assignment="i", role="annotate",
            ...     state="accepted", sha256="0", guess_version=1, changed=0, seconds=1.5, dates_viewed="[]",
            ...     flagged=False, comment="", client="", counts="{}", recorded=0.0, previous=START)
            >>> link.digest[:12]
            '...'
        """
        return hashlib.sha256(compact(asdict(self)).encode()).hexdigest()


def compact(document: object) -> str:
    """JSON without spaces, keys sorted: one text for one value.

    Example:
        >>> compact({"b": [1, 2], "a": 1.5})
        '{"a":1.5,"b":[1,2]}'
    """
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


_ROWS = (
    select(
        Submission.sequence,
        Submission.uuid,
        Task.public_id.label("task"),
        User.pseudonym.label("annotator"),
        Assignment.public_id.label("assignment"),
        Submission.role,
        Submission.state,
        Submission.sha256,
        Submission.guess_version,
        Submission.changed,
        Submission.seconds,
        Submission.dates_viewed,
        Submission.flagged,
        Submission.comment,
        Submission.client,
        Submission.counts,
        Submission.recorded,
        Submission.previous,
        Submission.digest,
        Submission.labels,
    )
    .join(Task, Task.id == Submission.task_id)
    .join(User, User.id == Submission.user_id)
    .join(Assignment, Assignment.id == Submission.assignment_id, isouter=True)
    .order_by(Submission.sequence)
    .execution_options(yield_per=1000)
)


def verify(ledger: Ledger, campaign: str) -> int:
    """Compute the chain again from the rows and the label rasters.

    Returns:
        Number of submissions.

    Raises:
        TamperedError: a row was changed, removed or put in between; the message names the first such place.
    """
    with ledger.read() as connection:
        return verify_on(connection, campaign)


def verify_on(connection: Connection, campaign: str) -> int:
    """As `verify`, inside a transaction."""
    head = connection.execute(
        select(Campaign.id, Campaign.sequence, Campaign.digest).where(Campaign.name == campaign)
    ).one()
    previous, expected = START, 1
    with connection.execute(_ROWS.where(Submission.campaign_id == head.id)) as rows:
        for row in rows:
            previous = _verified(row, campaign, expected, previous)
            expected += 1
    if (head.sequence, head.digest) != (expected - 1, previous):
        raise TamperedError(f"{campaign}: got {expected - 1} submissions, expected {head.sequence}")
    return expected - 1


def _verified(row: Any, campaign: str, expected: int, previous: str) -> str:
    """The digest of a row that follows the previous one."""
    values = row._asdict()
    labels, digest = values.pop("labels"), str(values.pop("digest"))
    link = Link(campaign=campaign, **{**values, "assignment": row.assignment or ""})
    where = f"{campaign}: submission {expected}"
    if row.sequence != expected:
        raise TamperedError(f"{where}: got number {row.sequence} in its place")
    if hashlib.sha256(labels).hexdigest() != row.sha256:
        raise TamperedError(f"{where}: its labels are not those that were submitted")
    if row.previous != previous or link.digest != digest:
        raise TamperedError(f"{where}: its row is not the one that was submitted")
    return digest
