"""Other ways to fill: the kernels' own values on the observations that the fused series uses, and how sure they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.imagery.clusters import fill_clr
from landloom.imagery.fill import fill_linear
from landloom.imagery.fusion.fuse import Prepared, prepare
from landloom.imagery.fusion.methods import FUSED, YEAR, Filling, filled
from landloom.imagery.fusion.sightings import Sightings
from landloom.imagery.harmonic import fill_harmonic
from landloom.imagery.whittaker import whittaker

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Kernel = Callable[[NDArray[np.uint16], NDArray[np.bool_], NDArray[np.float64]], NDArray[np.uint16]]

TARGETS = np.arange(2.0, 360.0, 5.0)
PART = np.s_[2:18, 4:22]
KERNELS: dict[Filling, Kernel] = {
    Filling(method="linear"): lambda stack, used, days: fill_linear(stack, used, days, TARGETS),
    Filling(method="linear", periodic=True): lambda stack, used, days: fill_linear(stack, used, days, TARGETS, YEAR),
    Filling(method="whittaker"): lambda stack, used, days: whittaker(stack, used, days, TARGETS),
    Filling(method="whittaker", smoothing=30.0): lambda stack, used, days: whittaker(stack, used, days, TARGETS, 30.0),
    Filling(method="harmonic"): lambda stack, used, days: fill_harmonic(stack, used, days, TARGETS),
    Filling(method="clr"): lambda stack, used, days: fill_clr(stack, used, days, TARGETS),
}


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    """A year under clouds; one pixel is never seen."""
    rng = np.random.default_rng(5)
    days = np.arange(60.0, 330.0, 9.0)
    level = rng.uniform(800, 2_500, (1, 2, 24, 24)).repeat(len(days), 0)
    season = 1 + 0.4 * np.sin((days - 100) / 58)[:, None, None, None]
    stack = np.rint(level * season + rng.normal(0, 30, level.shape)).astype(np.uint16)
    valid = rng.random((len(days), 24, 24)) < 0.55
    valid[:, 5, 7] = False
    return prepare(Sightings(days=days, stack=stack, valid=valid), TARGETS)


@pytest.mark.parametrize("filling", KERNELS, ids=lambda one: f"{one.method}-{one.smoothing}-{one.periodic}")
def test_values_are_those_of_the_method_and_sigma_allows_for_them(filling: Filling, prepared: Prepared) -> None:
    fused, made = filled(FUSED, prepared, PART), filled(filling, prepared, PART)
    stack = np.ascontiguousarray(prepared.first.stack[..., *PART])
    used = np.ascontiguousarray(prepared.used[..., *PART])
    wanted = KERNELS[filling](stack, used, prepared.first.days)
    known = fused.series > 0
    np.testing.assert_array_equal(made.series, np.where(known, np.clip(wanted, 1, 65_534), 0))
    np.testing.assert_array_equal(made.used, fused.used)
    apart = made.series.astype(float) - fused.series
    np.testing.assert_allclose(made.sigma[known], np.hypot(fused.sigma.astype(float), apart)[known], atol=1)
    assert not made.series[..., 3, 3].any(), "never seen"
    assert not made.sigma[..., 3, 3].any()


def test_values_beyond_the_limits_are_clipped_and_counted(prepared: Prepared) -> None:
    made = filled(Filling(method="linear"), prepared, PART, (1_000, 2_000))
    free = filled(Filling(method="linear"), prepared, PART)
    assert made.series[made.series > 0].min() == 1_000
    assert made.clipped == np.count_nonzero((free.series > 0) & ((free.series < 1_000) | (free.series > 2_000)))


def test_the_fused_series_is_left_as_it_is(prepared: Prepared) -> None:
    np.testing.assert_array_equal(filled(FUSED, prepared, PART).series, prepared.series(PART).series)
