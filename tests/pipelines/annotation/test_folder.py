"""The folder of a campaign: relative where it can be, and never a password."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from landloom.errors import CorpusError, InvalidDocumentError
from landloom.pipelines.annotation.folder import (
    DOCUMENT,
    VARIABLE,
    database_address,
    open_folder,
    public_database,
    write_folder,
)

if TYPE_CHECKING:
    from pathlib import Path

SERVER = "postgresql+psycopg://land:secret@db.example.org:5432/loom"


def test_corpus_and_campaign_can_be_moved_together(tmp_path: Path) -> None:
    (tmp_path / "a" / "corpus").mkdir(parents=True)
    folder = tmp_path / "a" / "annotation"
    write_folder(folder, "first", str(tmp_path / "a" / "corpus"), database_address(folder, None, {}), {"seed": 1})
    assert str(tmp_path) not in (folder / DOCUMENT).read_text(encoding="utf-8")
    shutil.move(tmp_path / "a", tmp_path / "b")
    opened = open_folder(tmp_path / "b" / "annotation", {})
    assert opened.name == "first"
    assert opened.is_embedded
    assert (tmp_path / "b" / "annotation" / opened.corpus).resolve() == (tmp_path / "b" / "corpus").resolve()
    assert opened.database == f"sqlite:///{tmp_path / 'b' / 'annotation' / 'ledger.sqlite'}"


def test_passwords_are_never_written(tmp_path: Path) -> None:
    corpus = "https://user:token@example.org/corpus?sig=abcdef"
    write_folder(tmp_path / "annotation", "first", corpus, SERVER, {})
    text = (tmp_path / "annotation" / DOCUMENT).read_text(encoding="utf-8")
    assert not any(word in text for word in ("secret", "token", "abcdef"))
    assert open_folder(tmp_path / "annotation", {}).database == public_database(SERVER)
    assert open_folder(tmp_path / "annotation", {VARIABLE: SERVER}).database == SERVER
    assert open_folder(tmp_path / "annotation", {VARIABLE: SERVER}).corpus == "https://example.org/corpus"


def test_the_environment_does_not_move_an_embedded_ledger(tmp_path: Path) -> None:
    write_folder(tmp_path, "first", "rapidai4eo", database_address(tmp_path, None, {}), {})
    assert open_folder(tmp_path, {VARIABLE: SERVER}).is_embedded
    assert open_folder(tmp_path, {}).corpus == "rapidai4eo"


def test_addresses_of_databases(tmp_path: Path) -> None:
    assert database_address(tmp_path, "sqlite:///x.sqlite", {VARIABLE: SERVER}) == "sqlite:///x.sqlite"
    assert database_address(tmp_path, None, {VARIABLE: SERVER}) == SERVER
    assert public_database("sqlite:////a/ledger.sqlite") == "sqlite:////a/ledger.sqlite"
    assert public_database("postgresql://u:p@h/d?password=x") == "postgresql://u@h/d"


def test_what_is_no_campaign_is_said(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"got no campaign\.json"):
        open_folder(tmp_path / "nothing")
    (tmp_path / DOCUMENT).write_text('{"name": "first"}', encoding="utf-8")
    with pytest.raises(InvalidDocumentError, match="expected JSON with name, corpus and ledger"):
        open_folder(tmp_path)
