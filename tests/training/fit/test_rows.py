"""Rows of a corpus: mean series of samples, and series of pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("torch")

from landloom.errors import InvalidInputError, NotFoundError
from landloom.training.fit.rows import read_rows

if TYPE_CHECKING:
    from tests.corpora import Made

    from landloom.query.corpus import Corpus


def test_samples_are_means_over_valid_pixels(corpus: Corpus, made: Made) -> None:
    found = read_rows(corpus.query(), "label", "s2")
    assert found.id == made.ids
    assert found.features.shape == (12, 9)
    for row, name in enumerate(made.ids):
        numbers = made.series[name].astype(np.float64)
        valid = np.asarray(((numbers > 0) & (numbers < 65_535)).all(axis=1))
        for step in range(3):
            own = found.features[row].reshape(3, 3)[step]
            if valid[step].any():
                assert own == pytest.approx(numbers[step][:, valid[step]].mean(axis=1) / 10_000, rel=1e-5)
            else:
                assert np.isnan(own).all()


def test_pixels_are_drawn_with_their_class(corpus: Corpus, made: Made) -> None:
    found = read_rows(corpus.query(), "mask:landcover", "s2", pixels=50, seed=3)
    again = read_rows(corpus.query(), "mask:landcover", "s2", pixels=50, seed=3)
    assert np.array_equal(found.features, again.features, equal_nan=True)
    assert {name: found.id.count(name) for name in made.ids} == dict.fromkeys(made.ids, 50)
    assert set(np.unique(found.truth)) <= set(range(len(found.classes)))
    assert len(np.unique(found.truth)) == 3


def test_what_is_no_class_is_refused(corpus: Corpus) -> None:
    with pytest.raises(InvalidInputError, match="got the target 'value:landcover', expected classes"):
        read_rows(corpus.query(), "value:landcover", "s2")
    with pytest.raises(NotFoundError):
        read_rows(corpus.query(), "label:absent", "s2")
