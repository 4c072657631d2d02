"""Guesses of chips: codes of the campaign, and errors from probabilities, confidence or edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.chips import write_world

from landloom.errors import InvalidInputError, NotFoundError
from landloom.model.taxonomy import taxonomy
from landloom.pipelines.annotation.classes import classes_of_taxonomy
from landloom.pipelines.annotation.guesses import CorpusGuess, edge_error, guess_classes, guess_product, label_shares
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chips import World

CHIP = "32UPA_00"


def reader(corpus: Corpus) -> CorpusGuess:
    item = guess_product(corpus.info)
    assert item is not None
    return CorpusGuess(corpus=corpus, item=item, classes=guess_classes(corpus.info, item))


def test_the_guess_of_a_corpus_is_found_and_read(world: World, corpus: Corpus) -> None:
    found = reader(corpus).read(CHIP)
    assert found is not None
    np.testing.assert_array_equal(found.codes, world.guess[CHIP])
    assert found.unknown == 0
    wrong = world.guess[CHIP] != world.truth[CHIP]
    assert found.error[wrong].min() > found.error[~wrong].max()
    assert found.probabilities is not None
    assert found.probabilities.shape == (7, 60, 60)
    np.testing.assert_allclose(found.probabilities.sum(axis=0), 1, atol=1e-3)


def test_confidence_counts_where_there_are_no_probabilities(tmp_path: Path) -> None:
    write_world(tmp_path / "corpus", chips=1, scenes=1, probabilities=False)
    found = reader(Corpus.open(tmp_path / "corpus", cache=tmp_path)).read(CHIP)
    assert found is not None
    assert found.probabilities is None
    assert np.unique(found.error.round(2)).tolist() == [0.1, 0.55]


def test_a_missing_guess_is_none(tmp_path: Path) -> None:
    write_world(tmp_path / "corpus", chips=1, scenes=1, labels=None)
    assert guess_product(Corpus.open(tmp_path / "corpus", cache=tmp_path).info) is None


def test_products_without_classes_are_refused(corpus: Corpus) -> None:
    with pytest.raises(InvalidInputError, match="got product 'guess_probabilities' as the guess"):
        guess_product(corpus.info, "guess_probabilities")
    with pytest.raises(NotFoundError, match="no product 'gues'; nearest: guess"):
        guess_product(corpus.info, "gues")


def test_coarser_classes_add_probabilities_up(corpus: Corpus) -> None:
    item = guess_product(corpus.info, "guess")
    assert item is not None
    coarse = classes_of_taxonomy(taxonomy("landcovernet"), 1)
    found = CorpusGuess(corpus=corpus, item=item, classes=coarse).read(CHIP)
    assert found is not None
    assert [one.key for one in coarse.choices] == ["bare", "vegetation"]
    assert set(np.unique(found.codes)) == {1, 2}
    assert found.probabilities is not None
    assert found.probabilities.shape == (2, 60, 60)
    np.testing.assert_allclose(found.probabilities.sum(axis=0), 1, atol=1e-3)


def test_edges_are_doubtful() -> None:
    codes = np.ones((5, 5), np.uint8)
    codes[:, 3:] = 2
    error = edge_error(codes)
    assert (error[:, 2:4] > error[:, :2].max()).all()
    assert np.unique(error[:, [0, 1, 4]]).size == 1


def test_labels_of_a_corpus_without_any(corpus: Corpus) -> None:
    assert label_shares(corpus, CHIP) == {}
    with pytest.raises(NotFoundError, match="no sample"):
        label_shares(corpus, "32UPA_44")
