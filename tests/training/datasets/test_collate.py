"""Batches: padding, and texts and dictionaries beside tensors."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError
from landloom.training.datasets.collate import collate


def sample(length: int, name: str = "a") -> dict[str, Any]:
    image = torch.arange(1.0, length * 4 + 1).reshape(length, 1, 2, 2)
    return {
        "image": image,
        "dates": torch.arange(1, length + 1),
        "valid": torch.ones(length, 2, 2, dtype=torch.bool),
        "label": torch.tensor(length),
        "id": name,
    }


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_padding_changes_nothing_that_was_there(lengths: list[int]) -> None:
    batch = collate([sample(length) for length in lengths])
    assert batch["length"].tolist() == lengths
    assert batch["label"].tolist() == lengths
    for place, length in enumerate(lengths):
        own = sample(length)
        assert torch.equal(batch["image"][place, :length], own["image"])
        assert torch.equal(batch["dates"][place, :length], own["dates"])
        assert not batch["image"][place, length:].any()
        assert not batch["dates"][place, length:].any()
        assert not batch["valid"][place, length:].any()


def test_products_are_collated_apart() -> None:
    batch = collate([{"s2": sample(2), "pf": sample(n), "id": str(n)} for n in (3, 4)])
    assert batch["s2"]["image"].shape[1] == 2
    assert batch["pf"]["length"].tolist() == [3, 4]
    assert batch["id"] == ["3", "4"]


def test_unequal_lengths_without_padding_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="2 to 3 timesteps"):
        collate([sample(2), sample(3)], pad=False)
    with pytest.raises(InvalidInputError, match="without samples"):
        collate([])


def test_a_part_of_a_batch_is_no_batch() -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    assert torch.equal(collate([{"x": whole[2]}, {"x": whole[1]}, {"x": whole[0]}])["x"], whole.flip(0))
    assert torch.equal(collate([{"x": whole[0]}, {"x": whole[1]}])["x"], whole[:2])
