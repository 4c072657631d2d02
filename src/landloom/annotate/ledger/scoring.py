"""What a submission says about its annotator. Every kind of task takes the same steps, so that none answers slower."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from sqlalchemy import bindparam, insert, select, update

from landloom.annotate.ledger.chain import compact
from landloom.annotate.ledger.rasters import copied_pixels
from landloom.annotate.ledger.schema.models import Reference, ScoreSnapshot, Submission
from landloom.annotate.tasks.trust import ReferenceResult
from landloom.annotate.tasks.values import TaskKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.lookup import Loan, Standing


_REFERENCE: Final = select(Reference.labels).where(Reference.task_id == bindparam("task"))
_INSERT: Final = insert(ScoreSnapshot)
_RESULTS: Final = (
    select(ScoreSnapshot.pixels, ScoreSnapshot.right)
    .join(Submission, Submission.id == ScoreSnapshot.submission_id)
    .where(
        ScoreSnapshot.campaign_id == bindparam("campaign"),
        ScoreSnapshot.user_id == bindparam("user"),
        ScoreSnapshot.kind == bindparam("kind"),
        Submission.sequence > bindparam("since"),
    )
    .order_by(Submission.sequence.desc())
    .limit(bindparam("most"))
)


def reference_of(connection: Connection, task: int) -> bytes | None:
    """The expert's answer to a task."""
    labels: bytes | None = connection.execute(_REFERENCE, {"task": task}).scalar_one_or_none()
    return labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A submission compared with what is known about its task."""

    kind: TaskKind
    result: ReferenceResult | None
    """Comparison with the expert's answer, if there is one."""
    planted: int
    copied: int


def compare(connection: Connection, loan: Loan, labels: bytes) -> Score:
    """Compare labels with the expert's answer and with a planted error; without either, with themselves."""
    reference = reference_of(connection, loan.task_id)
    result = _compared(labels, reference or labels)
    planted, copied = copied_pixels(labels, loan.guess or labels, loan.original or loan.guess or labels)
    is_planted = loan.kind is TaskKind.PLANTED
    return Score(
        kind=loan.kind,
        result=None if reference is None else result,
        planted=planted if is_planted else 0,
        copied=copied if is_planted else 0,
    )


def record_score(connection: Connection, own: Standing, submission: int, score: Score) -> None:
    """Keep the score of a submission."""
    row = {
        "submission_id": submission,
        "campaign_id": own.campaign_id,
        "user_id": own.user_id,
        "kind": score.kind.value,
        "pixels": _stored(score.result.pixels if score.result else {}),
        "right": _stored(score.result.right if score.result else {}),
        "planted": score.planted,
        "copied": score.copied,
    }
    connection.execute(_INSERT, row)


def rescore(connection: Connection, task: int, reference: bytes) -> None:
    """Compare the answers to a task with a reference that came after them."""
    rows = connection.execute(
        select(ScoreSnapshot.submission_id, Submission.labels)
        .join(Submission, Submission.id == ScoreSnapshot.submission_id)
        .where(Submission.task_id == task)
    ).all()
    for row in rows:
        result = _compared(row.labels, reference)
        connection.execute(
            update(ScoreSnapshot)
            .where(ScoreSnapshot.submission_id == row.submission_id)
            .values(kind=TaskKind.REFERENCE.value, pixels=_stored(result.pixels), right=_stored(result.right))
        )


def _compared(labels: bytes, reference: bytes) -> ReferenceResult:
    """Pixels that the annotator left unlabelled, as files may, do not count."""
    return ReferenceResult.of(labels, bytes(np.frombuffer(reference, np.uint8) * (np.frombuffer(labels, np.uint8) > 0)))


def _stored(counts: Mapping[int, int]) -> str:
    return compact({str(code): count for code, count in counts.items()})


def results(connection: Connection, own: Standing, kind: TaskKind, *, most: int) -> list[ReferenceResult]:
    """A user's results on reference or qualification tasks in the order of the ledger.

    Args:
        connection: inside a transaction.
        own: whose; only submissions after `since` count.
        kind: of the tasks.
        most: only so many of the latest ones.
    """
    wanted = {"campaign": own.campaign_id, "user": own.user_id, "kind": kind.value, "since": own.since, "most": most}
    rows = connection.execute(_RESULTS, wanted).all()
    return [result_of(row.pixels, row.right) for row in reversed(rows)]


def result_of(pixels: str, right: str) -> ReferenceResult:
    """A result as it is stored."""
    return ReferenceResult(
        pixels={int(code): count for code, count in json.loads(pixels).items()},
        right={int(code): count for code, count in json.loads(right).items()},
    )
