"""A ledger rebuilt from an export equals the original."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select, text
from tests.annotate.ledger.made import GUESS, NAME, TRUTH, WRONG, fill, hand_in, person, work

from landloom.annotate.ledger.accounts.sessions import login, set_password
from landloom.annotate.ledger.accounts.users import create_user
from landloom.annotate.ledger.answers import answered_tasks
from landloom.annotate.ledger.chain import verify
from landloom.annotate.ledger.copies.export import DOCUMENT, SECRET, export_ledger
from landloom.annotate.ledger.copies.rebuild import rebuild
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.ledger.drafts import save_draft
from landloom.annotate.ledger.errors import ConflictError, LedgerUnavailableError, TamperedError
from landloom.annotate.ledger.progress import chips, submissions
from landloom.annotate.ledger.queue import take
from landloom.annotate.ledger.reviews import decide, disputed
from landloom.annotate.ledger.schema.models import Base
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.values import TaskKind
from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landloom.annotate.ledger.database import Ledger

PASSWORD = "correct horse battery"  # noqa: S105 - of people who do not exist


def fill_whole(ledger: Ledger) -> None:
    """Something in every table that an export holds."""
    fill(ledger, chips=2, kinds={0: TaskKind.REFERENCE, 1: TaskKind.BLIND, 2: TaskKind.PLANTED}, order="random")
    eve, rex = person(ledger, "eve", Role.EXPERT), person(ledger, "rex", Role.REVIEWER)
    hand_in(ledger, eve, take(ledger, NAME, eve, 1)[0])
    for name, labels in (("ada", TRUTH), ("ben", GUESS)):
        user = person(ledger, name)
        for loan in take(ledger, NAME, user, 4):
            hand_in(ledger, user, loan, labels)
        save_draft(ledger, NAME, user, take(ledger, NAME, user, 1)[0].id, GUESS, 0)
    decide(ledger, NAME, rex, disputed(ledger, NAME)[0].id, work(comment="=cmd"))
    set_password(ledger, eve, PASSWORD)
    login(ledger, "eve", PASSWORD)


def rows(ledger: Ledger, *, names: bool) -> dict[str, list[dict[str, Any]]]:
    found = {}
    with ledger.read() as connection:
        for table in Base.metadata.sorted_tables:
            if names or table.name not in SECRET:
                own = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
                found[table.name] = [dict(row) for row in own]
    if not names:
        for row in found["user_account"]:
            row.update(name=row["pseudonym"], name_key=row["pseudonym"], password=None)
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'other.sqlite'}"
        return
    with request.getfixturevalue("postgres_cluster").lent() as address:
        yield address


@pytest.mark.parametrize("names", [False, True])
def test_a_rebuilt_ledger_equals_the_original(ledger: Ledger, other_url: str, tmp_path: Path, *, names: bool) -> None:
    fill_whole(ledger)
    count = export_ledger(ledger, tmp_path / "export", names=names)
    kept = rows(ledger, names=names)
    assert count == sum(map(len, kept.values()))
    assert all(kept[table] for table in kept if table not in {"consensus_run", "login_failure", "invitation"})
    assert rebuild(tmp_path / "export", other_url) == {NAME: 10}
    with open_ledger(other_url) as other:
        assert rows(other, names=names) == kept
        assert verify(other, NAME) == 10
        assert chips(other, NAME) == chips(ledger, NAME)
        assert list(answered_tasks(other, NAME)) == list(answered_tasks(ledger, NAME))
        assert [one.sequence for one in submissions(other, NAME)] == [one.sequence for one in submissions(ledger, NAME)]
        cas = person(other, "cas")  # work goes on: numbers count up from where they were
        assert hand_in(other, cas, take(other, NAME, cas, 1)[0]).sequence == 11
        assert verify(other, NAME) == 11
        if names:
            assert login(other, "EVE", PASSWORD)[1].user.name == "eve"


def test_an_export_names_nobody(ledger: Ledger, tmp_path: Path) -> None:
    fill(ledger)
    user = create_user(ledger, "Grace Hopper", PASSWORD)
    login(ledger, "grace hopper", PASSWORD)
    export_ledger(ledger, tmp_path / "export")
    assert json.loads((tmp_path / "export" / DOCUMENT).read_text())["names"] is False
    for path in (tmp_path / "export").iterdir():
        assert path.stem not in SECRET
        text_of = str(pq.read_table(path).to_pylist()) if path.suffix == ".parquet" else path.read_text()
        assert "race" not in text_of.replace("trace", "")
        assert "argon2" not in text_of
        assert (user.pseudonym in text_of) == (path.stem in {"user_account", "audit_event"})


@pytest.fixture
def export(ledger: Ledger, tmp_path: Path) -> Path:
    fill_whole(ledger)
    export_ledger(ledger, tmp_path / "export")
    return tmp_path / "export"


def rewrite(path: Path, column: str, value: Any) -> None:
    table = pq.read_table(path)
    values = table[column].to_pylist()
    values[2] = value
    changed = table.set_column(table.schema.get_field_index(column), table.schema.field(column), [values])
    pq.write_table(changed, path)


@pytest.mark.parametrize(("column", "value"), [("labels", WRONG), ("seconds", 99.0), ("sequence", 99)])
def test_an_altered_export_is_refused(export: Path, tmp_path: Path, column: str, value: Any) -> None:
    rewrite(export / "submission.parquet", column, value)
    with pytest.raises(TamperedError):
        rebuild(export, f"sqlite:///{tmp_path / 'other.sqlite'}")


def test_what_is_no_export_is_refused(export: Path, tmp_path: Path) -> None:
    def refused(message: str, kind: type[Exception] = InvalidInputError) -> None:
        (tmp_path / "new.sqlite").unlink(missing_ok=True)
        with pytest.raises(kind, match=message):
            rebuild(export, f"sqlite:///{tmp_path / 'new.sqlite'}")

    document = (export / DOCUMENT).read_text()
    for damaged in ("", "[]", "{}", '{"format": 1, "revision": "1", "rows": {"task": "x"}}'):
        (export / DOCUMENT).write_text(damaged)
        refused("document of an exported ledger")
    (export / DOCUMENT).write_text(document.replace('"format": 1', '"format": 2'))
    refused("got an export of format 2")
    (export / DOCUMENT).write_text(document.replace('"task":', '"tasks":'))
    refused("got the tables")
    (export / DOCUMENT).write_text(document.replace('"revision": "', '"revision": "9'))
    refused("update landloom", LedgerUnavailableError)
    (export / DOCUMENT).write_text(document)
    (export / "chip.parquet").write_bytes(b"PAR1")
    refused("chip.parquet: cannot be read")
    (export / DOCUMENT).unlink()
    refused("ledger.json")


def test_nothing_is_overwritten(ledger: Ledger, ledger_url: str, tmp_path: Path) -> None:
    fill_whole(ledger)
    export_ledger(ledger, tmp_path / "export")
    with pytest.raises(ConflictError, match="exists already"):
        export_ledger(ledger, tmp_path / "export")
    with pytest.raises(ConflictError, match="holds a ledger already"):
        rebuild(tmp_path / "export", ledger_url)
    with ledger.read() as connection:
        assert connection.execute(text("select count(*) from submission")).scalar_one() == 10
