"""The gap and its proof, against every pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.training.splits.pairs import corners_of, every_pair

from landloom.training.splits.distances import Footprints, near_pairs
from landloom.training.splits.make import SplitSettings, make_split
from landloom.training.splits.proof import within_gap

if TYPE_CHECKING:
    from landloom.query.index.sidecar import Sidecar

GAP = 3000.0


@pytest.mark.parametrize("by", ["blocks", "tile", "random"])
def test_a_split_is_what_brute_force_finds(sidecar: Sidecar, by: str) -> None:
    gap = 0.0 if by == "random" else GAP
    made, proof = make_split(sidecar, SplitSettings(by=by, gap=gap, block_size=9000, balance="labels"))  # type: ignore[arg-type]
    places = Footprints.of_degrees(corners_of(sidecar))
    codes = made.codes[every_pair(places, gap)]
    assert not ((codes[:, 0] != codes[:, 1]) & (codes.min(axis=1) >= 0)).any()
    assert proof.violations == 0
    assert proof.gap_samples == int((made.codes == -1).sum())
    assert sum(part.samples for part in proof.parts) + proof.gap_samples == 5_000
    for text, distance in proof.nearest.items():
        assert distance >= gap
        first, second = (np.flatnonzero(made.codes == made.names.index(name)) for name in text.split(" | "))
        to_all = [places.distances(np.full(len(second), row), second).min() for row in first[:10]]
        assert min(to_all) >= distance - 0.1


def test_the_gap_costs_only_what_is_too_near(sidecar: Sidecar) -> None:
    """One of every two samples that are too near leaves, and none that has no such neighbour."""
    places = Footprints.of_degrees(corners_of(sidecar))
    split = np.random.default_rng(2).integers(0, 2, 5_000)
    leave = within_gap(places, split, [0.6, 0.4], GAP)
    pairs = every_pair(places, GAP)
    near = pairs[split[pairs[:, 0]] != split[pairs[:, 1]]]
    larger = np.where(split[near[:, 0]] == 0, near[:, 0], near[:, 1])
    assert np.flatnonzero(leave).tolist() == np.unique(larger).tolist()
    found = sum(len(rows[0]) for _, rows in near_pairs(places, split, GAP))
    assert found >= len(near)
