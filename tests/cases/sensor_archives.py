"""Small archives of several sensors with a known truth: what their masks leave of four days, by the definition."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from affine import Affine

from landloom.model.ids import SampleId

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CELLS = [SampleId.parse(f"33N_16E-243N_29_0{column}") for column in (1, 2)]
TERMS = {"licence": "CC0-1.0", "attribution": "nobody"}
SIZE = 60
DAYS = ("2018-06-03", "2018-06-12", "2018-06-19", "2018-06-28")


@dataclass(frozen=True, kw_only=True)
class Case:
    """How one provider keeps one sensor."""

    sensor: str
    name: str
    """Id of an item; `{day}` is the date as YYYYMMDD, `{doy}` as YYYYDDD."""
    red: str
    """Asset key of the red band."""
    nir: str
    mask: str
    bands: tuple[str, str]
    """Red and near infrared by the sensor's names."""
    clear: tuple[int, ...]
    """Values of the mask that leave a pixel usable."""
    cloudy: tuple[int, ...]
    missing: int
    """Value of the mask without data."""
    dtype: str = "uint16"
    mask_dtype: str = "uint16"
    fill: int = 0
    factor: tuple[int, int, int] = (1, 0, 1)
    """Reflectance × 10,000 is (number · first + second + third / 2) // third."""
    properties: dict[str, Any] = field(default_factory=dict)

    def reflectance(self, numbers: NDArray[Any]) -> NDArray[np.int64]:
        first, second, third = self.factor
        return np.maximum((numbers.astype(np.int64) * first + second + third // 2) // third, 1)

    def truth(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """(scene, band, y, x) stored numbers of red and near infrared, and (scene, y, x) the mask."""
        rng = np.random.default_rng(8)
        values = np.array([*self.clear, *self.cloudy, self.missing])
        odds = [0.6 / len(self.clear)] * len(self.clear) + [0.35 / len(self.cloudy)] * len(self.cloudy) + [0.05]
        mask = rng.choice(values, (len(DAYS), SIZE, SIZE), p=odds).astype(self.mask_dtype)
        numbers = rng.integers(8_000, 30_000, (len(DAYS), 2, SIZE, SIZE)).astype(self.dtype)
        numbers[np.broadcast_to(mask[:, None] == self.missing, numbers.shape)] = self.fill
        return numbers, mask

    def expected(self, cell: SampleId) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The median and the count, by the definition."""
        numbers, mask = self.truth()
        grid, first = cell.grid(30), CELLS[0].grid(30)
        row, column = int((first.north + 600 - grid.north) // 30), int((grid.west - first.west + 300) // 30)
        window = np.s_[..., row : row + 20, column : column + 20]
        valid = np.isin(mask[window], self.clear)
        stacked = np.where(valid[:, None], self.reflectance(numbers[window]), np.nan)
        with np.errstate(all="ignore"):
            median = np.floor(np.nanmedian(stacked, axis=0))
        return np.nan_to_num(median).astype(np.int64), valid.sum(axis=0)

    def item_name(self, day: str) -> str:
        number = (np.datetime64(day) - np.datetime64(f"{day[:4]}-01-01")).astype(int) + 1
        return self.name.format(day=day.replace("-", ""), doy=f"{day[:4]}{number:03d}")


_LANDSAT: dict[str, Any] = {
    "sensor": "landsat-c2-l2",
    "name": "LC08_L2SP_193023_{day}_02_T1",
    "red": "red",
    "nir": "nir08",
    "mask": "qa_pixel",
    "bands": ("B4", "B5"),
    "clear": (21_824, 30_048),  # clear land, snow
    "cloudy": (22_280, 23_888, 21_826, 54_596),  # cloud, shadow, dilated cloud, cirrus
    "missing": 1,
    "factor": (275, -2_000_000, 1_000),
    "properties": {"platform": "landsat-8", "eo:cloud_cover": 20},
}
_HLS: dict[str, Any] = {
    "mask": "Fmask",
    "clear": (0, 16, 32, 64, 224),  # land, snow, water, low and high aerosol over water
    "cloudy": (2, 4, 8, 68, 10),  # cloud, next to cloud, shadow
    "missing": 255,
    "dtype": "int16",
    "mask_dtype": "uint8",
    "fill": -9999,
}
CASES = {
    "landsat": Case(**_LANDSAT),
    "hls-s30": Case(
        sensor="hls-s30", name="HLS.S30.T33UUT.{doy}T101021.v2.0", red="B04", nir="B8A", bands=("B04", "B8A"), **_HLS
    ),
    "hls-l30": Case(
        sensor="hls-l30", name="HLS.L30.T33UUT.{doy}T100211.v2.0", red="B04", nir="B05", bands=("B04", "B05"), **_HLS
    ),
}


def transform() -> Affine:
    own = CELLS[0].grid(30)
    return Affine(30, 0, own.west - 300, 0, -30, own.north + 600)


def write_tif(path: Path, arrays: NDArray[Any], **profile: Any) -> None:
    """(band, y, x) as a GeoTIFF."""
    settings = {"driver": "GTiff", "width": SIZE, "height": SIZE, "crs": "EPSG:32633", "transform": transform()}
    with rasterio.open(path, "w", count=len(arrays), dtype=arrays.dtype, **(settings | profile)) as file:
        file.write(arrays)


def write_archive(folder: Path, case: Case) -> Path:
    """A static STAC with items as the provider writes them."""
    numbers, mask = case.truth()
    links = []
    outline = CELLS[0].grid(600).footprint().buffer(0.02)
    for number, day in enumerate(DAYS):
        name = case.item_name(day)
        files = {case.red: numbers[number, 0], case.nir: numbers[number, 1], case.mask: mask[number]}
        for key, array in files.items():
            nodata = {"nodata": case.missing if key == case.mask else case.fill} if case.fill else {}
            write_tif(folder / f"{name}_{key}.tif", array[None], **nodata)
        item = {
            "type": "Feature",
            "stac_version": "1.0.0",
            "id": name,
            "bbox": list(outline.bounds),
            "geometry": json.loads(json.dumps(outline.__geo_interface__)),
            "properties": {"datetime": f"{day}T10:02:11Z", "proj:epsg": 32633, **case.properties},
            "assets": {key: {"href": f"./{name}_{key}.tif"} for key in files},
            "links": [],
        }
        (folder / f"{name}.json").write_text(json.dumps(item), encoding="utf-8")
        links.append({"rel": "item", "href": f"./{name}.json"})
    catalog = {"type": "Catalog", "stac_version": "1.0.0", "id": "scenes", "description": "d", "links": links}
    (folder / "catalog.json").write_text(json.dumps(catalog), encoding="utf-8")
    return folder / "catalog.json"


def recipe(archive: dict[str, Any], bands: tuple[str, ...], **changes: Any) -> dict[str, Any]:
    """A composite of two cells at 30 m."""
    product = {"kind": "composite", "bands": list(bands), "resolution": 30, "dilate": 0, "terms": TERMS}
    return {
        "name": "sensors",
        "version": "1.0",
        "region": {"bounds": [13.2, 52.6, 13.4, 52.8]},
        "period": {"start": "2018-06-01", "end": "2018-07-01"},
        "samples": {"draw": "list", "ids": [str(cell) for cell in CELLS]},
        "archive": archive,
        "products": {"own": product | changes},
        "publication": {"title": "t", "description": "d"},
    }
