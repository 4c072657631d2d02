"""Composites and honest chips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landloom.errors import InvalidValueError
from landloom.imagery.composite import ENOUGH, Observation, blank_reason, composite, flatness


def looks(times: int, seed: int, shape: tuple[int, int] = (9, 8), bands: int = 3) -> list[Observation]:
    rng = np.random.default_rng(seed)
    return [
        Observation(bands=rng.integers(1, 65535, (bands, *shape), dtype=np.uint16), valid=rng.random(shape) < 0.5)
        for _ in range(times)
    ]


@settings(deadline=None)
@given(times=st.integers(1, 9), seed=st.integers(0, 10_000))
def test_each_pixel_is_the_median_of_its_valid_observations(times: int, seed: int) -> None:
    observations = looks(times, seed)
    month = composite(observations)
    for y, x in np.ndindex(9, 8):
        seen = [o.bands[:, y, x] for o in observations if o.valid[y, x]]
        assert month.count[y, x] == len(seen)
        wanted = np.floor(np.median(seen, axis=0)) if seen else np.zeros(3)
        assert np.array_equal(month.bands[:, y, x], wanted)
    assert np.array_equal(month.bands[0] == 0, month.count == 0)


def test_a_month_without_observations_is_nodata_with_count_zero() -> None:
    month = composite([], (4, 5), 12)
    assert month.bands.shape == (12, 4, 5)
    assert month.bands.dtype == np.uint16
    assert not month.bands.any()
    assert not month.count.any()
    clouded = composite([Observation(bands=np.full((1, 4, 5), 9000, np.uint16), valid=np.zeros((4, 5), bool))])
    assert not clouded.bands.any()
    assert not clouded.count.any()


def test_strips_make_the_whole() -> None:
    observations = looks(5, 1)
    whole = composite(observations)
    for start in range(0, 9, 4):
        rows = slice(start, start + 4)
        strip = composite([Observation(bands=o.bands[:, rows], valid=o.valid[rows]) for o in observations])
        assert np.array_equal(strip.bands, whole.bands[:, rows])
        assert np.array_equal(strip.count, whole.count[rows])


def test_observations_of_other_shapes_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="no observations"):
        composite([])
    with pytest.raises(InvalidValueError, match=r"\(3, 9, 8\)"):
        composite([*looks(1, 0), *looks(1, 0, (9, 9))])
    with pytest.raises(InvalidValueError, match="uint16"):
        Observation(bands=np.zeros((1, 2, 2)), valid=np.ones((2, 2), bool))  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match=r"\(2, 3\)"):
        Observation(bands=np.zeros((1, 2, 2), np.uint16), valid=np.ones((2, 3), bool))


def honest() -> tuple[np.ndarray, np.ndarray]:
    count = np.full((12, 12), 3, dtype=np.uint8)
    count[:2] = 0
    chip = np.random.default_rng(0).integers(1, 9000, (2, 12, 12), dtype=np.uint16)
    chip[:, count == 0] = 0
    return chip, count


def test_honest_chips_pass() -> None:
    chip, count = honest()
    assert blank_reason(chip, count, (2, 12, 12)) is None
    assert blank_reason(np.zeros_like(chip), np.zeros_like(count)) is None
    assert not flatness(chip, count).values
    dark = chip.copy()
    dark[:, count > 0] = 1
    assert blank_reason(dark, count) is None
    assert not flatness(dark, count).values, "dark water may be at the floor throughout"


def test_dishonest_chips_say_why() -> None:
    chip, count = honest()
    assert blank_reason(np.zeros_like(chip), count) == "band 1: nodata on all 120 observed pixels"
    hole = chip.copy()
    hole[1, 5, 5] = 0
    assert blank_reason(hole, count) == "band 2: nodata on 1 of 120 observed pixels"
    invented = chip.copy()
    invented[0, 0, 0] = 7
    assert blank_reason(invented, count) == "band 1: data on pixels that were never observed"
    assert "(2, 12, 12)" in str(blank_reason(chip, count[:11]))
    assert "expected (2, 20, 20)" in str(blank_reason(chip, count, (2, 20, 20)))


def test_one_flat_band_is_odd_and_only_flat_bands_are_certain() -> None:
    chip, count = honest()
    chip[1, count > 0] = 2500
    odd = flatness(chip, count)
    assert str(odd) == "band 2: all observed pixels are 2500"
    assert not odd.is_certain
    chip[0, count > 0] = 300
    assert flatness(chip, count).is_certain
    assert not flatness(chip[:1], count).is_certain, "one band alone may be flat"


@given(size=st.integers(1, 7), seed=st.integers(0, 2**16))
def test_pixels_are_counted_as_the_band_has_them(size: int, seed: int) -> None:
    """An honest chip: 72 clear pixels of 10 m over two of 60 m with one value between them say nothing."""
    count = (np.random.default_rng(seed).random((30, 31)) < 0.05).astype(np.uint8)
    rows, columns = np.nonzero(count)
    own = len(set(zip((rows // size).tolist(), (columns // size).tolist(), strict=True)))
    chip = np.where(count > 0, 500, 0).astype(np.uint16)[None]
    assert flatness(chip, count, [size]).judged == int(own >= ENOUGH)
