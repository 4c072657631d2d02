"""Medians of bands in their own pixels are those of the product's pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landloom.errors import InvalidValueError
from landloom.imagery.composite import composite
from landloom.imagery.layers import Layer, composite_layers, merged

SHAPE = (12, 18)


def layer(rng: np.random.Generator, valid: np.ndarray, factors: tuple[int, ...]) -> Layer:
    bands = (rng.integers(1, 65_535, (SHAPE[0] // one, SHAPE[1] // one), dtype=np.uint16) for one in factors)
    return Layer(bands=tuple(bands), valid=valid)


def usable(rng: np.random.Generator, side: int) -> np.ndarray:
    """Usable in patches."""
    return (rng.random((SHAPE[0] // side, SHAPE[1] // side)) < 0.6).repeat(side, 0).repeat(side, 1)


@settings(deadline=None)
@given(
    passes=st.lists(st.tuples(st.sampled_from((1, 2, 3, 6)), st.booleans()), max_size=5),
    odd=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_medians_are_those_of_the_grids_pixels(passes: list[tuple[int, bool]], odd: bool, seed: int) -> None:  # noqa: FBT001 - drawn
    """Whatever masks look like, whether one granule or two show an overpass, and if a band's pixels differ once."""
    rng, layers, seen = np.random.default_rng(seed), [], []
    for number, (side, twice) in enumerate(passes):
        factors = (1, 2, 6, 3) if number or not odd else (1, 1, 6, 6)
        first = usable(rng, side)
        own = [layer(rng, first, factors)]
        if twice:
            own.append(layer(rng, usable(rng, side) & ~first, factors))
        layers += own
        seen.append(merged(own))
    made, expected = composite_layers(layers, SHAPE, 4), composite(seen, SHAPE, 4)
    np.testing.assert_array_equal(made.bands, expected.bands)
    np.testing.assert_array_equal(made.count, expected.count)


def test_bands_have_to_be_whole_parts_of_the_grid() -> None:
    with pytest.raises(InvalidValueError, match="whole parts"):
        Layer(bands=(np.zeros((4, 5), np.uint16),), valid=np.ones((9, 10), np.bool_))
