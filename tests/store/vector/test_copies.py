"""Files that lie elsewhere, or packed, as files of this disk."""

from __future__ import annotations

import gzip
import zipfile
from typing import TYPE_CHECKING

import pytest
from tests.cases.vector_files import FORMS, parcels, signed_server

from landloom.errors import InvalidInputError, MissingKeyError, StoreError
from landloom.store.vector.copies import head_of, local_copy, unpacked
from landloom.store.vector.forms import Form

if TYPE_CHECKING:
    from pathlib import Path


def test_a_copy_is_fetched_once_for_each_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLOOM_CACHE", str(tmp_path / "cache"))
    (tmp_path / "web").mkdir()
    with signed_server(tmp_path / "web") as address:
        href = f"{address}/a?sig=a%2Fb"
        for content, copies in ((b"one", 1), (b"one", 1), (b"two", 2)):
            (tmp_path / "web" / "a").write_bytes(content)
            with local_copy(href) as path:
                assert path.read_bytes() == content
            assert len(list((tmp_path / "cache" / "vectors").iterdir())) == copies
        assert head_of(href) == b"two"
        for wrong, error in ((f"{address}/a", Exception), (f"{address}/b?sig=a%2Fb", MissingKeyError)):
            with pytest.raises(error, match="40"), local_copy(wrong):
                pass


def test_archives_folders_and_utf_16_are_unpacked(tmp_path: Path) -> None:
    FORMS["shp"](parcels(), tmp_path)
    with unpacked(str(tmp_path), None) as (path, form, layer):
        assert (path.name, form, layer) == ("p.shp", Form.SHAPEFILE, None)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress("id;wkt".encode("utf-16")))
    with unpacked(str(tmp_path / "a.csv.gz"), None) as (path, form, _):
        assert (path.read_text(encoding="utf-8"), form) == ("id;wkt", Form.TEXT)
    for name, error in (("none.gpkg", MissingKeyError), ("a.zip", StoreError)):
        (tmp_path / "a.zip").write_bytes(b"PK\x03\x04")
        with pytest.raises(error, match=name), unpacked(str(tmp_path / name), None):
            pass
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("../../escape.geojson", "{}")
        archive.writestr("readme.txt", "x")
    with unpacked(str(tmp_path / "b.zip"), None) as (path, form, _):
        assert (path.name, form) == ("escape.geojson", Form.JSON)
    assert not list(tmp_path.parent.glob("escape*"))
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(InvalidInputError, match="holds no vector file"), unpacked(str(tmp_path / "c.zip"), None):
        pass
