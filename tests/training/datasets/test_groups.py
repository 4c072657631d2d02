"""Groups of pixels: means and labels against plain ones, group by group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.training.datasets.groups import drawn_pixels, group_targets, means
from landloom.training.datasets.targets import Dense


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 6))
def test_means_are_those_of_each_group(seed: int, time: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(time, 2, size, size)).astype(np.float32)
    valid = rng.random((time, size, size)) > 0.4
    groups = rng.integers(-1, 4, (size, size)) * 7
    groups[groups < 0] = -1
    numbers, found, there = means(image, valid, groups)
    assert numbers.tolist() == sorted(set(groups[groups >= 0].tolist()))
    for place, number in enumerate(numbers.tolist()):
        for step in range(time):
            own = valid[step] & (groups == number)
            assert there[place, step] == own.any()
            expected = image[step][:, own].mean(axis=1) if own.any() else np.zeros(2)
            np.testing.assert_allclose(found[place, step], expected, atol=1e-5)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_labels_are_the_most_frequent_of_each_group(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    groups, classes = rng.integers(-1, 3, (size, size)), rng.integers(-1, 3, (size, size))
    weight = rng.random((size, size)).astype(np.float32)
    numbers = np.unique(groups[groups >= 0])
    label, confidence = group_targets(Dense(key="mask", numbers=classes, weight=weight), groups, numbers)
    for place, number in enumerate(numbers):
        own = (groups == number) & (classes >= 0)
        assert label[place] == (np.bincount(classes[own]).argmax() if own.any() else -1)
        assert confidence[place] == pytest.approx(weight[own].mean() if own.any() else 0, rel=1e-5)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_numbers_are_the_mean_of_each_group(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    groups, values = rng.integers(-1, 3, (size, size)), rng.normal(5, 1, (size, size)).astype(np.float32)
    values[rng.random((size, size)) < 0.3] = np.nan
    numbers = np.unique(groups[groups >= 0])
    dense = Dense(key="value", numbers=values, weight=np.ones((size, size), np.float32))
    found, _ = group_targets(dense, groups, numbers)
    for place, number in enumerate(numbers):
        own = values[(groups == number) & ~np.isnan(values)]
        assert found[place] == pytest.approx(own.mean() if len(own) else np.nan, rel=1e-5, nan_ok=True)


def test_drawn_pixels_are_usable() -> None:
    usable = np.random.default_rng(0).random((9, 7)) > 0.5
    drawn = drawn_pixels(usable, 12, np.random.default_rng(1))
    assert (drawn >= 0).sum() == 12
    assert usable[drawn >= 0].all()
    assert np.array_equal(np.flatnonzero(drawn.ravel() >= 0), np.sort(drawn[drawn >= 0]))
    assert np.array_equal(drawn_pixels(usable, None, np.random.default_rng(1)) >= 0, usable)
