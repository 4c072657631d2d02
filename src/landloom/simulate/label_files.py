"""The label layers of a simulated archive as files."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

from landloom.formats.geotiff import encode_cog
from landloom.model.grid import Grid
from landloom.model.taxonomy import taxonomy
from landloom.simulate.scene_frame import FRAME
from landloom.simulate.vectors import countries_frame, frame_bounds, land_cover_frame, parcels_frame, region_frame
from landloom.simulate.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from landloom.simulate.spec import WorldSpec

RASTER_STEP: Final = 100.0
"""Pixel size of the land-cover rasters in metres."""


def label_files(spec: WorldSpec) -> Iterator[tuple[str, bytes]]:
    """Key and bytes of every label layer and of the land-cover truth."""
    world = World(spec)
    yield "landcover.gpkg", geopackage(land_cover_frame(spec), "landcover")
    yield "parcels.gpkg", geopackage(parcels_frame(spec), "parcels")
    yield "countries.geojson", geojson(countries_frame(spec))
    yield "region.geojson", geojson(region_frame(spec))
    grid = raster_grid(spec)
    codes = world.land_cover(grid)
    yield "landcover_3035.tif", _cog(codes, grid, 999)
    yield "landcover_3035_grid.tif", _cog(_grid_codes(codes), grid, 48)
    for place in spec.places:
        fine = Grid.of_bounds(place.epsg, place.bounds, 10)
        yield f"truth/landcover_{place.name}.tif", _cog(world.land_cover(fine), fine, 999)


def raster_grid(spec: WorldSpec) -> Grid:
    """The 100 m grid in EPSG:3035 around all places."""
    boxes = np.array(frame_bounds(spec))
    west, south = boxes[:, :2].min(axis=0).tolist()
    east, north = boxes[:, 2:].max(axis=0).tolist()
    return Grid.of_bounds(FRAME, (west, south, east, north), RASTER_STEP)


def _cog(array: NDArray[np.generic], grid: Grid, nodata: int) -> bytes:
    return encode_cog(array, grid, nodata=nodata, block=256, overviews=False)


def _grid_codes(codes: NDArray[np.uint16]) -> NDArray[np.uint8]:
    lookup = np.zeros(1_000, dtype=np.uint8)
    for grid_code, code in taxonomy("clc").grid_codes.items():
        lookup[int(code)] = grid_code
    numbers: NDArray[np.uint8] = lookup[codes]
    return numbers


def geojson(frame: GeoDataFrame) -> bytes:
    """A frame in WGS84 as GeoJSON, RFC 7946, nine decimals."""
    document = json.loads(frame.to_json(drop_id=True))
    document.pop("crs", None)
    for feature in document["features"]:
        feature["geometry"]["coordinates"] = _rounded(feature["geometry"]["coordinates"])
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _rounded(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    return round(float(value), 9) if isinstance(value, float | int) else value


def geopackage(frame: GeoDataFrame, layer: str) -> bytes:
    """A frame as a GeoPackage without time stamps."""
    mixed = len(set(frame.geometry.geom_type)) > 1
    if mixed:
        frame = frame.set_geometry(
            [shapely.MultiPolygon([g]) if g.geom_type == "Polygon" else g for g in frame.geometry], crs=frame.crs
        )
    with TemporaryDirectory() as folder, _fixed_date():
        path = Path(folder) / f"{layer}.gpkg"
        frame.to_file(path, layer=layer, driver="GPKG", engine="pyogrio")
        return path.read_bytes()


@contextmanager
def _fixed_date() -> Iterator[None]:
    import pyogrio

    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2018-01-01T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
