"""Choosing what is withheld; the reading and judging of samples runs in `tests/pipelines/test_withheld.py`."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.products.fused.withholding import months_of, withheld_dates


@pytest.mark.parametrize(("count", "share", "wanted"), [(40, 0.15, 6), (4, 0.15, 1), (2, 0.9, 1), (10, 0.5, 5)])
def test_at_least_one_and_never_all(count: int, share: float, wanted: int) -> None:
    held = withheld_dates(count, share, 1, "33N_16E-243N")
    assert (held.size, held.sum()) == (count, wanted)


def test_a_tile_always_loses_the_same_dates() -> None:
    first = withheld_dates(100, 0.2, 5, "33N_16E-243N")
    assert (first == withheld_dates(100, 0.2, 5, "33N_16E-243N")).all()
    assert (first != withheld_dates(100, 0.2, 6, "33N_16E-243N")).any()
    assert (first != withheld_dates(100, 0.2, 5, "33N_16E-244N")).any()


def test_months_of_days() -> None:
    assert months_of(np.array([0.0, 31.5, 17_531.4, 17_897.9])).tolist() == [1, 2, 12, 1]
