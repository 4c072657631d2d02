"""`landloom annotate backup` and `rebuild`, on ledgers of both kinds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.annotate.ledger.made import NAME, fill, hand_in, person

from landloom.annotate.ledger.chain import verify
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.ledger.queue import take
from landloom.pipelines.annotation.folder import VARIABLE, write_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran


@pytest.fixture
def folder(ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a campaign with two submissions."""
    home = tmp_path / "annotation"
    url = ledger_url if ledger_url.startswith("postgresql") else f"sqlite:///{home / 'ledger.sqlite'}"
    write_folder(home, NAME, str(tmp_path / "corpus"), url, {})
    if url == ledger_url:
        monkeypatch.setenv(VARIABLE, url)
    with open_ledger(url) as ledger:
        fill(ledger)
        ada = person(ledger, "Ada")
        for loan in take(ledger, NAME, ada, 2):
            hand_in(ledger, ada, loan)
    return home


def test_a_backup_is_a_ledger_or_makes_one(folder: Path, tmp_path: Path, run: Callable[..., Ran]) -> None:
    done = run("annotate", "backup", folder, "--out", tmp_path / "copy")
    assert (done.code, done.err) == (0, "")
    assert "with accounts" in done.out
    url = f"sqlite:///{tmp_path / 'copy'}"
    if (tmp_path / "copy").is_dir():
        url = f"sqlite:///{tmp_path / 'new.sqlite'}"
        rebuilt = run("annotate", "rebuild", tmp_path / "copy", "--database", url)
        assert rebuilt.out == f"{NAME}: 2 submissions, all verified\n"
    with open_ledger(url, migrate=False) as ledger:
        assert verify(ledger, NAME) == 2
    again = run("annotate", "backup", folder, "--out", tmp_path / "copy")
    assert (again.code, "exists already" in again.err) == (1, True)


def test_backups_without_names_go_beside_the_campaign(folder: Path, tmp_path: Path, run: Callable[..., Ran]) -> None:
    told = json.loads(run("annotate", "backup", folder, "--pseudonyms", "--json").out)
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    assert json.loads(run("annotate", "rebuild", told["backup"], "--database", url, "--json").out) == {
        "campaigns": {NAME: 2}
    }
    assert [path.name for path in (folder / "backups").iterdir()] == [told["backup"].rpartition("/")[2]]
    refused = run("annotate", "rebuild", folder, "--database", f"sqlite:///{tmp_path / 'other.sqlite'}")
    assert (refused.code, "expected the document of an exported ledger" in refused.err) == (1, True)


def test_a_folder_without_campaign_is_refused(tmp_path: Path, run: Callable[..., Ran]) -> None:
    done = run("annotate", "backup", tmp_path)
    assert (done.code, "campaign.json" in done.err) == (1, True)
