"""What a draw achieved, on the page about a build: classes that occur, and countries against their quotas."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from landloom.corpus.documents import parse_corpus_json
from landloom.samplers.cells.report import draw_parts

if TYPE_CHECKING:
    from pathlib import Path

DRAW = {
    "classes": ["111", "311", "999"],
    "region_shares": [0.25, 0.75, 0.0],
    "draw_shares": [0.3, 0.7, 0.0],
    "divergence": 0.01234,
    "countries": [{"name": "A & B", "wanted": 4, "achieved": 3}],
}


def test_classes_and_countries_are_drawn(tiny_corpus: Path) -> None:
    info = parse_corpus_json((tiny_corpus / "corpus.json").read_bytes())
    classes, countries = draw_parts(DRAW, info)
    assert "divergence of corpus and region: 0.0123 bits" in classes
    assert "Quota by area" in countries
    assert re.findall(r"width:([\d.]+)%", classes) == ["33.3", "40.0", "100.0", "93.3"], "of 111 and 311, as drawn"
    assert "A &amp; B" in countries
    assert '<td class="n">4<br>3</td>' in countries
    assert draw_parts(DRAW, info) == [classes, countries]
    wider = DRAW | {"draw_shares": [0.3, 0.6, 0.1]}
    assert draw_parts(wider, info)[0] != classes, "a class that the corpus alone has is a row"


def test_the_page_of_a_build_has_them(tiny_corpus: Path) -> None:
    page = (tiny_corpus / "report.html").read_text(encoding="utf-8")
    assert "Classes against the region" in page
    assert "Countries against their quotas" in page
