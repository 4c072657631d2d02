"""A small static archive and the recipe of a corpus of it: one cell, two bands, constant scenes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import rasterio
import yaml
from affine import Affine

from landloom.formats.geotiff import decode_geotiff
from landloom.model.ids import SampleId

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

CELL: Final = SampleId.parse("33N_16E-243N_29_01")
TERMS: Final = {"licence": "CC0-1.0", "attribution": "nobody"}
SIDE: Final = 4_800
"""Metres of a side of a scene, in whose middle the cell lies."""


def write_scene(folder: Path, name: str, day: str, values: Mapping[str, int], **properties: Any) -> Path:
    """Write a clear Sentinel-2 scene of constant bands with texture of one count, and its STAC item.

    Returns:
        The folder of its files; bands are `B04.tif`, `B08.tif`, …, `SCL.tif`.
    """
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    for band, value in ({"SCL": 4} | dict(values)).items():
        write_band(place / f"{band}.tif", value, pixel=20 if band == "SCL" else 10)
    outline = CELL.grid(600).footprint().buffer(0.03)
    item = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "bbox": list(outline.bounds),
        "geometry": json.loads(json.dumps(outline.__geo_interface__)),
        "properties": {
            "datetime": f"{day}T10:02:11Z",
            "platform": "sentinel-2a",
            "s2:processing_baseline": "02.06",
            "proj:epsg": 32633,
            "eo:cloud_cover": 1.0,
        }
        | properties,
        "assets": {band: {"href": f"./{band}.tif"} for band in ("SCL", *values)},
        "links": [],
    }
    (place / "item.json").write_text(json.dumps(item), encoding="utf-8")
    return place


def write_band(path: Path, value: int, *, pixel: int = 10) -> None:
    """Write a band file whose numbers are a value and its four successors, or the value alone in a classification."""
    own, count = CELL.grid(600), SIDE // pixel
    origin = Affine(pixel, 0, own.west - (SIDE - 600) / 2, 0, -pixel, own.north + (SIDE - 600) / 2)
    numbers = np.full((count, count), value, np.uint8 if pixel == 20 else np.uint16)
    if pixel == 10:
        numbers += (np.indices(numbers.shape).sum(axis=0) % 5).astype(np.uint16)
    profile = {
        "driver": "GTiff",
        "width": count,
        "height": count,
        "count": 1,
        "dtype": numbers.dtype,
        "crs": "EPSG:32633",
    }
    with rasterio.open(path, "w", transform=origin, compress="deflate", **profile) as file:
        file.write(numbers, 1)


def write_catalog(folder: Path, *names: str) -> Path:
    """Write the catalogue of scenes."""
    links = [{"rel": "item", "href": f"./{name}/item.json"} for name in names]
    catalog = {"type": "Catalog", "stac_version": "1.0.0", "id": "a", "description": "d", "links": links}
    (folder / "catalog.json").write_text(json.dumps(catalog), encoding="utf-8")
    return folder / "catalog.json"


def write_recipe(folder: Path, href: object, **changes: Any) -> Path:
    """Write the recipe of a corpus of the cell in June 2018; returns its file."""
    document = {
        "name": "case",
        "version": "1.0",
        "region": {"bounds": [13.2, 52.6, 13.4, 52.8]},
        "period": {"start": "2018-06-01", "end": "2018-07-01"},
        "samples": {"draw": "list", "ids": [str(CELL)]},
        "archive": {"kind": "static", "href": str(href)},
        "products": {"s2": {"kind": "composite", "bands": ["B04", "B08"], "dilate": 0, "terms": TERMS}},
        "layouts": ["chips"],
        "publication": {"title": "t", "description": "d"},
    } | changes
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder / "landloom.yaml"


def only_chip(corpus: Path) -> NDArray[Any]:
    """The pixels of the only chip, (band, y, x)."""
    (chip,) = (corpus / "imagery").rglob("S2-SR/*.tif")
    return decode_geotiff(chip.read_bytes())[0]
