"""Whole splits: the same seed, what cannot be had, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.errors import InvalidInputError, NotFoundError
from landloom.training.splits.make import SplitSettings, folds, make_split

if TYPE_CHECKING:
    from landloom.query.index.sidecar import Sidecar

GAP = 3000.0


def test_the_same_seed_is_the_same_split_and_folds_are_equal(sidecar: Sidecar) -> None:
    settings = SplitSettings(shares=folds(5), gap=0, block_size=9000, seed=3)
    (first, proof), (second, _) = (make_split(sidecar, settings) for _ in range(2))
    assert first.digest == second.digest
    sizes = [part.samples for part in proof.parts]
    assert max(abs(size - 1000) for size in sizes) <= 20
    other, _ = make_split(sidecar, SplitSettings(shares=folds(5), gap=0, block_size=9000, seed=4))
    assert other.digest != first.digest


def test_what_cannot_be_had_says_what_can(sidecar: Sidecar) -> None:
    with pytest.raises(InvalidInputError, match=r"leaves no sample in .*; a gap of \d+ m, larger blocks"):
        make_split(sidecar, SplitSettings(by="random", gap=900_000))
    with pytest.raises(InvalidInputError, match=r"got samples in 1 block of 1e\+08 m .*smaller blocks"):
        make_split(sidecar, SplitSettings(block_size=1e8))
    with pytest.raises(InvalidInputError, match="no sample of this corpus is in a stratum"):
        make_split(sidecar, SplitSettings(by="stratum"))
    with pytest.raises(InvalidInputError, match="expected a layer of them"):
        make_split(sidecar, SplitSettings(by="region"))
    with pytest.raises(NotFoundError, match="label product"):
        make_split(sidecar, SplitSettings(balance="lables"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"shares": {"train": 1.0}},
        {"shares": {"train": 0.5, "test": 0.4}},
        {"shares": {"train": 1.5, "test": -0.5}},
        {"gap": -1.0},
        {"gap": 1.1e6},
        {"gap": float("nan")},
        {"block_size": 0.0},
        {"by": "country"},
    ],
)
def test_settings_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        SplitSettings(**wrong)  # type: ignore[arg-type]
