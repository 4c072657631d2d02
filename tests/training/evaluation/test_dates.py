"""Scores of dates: those of the judge's counts, several changes of a pixel, intervals over blocks, files."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidDocumentError, InvalidInputError, InvalidValueError
from landloom.imagery.change.scores import score_breaks
from landloom.training.evaluation.dates import COUNTS, Dates


@given(st.integers(0, 10_000))
def test_counts_of_single_changes_are_those_of_the_judge(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = np.where(rng.random(40) < 0.5, rng.uniform(0, 365, 40), np.nan)
    found = np.where(rng.random((2, 40)) < 0.6, rng.uniform(0, 365, (2, 40)), np.nan)
    found[0] = np.where(rng.random(40) < 0.5, truth + rng.uniform(-20, 20, 40), found[0])
    made = Dates.of_pixels("a", truth[None], found, 0)
    expected, _ = score_breaks(found, truth, (-100.0, 500.0))
    assert dict(zip(COUNTS, made.counts[0].tolist(), strict=True)) == {name: getattr(expected, name) for name in COUNTS}


def test_each_break_belongs_to_one_change() -> None:
    truth = np.array([[100.0], [110.0], [300.0]])
    made = Dates.of_pixels("a", truth, np.array([[105.0], [200.0]]), 0)
    assert made.counts.tolist() == [[1, 2, 1, 0, 0]]


def test_files_and_scores() -> None:
    parts = [
        Dates(id=(f"s{n}",), block=np.array([n]), counts=np.array([[8 + n % 2, 2, 1, 50, n % 3]])) for n in range(25)
    ]
    made = Dates.joined(parts)
    scores = made.scores()
    assert scores["recall"].value == pytest.approx(212 / 262)
    assert scores["recall"].low < 212 / 262 < scores["recall"].high
    assert Dates.decoded(made.encoded(), "dates").document() == made.document()
    assert "notes" not in made.document()
    assert "notes" in parts[0].document()
    with pytest.raises(InvalidDocumentError, match="is no file of dates"):
        Dates.decoded(b"nothing", "dates")
    with pytest.raises(InvalidInputError, match="got no dates to compare"):
        Dates.joined([])
    with pytest.raises(InvalidValueError, match="of 1 rows"):
        Dates(id=("a",), block=np.array([0, 1]), counts=made.counts[:1])
