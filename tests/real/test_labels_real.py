"""Fractions and claims on real layers, with their real quirks."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from geopandas import GeoDataFrame
from tests.labels.whole import clipped_ids, rasterise_parcels

from landloom.labels.claims import Ambiguity
from landloom.labels.coverage import coverage_of
from landloom.labels.fractions import fractions_from_polygons, fractions_from_raster
from landloom.labels.layers import LAYERS, locate
from landloom.labels.parcels import Parcels, parcels_of
from landloom.labels.polygons import overlapping_polygons
from landloom.model.grid import Grid
from landloom.model.taxonomy import taxonomy
from landloom.store.vector import frame_crs, read_vector

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
    table = fractions_from_polygons(clc.geometry.to_numpy(), clc["CODE_18"].tolist(), cells, CLC, epsg=frame_crs(clc))
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


PARCELS = {
    "esch": ("parcels/eodal_esch_2020/ZH_Polygons_2020_ESCH_EPSG32632.shp", "GIS_ID", "NUTZUNGSCO", 48),
    "azerbaijan": ("parcels/eogrow_azerbaijan/test_area_lulc.geojson", "LULC_POLYGON_ID", "LULC", 1117),
}


def _parcels(shared_data: Path, name: str, resolution: float) -> tuple[GeoDataFrame, dict[str, str], Grid]:
    file, identity, truth, _ = PARCELS[name]
    frame = read_vector(shared_data / file)
    west, south, east, north = frame.total_bounds
    bounds = (west // 60 * 60, south // 60 * 60, east // 60 * 60 + 60, north // 60 * 60 + 60)
    return frame, {"id": identity, "ground_truth": truth}, Grid.of_bounds(int(frame_crs(frame)), bounds, resolution)


@pytest.mark.parametrize("resolution", [10, pytest.param(2.5, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", PARCELS)
def test_coverage_of_every_real_parcel_is_exactextracts_and_shapelys(
    shared_data: Path, name: str, resolution: float
) -> None:
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    frame, columns, grid = _parcels(shared_data, name, resolution)
    located = locate(parcels_of(frame, columns=columns), grid)
    shapes = located.parcels.geometries
    claims = coverage_of(shapes, grid)
    west, south, east, north = grid.bounds
    source = NumPyRasterSource(
        np.zeros(grid.shape, np.uint8), xmin=west, ymin=south, xmax=east, ymax=north, srs_wkt=frame.crs.to_wkt()
    )
    peer = exact_extract(source, GeoDataFrame(geometry=shapes, crs=frame.crs), ["cell_id", "coverage"], output="pandas")
    sample = np.random.default_rng(0).choice(len(shapes), 50, replace=False)
    starts = np.searchsorted(claims.polygon, np.arange(len(shapes) + 1))
    for place, shape in enumerate(shapes):
        some = slice(starts[place], starts[place + 1])
        pixels, shares = claims.pixel[some], claims.coverage[some]
        cells, covered = np.asarray(peer.cell_id[place], np.int64), np.asarray(peer.coverage[place])
        every = np.union1d(pixels, cells)
        ours, theirs = np.zeros(len(every)), np.zeros(len(every))
        ours[np.searchsorted(every, pixels)], theirs[np.searchsorted(every, cells)] = shares, covered
        assert np.abs(ours - theirs).max() <= 1e-6
        if place in sample:
            rows, columns_ = np.divmod(pixels, grid.width)
            x, y = west + columns_ * resolution, north - rows * resolution
            boxes = shapely.box(x, y - resolution, x + resolution, y)
            assert (
                np.abs(shares - shapely.area(shapely.intersection(boxes, shape)) / resolution**2).max()
                <= 1e-9 * (10 / resolution) ** 2
            )
            assert shares.sum() * resolution**2 == pytest.approx(shape.area, rel=1e-9)


def _check_pairs(frame: GeoDataFrame, parcels: Parcels, identity: str, count: int) -> None:
    """The count is of pairs that "overlap" in GEOS's sense; in most of them the shared area is 0 to the last bit."""
    raw = frame.geometry.to_numpy()
    left, right = shapely.STRtree(raw).query(raw, predicate="overlaps")
    ids = frame[identity].astype("int64").to_numpy()
    stated = {frozenset(pair) for pair in zip(ids[left].tolist(), ids[right].tolist(), strict=True)}
    assert len(stated) == count
    pairs, areas = overlapping_polygons(parcels.geometries)
    found = {frozenset(parcels.ids[pair].tolist()) for pair in pairs}
    assert (areas > 0).all()
    shape = dict(zip(parcels.ids.tolist(), parcels.geometries, strict=True))
    for a, b in (tuple(pair) for pair in stated - found):
        assert shape[a].intersection(shape[b]).area == 0
    assert all(shape[a].contains(shape[b]) or shape[b].contains(shape[a]) for a, b in map(tuple, found - stated))


@pytest.mark.parametrize("name", PARCELS)
def test_invalid_geometries_and_double_claims_of_real_parcels_are_found(shared_data: Path, name: str) -> None:
    frame, columns, grid = _parcels(shared_data, name, 10)
    layers, located = rasterise_parcels(frame, grid, columns=columns)
    invalid = {"esch": ["29073", "33277"], "azerbaijan": ["63", "1459", "1917", "1925", "1985"]}[name]
    assert [row.id for row in located.rejected] == invalid
    assert clipped_ids(located) == ()
    repaired = parcels_of(frame, columns=columns, invalid="repair")
    assert [row.id for row in repaired.repaired] == invalid
    _check_pairs(frame, repaired, columns["id"], PARCELS[name][3])
    doubly = np.bincount(coverage_of(located.parcels.geometries, grid).pixel, minlength=grid.width * grid.height) > 1
    doubt = layers.ambiguity & (Ambiguity.PARTIAL | Ambiguity.SAME_CLASS) > 0
    # Claims of at most 1e-9 are no touch.
    assert (doubly.reshape(grid.shape) != doubt).sum() <= 2
    assert len(np.unique(layers.ids)) > 0.9 * len(located.parcels)


def test_rows_of_real_parcels_may_come_in_any_order(shared_data: Path) -> None:
    frame, columns, grid = _parcels(shared_data, "azerbaijan", 10)
    whole, _ = rasterise_parcels(frame, grid, columns=columns)
    other, _ = rasterise_parcels(frame.sample(frac=1, random_state=1), grid, columns=columns, block=100)
    for name in LAYERS:
        assert getattr(whole, name).tobytes() == getattr(other, name).tobytes()
