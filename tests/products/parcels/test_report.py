"""What a page says of parcels: class map, layers, one series, and what was rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landloom.corpus.finished import FinishedCorpus
from landloom.formats.geotiff import decode_geotiff
from landloom.products.parcels.report import parcel_parts
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path


def test_the_page_shows_parcels_and_a_series(series: Path) -> None:
    corpus = series / "corpus"
    page = (corpus / "report.html").read_text()
    for heading in ("<h2>Parcels</h2>", "<h2>One series</h2>", "<h2>Rejected parcels</h2>"):
        assert heading in page
    there = FinishedCorpus.open(str(corpus))
    item = there.info.product("classes")
    maize = next(row["code"] for row in there.info.class_mappings["classes"] if row["value"] == "maize")
    pixels = sum(
        int((decode_geotiff(there.store.get(there.info.layout.raster_label(one.id, "classes", "1")))[0] == maize).sum())
        for part in there.tiles.values()
        for one in part
    )
    assert item.product.dtype == "uint8"
    assert f'<td>maize</td><td class="n">{pixels:,}</td>' in page
    assert "outside the grid" in page


def test_parts_are_those_of_the_page_and_a_corpus_without_parcels_has_none(series: Path, tiny_corpus: Path) -> None:
    page = (series / "corpus" / "report.html").read_text()
    parts = parcel_parts(LocalStore(series / "corpus"))
    assert parts
    assert all(part in page for part in parts)
    assert parcel_parts(LocalStore(tiny_corpus)) == []
