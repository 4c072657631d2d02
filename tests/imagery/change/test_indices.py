"""Normalised differences, and the noise that they inherit."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.errors import InvalidInputError, InvalidValueError, NotFoundError
from landloom.imagery.change.indices import index_bands, normalised_difference


def test_variance_is_that_of_noisy_bands() -> None:
    rng = np.random.default_rng(0)
    stack = np.rint(rng.normal([[2_900.0], [700.0]], [[80.0], [50.0]], (2, 40_000))).astype(np.uint16)
    value, variance = normalised_difference(stack.reshape(1, 2, 200, 200), (0, 1), np.array([80.0, 50.0]))
    assert float(value.std()) == pytest.approx(float(np.sqrt(variance.mean())), rel=0.02)


def test_nothing_where_both_bands_are_zero() -> None:
    value, variance = normalised_difference(np.zeros((1, 2, 1, 1), np.uint16), (0, 1), np.ones(2))
    assert value.item() == 0
    assert np.isinf(variance.item())


def test_bands_are_found_by_their_names() -> None:
    assert index_bands("nbr", ("B02", "B8A", "B12")) == (1, 2)
    with pytest.raises(InvalidInputError, match="B04 or RED"):
        index_bands("ndvi", ("B02", "B08"))
    with pytest.raises(NotFoundError, match="evi"):
        index_bands("evi", ("B02", "B08"))
    with pytest.raises(InvalidValueError, match="noise"):
        normalised_difference(np.zeros((1, 2, 1, 1), np.uint16), (0, 1), np.ones(3))
