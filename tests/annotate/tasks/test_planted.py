"""Planted errors change whole objects, to a class that could stand there."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from landloom.annotate.tasks.planted import SMALLEST, objects, plant_error

CODES = (1, 2, 3, 7)


def blocks() -> st.SearchStrategy[np.ndarray]:
    """Tasks of 16 × 16 pixels, made of blocks of one class or unlabelled."""
    small = arrays(np.uint8, (4, 4), elements=st.sampled_from((0, *CODES)))
    return small.map(lambda one: one.repeat(4, axis=0).repeat(4, axis=1))


@given(guess=blocks(), seed=st.integers(0, 2**20))
def test_whole_objects_change_class(guess: np.ndarray, seed: int) -> None:
    altered = plant_error(guess, CODES, np.random.default_rng(seed))
    if altered is None:
        assert not guess.any()
        return
    changed = altered != guess
    assert changed.any()
    assert set(np.unique(altered)) <= {0, *CODES}
    assert not changed[guess == 0].any()
    for number in np.unique(objects(guess))[1:]:
        part = changed[objects(guess) == number]
        assert part.all() or not part.any()
        assert part.size >= SMALLEST or not part.any()


def test_objects_are_connected_pixels_of_one_class() -> None:
    labels = np.array([[1, 1, 2, 1], [2, 1, 2, 0], [1, 2, 2, 1]], np.uint8)
    found = objects(labels)
    for code in (1, 2):
        parts, count = ndimage.label(labels == code)
        assert len(np.unique(found[labels == code])) == count
        for number in range(1, count + 1):
            assert len(np.unique(found[parts == number])) == 1
    assert found[1, 3] == 0


def test_the_second_most_probable_class_is_planted() -> None:
    guess = np.ones((8, 8), np.uint8)
    probabilities = np.zeros((4, 8, 8), np.uint16)
    probabilities[0], probabilities[3] = 6000, 4000
    altered = plant_error(guess, CODES, np.random.default_rng(1), probabilities=probabilities)
    assert altered is not None
    assert (altered == 7).all()


def test_shares_of_area_decide_without_probabilities() -> None:
    guess = np.ones((8, 8), np.uint8)
    altered = plant_error(guess, CODES, np.random.default_rng(1), shares=np.array([0.5, 0, 0.5, 0]))
    assert altered is not None
    assert (altered == 3).all()


def test_part_of_a_task_is_left_right() -> None:
    guess = np.ones((16, 16), np.uint8)
    guess[:8] = 2
    altered = plant_error(guess, CODES, np.random.default_rng(4))
    assert altered is not None
    assert (altered != guess).mean() == 0.5


def test_what_is_too_small_or_has_no_other_class_is_left() -> None:
    scattered = (np.indices((8, 8)).sum(axis=0) % 2 + 1).astype(np.uint8)
    assert plant_error(scattered, CODES, np.random.default_rng(1)) is None
    assert plant_error(np.ones((8, 8), np.uint8), (1,), np.random.default_rng(1)) is None
