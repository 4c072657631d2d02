"""The design on real countries and on ESA's own grid of granules."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from landloom.model.granules import granule_footprint, granule_grid, granules_in, world_granules
from landloom.model.ids import GranuleId
from landloom.sampling.allocate import areas, quotas
from landloom.sampling.zone_cells import candidate_cells

if TYPE_CHECKING:
    from pathlib import Path

EUROPE = shapely.box(-32, 27, 50, 72)
"""Leaves French Guiana, Réunion, Svalbard and Jan Mayen's north out."""


@pytest.fixture(scope="module")
def eea39(shared_data: Path) -> list[tuple[str, shapely.Geometry]]:
    """Names and polygons of the 39 countries of the EEA."""
    frame = gpd.read_file(shared_data / "countries" / "ne_50m_europe.geojson")
    members = frame[frame["eea39"]]
    return list(zip(members["NAME"], members.geometry, strict=True))


@pytest.fixture(scope="module")
def esa(shared_data: Path) -> dict[str, tuple[int, tuple[float, ...]]]:
    """Granule → EPSG code and bounds, of the 20,430 granules with land."""
    table = pq.read_table(
        shared_data / "mgrs_grid" / "sentinel-2-grid_LAND.parquet", columns=["tile", "epsg", "utm_bounds"]
    ).to_pydict()
    rows = zip(table["tile"], table["epsg"], table["utm_bounds"], strict=True)
    return {tile: (int(epsg), ast.literal_eval(bounds)) for tile, epsg, bounds in rows}


def test_quotas_of_the_39_countries(eea39: list[tuple[str, shapely.Geometry]]) -> None:
    sizes = areas(EUROPE, eea39)
    found = quotas(sizes, 500_000)
    assert len(found) == 39
    assert sum(found.values()) == 500_000
    # Geodesic areas against an equal-area projection: quotas differ by one sample in ten thousand at most.
    frame = gpd.GeoSeries([shapely.intersection(shape, EUROPE) for _, shape in eea39], crs=4326)
    flat = frame.segmentize(0.05).to_crs(6933).area.to_numpy()
    assert np.allclose(list(sizes.values()), flat, rtol=2e-5)
    share = flat / flat.sum() * 500_000
    assert np.abs(np.array(list(found.values())) - share).max() < 1 + 500_000 * 2e-5
    assert max(found, key=found.__getitem__) == "Turkey"
    assert min(found, key=found.__getitem__) == "Liechtenstein"


def test_cells_of_a_country_cover_its_area(eea39: list[tuple[str, shapely.Geometry]]) -> None:
    some = [(name, shape) for name, shape in eea39 if name in ("Belgium", "Luxembourg", "Netherlands", "Slovenia")]
    region = shapely.union_all([shape for _, shape in some]).intersection(EUROPE)
    cells = candidate_cells(region, some)
    counts = np.bincount(cells.country, minlength=len(some)) * 0.36e6
    # Scale of UTM and cells cut by a border: within a few thousandths.
    assert np.allclose(counts, list(areas(region, some).values()), rtol=5e-3)
    assert sorted(set(cells.zone.tolist())) == [31, 32, 33]


def test_all_granules_of_esa_are_computed_to_the_metre(esa: dict[str, tuple[int, tuple[float, ...]]]) -> None:
    assert len(esa) == 20_430
    wrong = []
    for name, expected in esa.items():
        grid = granule_grid(GranuleId.parse(name), 10)
        if (grid.epsg, grid.bounds) != expected:
            wrong.append(name)
    assert wrong == []


def test_every_granule_of_esa_is_among_those_of_the_world(esa: dict[str, tuple[int, tuple[float, ...]]]) -> None:
    assert set(esa) - {str(granule) for granule in world_granules()} == set()


def test_granules_over_land_are_esas(esa: dict[str, tuple[int, tuple[float, ...]]]) -> None:
    # Inland there is no granule that ESA lacks: so the rule for slivers at zones' edges is ESA's.
    for inland in (shapely.box(-8, 15, 25, 27), shapely.box(60, 45, 115, 65), shapely.box(-120, 35, -82, 41)):
        assert {str(g) for g in granules_in(inland)} - set(esa) == set()


def test_footprints_are_esas(shared_data: Path) -> None:
    path = shared_data / "mgrs_grid" / "sentinel-2-grid_LAND.parquet"
    table = pq.read_table(path, columns=["tile", "geometry"])
    shapes = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False))
    for name, shape in list(zip(table["tile"].to_pylist(), shapes, strict=True))[::100]:
        if shape.geom_type == "Polygon":
            ours = shapely.MultiPoint(list(granule_footprint(GranuleId.parse(name)).exterior.coords))
            assert all(ours.distance(shapely.Point(corner)) < 1e-6 for corner in shape.exterior.coords)
