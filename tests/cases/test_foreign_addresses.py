"""What an archive on the web names stays on the web: nothing local, no private host, no host beyond the list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.cases.archives import only_chip, write_band, write_catalog, write_recipe, write_scene

from landloom.errors import FaultError, LandloomError
from landloom.pipelines.build import build
from landloom.query.transfer.destination import Wanted
from landloom.query.transfer.file import fetch
from landloom.query.transfer.parts import estimate_bytes
from landloom.query.transfer.stores import open_transfer_store
from landloom.store.open import open_store
from landloom.store.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran
    from tests.web import FaultyServer


@pytest.fixture
def recipe(faulty: FaultyServer, tmp_path: Path) -> Path:
    """Two scenes on the web, of 2,000 and of 4,000; a third file with a secret lies on this machine."""
    for name, day, value in (("x", "2018-06-05", 2000), ("y", "2018-06-15", 4000)):
        write_scene(tmp_path / "archive", name, day, {"B04": value, "B08": value})
    write_catalog(tmp_path / "archive", "x", "y")
    (tmp_path / "home").mkdir()
    write_band(tmp_path / "home/private.tif", 9000)
    return write_recipe(tmp_path, f"{faulty.address}/archive/catalog.json")


def point(recipe: Path, href: str) -> None:
    """Let the second scene's red band be elsewhere."""
    path = recipe.parent / "archive/y/item.json"
    item = json.loads(path.read_text(encoding="utf-8"))
    item["assets"]["B04"]["href"] = href
    path.write_text(json.dumps(item), encoding="utf-8")


LOCAL: dict[str, Callable[[Path], str]] = {
    "file address": lambda home: f"file://{home}/private.tif",
    "absolute path": lambda home: f"{home}/private.tif",
    "GDAL's file system": lambda home: f"/vsisubfile/0_99999,{home}/private.tif",
    "GDAL's web client": lambda _: "/vsicurl/http://127.0.0.1:1/private.tif",
    "metadata address": lambda _: "http://169.254.169.254/latest/meta-data/",
    "metadata address, mapped": lambda _: "http://[::ffff:169.254.169.254]/latest",
    "unknown scheme": lambda home: f"zip://{home}/private.zip",
    "no host": lambda _: "http:///private.tif",
    "bad port": lambda _: "http://127.0.0.1:99999/private.tif",
}


@pytest.mark.parametrize("kind", LOCAL)
def test_a_scene_that_names_a_foreign_file_is_left_out_by_name(recipe: Path, kind: str) -> None:
    point(recipe, LOCAL[kind](recipe.parent / "home"))
    done = build(recipe)
    assert only_chip(done.corpus)[0].max() == 2004, "only the first scene"
    assert any("y" in note for note in done.notes), done.notes


def test_a_link_to_a_local_document_is_left_out_by_name(recipe: Path, tmp_path: Path) -> None:
    write_scene(tmp_path / "home", "z", "2018-06-20", {"B04": 9000, "B08": 9000})
    path = tmp_path / "archive/catalog.json"
    catalog = json.loads(path.read_text(encoding="utf-8"))
    catalog["links"].append({"rel": "item", "href": f"file://{tmp_path}/home/z/item.json"})
    path.write_text(json.dumps(catalog), encoding="utf-8")
    done = build(recipe)
    assert only_chip(done.corpus)[0].min() == 3000, "the median of the two scenes on the web"
    assert any("names file://" in note for note in done.notes), done.notes


def test_the_option_limits_hosts(
    recipe: Path, run: Callable[..., Ran], faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDLOOM_HOSTS", "")  # what the option sets is undone with it
    refused = run("build", str(recipe), "--hosts", "example.org", "--workers", "1")
    assert refused.code == 1
    assert "127.0.0.1 is not among the hosts" in refused.err
    assert faulty.requests == []
    assert run("build", str(recipe), "--hosts", "example.org,127.0.0.1", "--workers", "1").code == 0


def test_an_address_that_a_recipe_names_itself_may_be_local(recipe: Path, tmp_path: Path) -> None:
    write_recipe(tmp_path, tmp_path / "archive/catalog.json")
    point(recipe, f"file://{tmp_path}/home/private.tif")
    assert only_chip(build(recipe).corpus)[0].min() == (2000 + 9000) // 2


@pytest.mark.parametrize(
    "href", ["http://169.254.169.254/catalog.json", "ftp://example.org/catalog.json", "http://[::1"]
)
def test_a_recipe_that_names_what_may_not_be_contacted_is_refused(recipe: Path, tmp_path: Path, href: str) -> None:
    write_recipe(tmp_path, href)
    with pytest.raises(LandloomError):
        build(recipe)


@pytest.mark.parametrize("read", ["a file", "a size"])
def test_a_download_follows_redirects_to_listed_hosts_only(
    faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, read: str
) -> None:
    (faulty.root / "b.tif").write_bytes(b"bytes")
    faulty.redirect["/a.tif"] = faulty.redirect["/moved/x/a.tif"] = (
        302,
        faulty.address.replace("127.0.0.1", "localhost") + "/b.tif",
    )

    def answer() -> int:
        faulty.requests.clear()
        if read == "a size":
            return estimate_bytes(open_store(faulty.address), [Wanted(path="moved/x/a.tif")])
        once = Patience(attempts=1)
        store = open_transfer_store(faulty.address)
        return fetch(store, "a.tif", tmp_path / "part", base=faulty.address, patience=once).size

    monkeypatch.setenv("LANDLOOM_HOSTS", "127.0.0.1")
    with pytest.raises(FaultError, match="localhost is not among the hosts"):
        answer()
    assert set(faulty.requests) <= {"/a.tif", "/moved/x/a.tif"}
    monkeypatch.setenv("LANDLOOM_HOSTS", "127.0.0.1,localhost")
    assert answer() == 5
