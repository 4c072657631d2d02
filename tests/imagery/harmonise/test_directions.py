"""The c-factor method against the kernels' formulae in scalars, laws, published values, and interpolation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.imagery.harmonise.directions import (
    PUBLISHED,
    Parameters,
    c_factor,
    factors_on,
    kernels,
    multiplied,
    node_factors,
    parameters,
)
from landloom.model.grid import Grid
from landloom.model.scene import Angles, Direction
from landloom.model.sensor import LANDSAT_C2_L2, SENTINEL2

ZENITH = st.floats(0, 75)
AZIMUTH = st.floats(-360, 360)


def ross_thick(sun: float, view: float, azimuth: float) -> float:
    s, v, a = math.radians(sun), math.radians(view), math.radians(azimuth)
    xi = math.acos(max(-1.0, min(1.0, math.cos(s) * math.cos(v) + math.sin(s) * math.sin(v) * math.cos(a))))
    return ((math.pi / 2 - xi) * math.cos(xi) + math.sin(xi)) / (math.cos(s) + math.cos(v)) - math.pi / 4


def li_sparse(sun: float, view: float, azimuth: float, height: float = 2.0, round_: float = 1.0) -> float:
    """Equations 38 to 44 of Wanner, Li & Strahler (1995) in the reciprocal form of Lucht et al. (2000)."""
    s, v = (math.atan(round_ * math.tan(math.radians(one))) for one in (sun, view))
    a = math.radians(azimuth)
    xi = math.acos(max(-1.0, min(1.0, math.cos(s) * math.cos(v) + math.sin(s) * math.sin(v) * math.cos(a))))
    squared = math.tan(s) ** 2 + math.tan(v) ** 2 - 2 * math.tan(s) * math.tan(v) * math.cos(a)
    root = math.sqrt(max(squared, 0.0) + (math.tan(s) * math.tan(v) * math.sin(a)) ** 2)
    t = math.acos(max(-1.0, min(1.0, height * root / (1 / math.cos(s) + 1 / math.cos(v)))))
    overlap = (t - math.sin(t) * math.cos(t)) * (1 / math.cos(s) + 1 / math.cos(v)) / math.pi
    return overlap - 1 / math.cos(s) - 1 / math.cos(v) + 0.5 * (1 + math.cos(xi)) / math.cos(s) / math.cos(v)


@given(sun=ZENITH, view=ZENITH, azimuth=AZIMUTH)
def test_kernels_are_those_of_the_formulae(sun: float, view: float, azimuth: float) -> None:
    volumetric, geometric = kernels(np.array(sun), np.array(view), np.array(azimuth))
    assert float(volumetric) == pytest.approx(ross_thick(sun, view, azimuth), abs=1e-6)
    assert float(geometric) == pytest.approx(li_sparse(sun, view, azimuth), abs=1e-5)


@given(sun=ZENITH, view=ZENITH, azimuth=AZIMUTH)
def test_kernels_do_not_change_when_sun_and_view_are_exchanged(sun: float, view: float, azimuth: float) -> None:
    one = kernels(np.array(sun), np.array(view), np.array(azimuth))
    other = kernels(np.array(view), np.array(sun), np.array(-azimuth))
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_both_kernels_are_zero_under_a_sun_in_the_zenith_seen_from_nadir() -> None:
    np.testing.assert_allclose(kernels(np.array(0.0), np.array(0.0), np.array(0.0)), 0, atol=1e-12)


@given(sun=ZENITH, azimuth=AZIMUTH, colour=st.sampled_from(sorted(PUBLISHED)))
def test_what_is_seen_from_nadir_under_the_fixed_sun_stays(sun: float, azimuth: float, colour: str) -> None:
    assert float(c_factor(PUBLISHED[colour], np.array(sun), np.array(0.0), np.array(azimuth), sun)) == pytest.approx(1)


@given(sun=ZENITH, view=st.floats(0, 50), azimuth=AZIMUTH)
def test_a_surface_without_directions_is_left_as_it_is(sun: float, view: float, azimuth: float) -> None:
    flat = Parameters(0.2, 0.0, 0.0)
    assert float(c_factor(flat, np.array(sun), np.array(view), np.array(azimuth))) == pytest.approx(1)


@given(sun=st.floats(20, 60), view=st.floats(2, 12), to_sun=st.floats(20, 60))
def test_what_is_seen_with_the_sun_in_the_back_is_brighter(sun: float, view: float, to_sun: float) -> None:
    back, front = (
        float(c_factor(PUBLISHED["red"], np.array(sun), np.array(view), np.array(one), to_sun)) for one in (0.0, 180.0)
    )
    assert back < front


def test_low_suns_and_views_are_not_known() -> None:
    found = c_factor(PUBLISHED["nir"], np.array([81.0, 40.0, np.nan]), np.array([0.0, 61.0, 0.0]), np.zeros(3))
    assert np.isnan(found).all()


def test_bands_have_the_parameters_of_their_colour() -> None:
    known = {name: parameters(band) for name, band in SENTINEL2.items()}
    assert {name for name, one in known.items() if one is None} == {"B01", "B09", "B10"}
    assert [known[name] for name in ("B05", "B06", "B07")] == [PUBLISHED[f"rededge{n}"] for n in (1, 2, 3)]
    assert known["B08"] == known["B8A"] == parameters(LANDSAT_C2_L2.bands["B5"])


def _angles(view: float = 8.0) -> Angles:
    """Sun and view change from west to east; the easternmost nodes of the view are not known."""
    sun = 30.0 + np.arange(5.0)[None].repeat(5, 0)
    seen = np.full((5, 5), view)
    seen[:, 4] = np.nan
    return Angles(
        west=500_000,
        north=5_000_000,
        step=5_000,
        sun=Direction(zenith=sun, azimuth=np.full((5, 5), 150.0)),
        view={"B04": Direction(zenith=seen, azimuth=np.full((5, 5), 100.0))},
    )


def test_factors_between_nodes_lie_between_those_of_the_nodes() -> None:
    angles = _angles()
    nodes = node_factors(angles, SENTINEL2["B04"])
    assert nodes is not None
    grid = Grid.of_bounds(32633, (500_000 - 2_505, 5_000_000 - 10_005, 500_000 + 22_495, 5_000_000 - 9_995), 10)
    found = factors_on(nodes, angles, grid)[0]
    places = np.arange(0, 4) * 500 + 250
    np.testing.assert_allclose(found[places], nodes[2, :4], atol=1e-6)
    np.testing.assert_allclose(found[places[:-1] + 250], (nodes[2, :3] + nodes[2, 1:4]) / 2, atol=1e-6)
    assert (found[:250] == found[0]).all(), "beyond the outermost nodes"
    assert nodes[0, 4] == nodes[0, 3], "a node without angles"
    middle = c_factor(PUBLISHED["red"], np.array(31.5), np.array(8.0), np.array(50.0))
    assert found[1_000] == pytest.approx(float(middle), abs=2e-4)


def test_bands_without_angles_or_parameters_have_no_factors() -> None:
    assert node_factors(_angles(), SENTINEL2["B08"]) is None
    assert node_factors(_angles(), SENTINEL2["B01"]) is None
    assert node_factors(_angles(view=70.0), SENTINEL2["B04"]) is None


@given(number=st.integers(0, 65_535), factor=st.floats(0.25, 3, width=32))
def test_numbers_never_become_nodata_or_saturated(number: int, factor: float) -> None:
    (found,) = multiplied(np.array([number], np.uint16), np.array([factor], np.float32)).tolist()
    assert (found == number) if number in (0, 65_535) else (1 <= found <= 65_534)
