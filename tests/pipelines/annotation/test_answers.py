"""Rows of the ledger become answers: by pseudonym, with every raster that is known."""

from __future__ import annotations

import pytest

from landloom.annotate.ledger.values import Answer, AnsweredTask
from landloom.annotate.tasks.values import TaskKind, TaskWindow
from landloom.pipelines.annotation.answers import task_answers

WINDOW = TaskWindow(chip="37TDK_02", row=0, column=0, height=1, width=3)


def answered(kind: TaskKind, *labels: bytes, guess: bytes | None, original: bytes | None) -> AnsweredTask:
    answers = tuple(
        Answer(
            annotator=f"p{number}",
            labels=raster,
            sequence=number,
            seconds=1.0,
            changed=0,
            flagged=False,
            comment="",
            counted=True,
        )
        for number, raster in enumerate(labels)
    )
    return AnsweredTask(
        id="t",
        window=WINDOW,
        kind=kind,
        guess=guess,
        original=original,
        reference=b"\1\1\2",
        adjudicated=None,
        answers=answers,
    )


@pytest.mark.parametrize(
    ("kind", "guess", "original"),
    [
        (TaskKind.REGULAR, b"\1\2\2", None),
        (TaskKind.REGULAR, None, None),
        (TaskKind.BLIND, None, b"\1\1\1"),
        (TaskKind.PLANTED, b"\2\1\1", b"\1\1\1"),
    ],
)
def test_rasters_of_every_kind(kind: TaskKind, guess: bytes | None, original: bytes | None) -> None:
    found = task_answers(answered(kind, b"\1\2\2", b"\2\2\2", guess=guess, original=original))
    assert found.annotators == ("p0", "p1")
    assert found.labels.tolist() == [[1, 2, 2], [2, 2, 2]]
    assert found.blind == (kind is TaskKind.BLIND)
    assert (found.planted is not None) == (kind is TaskKind.PLANTED)
    assert found.reference is not None
    shown = None if found.guess is None else found.guess.tobytes()
    kept = None if found.original is None else found.original.tobytes()
    assert (shown, kept) == (guess, original)


def test_a_task_without_answers() -> None:
    assert task_answers(answered(TaskKind.REGULAR, guess=None, original=None)).labels.shape == (0, 3)
