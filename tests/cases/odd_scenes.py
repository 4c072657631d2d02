"""Small archives of odd scenes over one cell, written with GDAL from known numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import rasterio
import yaml
from affine import Affine

from landloom.model.ids import SampleId

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

CELL: Final = SampleId.parse("33N_16E-243N_29_01")
GRID: Final = CELL.grid(10)
SIDE: Final = 120
"""Pixels of 10 m; the cell is the middle half of them."""
WEST, NORTH = GRID.west - 300, GRID.north + 300
TERMS: Final = {"licence": "CC0-1.0", "attribution": "nobody"}
RAMP: Final = 1_500 + (np.add.outer(np.arange(SIDE) * 7, np.arange(SIDE) * 3) % 997)
"""10,000 × reflectance of every scene."""
HOLE: Final = np.s_[40:60, 50:70]
"""Where scenes have nothing; it lies in the cell."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """A way to write the ramp with its hole."""

    dtype: str = "uint16"
    factor: float = 1.0
    """Stored number of 10,000 × reflectance 1."""
    plus: float = 0.0
    fill: float = 0
    """Stored number of the hole."""
    nodata: float | None = None
    tags: tuple[float, float] | None = None
    """Scale and offset that the file declares."""
    asset: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    driver: str = "GTiff"
    stacked: bool = False
    """Whether the band is the second of its file."""

    def numbers(self) -> NDArray[Any]:
        stored = (RAMP * self.factor + self.plus).astype(np.float64)
        whole = np.rint(stored) if np.dtype(self.dtype).kind in "iu" else stored
        whole[HOLE] = self.fill
        return whole.astype(self.dtype)


def write_raster(path: Path, array: NDArray[Any], resolution: float, form: Form) -> None:
    more: dict[str, Any] = {"QUALITY": 100, "REVERSIBLE": "YES"} if form.driver == "JP2OpenJPEG" else {}
    count = 2 if form.stacked else 1
    with rasterio.open(
        path,
        "w",
        driver=form.driver,
        height=array.shape[0],
        width=array.shape[1],
        count=count,
        dtype=array.dtype,
        crs="EPSG:32633",
        transform=Affine(resolution, 0, WEST, 0, -resolution, NORTH),
        nodata=form.nodata,
        **more,
    ) as file:
        file.write(array, count)
        if form.stacked:
            file.write(np.zeros_like(array), 1)
        if form.tags is not None:
            file.scales, file.offsets = [form.tags[0]] * count, [form.tags[1]] * count


def write_scene(folder: Path, name: str, time: str, form: Form, classes: str = "uint8", **item: Any) -> Path:
    """An item with B04 and SCL; returns the path of its document."""
    home = folder / name
    home.mkdir(parents=True)
    suffix = "jp2" if form.driver == "JP2OpenJPEG" else "tif"
    write_raster(home / f"B04.{suffix}", form.numbers(), 10, form)
    scl = np.full((SIDE // 2, SIDE // 2), 4, classes)
    write_raster(home / "SCL.tif", scl, 20, Form())
    outline = GRID.footprint().buffer(0.002)
    red: dict[str, Any] = {"href": f"./B04.{suffix}"} | dict(form.asset)
    assets = {"B04": red, "SCL": {"href": "./SCL.tif"}}
    if form.stacked:
        assets = {"all": red | {"eo:bands": [{"name": "none"}, {"name": "B04"}]}, "SCL": {"href": "./SCL.tif"}}
    properties = {"datetime": time, "grid:code": "MGRS-33UUU", "proj:epsg": 32633, "eo:cloud_cover": 0}
    document = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "geometry": json.loads(json.dumps(outline.__geo_interface__)),
        "properties": properties | dict(form.properties),
        "assets": assets,
        "links": [],
    } | item
    path = home / "item.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def write_catalog(folder: Path, names: list[str]) -> None:
    links = [{"rel": "item", "href": f"./{name}/item.json"} for name in names]
    document = {"type": "Catalog", "stac_version": "1.0.0", "id": "odd", "description": "d", "links": links}
    (folder / "catalog.json").write_text(json.dumps(document), encoding="utf-8")


def write_recipe(folder: Path, **changes: Any) -> Path:
    """A recipe of one cell with a composite of June 2018; sections are replaced."""
    document = {
        "name": "odd",
        "version": "1.0",
        "region": {"bounds": [13.0, 52.5, 13.7, 52.8]},
        "period": {"start": "2018-06-01", "end": "2018-07-01"},
        "samples": {"draw": "list", "ids": [str(CELL)]},
        "archive": {"kind": "static", "href": "archive/catalog.json"},
        "products": {"s2": {"kind": "composite", "bands": ["B04"], "dilate": 0, "terms": TERMS}},
        "publication": {"title": "t", "description": "d"},
    }
    folder.mkdir(exist_ok=True)
    path = folder / "landloom.yaml"
    path.write_text(yaml.safe_dump(document | changes), encoding="utf-8")
    return path
