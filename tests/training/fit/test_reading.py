"""From images to series: against plain means, pixel by pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.errors import InvalidInputError
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.fit.reading import read_table

if TYPE_CHECKING:
    from tests.corpora import Made

    from landloom.query.corpus import Corpus


def test_samples_are_means_with_their_shares(corpus: Corpus, made: Made) -> None:
    table = read_table(CorpusDataset(corpus.query(), "s2", "fractions"), "sample")
    assert table.id.tolist() == list(made.ids)
    assert table.kind == "fractions"
    name = made.ids[3]
    numbers = made.series[name].astype(float)
    usable = ((numbers != 0) & (numbers != 65_535)).all(axis=1)
    for step in range(3):
        expected = numbers[step][:, usable[step]].mean(axis=1) / 10_000
        np.testing.assert_allclose(table.image[3, step], expected, rtol=1e-5)
    missing = [place for place, name in enumerate(made.ids) if not made.series[name][1].any()]
    assert np.flatnonzero(~table.valid[:, 1]).tolist() == missing
    np.testing.assert_allclose(table.target.sum(axis=1), 1, rtol=1e-5)


def test_pixels_are_drawn_by_seed_among_labelled_ones(corpus: Corpus, made: Made) -> None:
    dataset, same, another = (CorpusDataset(corpus.query(limit=2), "s2", "mask", seed=seed) for seed in (4, 4, 5))
    table = read_table(dataset, "pixel", pixels=50)
    assert len(table) == 100
    assert table.kind == "label"
    again, other = (read_table(one, "pixel", pixels=50) for one in (same, another))
    assert np.array_equal(again.image, table.image)
    assert not np.array_equal(other.image, table.image)
    assert set(table.weight.tolist()) <= {np.float32(0.6), np.float32(0.9)}
    whole = read_table(dataset, "pixel")
    labelled = [made.masks[name][0] > 0 for name in dataset.ids]
    for one in labelled:
        one[:2, :3] = False  # never seen
    assert len(whole) == np.sum(labelled)


def test_nothing_to_learn_from_is_said(corpus: Corpus) -> None:
    dataset = CorpusDataset(corpus.query(limit=1), "s2", "mask", crop=60)
    dataset.plan.target.table.codes.update(dict.fromkeys(range(8), -1))  # type: ignore[union-attr]
    with pytest.raises(InvalidInputError, match="got no labelled pixel in landcover"):
        read_table(dataset, "pixel")
