from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from shapely import box

from landloom.archive.protocol import Archive
from landloom.archive.static import StaticArchive
from landloom.errors import MissingKeyError, PermanentFaultError, TransientFaultError
from landloom.model.time import Period
from landloom.store.href_documents import HrefDocuments

if TYPE_CHECKING:
    from tests.archive.conftest import ItemFactory

REGION = box(15.2, 45.2, 15.3, 45.3)
YEAR = Period.year(2023)


class CountingDocuments:
    """Reads files and counts how often each was asked for."""

    def __init__(self) -> None:
        self.reads: dict[str, int] = {}

    def read(self, href: str, document: str | None = None) -> bytes:
        self.reads[href] = self.reads.get(href, 0) + 1
        return HrefDocuments().read(href, document)


def write(folder: Path, name: str, document: Any) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")


def node(kind: str, *links: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"type": kind, "id": "x", "links": [{"rel": rel, "href": href} for rel, href in links]} | more


def extent(bbox: list[float], *interval: str | None) -> dict[str, Any]:
    return {"spatial": {"bbox": [bbox]}, "temporal": {"interval": [interval]}}


@pytest.fixture
def folder(tmp_path: Path, make_item: ItemFactory) -> Path:
    """A catalog of collections, nested catalogs and items, some of them amiss."""
    write(
        tmp_path,
        "catalog.json",
        node(
            "Catalog",
            ("root", "./catalog.json"),
            ("child", "here/collection.json"),
            ("child", "elsewhere/collection.json"),
            ("child", "earlier/collection.json"),
            ("child", "gone/collection.json"),
        ),
    )
    write(
        tmp_path,
        "here/collection.json",
        node(
            "Collection",
            ("root", "../catalog.json"),
            ("parent", "../catalog.json"),
            ("item", "b.json"),
            ("item", "a.json"),
            ("item", "missing.json"),
            ("item", "no-json.json"),
            ("item", "cloudy.json"),
            ("child", "deeper/catalog.json"),
            extent=extent([14, 44, 17, 47], "2023-01-01T00:00:00Z", None),
        ),
    )
    write(
        tmp_path,
        "elsewhere/collection.json",
        node("Collection", ("item", "far.json"), extent=extent([100, 0, 101, 1], None, None)),
    )
    _write_items(tmp_path, make_item)
    return tmp_path


def _write_items(tmp_path: Path, make_item: ItemFactory) -> None:
    then = extent([14, 44, 17, 47], "2015-01-01T00:00:00Z", "2016-01-01T00:00:00Z")
    write(tmp_path, "earlier/collection.json", node("Collection", ("item", "old.json"), extent=then))
    up = [{"rel": "collection", "href": "collection.json"}, {"rel": "parent", "href": "collection.json"}]
    write(tmp_path, "here/a.json", make_item("a", "2023-05-01T10:00:00Z") | {"links": up})
    write(tmp_path, "here/b.json", make_item("b", "2023-04-01T10:00:00Z") | {"links": up})
    write(tmp_path, "here/no-json.json", "{")
    write(tmp_path, "here/cloudy.json", make_item("cloudy", "2023-04-01T10:00:00Z", platform="landsat-7"))
    write(tmp_path, "here/deeper/catalog.json", node("Catalog", ("items", "all.json"), ("child", "../../catalog.json")))
    features: list[Any] = [make_item("c", "2023-06-01T10:00:00Z"), make_item("d", "2022-06-01T10:00:00Z"), None]
    write(tmp_path, "here/deeper/all.json", {"type": "FeatureCollection", "features": features})


def test_walks_nested_catalogs_once_and_prunes_by_extent(folder: Path) -> None:
    documents = CountingDocuments()
    archive = StaticArchive(str(folder / "catalog.json"), documents)
    assert isinstance(archive, Archive)
    assert [scene.id for scene in archive.search(REGION, YEAR)] == ["b", "a", "c"]
    assert [scene.id for scene in archive.search(REGION, Period.year(2022))] == []
    assert [scene.id for scene in archive.search(REGION, YEAR)] == ["b", "a", "c"]
    gone = str(folder / "gone" / "collection.json")
    assert {href for href, count in documents.reads.items() if count != 1} == set()
    assert gone in documents.reads
    assert not {str(folder / "elsewhere" / "far.json"), str(folder / "earlier" / "old.json")} & set(documents.reads)


def test_hrefs_are_against_the_item(folder: Path) -> None:
    path = folder / "here" / "a.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["assets"]["blue"]["href"] = "./B02.tif"
    write(folder, "here/a.json", document)
    scenes = StaticArchive(str(folder / "catalog.json"), HrefDocuments()).search(REGION, YEAR)
    assert scenes[1].bands["B02"].href == str(folder / "here" / "B02.tif")
    assert scenes[1].href == str(path)


def test_what_is_amiss_is_survived_and_listed_once(folder: Path) -> None:
    archive = StaticArchive(str(folder / "catalog.json"), HrefDocuments())
    archive.search(REGION, YEAR)
    archive.search(REGION, YEAR)
    listed = {str(Path(problem.where).relative_to(folder)): problem.what for problem in archive.problems}
    assert sorted(listed) == [
        "gone/collection.json",
        "here/cloudy.json",
        "here/deeper/all.json#/features/2",
        "here/missing.json",
        "here/no-json.json",
    ]
    assert len(archive.problems) == 5
    assert "linked from" in listed["here/missing.json"]
    assert "landsat-7" in listed["here/cloudy.json"]


def test_two_items_of_one_id(folder: Path, make_item: ItemFactory) -> None:
    write(folder, "here/cloudy.json", make_item("a", "2023-09-01T10:00:00Z"))
    archive = StaticArchive(str(folder / "catalog.json"), HrefDocuments())
    assert [scene.id for scene in archive.search(REGION, YEAR)] == ["b", "a", "c"]
    assert any("is taken by" in problem.what for problem in archive.problems)


def test_a_collection_whose_extent_is_unreadable_is_opened(folder: Path, make_item: ItemFactory) -> None:
    broken = node("Collection", ("item", "old.json"), extent={"spatial": {"bbox": []}})
    write(folder, "earlier/collection.json", broken)
    write(folder, "earlier/old.json", make_item("old", "2023-01-01T10:00:00Z"))
    archive = StaticArchive(str(folder / "catalog.json"), HrefDocuments())
    assert [scene.id for scene in archive.search(REGION, YEAR)] == ["old", "b", "a", "c"]
    assert any("extent" in problem.what for problem in archive.problems)


@pytest.mark.parametrize(
    ("bbox", "opened"),
    [
        ([179, 44, -170, 47], 0),
        ([-180, -90, 180, 90], 1),
        ([10, 44, 0, 16, 47, 9], 1),
        ([16, 44, 15.25, 47], 1),
    ],
)
def test_extent_across_the_antimeridian_and_in_three_dimensions(
    tmp_path: Path, make_item: ItemFactory, bbox: list[float], opened: int
) -> None:
    write(tmp_path, "collection.json", node("Collection", ("item", "a.json"), extent=extent(bbox, None, None)))
    write(tmp_path, "a.json", make_item("a", "2023-05-01T10:00:00Z"))
    archive = StaticArchive(str(tmp_path / "collection.json"), HrefDocuments())
    assert len(archive.search(REGION, YEAR)) == opened


def test_an_entry_that_is_missing_or_no_stac(tmp_path: Path) -> None:
    with pytest.raises(PermanentFaultError, match="no such"):
        StaticArchive(str(tmp_path / "catalog.json"), HrefDocuments()).search(REGION, YEAR)
    write(tmp_path, "catalog.json", {"type": "Topology"})
    with pytest.raises(PermanentFaultError, match="Topology"):
        StaticArchive(str(tmp_path / "catalog.json"), HrefDocuments()).search(REGION, YEAR)


def test_a_failure_that_passes_is_no_dangling_link(folder: Path) -> None:
    class Flaky(CountingDocuments):
        def read(self, href: str, document: str | None = None) -> bytes:
            if href.endswith("a.json") and href not in self.reads:
                self.reads[href] = 1
                raise TransientFaultError(f"{href}: cut")
            return super().read(href, document)

    archive = StaticArchive(str(folder / "catalog.json"), Flaky())
    with pytest.raises(TransientFaultError):
        archive.search(REGION, YEAR)
    assert [scene.id for scene in archive.search(REGION, YEAR)] == ["b", "a", "c"]


def test_documents_of_the_file_system(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    assert HrefDocuments().read(str(tmp_path / "a")) == b"x"
    with pytest.raises(MissingKeyError):
        HrefDocuments().read(str(tmp_path / "b"))
    with pytest.raises(MissingKeyError):
        HrefDocuments().read(str(tmp_path / "a" / "b"))
    with pytest.raises(PermanentFaultError):
        HrefDocuments().read(str(tmp_path))


def test_links_that_are_none_are_listed(folder: Path) -> None:
    document = json.loads((folder / "catalog.json").read_text(encoding="utf-8"))
    document["links"] += ["here", {"rel": "child"}]
    write(folder, "catalog.json", document)
    archive = StaticArchive(str(folder / "catalog.json"), HrefDocuments())
    assert len(archive.search(REGION, YEAR)) == 3
    assert sum("links[" in problem.what for problem in archive.problems) == 2
