"""From the rows of the ledger to the answers that scores and consensus are computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from landloom.annotate.answers.values import TaskAnswers
from landloom.annotate.tasks.values import TaskKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.annotate.ledger.values import AnsweredTask


def task_answers(task: AnsweredTask) -> TaskAnswers:
    """The answers to one task, by pseudonym.

    Args:
        task: with its answers, as the ledger gives it.

    Returns:
        Rasters are flat; a task without answers has labels of shape (0, pixels).
    """
    pixels = task.window.pixels
    labels = [np.frombuffer(answer.labels, np.uint8) for answer in task.answers]
    return TaskAnswers(
        task=task.id,
        annotators=tuple(answer.annotator for answer in task.answers),
        labels=np.stack(labels) if labels else np.zeros((0, pixels), np.uint8),
        guess=_flat(task.guess),
        original=_flat(task.original),
        reference=_flat(task.reference),
        blind=task.kind is TaskKind.BLIND,
    )


def _flat(raster: bytes | None) -> NDArray[np.uint8] | None:
    return None if raster is None else np.frombuffer(raster, np.uint8)
