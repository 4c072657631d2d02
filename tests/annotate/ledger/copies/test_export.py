"""Exports are one state of the ledger, whatever happens meanwhile."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
from tests.annotate.ledger.made import NAME, fill, hand_in, person

from landloom.annotate.ledger.copies.export import export_ledger
from landloom.annotate.ledger.copies.rebuild import rebuild
from landloom.annotate.ledger.queue import take

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.annotate.ledger.database import Ledger


def test_an_export_while_people_work_is_one_state(ledger: Ledger, tmp_path: Path) -> None:
    fill(ledger, chips=10)
    ada = person(ledger, "ada")
    started = threading.Event()

    def label() -> None:
        while loans := take(ledger, NAME, ada, 1):
            hand_in(ledger, ada, loans[0])
            started.set()

    worker = threading.Thread(target=label)
    worker.start()
    started.wait()
    export_ledger(ledger, tmp_path / "export")
    worker.join()
    verified = rebuild(tmp_path / "export", f"sqlite:///{tmp_path / 'other.sqlite'}")
    assert verified == {NAME: pq.read_metadata(tmp_path / "export" / "submission.parquet").num_rows}
    assert 1 <= verified[NAME] <= 40
