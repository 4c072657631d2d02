"""The journal of a download: lines survive, torn ones are dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landloom.query.transfer.download_journal import DownloadJournal, Record

if TYPE_CHECKING:
    from pathlib import Path


def test_records_survive_reading(tmp_path: Path) -> None:
    journal = DownloadJournal(tmp_path)
    assert journal.read() == {}
    journal.begin("demo 1")
    records = [Record(path=f"ü/{n}.tif", size=n, sha256="0" * 64) for n in range(4)]
    journal.append(records)
    assert list(journal.read().values()) == records
