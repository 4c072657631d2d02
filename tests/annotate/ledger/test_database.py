"""The database itself: addresses, time, full disks, killed processes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from itertools import count
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text
from tests.annotate.ledger.made import NAME, fill, person, work
from tests.small_disks import filled, small_disk

from landloom.annotate.ledger.accounts.users import user as user_of
from landloom.annotate.ledger.chain import verify
from landloom.annotate.ledger.copies.backup import backup
from landloom.annotate.ledger.copies.export import export_ledger
from landloom.annotate.ledger.database import moment, now, open_database, open_ledger
from landloom.annotate.ledger.drafts import save_draft
from landloom.annotate.ledger.errors import LedgerUnavailableError, StorageFullError
from landloom.annotate.ledger.progress import submissions
from landloom.annotate.ledger.queue import take
from landloom.annotate.ledger.submissions import MOST, submit
from landloom.annotate.tasks.values import TaskWindow
from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path
    from typing import Any

    from sqlalchemy.engine import Connection
    from tests.postgres import Cluster

    from landloom.annotate.ledger.database import Ledger

COMMENT = os.urandom(1000).hex()
"""It cannot be compressed to nothing."""


@pytest.mark.parametrize(
    "url", ["", "ledger.sqlite", "mysql://host/db", "sqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true"]
)
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(InvalidValueError):
        open_ledger(url)


def test_what_cannot_be_reached_says_so_without_its_password(tmp_path: Path) -> None:
    for url in (
        f"sqlite:///{tmp_path}/missing/ledger.sqlite",
        f"postgresql://ada:secret@/none?host={tmp_path}",
    ):
        with pytest.raises(LedgerUnavailableError) as refused:
            open_ledger(url)
        assert "secret" not in str(refused.value)
    (tmp_path / "text.sqlite").write_text("no database" * 100)
    with pytest.raises(LedgerUnavailableError):
        open_ledger(f"sqlite:///{tmp_path}/text.sqlite")


def test_addresses_hide_passwords() -> None:
    with open_database("postgresql://ada:secret@example.org/ledger") as ledger:
        assert ledger.address == "postgresql+psycopg://ada:***@example.org/ledger"


def test_time_is_the_databases(ledger: Ledger) -> None:
    with ledger.write() as connection:
        first, second = now(connection), now(connection)
    assert first <= second < first + 60
    assert moment(first).tzinfo is not None


def test_a_ledger_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with open_ledger(f"sqlite:///{path}") as ledger:
        fill(ledger)
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) & 0o077 for one in tmp_path.iterdir()}
    assert set(modes.values()) == {0}
    assert len(modes) == 3


def test_what_fails_is_undone(ledger: Ledger) -> None:
    fill(ledger)

    def fail(connection: Connection) -> None:
        connection.execute(text("delete from task"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ledger.transact(fail)
    with ledger.read() as connection:
        assert connection.execute(text("select count(*) from task")).scalar_one() == 8


def work_until_full(ledger: Ledger) -> tuple[list[str], Any]:
    """Submit until no space is left: ids that were acknowledged, and what was refused."""
    done: list[str] = []
    for number in count():
        user = person(ledger, f"annotator {number}")
        for loan in take(ledger, NAME, user, 16):
            sent = work(comment=COMMENT)
            try:
                submit(ledger, NAME, user, loan.id, sent)
            except StorageFullError:
                return done, (user, loan, sent)
            done.append(sent.id)
    raise AssertionError


def check_kept(ledger: Ledger, done: list[str]) -> None:
    with ledger.read() as connection:
        kept = connection.execute(text("select uuid from submission order by sequence")).scalars().all()
    assert list(kept) == done
    assert verify(ledger, NAME) == len(done)


def test_a_full_database_loses_nothing(tmp_path: Path) -> None:
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as ledger:
        fill(ledger, chips=40, annotators=100)
        with ledger.read() as connection:
            pages = connection.execute(text("pragma page_count")).scalar_one()

        def limit(connection: sqlite3.Connection, _: object) -> None:
            connection.execute(f"pragma max_page_count = {pages + 60}").close()

        event.listen(ledger.engine, "connect", limit)
        ledger.engine.dispose()
        try:
            done, (user, loan, sent) = work_until_full(ledger)
        except StorageFullError:  # it was the next person that found no space
            pytest.fail("people fill a database before their work does")
        assert done
        check_kept(ledger, done)
        event.remove(ledger.engine, "connect", limit)
        ledger.engine.dispose()
        assert submit(ledger, NAME, user, loan.id, sent).sequence == len(done) + 1
        check_kept(ledger, [*done, sent.id])


def try_on_full_disk(ledger: Ledger, disk: Path) -> None:
    fill(ledger, chips=4, annotators=100)
    ada = person(ledger, "ada")
    loans = take(ledger, NAME, ada, 16)
    first = work(comment=COMMENT)
    submit(ledger, NAME, ada, loans[0].id, first)
    acknowledged = [first.id]
    with filled(disk):
        refused = None
        for loan in loans[1:] * MOST:
            sent = work(comment=COMMENT)
            try:
                submit(ledger, NAME, ada, loan.id, sent)
            except StorageFullError:
                refused = loan, sent
                break
            acknowledged.append(sent.id)
        assert refused is not None
        check_kept(ledger, acknowledged)
        loan, sent = refused
        with pytest.raises(StorageFullError):
            submit(ledger, NAME, ada, loan.id, sent)
        if ledger.dialect == "sqlite":
            with pytest.raises(StorageFullError):
                backup(ledger, disk / "backup.sqlite")
        with pytest.raises(StorageFullError):
            export_ledger(ledger, disk / "export")
        assert sorted(one.name for one in disk.iterdir() if "backup" in one.name or "export" in one.name) == []
    assert submit(ledger, NAME, ada, loan.id, sent).sequence == len(acknowledged) + 1
    check_kept(ledger, [*acknowledged, sent.id])


def test_a_full_disk_loses_nothing_on_sqlite(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk, open_ledger(f"sqlite:///{disk / 'ledger.sqlite'}") as ledger:
        try_on_full_disk(ledger, disk)


def test_a_full_disk_loses_nothing_on_postgresql(postgres_cluster: Cluster) -> None:
    with small_disk(postgres_cluster.folder / "small", "24m") as disk:
        space = disk / "space"
        space.mkdir(mode=0o700)
        postgres_cluster.own(space)
        url = postgres_cluster.new_database(tablespace=space)
        try:
            with open_ledger(url) as ledger:
                try_on_full_disk(ledger, disk)
        finally:
            postgres_cluster.drop(url)


WORKER = """
import sys
from tests.annotate.ledger.made import NAME, work
from landloom.annotate.ledger.accounts.users import user
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.ledger.queue import take
from landloom.annotate.ledger.submissions import MOST, submit
from landloom.annotate.ledger.drafts import save_draft
ledger = open_ledger(sys.argv[1])
ada = user(ledger, "ada")
while loans := take(ledger, NAME, ada, 2):
    for loan in loans:
        sent = work()
        submit(ledger, NAME, ada, loan.id, sent)
        print(sent.id, flush=True)
"""


def test_what_was_acknowledged_before_a_kill_is_there(ledger: Ledger, ledger_url: str) -> None:
    fill(ledger, chips=20)
    ada = person(ledger, "ada")
    acknowledged: list[str] = []
    for lines in (1, 7, 4):
        command = [sys.executable, "-W", "error", "-c", WORKER, ledger_url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            acknowledged += [process.stdout.readline().strip() for _ in range(lines)]
            process.kill()
            acknowledged += process.stdout.read().split()
        with ledger.read() as connection:
            kept = set(connection.execute(text("select uuid from submission")).scalars())
        assert set(acknowledged) <= kept
        assert len(kept) <= len(acknowledged) + 3  # answers that the kill cut off
        assert verify(ledger, NAME) == len(kept)
    assert all(one.counted for one in submissions(ledger, NAME))
    again = take(ledger, NAME, ada, 3)
    assert save_draft(ledger, NAME, user_of(ledger, "ada"), again[0].id, again[0].guess, 0) == 1
    assert isinstance(again[0].window, TaskWindow)
