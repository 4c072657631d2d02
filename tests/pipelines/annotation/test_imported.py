"""Imported labels are kept as they are; later ones of the same person win."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.annotate.tasks.values import TaskWindow
from landloom.errors import InvalidDocumentError
from landloom.pipelines.annotation.imported import ImportedTask, read_imported, write_imported

if TYPE_CHECKING:
    from pathlib import Path

WINDOW = TaskWindow(chip="37TDK_02", row=0, column=32, height=2, width=3)


def task(labels: list[int], annotator: str = "ann", *, reference: bool = False) -> ImportedTask:
    raster = np.array(labels, np.uint8).reshape(2, 3)
    return ImportedTask(window=WINDOW, annotator=annotator, labels=raster, reference=reference)


def test_imports_add_up_and_the_latest_label_counts(tmp_path: Path) -> None:
    assert read_imported(tmp_path) == ()
    assert write_imported(tmp_path, [task([1, 1, 0, 0, 0, 0]), task([3] * 6, "böb")]) == "imported/00001.npz"
    assert write_imported(tmp_path, [task([0, 2, 2, 0, 0, 0])]) == "imported/00002.npz"
    write_imported(tmp_path, [task([5] * 6, reference=True)])
    found = {(one.annotator, one.reference): one.labels.ravel().tolist() for one in read_imported(tmp_path)}
    assert found == {
        ("ann", False): [1, 2, 2, 0, 0, 0],
        ("ann", True): [5] * 6,
        ("böb", False): [3] * 6,
    }
    assert {one.window for one in read_imported(tmp_path)} == {WINDOW}


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    write_imported(tmp_path, [task([1] * 6)])
    (tmp_path / "imported" / "00001.npz").write_bytes(b"nothing")
    with pytest.raises(InvalidDocumentError, match=r"imported/00001\.npz"):
        read_imported(tmp_path)
