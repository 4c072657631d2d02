"""The archive of the races: a tile of 24 km under two granules whose files have the granule's full grid."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product as pairs
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from shapely import box, transform
from shapely.geometry import mapping

from landloom.model.ids import TileId
from landloom.model.product import RAPIDAI4EO_BANDS
from landloom.model.scene import Role, Scene, SceneFile
from landloom.model.sensor import SENTINEL2

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.model.grid import Grid

TILE: Final = TileId.parse("33N_16E-243N")
BANDS: Final = RAPIDAI4EO_BANDS
SIDE: Final = 109_800
"""Metres of a granule."""
SHARE: Final = 0.41
"""Part of the tile that the second granule shows."""


@dataclass(frozen=True, slots=True)
class Granule:
    """A granule of the archive, with the part of the tile that it shows."""

    name: str
    west: float
    north: float
    shown: Grid
    """Pixels of 60 m."""


def granules() -> tuple[Granule, Granule]:
    """One granule that shows all of the tile, and one that shows its western part."""
    whole = TILE.grid(60)
    part = whole.window(0, 0, whole.height, int(whole.width * SHARE) // 2 * 2)
    north = whole.north + 300 * 60
    return (
        Granule("33UAA", whole.west - 6000, north, whole),
        Granule("33UBB", whole.west + part.width * 60 - SIDE, north, part),
    )


def _pixels(name: str, grid: Grid, number: int, seed: int) -> NDArray[Any]:
    """Noise over a smooth field; of the classification, a third cloud."""
    rows, columns = np.mgrid[: grid.height, : grid.width] * grid.resolution
    if name == "SCL":
        return np.where(np.sin(rows / 900 + number) + np.sin(columns / 700 - number) > 0.7, 9, 4).astype(np.uint8)
    field = 1500 + 500 * np.sin(rows / 1300) * np.cos(columns / 1700)
    found: NDArray[np.uint16] = (field + np.random.default_rng(seed).normal(0, 60, field.shape)).astype(np.uint16)
    return found


def _write(path: Path, granule: Granule, shown: Grid, name: str, number: int, seed: int) -> None:
    """A tiled file with the granule's grid, sparse outside the part that is shown."""
    import rasterio
    from rasterio.windows import Window

    resolution = 20 if name == "SCL" else int(SENTINEL2[name].resolution)
    grid, side = shown.at(resolution), SIDE // resolution
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=side,
        height=side,
        count=1,
        dtype="uint8" if name == "SCL" else "uint16",
        crs=f"EPSG:{grid.epsg}",
        transform=(resolution, 0, granule.west, 0, -resolution, granule.north),
        nodata=0,
        tiled=True,
        blockxsize=512,
        blockysize=512,
        compress="deflate",
        zlevel=6,
        predictor=2,
        sparse_ok=True,
    ) as dataset:
        row = round((granule.north - grid.north) / resolution)
        column = round((grid.west - granule.west) / resolution)
        array = _pixels(name, grid, number, seed)
        dataset.write(array, 1, window=Window(column, row, grid.width, grid.height))


def write_archive(folder: Path, passes: int) -> list[tuple[str, int, dict[str, str]]]:
    """Write the files of a month.

    Args:
        folder: of the files.
        passes: a pass every five days; every third ends inside the tile.

    Returns:
        Granule, number of the pass, and band → name of the file, of every scene.
    """
    found, jobs = [], []
    for number, (order, granule) in pairs(range(passes), enumerate(granules())):
        rows = granule.shown.height if number % 3 != 2 else granule.shown.height * 5 // 8
        shown = granule.shown.window(0, 0, rows // 2 * 2, granule.shown.width)
        files = {name: f"{granule.name}_{number}_{name}.tif" for name in (*BANDS, "SCL")}
        found.append((granule.name, number, files))
        for at, (name, file) in enumerate(files.items()):
            jobs.append((folder / file, granule, shown, name, number, 10_000 * number + 100 * order + at))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda job: _write(*job), jobs))
    return found


def scenes(found: list[tuple[str, int, dict[str, str]]], root: str) -> tuple[Scene, ...]:
    """The scenes of the archive, with files below a folder or an address."""
    return tuple(
        Scene(
            id=f"{number}-{granule}",
            time=datetime(2018, 1, 2 + 5 * number, 10, tzinfo=UTC),
            granule=granule,
            epsg=TILE.zone.epsg,
            footprint=box(0, 0, 1, 1),
            bands={name: SceneFile(href=f"{root}/{file}") for name, file in files.items() if name != "SCL"},
            layers={Role.CLASSIFICATION: SceneFile(href=f"{root}/{files['SCL']}")},
            platform="a",
            orbit=number,
        )
        for granule, number, files in found
    )


def items(found: list[tuple[str, int, dict[str, str]]], root: str) -> list[dict[str, Any]]:
    """The scenes of the archive as STAC items with the grids of their files, for others' readers."""
    from pyproj import Transformer

    own = {granule.name: granule for granule in granules()}
    to_degrees = Transformer.from_crs(TILE.zone.epsg, 4326, always_xy=True)

    def asset(granule: Granule, name: str, file: str) -> dict[str, Any]:
        resolution = 20 if name == "SCL" else int(SENTINEL2[name].resolution)
        return {
            "href": f"{root}/{file}",
            "type": "image/tiff; application=geotiff; profile=cloud-optimized",
            "proj:shape": [SIDE // resolution] * 2,
            "proj:transform": [resolution, 0, granule.west, 0, -resolution, granule.north],
            "raster:bands": [{"nodata": 0, "data_type": "uint8" if name == "SCL" else "uint16"}],
            "eo:bands": [{"name": name}],
            "roles": ["data"],
        }

    def item(granule: Granule, number: int, files: dict[str, str]) -> dict[str, Any]:
        outline = box(granule.west, granule.north - SIDE, granule.west + SIDE, granule.north)
        degrees = transform(outline, lambda x: np.column_stack(to_degrees.transform(*x.T)))
        return {
            "type": "Feature",
            "stac_version": "1.0.0",
            "stac_extensions": [
                "https://stac-extensions.github.io/projection/v1.1.0/schema.json",
                "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
                "https://stac-extensions.github.io/eo/v1.1.0/schema.json",
            ],
            "id": f"{number}-{granule.name}",
            "collection": "race",
            "geometry": mapping(degrees),
            "bbox": list(degrees.bounds),
            "properties": {
                "datetime": datetime(2018, 1, 2 + 5 * number, 10, tzinfo=UTC).isoformat(),
                "proj:epsg": TILE.zone.epsg,
            },
            "links": [],
            "assets": {name: asset(granule, name, file) for name, file in files.items()},
        }

    return [item(own[granule], number, files) for granule, number, files in found]
