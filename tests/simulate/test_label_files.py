from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas
import numpy as np
import rasterio
import shapely

from landloom.model.grid import Grid
from landloom.model.taxonomy import taxonomy
from landloom.simulate.vectors import COUNTRIES

if TYPE_CHECKING:
    from .conftest import Written


def test_land_cover_polygons_tile_the_land_in_corines_shape(tiny: Written) -> None:
    frame = geopandas.read_file(tiny.folder / "landcover.gpkg")
    assert frame.crs.to_epsg() == 3035
    assert all(isinstance(code, str) and code in taxonomy("clc").codes() for code in frame["CODE_18"])
    assert frame.geometry.is_valid.all()
    assert abs(frame.area.sum() - frame.union_all().area) < 1e-3


def test_rasters_hold_the_same_land_as_codes_and_grid_codes(tiny: Written) -> None:
    with rasterio.open(tiny.folder / "landcover_3035.tif") as source:
        codes, transform = source.read(1), source.transform
        assert source.crs.to_epsg() == 3035
        assert source.res == (100.0, 100.0)
    with rasterio.open(tiny.folder / "landcover_3035_grid.tif") as source:
        grid_codes = source.read(1)
    assert np.array_equal(np.vectorize(lambda v: int(taxonomy("clc").grid_codes[v]))(grid_codes), codes)
    grid = Grid.of_transform(3035, transform, codes.shape)
    frame = geopandas.read_file(tiny.folder / "landcover.gpkg")
    row, column = 7, 11
    point = shapely.Point(grid.west + 100 * column + 50, grid.north - 100 * row - 50)
    held = frame[frame.contains(point)]["CODE_18"].tolist()
    assert held == [str(codes[row, column])]


def test_countries_meet_without_overlap_and_cover_the_region(tiny: Written) -> None:
    countries = geopandas.read_file(tiny.folder / "countries.geojson")
    region = geopandas.read_file(tiny.folder / "region.geojson")
    assert list(zip(countries["id"], countries["name"], strict=True)) == list(COUNTRIES)
    assert countries.crs.to_epsg() == 4326
    assert abs(shapely.area(countries.geometry).sum() - countries.union_all().area) < 1e-9
    assert countries.union_all().covers(region.union_all())
    assert (shapely.area(countries.intersection(region.union_all())) > 0).sum() >= 2
    for place in tiny.world.spec.places:
        outline = Grid.of_bounds(place.epsg, place.bounds, 60).footprint(densify=20)
        assert region.union_all().covers(outline)


def test_parcels_overlap_have_holes_and_parts_and_a_large_id(tiny: Written) -> None:
    frame = geopandas.read_file(tiny.folder / "parcels.gpkg")
    assert frame["id"].is_unique
    assert (1 << 24) + 1 in set(frame["id"])
    assert frame.geometry.is_valid.all()
    parts = [part for shape in frame.geometry for part in shapely.get_parts(shape)]
    assert any(part.interiors for part in parts)
    assert any(len(shapely.get_parts(shape)) > 1 for shape in frame.geometry)
    left, right = shapely.STRtree(frame.geometry).query(frame.geometry, predicate="overlaps")
    assert (left < right).sum() >= 1
