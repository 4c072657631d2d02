"""LandCoverNet by name: a server of the loopback with its layout of items is crawled and downloaded from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.query.faulty import Faulty, content, serving

from landloom.errors import CorpusError, InvalidInputError, TransientFaultError
from landloom.query.catalog.corpora import BUILT_IN, RegisteredCorpus, add_corpus, stac_root
from landloom.query.corpus import Corpus
from landloom.query.search import found_files, stac_search
from landloom.query.transfer.destination import plan_download, verify
from landloom.query.transfer.download import download
from landloom.query.transfer.stores import open_transfer_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LABELS, IMAGERY = "ref_landcovernet_eu_v1_labels", "ref_landcovernet_eu_v1_source_sentinel_2"
CHIPS = {"33TWL_03": (15.0, 46.0), "33TWL_04": (15.5, 46.0), "37TDK_27": (38.2, 45.1)}
DATES = ("20180104", "20180611", "20181230")
BANDS = ("B02", "B04", "SCL")


def item(name: str, collection: str, corner: tuple[float, float], files: list[str], day: str | None) -> dict[str, Any]:
    west, south = corner
    east, north = west + 0.033, south + 0.023
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    times: dict[str, Any] = (
        {"datetime": f"{day[:4]}-{day[4:6]}-{day[6:]}T10:00:00Z"}
        if day
        else {"datetime": None, "start_datetime": "2018-01-01T00:00:00Z", "end_datetime": "2018-12-31T23:59:59Z"}
    )
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "collection": collection,
        "properties": times,
        "bbox": [west, south, east, north],
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "assets": {file.partition(".")[0]: {"href": f"./{file}"} for file in files},
        "links": [{"rel": "collection", "href": "../collection.json"}],
    }


def documents() -> dict[str, dict[str, Any]]:
    """The catalogue as published: a folder an item; an item a chip of labels, and one a chip and date of imagery."""
    found: dict[str, dict[str, Any]] = {}
    for chip, corner in CHIPS.items():
        label = item(f"{LABELS}_{chip}", LABELS, corner, ["labels.tif", "source_dates.csv"], None)
        for day in DATES:
            name = f"{IMAGERY}_{chip}_{day}"
            found[f"{IMAGERY}/{name}/stac.json"] = item(name, IMAGERY, corner, [f"{band}.tif" for band in BANDS], day)
            label["links"].append({"rel": "source", "href": f"../../{IMAGERY}/{name}/stac.json"})
        found[f"{LABELS}/{LABELS}_{chip}/stac.json"] = label
    for name in (LABELS, IMAGERY):
        links = [
            {"rel": "item", "href": f"./{key.partition('/')[2]}"} for key in found if key.startswith(f"{name}/{name}_")
        ]
        extent = {
            "spatial": {"bbox": [[15.0, 45.1, 38.3, 46.1]]},
            "temporal": {"interval": [["2018-01-01T00:00:00Z", "2018-12-31T23:59:59Z"]]},
        }
        found[f"{name}/collection.json"] = {"type": "Collection", "id": name, "extent": extent, "links": links}
    children = [{"rel": "child", "href": f"./{name}/collection.json"} for name in (LABELS, IMAGERY)]
    return {**found, "catalog.json": {"type": "Catalog", "id": "ref_landcovernet_eu_v1", "links": children}}


@pytest.fixture
def landcovernet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    """A server under the registered name, after an address that does not answer."""
    known = documents()

    def files(path: str) -> bytes:
        if path.endswith(".json"):
            return json.dumps(known[path]).encode()
        if path.rpartition("/")[0] + "/stac.json" not in known:
            raise KeyError(path)
        return content(path, 5_000)

    monkeypatch.setenv("LANDLOOM_CORPORA", str(tmp_path / "corpora.json"))
    entry = next(item for item in BUILT_IN if item.name == "landcovernet")
    with serving(Faulty(files=files)) as server:
        bases = ("http://127.0.0.1:9/", f"{server.address}/")
        add_corpus(
            RegisteredCorpus(name=entry.name, bases=bases, kind=entry.kind, catalog=entry.catalog, terms=entry.terms)
        )
        yield server


def test_archives_say_where_they_are() -> None:
    told = r"from https://mediatum\.ub\.tum\.de/1650201, where its terms are"
    with pytest.raises(CorpusError, match=told):
        Corpus.open("dynamicearthnet")
    with pytest.raises(CorpusError, match=told):
        stac_root("dynamicearthnet")


def test_it_is_crawled_by_name_and_two_chips_are_downloaded(landcovernet: Faulty, tmp_path: Path) -> None:
    chips = stac_search("landcovernet", collections=LABELS, region=(14.9, 45.9, 15.6, 46.1))
    assert [item.id for item in chips] == [f"{LABELS}_33TWL_03", f"{LABELS}_33TWL_04"]
    assert len(landcovernet.gets()) == 1 + 2 + len(CHIPS)  # no document of imagery was read

    june = stac_search(
        "landcovernet",
        collections=LABELS,
        region=(14.9, 45.9, 15.6, 46.1),
        related=IMAGERY,
        period=("2018-06-01", "2018-07-01"),
    )
    files = found_files(june, landcovernet.address)
    folders = [f"{kind}_33TWL_{chip}" for chip in ("03", "04") for kind in (LABELS, IMAGERY)]
    names = (["labels.tif", "source_dates.csv"], [f"{band}.tif" for band in BANDS])
    assert [item.path for item in files] == [
        f"{LABELS}/{folder}/{name}" if folder.startswith(LABELS) else f"{IMAGERY}/{folder}_20180611/{name}"
        for folder in folders
        for name in names[folder.startswith(IMAGERY)]
    ]
    for come in (10, 0):
        plan = plan_download(files, tmp_path / "out")
        store = open_transfer_store(landcovernet.address)
        done = download(plan, store, corpus="landcovernet 1", base=landcovernet.address)
        assert (done.fetched, done.failed) == (come, ())
    assert verify(tmp_path / "out") == []
    assert all((tmp_path / "out" / item.path).read_bytes() == content(item.path, 5_000) for item in files)


def test_it_has_no_index_to_ask(landcovernet: Faulty, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="`landloom crawl landcovernet`"):
        Corpus.open("landcovernet", cache=tmp_path)
    assert landcovernet.requests == []
    (one,) = stac_search(f"{landcovernet.address}/{LABELS}/collection.json", region=(38, 45, 39, 46))
    documents = found_files([one], landcovernet.address, documents=True)
    assert documents[-1].path == f"{LABELS}/{LABELS}_37TDK_27/stac.json"
    with pytest.raises(InvalidInputError, match="expected files below"):
        found_files([one], "https://example.org/")


def test_names_whose_catalogue_is_not_there_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLOOM_CORPORA", str(tmp_path / "corpora.json"))
    add_corpus(RegisteredCorpus(name="mine", bases=(f"{tmp_path}/", "http://127.0.0.1:9/")))
    with pytest.raises(TransientFaultError, match=r"(?s)has no stac-v1\.0/catalog\.json\n.*127\.0\.0\.1:9"):
        stac_search("mine")
