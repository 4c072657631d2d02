"""Unlabelled samples at a distance, against every pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.training.splits.pairs import corners_of

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.query.corpus import Corpus
from landloom.query.index.synthetic import synthetic_samples, write_resources
from landloom.training.pretrain.draw import draw_distant, prove_distant
from landloom.training.splits.distances import Footprints

if TYPE_CHECKING:
    from landloom.query.index.sidecar import Sidecar


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Sidecar:
    """600 samples in 5 tiles."""
    folder = tmp_path_factory.mktemp("draw")
    write_resources(synthetic_samples(600, 5), folder)
    return Corpus.open(folder, cache=folder / "cache").sidecar


@pytest.mark.parametrize("distance", [0.0, 700.0, 3000.0])
def test_drawn_are_all_that_are_far_enough(sidecar: Sidecar, distance: float) -> None:
    labelled = np.random.default_rng(3).choice(600, 25, replace=False)
    rows, proof = draw_distant(sidecar, labelled.astype(np.int32), distance)
    places = Footprints.of_degrees(corners_of(sidecar))
    free = np.setdiff1d(np.arange(600), labelled)
    every = np.array([places.distances(np.full(len(labelled), row), labelled).min() for row in free])
    assert rows.tolist() == free[every >= distance].tolist()
    assert (proof.violations, proof.drawn, proof.labelled) == (0, len(rows), 25)
    assert proof.near == int((every < distance).sum())
    assert abs(proof.nearest - every[every >= distance].min()) < 0.1
    fewer, own = draw_distant(sidecar, labelled.astype(np.int32), distance, count=10, seed=1)
    assert len(fewer) == own.drawn == min(10, len(rows))
    assert set(fewer.tolist()) <= set(rows.tolist())


def test_the_proof_finds_what_is_too_near(sidecar: Sidecar) -> None:
    places = Footprints.of_degrees(corners_of(sidecar))
    drawn, labelled = np.arange(0, 100), np.arange(100, 200)
    pairs = [(row, other) for row in drawn for other in labelled]
    first, second = np.array(pairs).T
    near = int((places.distances(first, second) < 2000).sum())
    assert prove_distant(places, drawn, labelled, 2000.0, 0).violations == near > 0
    with pytest.raises(InvalidValueError, match="drawn and labelled"):
        prove_distant(places, drawn, np.arange(99, 200), 2000.0, 0)


def test_what_cannot_be_drawn_says_why(sidecar: Sidecar) -> None:
    with pytest.raises(InvalidInputError, match="none of them 4e\\+07 m or more from all 25"):
        draw_distant(sidecar, np.arange(25, dtype=np.int32), 4e7)
    with pytest.raises(InvalidInputError, match="got no labelled sample"):
        draw_distant(sidecar, np.arange(0, dtype=np.int32), 100)
    with pytest.raises(InvalidInputError, match="a distance of -1 m"):
        draw_distant(sidecar, np.arange(5, dtype=np.int32), -1)
