"""What a notebook shows and what one line asks for, on a corpus as it was really built."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pystac
import pytest

import landloom
from landloom.errors import InvalidInputError, NotFoundError
from landloom.query.example import example_corpus
from landloom.reports.figures import true_colour

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.query.corpus import Corpus


@pytest.fixture(scope="module")
def corpus(tiny_corpus: Path) -> Corpus:
    return landloom.open(tiny_corpus)


def test_a_notebook_shows_map_counts_classes_and_pictures(corpus: Corpus) -> None:
    for shown in (corpus, corpus.query()):
        page: Any = shown._repr_html_()
        assert page.count('<img src="data:image/png;base64,') == 1 + 6
        assert "6 samples" in page
        assert re.search(r"\w+ \(clc_\d+\) \d", page)
        assert all(identity in page for identity in corpus.query().ids)
    assert "<script" not in corpus.query(limit=0)._repr_html_()


def test_a_corpus_elsewhere_is_shown_without_pictures_and_says_why() -> None:
    page = example_corpus()._repr_html_()
    assert page.count("<img") == 1
    assert "no pictures: the corpus is not on this machine" in page


def test_pictures_are_those_of_the_chips(corpus: Corpus) -> None:
    chosen = corpus.query(period="2018-07")
    picture = chosen.rgb(chosen.ids[2])
    assert picture.dims == ("time", "y", "x", "band")
    assert picture.dtype == np.uint8
    chip = chosen.cube(2, "s2").sel(band=["B04", "B03", "B02"]).values[0]
    assert np.array_equal(picture.values[0], true_colour(chip, 0, 1, 2))
    with pytest.raises(InvalidInputError, match="'count', expected reflectance"):
        corpus.query().rgb(0, "count")
    with pytest.raises(NotFoundError, match="none of the products labels"):
        corpus.query(products="labels").rgb(0)


def test_a_composite_is_the_median_of_what_was_observed(corpus: Corpus) -> None:
    chosen = corpus.query(bands=["B04", "B08"])[:2]
    made = chosen.composite("2018")
    assert made.dims == ("sample", "band", "y", "x")
    for number in range(2):
        cube = chosen.cube(number, "s2").values.astype(float)
        cube[np.broadcast_to((cube == 0).any(axis=1, keepdims=True), cube.shape)] = np.nan
        seen = np.isfinite(cube).any(axis=0)
        median = np.floor(np.nanmedian(np.where(seen, cube, 0), axis=0))
        assert np.array_equal(made[number].compute().values, median)
    july = chosen.composite("2018-07").compute()
    assert np.array_equal(july.values[0], corpus.query(period="2018-07", bands=["B04", "B08"]).cube(0, "s2").values[0])
    with pytest.raises(InvalidInputError, match="s2 has no timestep in 2017"):
        chosen.composite("2017")
    with pytest.raises(InvalidInputError, match="'count', expected reflectance"):
        chosen.composite(product="count")


def test_items_are_the_published_ones_with_the_assets_of_the_selection(corpus: Corpus, tiny_corpus: Path) -> None:
    chosen = corpus.query(period="2018-06", products=["s2", "labels"])[:2]
    found = chosen.to_pystac()
    expected = [f"tiny_v1_{part}_{identity}" for identity in chosen.ids for part in ("source_s2", "labels")]
    assert [item.id for item in found] == expected
    hrefs = {asset.href for item in found for asset in item.assets.values()}
    assert hrefs >= set(chosen.assets.hrefs())
    assert not any("2018-07" in href for href in hrefs)
    written = json.loads(next(tiny_corpus.rglob(f"{found[0].id}.json")).read_text(encoding="utf-8"))
    assert found[0].properties == pystac.Item.from_dict(written, preserve_dict=False).properties


def test_a_selection_is_downloaded_once_with_its_terms(corpus: Corpus, tmp_path: Path) -> None:
    chosen = corpus.query(period="2018-06", products="s2")[:2]
    first, again = chosen.download(tmp_path), chosen.download(tmp_path)
    assert (again.fetched, again.present) == (0, first.fetched)
    assert not first.failed
    assert all((tmp_path / path).is_file() for path in chosen.assets.paths())
    assert "## s2" in (tmp_path / "LICENSES.md").read_text(encoding="utf-8")


def test_what_a_corpus_holds_has_names(corpus: Corpus) -> None:
    assert corpus.bands["count"] == ("count",)
    assert str(corpus.period) == "2018-06-01T00:00:00Z/2018-08-01T00:00:00Z"
    assert corpus.classes["clc_31"] == "Forest"
    assert "Attribution of s2" in corpus.cite()
    told = corpus.describe()
    for part in ("tiny 1.0: 6 samples", "2018-06-01/2018-08-01", "B8A", "labels: without time", "zones 32N"):
        assert part in told
    assert repr(corpus).startswith("<Corpus tiny 1.0: 6 samples; s2, count, labels; ")
    assert repr(corpus.query(period="2018-06", limit=2)) == (
        "<Selection of tiny 1.0: 2 of 6 samples; s2, count, labels in 2018-06-01/2018-07-01>"
    )
