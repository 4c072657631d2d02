"""Backups while people work."""

from __future__ import annotations

import stat
import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from tests.annotate.ledger.made import NAME, fill, hand_in, person

from landloom.annotate.ledger.chain import verify
from landloom.annotate.ledger.copies.backup import backup
from landloom.annotate.ledger.copies.rebuild import rebuild
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.ledger.errors import ConflictError, TamperedError
from landloom.annotate.ledger.queue import take

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.annotate.ledger.database import Ledger


def test_a_backup_while_people_work_is_a_ledger(ledger: Ledger, tmp_path: Path) -> None:
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
    target = backup(ledger, tmp_path / "backup")
    worker.join()
    assert stat.S_IMODE(target.stat().st_mode) & 0o077 == 0
    url = f"sqlite:///{target}"
    if ledger.dialect == "postgresql":
        url = f"sqlite:///{tmp_path / 'other.sqlite'}"
        rebuild(target, url)
    with open_ledger(url) as copy:
        kept = verify(copy, NAME)
        assert 1 <= kept <= 40
        again = next(iter(take(copy, NAME, ada, 1)), None)
        assert (again is None) == (kept == 40)
    assert verify(ledger, NAME) == 40
    with pytest.raises(ConflictError):
        backup(ledger, target)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_there_is_no_backup_of_a_broken_chain(tmp_path: Path) -> None:
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as ledger:
        fill(ledger)
        ada = person(ledger, "ada")
        hand_in(ledger, ada, take(ledger, NAME, ada, 1)[0])
        with ledger.write() as connection:
            connection.execute(text("drop trigger submission_no_update"))
            connection.execute(text("update submission set comment = 'x'"))
        with pytest.raises(TamperedError):
            backup(ledger, tmp_path / "backup.sqlite")
    assert not list(tmp_path.glob("*backup*"))
