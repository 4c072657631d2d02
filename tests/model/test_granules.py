from __future__ import annotations

import numpy as np
import pytest
import shapely

from landloom.errors import InvalidIdentityError
from landloom.model.granules import (
    EXTENT,
    granule_footprint,
    granule_grid,
    granules_in,
    world_granules,
)
from landloom.model.ids import GranuleId


def test_every_granule_of_the_world_has_a_grid_of_its_own() -> None:
    granules = world_granules()
    assert list(granules) == sorted(set(granules))
    assert 56_000 < len(granules) < 57_500
    seen = set()
    for granule in granules[::37]:
        grid = granule_grid(granule, 10)
        assert grid.shape == (10_980, 10_980)
        assert grid.west % 60 == 0
        assert (grid.north - (0 if granule.zone.north else 10_000_000)) % 60 == 0
        seen.add((grid.epsg, grid.west, grid.north))
    assert len(seen) == len(granules[::37])


def test_the_world_is_covered() -> None:
    rng = np.random.default_rng(1)
    for longitude, latitude in rng.uniform([-180, -80], [180, 83.9], (300, 2)):
        found = granules_in(shapely.Point(longitude, latitude))
        assert found
        assert any(
            granule_footprint(g).buffer(1e-3).contains(shapely.Point(longitude + turn, latitude))
            for g in found
            for turn in (-360, 0, 360)
        )


@pytest.mark.parametrize(
    ("longitude", "latitude", "zones"),
    [
        (4.0, 61.0, {32}),  # Norway: zone 32 reaches west to 3°
        (2.0, 61.0, {31}),
        (4.0, 55.5, {31}),
        (12.0, 78.5, {33}),  # Svalbard has odd zones only
        (15.0, 78.5, {33}),
        (27.0, 78.5, {35}),
        (5.0, 78.5, {31}),
        (38.0, 80.0, {37}),
        (8.0, 70.5, {32}),
    ],
)
def test_norway_and_svalbard_are_as_they_are(longitude: float, latitude: float, zones: set[int]) -> None:
    found = {granule.number for granule in granules_in(shapely.Point(longitude, latitude))}
    assert zones <= found
    assert found <= zones | {z + step for z in zones for step in (-1, 1, -2, 2)}
    if latitude > 72.5:
        assert not found & {32, 34, 36}


def test_the_antimeridian_is_one_place() -> None:
    west, east = shapely.Point(-179.99, -16.5), shapely.Point(180.01, -16.5)
    assert granules_in(west) == granules_in(east) != ()
    assert {g.number for g in granules_in(shapely.box(179.9, -16.6, 180, -16.4))} == {1, 60}


def test_neighbours_overlap_by_ten_kilometres() -> None:
    upper, lower = (granule_grid(GranuleId.parse(name), 10) for name in ("33TWL", "33TWK"))
    assert lower.north - upper.south == pytest.approx(EXTENT - 100_000, abs=60)


@pytest.mark.parametrize("name", ["33TAL", "33TWW", "33XWS", "32CWL"])
def test_squares_that_no_zone_has_are_refused(name: str) -> None:
    with pytest.raises(InvalidIdentityError, match=name):
        granule_grid(GranuleId.parse(name), 10)
