from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError
from landloom.sampling.splits import assign_splits

FRACTIONS = {"train": 0.7, "validation": 0.15, "test": 0.15}


@given(
    st.dictionaries(st.text("abcdefgh", min_size=1, max_size=5), st.integers(1, 50), max_size=60), st.integers(0, 99)
)
def test_groups_are_whole_and_sizes_near_the_shares(groups: dict[str, int], seed: int) -> None:
    found = assign_splits(groups, FRACTIONS, seed)
    assert set(found) == set(groups)
    assert set(found.values()) <= set(FRACTIONS)
    largest, total = max(groups.values(), default=0), sum(groups.values())
    for split, share in FRACTIONS.items():
        held = sum(groups[g] for g, s in found.items() if s == split)
        assert abs(held - share * total) <= largest + 1
    assert assign_splits(dict(reversed(groups.items())), dict(reversed(FRACTIONS.items())), seed) == found


def test_the_seed_decides() -> None:
    groups = {f"tile {i}": 5 for i in range(50)}
    assert assign_splits(groups, FRACTIONS, 1) == assign_splits(groups, FRACTIONS, 1)
    assert assign_splits(groups, FRACTIONS, 1) != assign_splits(groups, FRACTIONS, 2)


@pytest.mark.parametrize("fractions", [{}, {"train": 0.7}, {"train": 1.2, "test": -0.2}])
def test_shares_that_are_none_are_refused(fractions: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match="sum to 1"):
        assign_splits({"a": 1}, fractions, 1)
