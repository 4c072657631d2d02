"""Errors at withheld observations: by hand, joined exactly, and of a place that one can compute."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from landloom.imagery.fusion.fuse import fuse
from landloom.imagery.fusion.sightings import Sightings
from landloom.products.fused.judge import FUSED
from landloom.products.fused.withheld import (
    GAP_NAMES,
    HEADER,
    OTHERS,
    WithheldCase,
    WithheldErrors,
    withheld_errors,
    withheld_rows,
)

NOISE = 20.0
PART = np.s_[8:40, 8:40]


@pytest.fixture(scope="module")
def case() -> WithheldCase:
    """A year of four kinds of fields, every ten days, with noise and two bands; a third is cloudy, for 70 days all."""
    rng = np.random.default_rng(7)
    days = np.arange(0.0, 365.0, 10.0)
    rows, columns = np.indices((48, 48)) // 12
    phase = 40.0 * ((rows + 2 * columns) % 4)
    season = np.sin((days[:, None, None] - phase) / 365.0 * 2 * np.pi)
    truth = np.stack([1_000 + 300 * season, 3_000 - 900 * season], axis=1)
    stack = np.rint(truth + rng.normal(0, NOISE, truth.shape)).astype(np.uint16)
    valid = np.repeat(np.repeat(rng.random((days.size, 6, 6)) > 0.33, 8, axis=1), 8, axis=2)
    valid[(days > 150) & (days < 220)] = False
    first = Sightings(days=days, stack=stack, valid=valid)
    months = (days // 30.5).astype(np.int64) + 1
    return WithheldCase(first=first, second=None, bands=("red", "nir"), months=months, part=PART)


@pytest.fixture(scope="module")
def held(case: WithheldCase) -> np.ndarray:
    held = np.zeros(case.first.days.size, bool)
    held[[3, 9, 14, 23, 30]] = True
    return held


@pytest.fixture(scope="module")
def found(case: WithheldCase, held: np.ndarray) -> WithheldErrors:
    return withheld_errors(case, held)


def test_errors_are_those_of_the_definition(case: WithheldCase, held: np.ndarray, found: WithheldErrors) -> None:
    first = case.first
    used = fuse(first, first.days).used[held][..., *PART]
    kept = Sightings(days=first.days[~held], stack=first.stack[~held], valid=first.valid[~held])
    made = fuse(kept, first.days)
    error = (made.series[held].astype(float) - first.stack[held])[..., *PART]
    sigma = np.hypot(made.sigma[held].astype(float), made.noise[None, :, None, None])[..., *PART]
    assert found.count == used.sum()
    for band in range(2):
        own, spread = error[:, band][used], sigma[:, band][used]
        assert found.rmse(FUSED)[band] == pytest.approx(np.sqrt(np.mean(own**2)))
        assert found.bias(FUSED)[band] == pytest.approx(own.mean())
        assert found.fit()["within_2_sigma"][band] == pytest.approx(np.mean(np.abs(own) <= 2 * spread))
        assert found.fit()["sigma"][band] == pytest.approx(spread.mean())
    np.testing.assert_allclose(found.floor, NOISE, rtol=0.2)
    assert (found.rmse(FUSED) > 0.9 * NOISE).all(), "an observation's own noise is part of the error"


def test_months_and_gaps_part_the_observations(found: WithheldErrors) -> None:
    assert sum(found.number(month=m) for m in range(1, 13)) == found.count
    assert sum(found.number(gap=g) for g in range(4)) == found.count
    assert found.number(gap=0) == 0, "ten days between scenes: no gap is shorter than 20 days"
    square = sum(found.number(gap=g) * np.nan_to_num(found.rmse("linear", gap=g)) ** 2 for g in range(4))
    np.testing.assert_allclose(np.sqrt(square / found.count), found.rmse("linear"))


def test_windows_are_joined_exactly(case: WithheldCase, held: np.ndarray, found: WithheldErrors) -> None:
    halves = [withheld_errors(replace(case, part=part), held) for part in (np.s_[8:24, 8:40], np.s_[24:40, 8:40])]
    both = halves[0] + halves[1]
    assert both.count == found.count
    for method in found.methods:
        np.testing.assert_allclose(both.rmse(method), found.rmse(method))
    np.testing.assert_allclose(both.floor, found.floor)
    nothing = WithheldErrors.none(found.bands, found.methods)
    assert (nothing + found).document() == found.document()


def test_smoothing_gets_its_best_penalty(found: WithheldErrors) -> None:
    tuned = found.tuned()
    assert tuned.methods == (FUSED, *OTHERS)
    penalties = [found.rmse(name).sum() for name in found.methods if name.startswith("whittaker")]
    assert tuned.rmse("whittaker").sum() == min(penalties)
    assert tuned.tuned().methods == tuned.methods


def test_document_and_table(found: WithheldErrors) -> None:
    document = found.document()
    assert set(document["all"]["rmse"]) == {FUSED, *OTHERS}
    assert set(document["by_gap"]) <= set(GAP_NAMES)
    assert sum(one["observations"] for one in document["by_month"].values()) == document["observations"]
    rows = withheld_rows(found)
    assert {len(row) for row in rows} == {len(HEADER)}
    assert [row[0] for row in rows][:3] == ["all", "red", "nir"]


def test_what_is_not_compared_is_counted(case: WithheldCase, held: np.ndarray) -> None:
    """A missed cloud in a withheld scene is screened, and a pixel that only withheld scenes show is alone."""
    stack, valid = case.first.stack.copy(), case.first.valid.copy()
    valid[9, 16:24, 16:24] = True
    stack[9, :, 16:24, 16:24] = 8_000
    valid[~held, 12, 12] = False
    valid[3, 12, 12] = True
    found = withheld_errors(replace(case, first=replace(case.first, stack=stack, valid=valid)), held, others=False)
    assert found.methods == (FUSED,)
    assert found.screened >= 60
    assert found.alone >= 1
    assert found.rmse(FUSED).max() < 200
