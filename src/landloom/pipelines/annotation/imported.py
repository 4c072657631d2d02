"""Labels made elsewhere, kept beside a campaign: what `landloom annotate import` writes and consensus reads."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.annotate.tasks.values import TaskWindow
from landloom.errors import InvalidDocumentError, Problem
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.store.protocol import Store

FOLDER: Final = "imported"
"""Folder inside a campaign's."""
_BROKEN: Final = (ValueError, KeyError, OSError, TypeError)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImportedTask:
    """One person's labels of one task, made elsewhere."""

    window: TaskWindow
    annotator: str
    """Name as it was imported."""
    labels: NDArray[np.uint8]
    """(y, x) codes of the campaign; 0 where this person labelled nothing."""
    reference: bool
    """Whether they are an expert's reference."""


def write_imported(folder: Path, tasks: Iterable[ImportedTask]) -> str:
    """Keep labels beside a campaign; earlier imports stay as they are.

    Returns:
        Name of the new file inside the campaign's folder.
    """
    kept = list(tasks)
    rows = [
        {
            "chip": one.window.chip,
            "row": one.window.row,
            "column": one.window.column,
            "height": one.window.height,
            "width": one.window.width,
            "annotator": one.annotator,
            "reference": one.reference,
        }
        for one in kept
    ]
    data = np.concatenate([one.labels.ravel() for one in kept]) if kept else np.empty(0, np.uint8)
    text = io.BytesIO()
    np.savez_compressed(text, rows=np.frombuffer(json.dumps(rows).encode(), np.uint8), labels=data)
    store = open_store(str(folder))
    number = len(_names(store)) + 1
    name = f"{FOLDER}/{number:05d}.npz"
    store.put(name, text.getvalue())
    return name


def read_imported(folder: Path) -> tuple[ImportedTask, ...]:
    """Every label that was imported into a campaign, in order of chip, place and annotator.

    Where a person labelled a pixel in several imports, the latest counts.

    Raises:
        InvalidDocumentError: a file is damaged.
    """
    store = open_store(str(folder))
    found: dict[tuple[TaskWindow, str, bool], NDArray[np.uint8]] = {}
    for name in _names(store):
        for one in _read(store, name):
            key = (one.window, one.annotator, one.reference)
            before = found.get(key)
            found[key] = one.labels if before is None else np.where(one.labels > 0, one.labels, before)
    return tuple(
        ImportedTask(
            window=window, annotator=annotator, labels=found[window, annotator, reference], reference=reference
        )
        for window, annotator, reference in sorted(found)
    )


def _names(store: Store) -> list[str]:
    return sorted(entry.key for entry in store.list(f"{FOLDER}/") if entry.key.endswith(".npz"))


def _read(store: Store, name: str) -> list[ImportedTask]:
    try:
        with np.load(io.BytesIO(store.get(name)), allow_pickle=False) as data:
            rows, labels = json.loads(data["rows"].tobytes()), data["labels"]
        tasks, start = [], 0
        for row in rows:
            annotator, reference = str(row.pop("annotator")), bool(row.pop("reference"))
            window = TaskWindow(**row)
            own = labels[start : start + window.pixels].reshape(window.height, window.width)
            tasks.append(ImportedTask(window=window, annotator=annotator, labels=own, reference=reference))
            start += window.pixels
    except _BROKEN as error:
        raise InvalidDocumentError(name, [Problem(where="", what=f"expected imported labels: {error}")]) from error
    return tasks
