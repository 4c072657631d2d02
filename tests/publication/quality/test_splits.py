"""Classes and distances of splits, against the index and distances measured point by point."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import geopandas as gpd
import pytest

import landloom
from landloom.publication.quality.splits import split_parts
from landloom.query.example import example_corpus

if TYPE_CHECKING:
    from pathlib import Path


def test_shares_of_a_split_are_those_of_its_samples(tiny_corpus: Path) -> None:
    corpus = landloom.open(tiny_corpus)
    page = "".join(split_parts(corpus))
    names = [name for name in corpus.query().counts("split") if name is not None]
    assert names
    for title in corpus.query().histogram(level=1, names=True):
        row = re.search(rf"<td>{re.escape(title)}</td>((?:<td class=\"n\">[\d.]+</td>)+)", page)
        assert row is not None, title
        shares = [float(share) for share in re.findall(r">([\d.]+)<", row[1])]
        for share, name in zip(shares, names, strict=False):
            chosen = corpus.query(split=name)
            truth = 100 * chosen.histogram(level=1, names=True).get(title, 0) / len(chosen)
            assert share == pytest.approx(truth, abs=0.051)


def test_the_nearest_samples_are_those_of_shapely(tiny_corpus: Path) -> None:
    corpus = landloom.open(tiny_corpus)
    pairs = re.findall(r"<td>(\w+) \| (\w+)</td><td class=\"n\">([\d,]+)</td>", "".join(split_parts(corpus)))
    for first, second, distance in pairs:
        frames = [corpus.query(split=name).to_geodataframe().to_crs(3035).geometry for name in (first, second)]
        truth = min(float(gpd.GeoSeries(frames[1]).distance(outline).min()) for outline in frames[0])
        assert float(distance.replace(",", "")) == pytest.approx(truth, rel=0.02, abs=2)


def test_without_splits_there_is_no_section() -> None:
    corpus = example_corpus()
    expected = any(name is not None for name in corpus.query().counts("split"))
    assert bool(split_parts(corpus)) == expected
