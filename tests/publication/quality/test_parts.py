"""The sections of the report about quality say what was measured; links lead to the explorer."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest

import landloom
from landloom.publication.quality.measure import ChipQuality, measure
from landloom.publication.quality.parts import EXPLORER, EXTREMES, first_of_each, quality_parts

if TYPE_CHECKING:
    from pathlib import Path

    from landloom import Corpus
    from landloom.publication.quality.measure import SeriesQuality


@pytest.fixture(scope="module")
def corpus(tiny_corpus: Path) -> Corpus:
    return landloom.open(tiny_corpus)


@pytest.fixture(scope="module")
def page(corpus: Corpus) -> str:
    return "".join(quality_parts(corpus))


@pytest.fixture(scope="module")
def found(corpus: Corpus) -> SeriesQuality:
    quality = measure(corpus, "s2")
    assert quality is not None
    return quality


def test_the_numbers_are_those_measured(page: str, found: SeriesQuality) -> None:
    assert f"<b>{found.valid:.1%}</b><span>pixels with data</span>" in page
    assert f"<b>{found.cloudy:.2%}</b>" in page
    grid = re.findall(r"<td[^>]*>(\d+)</td>", page)
    assert len(grid) == len({(chip.tile, chip.month) for chip in found.chips})


def test_the_best_and_the_worst_chips_are_shown_and_linked(corpus: Corpus, page: str, found: SeriesQuality) -> None:
    linked = re.findall(rf'href="{EXPLORER}/#sample=([^"]+)"', page)
    shown = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert len(linked) == len(shown) == 2 * min(EXTREMES, found.samples)
    usable: dict[str, list[float]] = {}
    for chip in found.chips:
        if chip.valid > 0:
            usable.setdefault(chip.sample, []).append(chip.usable)
    best, worst = max(max(all_) for all_ in usable.values()), min(min(all_) for all_ in usable.values())
    assert max(usable[linked[0]]) == best
    assert min(usable[linked[len(linked) // 2]]) == worst
    pictures = corpus.query(products=(found.product,)).rgb(linked[0]).values
    first = imagecodecs.png_decode(b64decode(shown[0]))
    assert any(np.array_equal(first, picture) for picture in pictures)


def test_the_first_chip_of_each_sample_counts_in_order() -> None:
    chips = [
        ChipQuality(sample=sample, tile="t", timestep=str(n), month="2018-01", valid=1.0, cloudy=0.0)
        for n, sample in enumerate("abacabdefg")
    ]
    assert [(chip.sample, chip.timestep) for chip in first_of_each(chips)] == [
        ("a", "0"),
        ("b", "1"),
        ("c", "3"),
        ("d", "6"),
    ][:EXTREMES]
