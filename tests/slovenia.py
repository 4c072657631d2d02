"""The real series of Slovenia as an archive and a recipe: 68 acquisitions of one square kilometre.

The archive holds NDVI and not the bands that it is made of: it stands in for B08, stored as 1 + 5,000 × (1 + NDVI).
Masks are Sen2Cor's classes where there are any, and s2cloudless's otherwise.
"""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
import yaml

from landloom.formats.geotiff import encode_geotiff
from landloom.model.grid import Grid

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Acquisitions = dict[str, tuple["NDArray[np.uint16]", "NDArray[np.uint8]"]]
"""Instant → stored numbers and classes."""
CLEAR = [4, 5, 6, 7, 11]


def pixels(path: Path) -> tuple[NDArray[Any], Grid]:
    """The first band of a raster, and its grid."""
    with rasterio.open(path) as file:
        return file.read(1), Grid.of_transform(32633, file.transform, file.shape)


def read_acquisitions(data: Path) -> Acquisitions:
    """All of them.

    Args:
        data: folder of real data.
    """
    folder = data / "s2_eolearn_slovenia"
    found = {}
    with (folder / "timestamps.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            ndvi = pixels(folder / "ndvi" / f"NDVI_{row['stem']}.tif")[0].astype(np.float64)
            cloud = pixels(folder / "clm" / f"CLM_{row['stem']}.tif")[0]
            classes = np.where(cloud > 0, 9, 4).astype(np.uint8)
            if row["has_scl"] == "1":
                classes = pixels(folder / "scl" / f"SCL_{row['stem']}.tif")[0]
            found[row["datetime"]] = np.rint(5_000 * (1 + ndvi)).astype(np.uint16) + np.uint16(1), classes
    return found


def read_grid(data: Path) -> Grid:
    """The grid of every raster."""
    return pixels(data / "s2_eolearn_slovenia" / "lulc" / "LULC.tif")[1]


def write_archive(acquisitions: Acquisitions, grid: Grid, folder: Path) -> Path:
    """A static catalogue of them."""
    outline = grid.footprint()
    links = []
    for number, (instant, (numbers, classes)) in enumerate(acquisitions.items()):
        name = f"scene-{number:02d}"
        assets: dict[str, NDArray[Any]] = {"nir": numbers, "scl": classes}
        for key, array in assets.items():
            (folder / f"{name}-{key}.tif").write_bytes(encode_geotiff(array[None], grid, nodata=0))
        item = {
            "type": "Feature",
            "stac_version": "1.0.0",
            "stac_extensions": [],
            "id": name,
            "links": [],
            "collection": "sentinel-2-l2a",
            "bbox": list(outline.bounds),
            "geometry": outline.__geo_interface__,
            "properties": {
                "datetime": instant,
                "grid:code": "MGRS-33TVM",
                "proj:epsg": 32633,
                "earthsearch:boa_offset_applied": True,
                "s2:processing_baseline": "02.07",
            },
            "assets": {key: {"href": f"{name}-{key}.tif"} for key in assets},
        }
        (folder / f"{name}.json").write_text(json.dumps(item))
        links.append({"rel": "item", "href": f"{name}.json"})
    catalog = {"type": "Catalog", "stac_version": "1.0.0", "id": "s", "description": "d", "links": links}
    (folder / "catalog.json").write_text(json.dumps(catalog))
    return folder


def recipe(folder: Path, archive: Path, grid: Grid, **samples: Any) -> Path:
    terms = {"licence": "proprietary", "attribution": "contains modified Copernicus Sentinel data 2015-2017"}
    west, south, east, north = grid.footprint().bounds
    document = {
        "name": "slovenia",
        "version": "1.0",
        "region": {"bounds": [west, south, east, north]},
        "period": {"start": "2015-07-01", "end": "2018-01-01"},
        "samples": {"draw": "windows", "size": 24} | samples,
        "archive": {"kind": "static", "href": str(archive / "catalog.json")},
        "products": {"s2_native": {"kind": "series", "bands": ["B08"], "clear": CLEAR, "terms": terms}},
        "publication": {"title": "t", "description": "d"},
    }
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document))
    return folder
