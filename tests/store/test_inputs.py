"""Files are compared with the version that was read, wherever they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.errors import FaultError
from landloom.store.inputs import changed
from landloom.store.open import open_store
from landloom.store.ranges import open_source
from landloom.store.versions import Version, noted_versions

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web import FaultyServer


def test_web_files(faulty: FaultyServer, tmp_path: Path) -> None:
    for name in ("same", "longer", "stamped", "gone"):
        (tmp_path / name).write_bytes(b"x" * 100)
    with noted_versions() as noted:
        for name in ("same", "longer", "gone"):
            open_source(f"{faulty.address}/{name}").close()
        with pytest.raises(FaultError, match="404"):
            open_source(f"{faulty.address}/late")
    assert changed(noted) == set()
    (tmp_path / "longer").write_bytes(b"x" * 101)
    (tmp_path / "gone").unlink()
    (tmp_path / "late").write_bytes(b"x")
    assert changed(noted) == {f"{faulty.address}/{name}" for name in ("longer", "gone", "late")}
    faulty.heads = 503
    assert changed(noted) == set(), "who does not answer has not changed"


def test_a_file_of_several_tiles_is_asked_for_once(faulty: FaultyServer, tmp_path: Path) -> None:
    (tmp_path / "shared").write_bytes(b"x" * 100)
    with noted_versions() as noted:
        open_source(f"{faulty.address}/shared").close()
    known = dict(noted)
    asked: dict[str, Version | None] = {}
    assert changed(known, asked=asked) == set()
    (tmp_path / "shared").write_bytes(b"x" * 101)
    assert changed(known, asked=asked) == set(), "the answer of before counts"
    assert changed({href: Version(size=99) for href in known}, asked=asked) == set(known), "also of another tile"
    assert changed(known, asked={}) == set(known)


@pytest.mark.parametrize("kind", ["s3", "azure", "gs"])
def test_stored_files(kind: str, request: pytest.FixtureRequest) -> None:
    store = open_store(f"{request.getfixturevalue(kind)}/inputs")
    store.put("a", b"one")
    store.put("b", b"one")
    with noted_versions() as noted:
        for key in ("a", "b"):
            open_source(store.href(key)).close()
    assert changed(noted) == set()
    store.put("a", b"two")
    assert changed(noted) == {store.href("a")}


def test_a_folder_of_a_store_is_listed(s3: str) -> None:
    from landloom.store.network.traffic import traffic

    store = open_store(f"{s3}/listed")
    keys = [f"scene/B{number:02d}.tif" for number in range(9)]
    with noted_versions() as noted:
        for key in keys:
            store.put(key, b"one")
            open_source(store.href(key)).close()
    traffic()
    assert changed(noted) == set()
    assert sum(host.requests for host in traffic().values()) == 1
    store.put(keys[3], b"two")
    store.delete(keys[4])
    traffic()
    assert changed(noted) == {store.href(key) for key in keys[3:5]}
    assert sum(host.requests for host in traffic().values()) <= 4, "what differs is asked again by itself"


def test_local_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    known = {str(tmp_path / "a"): Version(size=1), "/vsizip/x.zip/a.tif": Version(), "\0": Version(absent=True)}
    assert changed(known) == set()
    (tmp_path / "a").write_bytes(b"xx")
    assert changed(known) == {str(tmp_path / "a")}
