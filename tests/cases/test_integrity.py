"""Everything that is published is covered by a digest: one changed byte anywhere is found, whoever reads it."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pytest
from tests.query.faulty import Faulty, serving

from landloom.corpus.audit.validate import audit, digest, validate
from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.layout import CORPUS, INDEX, ROOT
from landloom.corpus.manifest import FileEntry, manifest_bytes, read_manifest
from landloom.corpus.root import RootDigest
from landloom.engine.run import Silent
from landloom.errors import CorpusError, ForeignCorpusError, InvalidDocumentError, InvalidInputError, LandloomError
from landloom.formats.zarr.cubes import CubeReader
from landloom.formats.zarr.metadata import with_checksum, without_checksum
from landloom.publication.layouts import export
from landloom.publication.publish import publish
from landloom.publication.upload import MARKER, Upload
from landloom.query.corpus import Corpus
from landloom.query.index.arrays import load, pack, unpack
from landloom.query.transfer.destination import plan_download, verify
from landloom.query.transfer.download import download
from landloom.query.transfer.download_journal import JOURNAL, STATE
from landloom.query.transfer.parts import part_files
from landloom.query.transfer.stores import open_transfer_store
from landloom.store.local import LocalStore
from landloom.store.objects import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

BASE = "https://example.org/tiny"


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


def places(size: int) -> list[int]:
    """First, last and middle byte, and one within every power of two."""
    return sorted({0, size - 1, size // 2, *(2**power for power in range(size.bit_length()) if 2**power < size)})


@pytest.fixture(scope="module")
def whole(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published corpus of both layouts."""
    folder = tmp_path_factory.mktemp("whole")
    export(str(tiny_corpus), folder / "both", ["chips", "cubes"])
    publish(str(folder / "both"), f"file://{folder / 'public'}", BASE)
    return folder / "public"


def one_of_each(corpus: Path) -> list[str]:
    """A file of every kind, by its folder and ending; all documents at the root."""
    kinds: dict[object, str] = {}
    for path in sorted(corpus.rglob("*")):
        key = path.relative_to(corpus).as_posix()
        if path.is_file() and path.stat().st_size:
            parts = key.split("/")
            kinds.setdefault(key if len(parts) == 1 else (parts[0], parts[-2][:1], path.suffix, "zarr" in key), key)
    return list(kinds.values())


def test_a_flipped_bit_in_any_kind_of_file_is_found(whole: Path, tmp_path: Path) -> None:
    assert validate(LocalStore(whole)) == []
    kinds = one_of_each(whole)
    assert {CORPUS, ROOT, INDEX, "README.md", "croissant.json", "manifest/corpus.parquet"} <= set(kinds)
    shutil.copytree(whole, tmp_path / "c")
    for key in kinds:
        data = (whole / key).read_bytes()
        for place in (0, len(data) // 2, len(data) - 1):
            (tmp_path / "c" / key).write_bytes(flipped(data, place))
            try:
                found = {problem.where for problem in validate(LocalStore(tmp_path / "c"))}
            except LandloomError as error:
                found = {str(error)}
            assert any(key in where or where == ROOT for where in found), (key, place, found)
        (tmp_path / "c" / key).write_bytes(data)
    assert validate(LocalStore(tmp_path / "c")) == []


@pytest.mark.parametrize("kind", ["swapped", "edited", "removed", "added"])
def test_files_that_are_exchanged_are_found(whole: Path, tmp_path: Path, kind: str) -> None:
    shutil.copytree(whole, tmp_path / "c")
    chips = sorted((tmp_path / "c").rglob("*.tif"))
    document = tmp_path / "c" / CORPUS
    match kind:
        case "swapped":
            chips[0].rename(tmp_path / "x")
            chips[1].rename(chips[0])
            (tmp_path / "x").rename(chips[1])
        case "edited":
            text = document.read_bytes()
            document.write_bytes(text.replace(b"CC0-1.0", b"CC9-1.0").replace(b"CC-BY", b"CC-XY"))
            assert document.read_bytes() != text
        case "removed":
            (tmp_path / "c" / ROOT).unlink()
        case _:
            (tmp_path / "c" / "manifest" / "99N").mkdir()
            (tmp_path / "c" / "manifest" / "99N" / "x.parquet").write_bytes(manifest_bytes([]))
    assert validate(LocalStore(tmp_path / "c"))


def test_a_file_and_its_manifest_edited_together_are_found(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "c")
    card, manifest = tmp_path / "c" / "README.md", tmp_path / "c" / "manifest" / "corpus.parquet"
    card.write_bytes(b"# Another\n")
    entries = [
        FileEntry.of("README.md", card.read_bytes()) if entry.path == "README.md" else entry
        for entry in read_manifest(manifest.read_bytes())
    ]
    manifest.write_bytes(manifest_bytes(entries))
    assert [problem.where for problem in validate(LocalStore(tmp_path / "c"))] == ["manifest/corpus.parquet"]


def test_the_root_digest_is_what_is_printed(whole: Path, run: Callable[..., Ran]) -> None:
    root = RootDigest.parse((whole / ROOT).read_bytes())
    assert root.digest == digest(LocalStore(whole)) == orjson.loads((whole / ROOT).read_bytes())["digest"]
    assert run("validate", whole, "--digest").out.strip() == root.digest


def test_every_flip_in_the_root_digest_is_found(whole: Path) -> None:
    data = (whole / ROOT).read_bytes()
    for place in range(0, len(data), 7):
        with pytest.raises(InvalidDocumentError):
            RootDigest.parse(flipped(data, place))


@pytest.mark.parametrize("key", [CORPUS, INDEX, ROOT])
@pytest.mark.parametrize("remote", [False, True], ids=["folder", "web"])
def test_a_damaged_corpus_does_not_open(whole: Path, tmp_path: Path, key: str, remote: bool) -> None:  # noqa: FBT001 - a parameter of the test
    shutil.copytree(whole, tmp_path / "c")
    path = tmp_path / "c" / key
    path.write_bytes(flipped(path.read_bytes(), path.stat().st_size // 2))
    files = Faulty(files=lambda name: (tmp_path / "c" / name).read_bytes(), etags=False)
    with serving(files) as server, pytest.raises((CorpusError, InvalidDocumentError, InvalidInputError)):
        Corpus.open(server.address if remote else tmp_path / "c", cache=tmp_path / "cache")


def test_what_is_downloaded_whole_validates_and_verifies(whole: Path, tmp_path: Path) -> None:
    corpus = Corpus.open(whole, cache=tmp_path / "cache")
    files = part_files(corpus, "all", LocalStore(whole))
    assert {CORPUS, ROOT} <= {item.path for item in files}
    assert all(item.sha256 for item in files)
    done = download(plan_download(files, tmp_path / "out"), open_transfer_store(str(whole)), corpus="tiny 1.0")
    assert done.failed == ()
    assert verify(tmp_path / "out") == []
    assert validate(LocalStore(tmp_path / "out")) == []
    for key in one_of_each(whole):
        path = tmp_path / "out" / key
        data = path.read_bytes()
        path.write_bytes(flipped(data, len(data) // 2))
        assert [problem.where for problem in verify(tmp_path / "out")] == [key]
        path.write_bytes(data)


def test_a_damaged_journal_of_a_download_is_found(whole: Path, tmp_path: Path) -> None:
    files = part_files(Corpus.open(whole, cache=tmp_path / "cache"), "labels", LocalStore(whole))
    download(plan_download(files, tmp_path / "out"), open_transfer_store(str(whole)), corpus="tiny 1.0")
    journal = tmp_path / "out" / STATE / JOURNAL
    data = journal.read_bytes()
    start = data.index(b"\n") + 1
    for place in range(start, min(len(data), start + 160)):
        if data[place : place + 1] == b"\n":
            continue
        journal.write_bytes(flipped(data, place))
        assert verify(tmp_path / "out") != [], place


@pytest.mark.parametrize("state", ["absent", "empty", "other files"])
def test_a_folder_to_which_nothing_was_downloaded_is_an_error(
    tmp_path: Path, run: Callable[..., Ran], state: str
) -> None:
    if state != "absent":
        (tmp_path / "out").mkdir()
    if state == "other files":
        (tmp_path / "out" / "a.tif").write_bytes(b"1")
    done = run("verify", tmp_path / "out")
    assert (done.code, "nothing was downloaded there" in done.err) == (1, True)


# Cubes and sidecars ---------------------------------------------------------------------------------------------------


def test_every_byte_of_a_cubes_array_is_covered(whole: Path) -> None:
    """Every flip is an error or leaves all that is read as it was."""
    array = next(whole.rglob("*.zarr"))
    files = {path.relative_to(array).as_posix(): path.read_bytes() for path in array.rglob("*") if path.is_file()}

    def read(given: dict[str, bytes]) -> list[object]:
        reader = CubeReader(given.__getitem__, lambda key, start, length: given[key][start : start + length])
        return [reader.spec, *(reader.read(place).tobytes() for place in range(len(reader.spec.samples)))]

    true = read(files)
    rng, found = np.random.default_rng(3), 0
    used = sorted(key for key in files if key == "zarr.json" or "/c/" in key)
    for key in used:
        size = len(files[key])
        for place in sorted({*places(size), *rng.integers(0, size, 20).tolist()}):
            try:
                assert read({**files, key: flipped(files[key], place)}) == true, (key, place)
            except LandloomError:
                found += 1
    assert found > 100


def test_checksums_are_those_of_the_codec_of_zarr(whole: Path) -> None:
    import zarr

    array = next(whole.rglob("*.zarr"))
    opened = zarr.open_group(str(array), mode="r")
    reader = CubeReader(
        lambda key: (array / key).read_bytes(), lambda key, start, n: (array / key).read_bytes()[start : start + n]
    )
    assert np.array_equal(np.asarray(opened["data"][0]), reader.read(0))  # type: ignore[index]
    assert without_checksum(with_checksum(b"x" * 99), "x") == b"x" * 99


def test_every_flip_in_a_sidecar_is_found() -> None:
    data = pack({"rows": np.arange(300), "words": np.array([b"a", b"bc"])}, {"name": "demo", "source": {"key": []}})
    for place in range(len(data)):
        with pytest.raises(InvalidInputError):
            unpack(flipped(data, place))
    for length in range(0, len(data), 97):
        with pytest.raises(InvalidInputError):
            unpack(data[:length])


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "zeros"])
def test_a_damaged_sidecar_is_rebuilt(tiny_corpus: Path, tmp_path: Path, damage: str) -> None:
    true = Corpus.open(tiny_corpus, cache=tmp_path).query(where="clc_1 <= 1").ids
    (sidecar,) = (tmp_path / "sidecars").iterdir()
    data = sidecar.read_bytes()
    changed = {"flip": flipped(data, len(data) // 2), "cut": data[:-64], "empty": b"", "zeros": bytes(len(data))}
    sidecar.unlink()  # the old one stays mapped
    sidecar.write_bytes(changed[damage])
    assert Corpus.open(tiny_corpus, cache=tmp_path).query(where="clc_1 <= 1").ids == true
    load(sidecar)


# Files that change, and several writers -------------------------------------------------------------------------------


@pytest.mark.parametrize("etags", [True, False])
def test_a_body_larger_than_the_manifest_says_is_cut(tmp_path: Path, etags: bool) -> None:  # noqa: FBT001 - a parameter of the test
    from landloom.query.transfer.destination import Wanted

    files = {"a.bin": b"x" * 5_000_000, "b.bin": b"sound"}
    wanted = [Wanted(path="a.bin", size=100, sha256="0" * 64), Wanted(path="b.bin", size=5, sha256=None)]
    with serving(Faulty(files=files.__getitem__, etags=etags)) as server:
        plan = plan_download(wanted, tmp_path)
        done = download(plan, open_transfer_store(server.address), corpus="x 1", base=server.address)
        assert server.gets().count("a.bin") == 1
    assert [problem.where for problem in done.failed] == ["a.bin"]
    assert "expected 100" in done.failed[0].what
    assert (tmp_path / "b.bin").read_bytes() == b"sound"


@pytest.mark.parametrize("kind", ["folder", "s3", "memory"])
def test_a_file_is_created_once(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = f"{request.getfixturevalue('s3')}/created" if kind == "s3" else "memory://"
    store = LocalStore(tmp_path) if kind == "folder" else ObjectStore(place)
    won: list[bool] = []
    barrier = threading.Barrier(4)

    def create(number: int) -> None:
        barrier.wait()
        won.append(store.create("a/b", bytes([number])))

    threads = [threading.Thread(target=create, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False, False, False, True]
    assert len(store.get("a/b")) == 1
    assert [entry.key for entry in store.list()] == ["a/b"]


class TakingOver:
    """A listener of a publish that lets another one begin in the middle."""

    def __init__(self, other: Callable[[], object], after: int) -> None:
        self.other, self.left = other, after

    def started(self, stage: str, total: int) -> None:
        """Nothing."""

    def advanced(self, unit: str, reason: str | None) -> None:
        del unit, reason
        self.left -= 1
        if self.left == 0:
            self.other()


@pytest.mark.parametrize("after", [1, 10])
def test_of_two_publishers_one_wins_and_the_other_says_so(tiny_corpus: Path, tmp_path: Path, after: int) -> None:
    for layout in ("chips", "cubes"):
        export(str(tiny_corpus), tmp_path / layout, [layout])
    target = tmp_path / "public"

    def other() -> None:
        publish(str(tmp_path / "cubes"), f"file://{target}", BASE)

    with pytest.raises(ForeignCorpusError, match="taken over"):
        publish(str(tmp_path / "chips"), f"file://{target}", BASE, listener=TakingOver(other, after), workers=1)
    store = LocalStore(target)
    assert not store.exists(MARKER)
    found = audit(store)
    stray = {problem.where for problem in found.problems if "in no manifest" in problem.what}
    assert {problem.where for problem in found.problems} == stray  # what the loser was sending just then
    assert not list(target.rglob("stac-v1.0/**/*.tmp"))


@pytest.mark.parametrize("finished", [True, False], ids=["published", "taken over"])
def test_a_late_request_of_the_loser_replaces_nothing(tiny_corpus: Path, tmp_path: Path, *, finished: bool) -> None:
    publish(str(tiny_corpus), f"file://{tmp_path}/public", BASE)
    store = LocalStore(tmp_path / "public")
    if not finished:
        store.put(MARKER, orjson.dumps({"name": "any", "run": "another"}))
    late = Upload(there=FinishedCorpus.open(str(tiny_corpus)), goal=store, listener=Silent())
    before = {entry.key: store.get(entry.key) for entry in store.list()}
    for key, data in before.items():
        late.write(key, data)
        with pytest.raises(ForeignCorpusError, match="taken over"):
            late.write(key, data + b" ")
    assert {entry.key: store.get(entry.key) for entry in store.list()} == before


def test_who_comes_while_another_one_finishes_stops(tiny_corpus: Path, tmp_path: Path) -> None:
    publish(str(tiny_corpus), f"file://{tmp_path}/public", BASE)
    store = LocalStore(tmp_path / "public")
    before = sorted(store.list())
    store.put(MARKER, b"{}")
    with pytest.raises(ForeignCorpusError, match="published meanwhile"):
        Upload(there=FinishedCorpus.open(str(tiny_corpus)), goal=store, listener=Silent()).demand_unpublished()
    assert sorted(store.list()) == before
