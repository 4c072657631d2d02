"""Whole small files from a folder, a server and a store, with one set of faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.errors import MissingKeyError, PermanentFaultError, TransientFaultError
from landloom.store.href_documents import HrefDocuments
from landloom.store.patience import Patience

if TYPE_CHECKING:
    from tests.web import FaultyServer


def test_the_same_bytes_by_path_url_and_server(faulty: FaultyServer) -> None:
    path = faulty.root / "catalog.json"
    path.write_bytes(b'{"id": "a"}')
    documents = HrefDocuments()
    for href in (str(path), path.as_uri(), f"{faulty.address}/catalog.json"):
        assert documents.read(href) == b'{"id": "a"}'


def test_what_is_missing_is_named_wherever_it_is_missing(faulty: FaultyServer) -> None:
    documents = HrefDocuments()
    (faulty.root / "file").touch()
    for href in (str(faulty.root / "no.json"), str(faulty.root / "file" / "no.json"), f"{faulty.address}/no.json"):
        with pytest.raises(MissingKeyError, match=r"no\.json"):
            documents.read(href)


def test_a_folder_is_no_document(faulty: FaultyServer) -> None:
    with pytest.raises(PermanentFaultError, match="a folder, expected a file"):
        HrefDocuments().read(str(faulty.root))


def test_a_server_is_asked_as_often_as_patience_says(faulty: FaultyServer) -> None:
    (faulty.root / "a.json").write_bytes(b"{}")
    waits: list[float] = []
    faulty.fail()
    with pytest.raises(TransientFaultError):
        HrefDocuments(Patience(attempts=3, sleep=waits.append)).read(f"{faulty.address}/a.json")
    assert (len(faulty.requests), len(waits)) == (3, 2)
