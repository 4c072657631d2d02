"""Which pixels a guess is trained on: they agree with the map, are drawn alike, and some are held out."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from landloom.labels.guess.training_pixels import (
    class_counts,
    consistent,
    cover_votes,
    draw_pixels,
    split_pixels,
    yearly_cover,
)


@given(st.integers(0, 2**31), st.integers(1, 12))
@settings(max_examples=25, deadline=None)
def test_the_cover_of_a_year_is_the_majority_of_what_was_seen(seed: int, times: int) -> None:
    scl = np.random.default_rng(seed).integers(0, 12, (times, 5, 6), dtype=np.uint8)
    counted = cover_votes(scl)
    found = yearly_cover(counted)
    for row, column in np.ndindex(5, 6):
        seen = scl[:, row, column].tolist()
        votes = [seen.count(6), seen.count(4), seen.count(11), seen.count(5)]
        wanted = votes.index(max(votes)) + 1 if any(votes) else 0
        assert counted[:, row, column].tolist() == votes
        assert found[row, column] == wanted


def test_classes_agree_with_the_covers_that_the_taxonomy_gives_them() -> None:
    target, cover = (v.astype(np.uint8) for v in np.meshgrid(np.arange(8), np.arange(5), indexing="ij"))
    votes = np.stack([(cover == k).astype(np.uint8) for k in range(1, 5)])
    np.testing.assert_array_equal(consistent(target, votes, 0.2), consistent(target, votes))
    agreeing = {(int(t), int(c)) for t, c in zip(*np.nonzero(consistent(target, votes)), strict=True)}
    assert agreeing == {(1, 1), (2, 4), (3, 4), (4, 3), (5, 2), (6, 2), (7, 2)}


def test_a_field_that_is_bare_for_most_of_the_year_passes_a_share_and_fails_the_majority() -> None:
    votes = np.array([0, 5, 0, 16], np.uint8).reshape(4, 1, 1)
    field, town = np.array([[6]], np.uint8), np.array([[2]], np.uint8)
    assert [bool(consistent(field, votes, least)) for least in (None, 0.2, 5 / 21, 0.25)] == [False, True, True, False]
    assert bool(consistent(town, votes))
    assert not consistent(field, np.zeros_like(votes), 0.0)


@given(st.integers(0, 2**31), st.integers(1, 40), st.integers(1, 30))
@settings(max_examples=30, deadline=None)
def test_a_draw_takes_what_there_is_up_to_a_limit(seed: int, most: int, least: int) -> None:
    rng = np.random.default_rng(seed)
    target, usable = rng.integers(0, 8, (17, 19), dtype=np.uint8), rng.random((17, 19)) < 0.6
    picked = draw_pixels(target, usable, most, seed, least=least)
    assert len(set(picked.tolist())) == len(picked)
    assert usable.reshape(-1)[picked].all()
    counts = class_counts(target, usable)
    assert counts == {c: int((usable & (target == c)).sum()) for c in range(1, 8) if (usable & (target == c)).any()}
    drawn = np.bincount(target.reshape(-1)[picked], minlength=8)
    for code in range(8):
        there = counts.get(code, 0)
        assert drawn[code] == (min(there, most) if there >= least else 0)


def test_a_draw_across_blocks_reaches_every_pixel_alike() -> None:
    target = np.full((3, 1 << 21), 5, dtype=np.uint8)
    picked = draw_pixels(target, np.ones(target.shape, bool), 30_000, seed=4)
    halves = np.bincount(picked // (1 << 21), minlength=3)
    assert len(picked) == 30_000
    assert abs(halves - 10_000).max() < 400


def test_a_quarter_of_every_class_is_held_out() -> None:
    labels = np.repeat(np.array([1, 2, 6], np.uint8), [4, 1, 1_000])
    held = split_pixels(labels, 0.25, seed=3)
    assert [int(held[labels == code].sum()) for code in (1, 2, 6)] == [1, 0, 250]
    assert (split_pixels(labels, 0.25, seed=3) == held).all()
    assert (split_pixels(labels, 0.25, seed=4) != held).any()
