"""The optimism of splits: a model that remembers neighbours, and one that cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from landloom.errors import InvalidInputError
from landloom.training.evaluation.optimism import GAP, RANDOM, TILE, Examples, measure_optimism, optimism_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 24
DEGREE = 0.01
"""Between samples: about 1.1 km."""


def examples(*, remembered: bool, tiles: int = 4, seed: int = 0) -> Examples:
    """A square of samples in patches of 3 × 3 whose class is drawn by chance.

    The first feature names the patch, which tells nothing about other patches; the second is the class, with errors.
    """
    random = np.random.default_rng(seed)
    row, column = (one.ravel() for one in np.mgrid[:SIDE, :SIDE])
    patch = row // 3 * (SIDE // 3) + column // 3
    truth = random.integers(0, 2, patch.max() + 1)[patch]
    name = random.permutation(patch.max() + 1)[patch] if remembered else random.permutation(len(patch))
    hint = np.where(random.random(len(truth)) < 0.7, truth, 1 - truth)
    west, south = 10 + DEGREE * column, 0.01 + DEGREE * row
    x = west[:, None] + 0.001 * np.array([1, 1, 0, 0])
    y = south[:, None] + 0.001 * np.array([0, 1, 1, 0])
    return Examples(
        id=tuple(map(str, range(len(truth)))),
        features=np.stack([name, hint], axis=1).astype(np.float32),
        truth=truth,
        classes=("a", "b"),
        corners=np.stack([x, y], axis=-1),
        tile=row * tiles // SIDE,
    )


def nearest(features: NDArray[Any], truth: NDArray[Any], others: NDArray[Any], _seed: int) -> NDArray[Any]:
    """The class of the training sample with the nearest features; the name counts most."""
    apart = np.abs(others[:, None, :] - features[None, :, :]) @ np.array([10.0, 1.0])
    known = apart.min(axis=1) < 10
    guess = np.where(known, truth[apart.argmin(axis=1)], others[:, 1]).astype(np.int64)
    return np.eye(2, dtype=np.float32)[guess]


def measured(made: Examples, **more: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {"gap": 4_000.0, "block_size": 7_000.0, "seeds": (0, 1)}
    return {one.way: one for one in measure_optimism(made, nearest, **settings | more)}


def test_memory_of_neighbours_is_optimism() -> None:
    found = measured(examples(remembered=True))
    assert found[GAP].near == 0
    assert found[RANDOM].near > 0.95
    assert 0 < found[TILE].near < 0.8
    assert found[RANDOM].optimism["accuracy"].low > 0.1
    assert found[RANDOM].optimism["accuracy"].value > found[TILE].optimism["accuracy"].value
    assert found[GAP].scores["accuracy"].value == pytest.approx(0.7, abs=0.05)
    assert found[GAP].optimism["accuracy"].value == 0
    assert len({one.train for one in found.values()}) == 1


def test_without_memory_there_is_none() -> None:
    found = measured(examples(remembered=False))
    estimate = found[RANDOM].optimism["accuracy"]
    assert estimate.value == pytest.approx(0, abs=0.02)
    assert estimate.low <= 0 <= estimate.high


def test_a_single_tile_cannot_be_split_by_tiles() -> None:
    assert set(measured(examples(remembered=True, tiles=1))) == {RANDOM, GAP}


def test_a_gap_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="training samples, expected 10 at least"):
        measured(examples(remembered=True), gap=26_000.0)
    with pytest.raises(InvalidInputError, match="expected at least one for each of"):
        measured(examples(remembered=True), block_size=500_000.0)


def test_the_table_names_every_way() -> None:
    header, rows = optimism_rows(tuple(measured(examples(remembered=True)).values()))
    assert [row[0] for row in rows] == [RANDOM, TILE, GAP, f"{RANDOM} − {GAP}", f"{TILE} − {GAP}"]
    assert all(len(row) == len(header) for row in rows)
