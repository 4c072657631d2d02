"""Cells of a region against brute force over ids."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from landloom.model.grid import WGS84, transformer
from landloom.model.ids import CELL_SIZE, TileId, Zone
from landloom.sampling.zone_cells import candidate_cells


def brute_force(region: shapely.Geometry, zones: list[Zone]) -> set[str]:
    """Every cell of every tile near the region, one by one."""
    found = set()
    west, south, east, north = shapely.bounds(region)
    for zone in zones:
        change = transformer(WGS84, zone.epsg)
        xs, ys = change.transform(*np.meshgrid(np.linspace(west, east, 9), np.linspace(south, north, 9)))
        back = transformer(zone.epsg, WGS84)
        for te in range(int(np.min(xs) // 24_000), int(np.max(xs) // 24_000) + 1):
            for tn in range(max(int(np.min(ys) // 24_000), 0), int(np.max(ys) // 24_000) + 1):
                cells = TileId(zone, te, tn).samples()
                corners = np.array([cell.grid(CELL_SIZE).bounds[:2] for cell in cells]) + CELL_SIZE / 2
                lons, lats = back.transform(*corners.T)
                for cell, lon, lat in zip(cells, lons, lats, strict=True):
                    if Zone.of(lon, lat) == zone and shapely.contains_xy(region, lon, lat):
                        found.add(str(cell))
    return found


@pytest.mark.parametrize(
    ("region", "zones"),
    [
        (shapely.Point(12.0, 52.0).buffer(0.2), ["32N", "33N"]),  # a border of zones
        (shapely.Point(15.0, 0.05).buffer(0.2), ["33N", "33S"]),  # the equator
        (shapely.Point(-47.95, -15.8).buffer(0.15), ["22S", "23S"]),  # south and west
        (shapely.box(179.8, -16.6, 180.0, -16.4), ["60S"]),  # up to the antimeridian
        (shapely.box(-180.0, -16.6, -179.8, -16.4), ["01S"]),  # from it on
        (shapely.Point(6.05, 61.0).buffer(0.1), ["31N", "32N"]),  # no exception for Norway
    ],
    ids=["zones", "equator", "south", "west of 180", "east of 180", "norway"],
)
def test_cells_are_those_whose_centre_lies_in_the_region(region: shapely.Geometry, zones: list[str]) -> None:
    found = [str(cell) for cell in candidate_cells(region).ids()]
    assert len(found) > 500
    assert set(found) == brute_force(region, [Zone.parse(zone) for zone in zones])
    assert found == sorted(found)


def test_a_region_on_both_sides_of_the_antimeridian_has_both_zones() -> None:
    region = shapely.MultiPolygon([shapely.box(179.9, 10, 180, 10.1), shapely.box(-180, 10, -179.9, 10.1)])
    assert {str(cell.zone) for cell in candidate_cells(region).ids()} == {"01N", "60N"}
