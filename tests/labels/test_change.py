"""Change between two versions of labels: sums, bounds, and equality with counted maps where the two must agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from landloom.errors import InvalidValueError
from landloom.labels.change import change_mask, change_of_fractions, transition_counts
from landloom.model.apportion import apportion
from landloom.model.taxonomy import taxonomy

LCN = taxonomy("landcovernet")
CODES = np.array([int(code) for code in LCN.codes()])


def maps(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    before = rng.choice(CODES, (3, 20, 20))
    return before, np.where(rng.random(before.shape) < 0.3, rng.choice(CODES, before.shape), before)


def fractions(classes: np.ndarray) -> np.ndarray:
    return apportion([[np.count_nonzero(one == code) for code in CODES] for one in classes])


@given(st.integers(0, 1_000))
def test_counts_are_a_confusion_matrix(seed: int) -> None:
    before, after = maps(seed)
    expected = confusion_matrix(before.ravel(), after.ravel(), labels=CODES)
    np.testing.assert_array_equal(transition_counts(before, after, CODES), expected)


@given(st.integers(0, 1_000))
def test_fractions_bound_what_maps_count(seed: int) -> None:
    before, after = maps(seed)
    nothing = LCN.index[LCN.nodata]
    counts = np.stack([transition_counts(b, a, CODES) for b, a in zip(before, after, strict=True)])
    counts[:, nothing, :], counts[:, :, nothing] = 0, 0
    counted = (counts.sum(axis=(1, 2)) - np.trace(counts, axis1=1, axis2=2)) / 400
    least = change_of_fractions(fractions(before), fractions(after), LCN)
    assert (least.fractions.sum(axis=1) == 1_000_000).all()
    assert (least.fractions[:, 1] <= counted * 1_000_000 + 8).all()
    np.testing.assert_allclose(least.transitions.sum(axis=(1, 2)), 1 - least.fractions[:, 2] / 1e6, atol=2e-6)
    assert not least.transitions[:, nothing].any()
    assert not least.transitions[:, :, nothing].any()
    stable = np.trace(least.transitions, axis1=1, axis2=2)
    np.testing.assert_allclose(stable, least.fractions[:, 0] / 1e6, atol=2e-6)


@given(st.integers(0, 1_000))
def test_the_way_back_is_the_transpose(seed: int) -> None:
    before, after = maps(seed)
    there = change_of_fractions(fractions(before), fractions(after), LCN)
    back = change_of_fractions(fractions(after), fractions(before), LCN)
    np.testing.assert_allclose(there.transitions, back.transitions.transpose(0, 2, 1), atol=1e-12)


def test_a_document_tells_the_largest_first() -> None:
    before = apportion([[0, 1, 0, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0, 0, 0]])
    after = apportion([[0, 0, 0, 1, 0, 0, 0, 0], [0, 1, 0, 0, 0, 1, 0, 0]])
    told = change_of_fractions(before, after, LCN).document()
    codes = LCN.codes()
    assert told["transitions"] == [
        {"from": codes[1], "to": codes[3], "share": 0.5},
        {"from": codes[2], "to": codes[5], "share": 0.25},
    ]
    assert told["shares"] == {"stable": 0.25, "changed": 0.75, "unknown": 0.0}


def test_masks_and_wrong_input() -> None:
    assert change_mask(np.array([0, 1, 1]), np.array([1, 1, 2])).tolist() == [0, 1, 2]
    with pytest.raises(InvalidValueError, match="same pixels"):
        change_mask(np.zeros(2, int), np.zeros(3, int))
    with pytest.raises(InvalidValueError, match="sum to"):
        change_of_fractions(np.zeros((1, 8), int), np.zeros((1, 8), int), LCN)
    with pytest.raises(InvalidValueError, match="twice"):
        change_of_fractions(np.zeros((1, 8), int), np.zeros((2, 8), int), LCN)
