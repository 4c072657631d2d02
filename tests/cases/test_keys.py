"""Names of files that others wrote: one rule, wherever a name comes in; what is refused costs itself alone."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.query.faulty import Faulty, serving

from landloom.corpus.audit.validate import validate
from landloom.corpus.manifest import FileEntry, manifest_schema, read_manifest
from landloom.errors import InvalidDocumentError, StoreError
from landloom.model.keys import MAX_KEY, folded, key_fault, refused_keys
from landloom.query.search import found_files, stac_search
from landloom.query.transfer.destination import Wanted, plan_download
from landloom.store.local import LocalStore
from landloom.store.objects import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

NOWHERE = {
    "line feed": "resources/a\nb.bin",
    "carriage return": "resources/a\rb.bin",
    "escape": "resources/a\x1b[2Jb.bin",
    "NUL": "resources/a\0b",
    "C1 control": "resources/a\x9bb",
    "line separator": "resources/a\u2028b",
    "turned text": "resources/a\u202egpj.exe",
    "lone surrogate": "resources/a\ud800b",
    "long key": "/".join(["x" * 100] * 11),
    "very long key": "x" * 5_000,
    "long component": "resources/" + "x" * 256,
    "component of many bytes": "resources/" + "é" * 128,
    "above": "../a",
    "above within": "resources/../../a",
    "absolute": "/etc/passwd",
    "twice a slash": "resources//a",
    "a folder": "resources/",
    "here": "./a",
    "backslash": "resources\\..\\..\\a",
    "drive": "C:/Windows/a",
    "relative to a drive": "c:a",
    "device": "resources/CON",
    "device with ending": "resources/aux.tif",
    "device as folder": "lpt1/a",
    "dot at the end": "resources/a.",
    "space at the end": "resources/a ",
    "unfinished": "resources/.a.landloom-tmp",
    "nothing": "",
}
OURS = {
    "terms": "LICENSES.md",
    "terms in another case": "licenses.MD",
    "state": ".landloom/download.jsonl",
    "state in another case": ".LandLoom/x",
    "below our file": "LICENSES.md/a",
}
SOUND = ["imagery/33N/16E-243N/a.tif", "resources/é ü.csv", "Ärger/ﬁ.tif", ".hidden/x", "a b/c.d.e", "x" * 255]


@pytest.mark.parametrize("key", NOWHERE.values(), ids=NOWHERE)
def test_no_store_takes_such_a_key(key: str, tmp_path: Path) -> None:
    assert key_fault(key) is not None
    for store in (LocalStore(tmp_path), ObjectStore("memory://")):
        for act in (store.get, store.size, store.exists, store.delete, lambda name, to=store: to.put(name, b"")):
            with pytest.raises(StoreError, match="got key"):
                act(key)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", [*NOWHERE.values(), *OURS.values()], ids=[*NOWHERE, *OURS])
def test_a_download_leaves_out_such_a_name_and_takes_the_others(key: str, tmp_path: Path) -> None:
    plan = plan_download([Wanted(path=key), Wanted(path="a/b.tif")], tmp_path)
    assert [problem.where for problem in plan.refused] == [key]
    assert [item.path for item in plan.missing] == ["a/b.tif"]
    assert len(str(plan.refused[0])) < 6_000


@pytest.mark.parametrize("key", SOUND)
def test_what_is_sound_stays(key: str, tmp_path: Path) -> None:
    assert refused_keys([key]) == {}
    LocalStore(tmp_path).put(key, b"1")
    assert [entry.key for entry in LocalStore(tmp_path).list()] == [key]


@pytest.mark.parametrize(
    ("keys", "refused"),
    [
        (["a.tif", "A.tif"], ["A.tif"]),
        (["é.tif", "e\u0301.tif"], ["e\u0301.tif"]),
        (["Straße/a", "STRASSE/a"], ["STRASSE/a"]),
        (["a", "a/b"], ["a/b"]),
        (["a/b", "A"], ["A"]),
        (["x/a", "X/b"], []),
    ],
)
def test_of_names_that_some_disk_takes_for_one_the_first_stays(keys: list[str], refused: list[str]) -> None:
    assert list(refused_keys(keys)) == refused


@given(keys=st.lists(st.text("aA/é.\u0301\n ", max_size=6), unique=True, max_size=12))
def test_what_is_taken_can_lie_on_one_disk_of_any_kind(keys: list[str]) -> None:
    refused = refused_keys(keys)
    taken = [key for key in keys if key not in refused]
    forms = {folded(key) for key in taken}
    assert len(forms) == len(taken)
    assert all(key_fault(key) is None and len(key) <= MAX_KEY for key in taken)
    assert not any(f"{one}/" == other[: len(one) + 1] for one in forms for other in forms)


def add_names(manifest: Path, names: list[bytes]) -> int:
    """Name further files in a manifest, which holds them as bytes say; how many it had."""
    table = pq.read_table(manifest)
    rows = pa.table(
        {
            "path": pa.Array.from_buffers(pa.string(), len(names), pa.array(names, pa.binary()).buffers()),
            "bytes": [3] * len(names),
            "sha256": pa.array([bytes(32)] * len(names), pa.binary(32)),
        },
        schema=manifest_schema(),
    )
    pq.write_table(pa.concat_tables([table, rows]), manifest)
    return int(table.num_rows)


def test_a_manifest_with_bad_names_costs_those_files_alone(
    tiny_corpus: Path, tmp_path: Path, run: Callable[..., Ran]
) -> None:
    web = tmp_path / "web"
    shutil.copytree(tiny_corpus, web)
    bad = [key.encode(errors="surrogatepass") for key in (*NOWHERE.values(), *OURS.values())]
    own = add_names(web / "manifest" / "corpus.parquet", bad)
    with serving(Faulty(files=lambda path: (web / path).read_bytes())) as server:
        done = run("download", server.address, tmp_path / "out", "--resources")
    assert done.code == 1
    assert "Traceback" not in done.err
    assert "\x1b" not in done.out + done.err
    came = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {"corpus.json", "README.md", "croissant.json", "index/samples.parquet"} <= came | {"corpus.json"}
    assert len([name for name in came if not name.startswith(".landloom")]) >= min(own, 5)
    found = [problem for problem in validate(LocalStore(web)) if problem.what.startswith("got key")]
    assert len(found) == len(set(bad))


@pytest.mark.parametrize(
    "columns",
    [
        {"path": [1], "bytes": [1], "sha256": [b"1" * 32]},
        {"path": ["a"], "bytes": ["1"], "sha256": [b"1" * 32]},
        {"path": ["a"], "bytes": [1], "sha256": [b"1"]},
        {"path": ["a"], "bytes": [1]},
    ],
)
def test_a_table_that_is_no_manifest_is_said(columns: dict[str, list[object]]) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    with pytest.raises(InvalidDocumentError, match="got columns"):
        read_manifest(sink.getvalue().to_pybytes())


@pytest.mark.parametrize("row", [("a", None, bytes(32)), (None, 1, bytes(32)), ("a", 1, None), ("a", -1, bytes(32))])
def test_a_row_without_a_value_is_said(row: tuple[object, ...]) -> None:
    nullable = pa.schema([pa.field(field.name, field.type) for field in manifest_schema()])
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table([[value] for value in row], schema=nullable), sink)
    with pytest.raises(InvalidDocumentError, match="row 0: misses a value"):
        read_manifest(sink.getvalue().to_pybytes())


def test_links_are_held_to_the_same_rule(tmp_path: Path) -> None:
    (tmp_path / "catalog.json").write_text(
        '{"type": "Catalog", "id": "c", "links": [{"rel": "item", "href": "i.json"}]}'
    )
    (tmp_path / "i.json").write_text(
        '{"type": "Feature", "id": "i", "assets": {"a": {"href": "a%0Ab.tif"}, "b": {"href": "LICENSES.md"},'
        ' "c": {"href": "sound.tif"}}}'
    )
    files = found_files(stac_search(str(tmp_path / "catalog.json")), str(tmp_path))
    plan = plan_download(files, tmp_path / "out")
    assert [problem.where for problem in plan.refused] == ["LICENSES.md", "a\nb.tif"]
    assert [item.path for item in plan.missing] == ["sound.tif"]
    assert FileEntry.of("a", b"").size == 0
