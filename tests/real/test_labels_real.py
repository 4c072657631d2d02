"""Fractions and claims on real layers, with their real quirks."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import shapely

from landloom.labels.fractions import fractions_from_polygons, fractions_from_raster
from landloom.model.grid import Grid
from landloom.model.taxonomy import taxonomy
from landloom.store.vector import epsg_of, read_vector

if TYPE_CHECKING:
    from pathlib import Path

CLC = taxonomy("clc")


def _cells_inside(municipality: shapely.Geometry, epsg: int) -> list[Grid]:
    """600 m cells of the zone's grid that lie wholly inside."""
    west, south, east, north = shapely.total_bounds(municipality)
    cells = [
        Grid.of_bounds(epsg, (x * 600, y * 600, x * 600 + 600, y * 600 + 600), 10)
        for y in range(ceil(north / 600), int(south // 600), -1)
        for x in range(int(west // 600), ceil(east / 600))
    ]
    shapely.prepare(municipality)
    return [cell for cell in cells if shapely.contains(municipality, cell.outline())]


def test_clc_of_lanjaron_from_the_vector(shared_data: Path) -> None:
    file = shared_data / "clc_lanjaron" / "clc.gpkg"
    municipality = read_vector(file, layer="lanjaron").geometry.union_all()
    clc = read_vector(file, layer="clc", columns=["CODE_18"])
    cells = _cells_inside(municipality, 25830)
    assert len(cells) == 117
    table = fractions_from_polygons(clc.geometry.to_numpy(), clc["CODE_18"].tolist(), cells, CLC, epsg=epsg_of(clc))
    expected = np.zeros(table.shares.shape)
    outlines = np.array([cell.outline() for cell in cells])
    for shape, code in zip(clc.geometry, clc["CODE_18"], strict=True):
        expected[:, CLC.index[code]] += shapely.area(shapely.intersection(outlines, shape)) / 360_000
    expected[:, -1] += np.maximum(1 - expected.sum(axis=1), 0)
    assert np.abs(table.shares - expected).max() <= 1e-6
    assert np.abs(table.millionths / 1e6 - expected).max() <= 1e-6
    assert (table.millionths.sum(axis=1) == 1_000_000).all()
    assert table.of("999").max() == 0


def test_clc_of_lanjaron_from_the_raster_of_another_crs(shared_data: Path) -> None:
    import rasterio

    file = shared_data / "clc_lanjaron" / "clc.gpkg"
    clc = read_vector(file, layer="clc")
    municipality = read_vector(file, layer="lanjaron").geometry.union_all()
    cells = _cells_inside(municipality, 25830)
    with rasterio.open(file.with_suffix(".tif")) as source:
        raster, grid = source.read(1), Grid.of_transform(25830, source.transform, source.shape)
        nodata = source.nodata
    table = fractions_from_raster(raster, grid, cells, CLC, nodata=nodata)
    vector = fractions_from_polygons(clc.geometry.to_numpy(), clc["CODE_18"].tolist(), cells, CLC, epsg=25830)
    # The raster holds the class of each 25 m pixel's centre, so single cells differ but the municipality does not.
    assert np.abs(table.shares - vector.shares).max() < 0.05
    assert np.abs(table.shares.mean(axis=0) - vector.shares.mean(axis=0)).max() < 1e-3
