"""A question that was hardly meant draws a warning that says where the corpus is; one that was meant draws none."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from landloom.errors import LandloomWarning
from landloom.query.example import example_corpus


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"where": "clc_311 > 50"}, r"clc_311 is compared with 50, but shares are 0 to 1; 50 % is 0\.5"),
        ({"where": "forest BETWEEN 10 AND 90 OR clc_412 = 1"}, "clc_31 is compared with 10,"),
        ({"where": "NOT (clc_311 + clc_312 <= 1.5)"}, r"clc_311 \+ clc_312 is compared with 1\.5"),
        ({"where": "-1 < clc_2"}, "clc_2 is compared with -1"),
        ({"where": "clc_2 IN (0, 100)"}, "clc_2 is compared with 100"),
        ({"where": "wood > 20"}, "wood is compared with 20"),
        ({"region": (0, 0, 1, 1)}, r"nothing of example is there; it lies within 13\.\d+,52\.\d+,26\.\d+,63\.\d+"),
        ({"period": "2017"}, "no timestep of pfsr, pfqa, s2; it covers 2018-01-01T00:00:00Z/2020-01-01T00:00:00Z"),
        ({"period": (None, "2018"), "products": ["s2", "labels"]}, r"got \.\./2018-01-01T00:00:00Z, .* of s2;"),
    ],
    ids=str,
)
def test_a_question_that_was_hardly_meant(question: dict[str, Any], said: str) -> None:
    corpus = example_corpus().define(wood="clc_311 + clc_312")
    with pytest.warns(LandloomWarning, match=said):
        found = corpus.query(**question)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert corpus.query(**question, quiet=True).ids == found.ids


@pytest.mark.parametrize(
    "question",
    [
        {"where": "clc_311 = 1 AND clc_2 >= 0"},
        {"where": "100 * clc_311 > 50"},
        {"where": "clc_311 = 1", "region": (26, 63, 27, 64)},  # the region has samples, the filter leaves none
        {"period": "2017", "products": "labels"},
        {"limit": 0},
    ],
    ids=str,
)
def test_one_that_was_meant(question: dict[str, Any]) -> None:
    example_corpus().query(**question)
