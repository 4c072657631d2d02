"""Splits that keep neighbours together: each tile or granule belongs to one split."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from landloom.errors import InvalidInputError
from landloom.model.apportion import apportion

if TYPE_CHECKING:
    from collections.abc import Mapping


def assign_splits(groups: Mapping[str, int], fractions: Mapping[str, float], seed: int) -> dict[str, str]:
    """Assign every group to one split so that samples are divided by the shares, as closely as whole groups allow.

    Groups are taken in random order, larger ones first, each for the split that lacks most samples; the
    result does not depend on the order in which groups are given.

    Args:
        groups: tile or granule → number of its samples.
        fractions: split → share of the samples; they sum to 1.
        seed: of the random order.

    Returns:
        Group → split, in the order of the groups' names.

    Raises:
        InvalidInputError: shares that are negative or do not sum to 1.

    Example:
        >>> assign_splits({"a": 10, "b": 10, "c": 10, "d": 10}, {"train": 0.5, "test": 0.5}, seed=1)
        {'a': 'test', 'b': 'train', 'c': 'test', 'd': 'train'}
    """
    if not fractions or min(fractions.values()) < 0 or not math.isclose(sum(fractions.values()), 1.0, abs_tol=1e-9):
        raise InvalidInputError(f"got splits {dict(fractions)}, expected shares that sum to 1")
    names, splits = sorted(groups), sorted(fractions)
    sizes = np.array([groups[name] for name in names], dtype=np.int64)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    lacking = apportion([fractions[split] for split in splits], int(sizes.sum())) if names else np.zeros(0)
    found: dict[str, str] = {}
    for at in order.tolist():
        best = int(np.argmax(lacking))
        lacking[best] -= sizes[at]
        found[names[at]] = splits[best]
    return {name: found[name] for name in names}
