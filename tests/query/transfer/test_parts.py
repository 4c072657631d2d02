"""What a download consists of, and what goes with it; and published corpora by name."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from tests.corpus.conftest import make_info, write_world
from tests.query.faulty import Faulty, content, serving

from landloom.errors import CorpusError, InvalidInputError, StoreError, TransientFaultError
from landloom.query.catalog.corpora import BUILT_IN, RegisteredCorpus, add_corpus
from landloom.query.corpus import Corpus
from landloom.query.published import get_asset_hrefs
from landloom.query.transfer.destination import Wanted, plan_download, verify
from landloom.query.transfer.download import download
from landloom.query.transfer.download_journal import DownloadJournal, Record
from landloom.query.transfer.parts import (
    azcopy_command,
    estimate_bytes,
    licences_text,
    non_commercial,
    part_files,
    products_of_files,
    selection_files,
    write_licences,
)
from landloom.query.transfer.stores import open_transfer_store
from landloom.store.local import LocalStore
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.query.conftest import Truth


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    store = LocalStore(tmp_path_factory.mktemp("world"))
    write_world(store, make_info())
    return store


@pytest.fixture
def corpus(world: LocalStore, tmp_path: Path) -> Corpus:
    return Corpus.open(world.root, cache=tmp_path / "cache")


def test_a_selection_is_downloaded_by_its_manifests(corpus: Corpus, world: LocalStore, tmp_path: Path) -> None:
    selection = corpus.query(products=["s2", "labels"], limit=6)
    files = selection_files(selection, world)
    assert [item.path for item in files] == selection.assets.paths()
    for item in files:
        data = world.get(item.path)
        assert (item.size, item.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    with serving(Faulty(files=world.get)) as server:
        plan = plan_download(files, tmp_path / "out")
        assert plan.known_bytes == sum(len(world.get(item.path)) for item in files)
        report = download(plan, open_transfer_store(server.address), corpus="demo 1.0", base=server.address)
    assert (report.fetched, report.failed) == (len(files), ())
    assert verify(tmp_path / "out") == []


def test_local_corpora_are_copied_too(corpus: Corpus, world: LocalStore, tmp_path: Path) -> None:
    files = selection_files(corpus.query(products="labels"), world)
    report = download(plan_download(files, tmp_path / "out"), open_transfer_store(str(world.root)), corpus="demo 1.0")
    assert (report.fetched, report.failed) == (10, ())


@pytest.mark.parametrize("part", ["all", "imagery", "labels", "stac", "resources"])
def test_parts_are_what_the_manifests_list(corpus: Corpus, world: LocalStore, part: str) -> None:
    listed = {item.path for item in part_files(corpus, part, world)}  # type: ignore[arg-type]
    stored = {entry.key for entry in world.list()}
    prefixes = {"imagery": ("imagery/",), "labels": ("labels/",), "stac": ("stac-v1.0/",), "all": ("",)}
    if part == "resources":
        assert {"resources/demo_labels.csv.gz", "index/samples.parquet", "corpus.json"} <= listed
    else:
        assert listed == {key for key in stored if key.startswith(prefixes[part])}


def test_terms_of_exactly_what_was_fetched(corpus: Corpus, tmp_path: Path) -> None:
    both = licences_text(corpus, ["s2", "pfsr"])
    assert "CC-BY-NC-SA-3.0" in both
    assert "Contains modified Copernicus Sentinel data 2018" in both
    assert "**Commercial use is excluded.**" in both
    assert "EEA" not in both
    assert non_commercial(corpus, ["s2", "pfsr", "labels"]) == ["pfsr"]

    journal, told = DownloadJournal(tmp_path), []
    journal.begin("demo 1.0")
    for keys in (["labels"], ["s2"], []):
        files = corpus.query(products=keys).assets.paths() if keys else ["corpus.json"]
        journal.append(Record(path=path, size=1, sha256="0") for path in files)
        text = write_licences(corpus, tmp_path).read_text(encoding="utf-8")
        told.append({name for name in ("EEA", "Copernicus Sentinel", "Planet") if name in text})
    assert told == [{"EEA"}, {"EEA", "Copernicus Sentinel"}, {"EEA", "Copernicus Sentinel", "Planet"}]


def test_files_tell_their_products(corpus: Corpus, granules: Truth) -> None:
    for known in (corpus, granules.corpus):
        for key in known.products:
            assert products_of_files(known, known.query(products=key).assets.paths()) == [key]
    assert products_of_files(corpus, ["imagery/33N/16E-243N/PF-QA.zarr/c/0/0/0/0/0"]) == ["pfqa"]
    assert products_of_files(corpus, []) == []


def test_azcopy_commands_are_complete(tmp_path: Path) -> None:
    base = "https://example.org/c/"
    assert azcopy_command(base, tmp_path / "a b", list_file=tmp_path / "list.txt") == [
        f"azcopy copy '{base}' '{tmp_path}/a b' --list-of-files={tmp_path}/list.txt --include-directory-stub"
    ]
    assert azcopy_command(base, tmp_path)[0] == f"azcopy copy --recursive '{base}' {tmp_path}"
    assert len(azcopy_command(base, tmp_path, "resources")) == 7


def test_sizes_are_estimated_from_a_few(published: Truth) -> None:
    files = [Wanted(path=f"imagery/x/S2-SR/{n}.tif") for n in range(100)] + [Wanted(path="a/b/c.tif", size=7)]
    with serving(Faulty(size=1_000)) as server:
        assert estimate_bytes(open_store(server.address), files) == 100_007
        assert len(server.requests) <= 8
    assert part_files(published.corpus, "resources")[0].path == "resources/rapidai4eo_geometries.geojson.gz"
    assert len(part_files(published.corpus, "labels")) == len(published.ids)
    with pytest.raises(InvalidInputError, match="azcopy"):
        part_files(published.corpus, "stac")


def test_our_own_resource_files_open_as_a_corpus(corpus: Corpus, world: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "copy" / "resources").mkdir(parents=True)
    for entry in world.list("resources"):
        (tmp_path / "copy" / entry.key).write_bytes(world.get(entry.key))
    opened = Corpus.open(tmp_path / "copy", cache=tmp_path / "cache")
    assert sorted(opened.query().ids) == sorted(corpus.query().ids)
    for text in ("clc_3 > 0.3", "clc_1 + clc_2 >= 0.5", "clc_31 > 0"):
        assert set(opened.query(where=text).ids) == set(corpus.query(where=text).ids)
    assert len(opened.sidecar.odd_rows) == 0


@pytest.fixture
def registered(published: Truth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    """A server with a corpus of the published layout, registered under the published name."""
    resources = published.folder / "resources"

    def files(path: str) -> bytes:
        if path.startswith("resources/"):
            return (resources / path.removeprefix("resources/")).read_bytes()
        if path.startswith("imagery/"):
            return content(path, 2_000)
        raise KeyError(path)

    monkeypatch.setenv("LANDLOOM_CORPORA", str(tmp_path / "corpora.json"))
    with serving(Faulty(files=files)) as server:
        bases = ("http://127.0.0.1:9/", f"{server.address}/")
        add_corpus(RegisteredCorpus(name="rapidai4eo", bases=bases, kind="resources", terms=BUILT_IN[0].terms))
        yield server


def test_the_published_corpus_opens_by_name(registered: Faulty, published: Truth, tmp_path: Path) -> None:
    corpus = Corpus.open("rapidai4eo", cache=tmp_path / "cache")
    assert corpus.base == f"{registered.address}/"
    assert corpus.query().ids == published.corpus.query().ids
    assert sorted(registered.gets()) == [  # each once
        f"resources/rapidai4eo_{kind}" for kind in ("geometries.geojson.gz", "label_mappings.csv", "labels.csv.gz")
    ]
    registered.requests.clear()
    again = Corpus.open("rapidai4eo", cache=tmp_path / "cache")
    assert registered.requests == []  # fetched once
    chosen = again.query(where="clc_412 > 0.5", products="s2", limit=5)
    assert chosen.assets.hrefs() == get_asset_hrefs(chosen.ids, "s2", base_url=registered.address)
    store = open_transfer_store(registered.address)
    plan = plan_download(selection_files(chosen), tmp_path / "out")
    assert download(plan, store, corpus="rapidai4eo 1.0", base=registered.address).fetched == 60
    assert "CC-BY-NC-SA" in licences_text(again, ["pfqa"])


def test_broken_resource_files_are_not_kept(registered: Faulty, tmp_path: Path) -> None:
    whole = registered.files
    assert whole is not None
    registered.files = lambda path: whole(path)[:-100]
    with pytest.raises(TransientFaultError, match="complete gzip"):
        Corpus.open("rapidai4eo", cache=tmp_path / "cache")
    registered.files = whole
    assert len(Corpus.open("rapidai4eo", cache=tmp_path / "cache")) > 0


@pytest.mark.usefixtures("registered")
def test_a_cache_that_cannot_keep_what_was_fetched_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match=r"cannot write downloads to .* set LANDLOOM_CACHE"):
        Corpus.open("rapidai4eo", cache=tmp_path / "cache")


def test_corpora_elsewhere_open_by_address_and_follow_changes(own: Truth, tmp_path: Path) -> None:
    index = own.folder / "index" / "samples.parquet"
    data = {"index/samples.parquet": index.read_bytes()}
    with serving(Faulty(files=data.__getitem__)) as server:
        assert Corpus.open(server.address, cache=tmp_path / "cache").query().ids == tuple(own.ids)
        gets = len(server.gets())
        assert len(Corpus.open(f"{server.address}/", cache=tmp_path / "cache")) == len(own.ids)
        assert len(server.gets()) == gets + 1  # the last bytes only
        import io

        import pyarrow.parquet as pq

        buffer = io.BytesIO()
        pq.write_table(pq.read_table(index).slice(0, 100), buffer)
        data["index/samples.parquet"] = buffer.getvalue()
        assert len(Corpus.open(server.address, cache=tmp_path / "cache")) == 100


def test_a_corpus_with_a_stac_only_says_how_to_search_it(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="landloom crawl"):
        Corpus.open("landcovernet", cache=tmp_path)
