"""The samples of a corpus one by one, as named arrays: the input of files for training."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from landloom.corpus.layout import TileKey
from landloom.errors import InvalidInputError, MissingKeyError
from landloom.formats.geotiff import decode_geotiff
from landloom.formats.zarr.cubes import CubeReader
from landloom.model.time import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from landloom.corpus.finished import FinishedCorpus
    from landloom.corpus.info import ProductInfo
    from landloom.model.sample import Sample


VALID: Final = "_valid"
"""End of the key of the mask product."""
LABELS: Final = {"classes": "labels"}
"""Layer → its published name, if different."""


@dataclass(slots=True)
class SampleReader:
    """Reads the samples of a corpus one by one."""

    there: FinishedCorpus
    outlines: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Sample → record of the parcel of its window."""
    classes: dict[str, Any] = field(default_factory=dict)
    """Codes of classes and background."""

    def __post_init__(self) -> None:
        info = self.there.info
        if not any(is_imagery(item) for item in info.products):
            raise InvalidInputError(f"{info.name}: has no imagery to export")
        rows = info.class_mappings.get("classes", ())
        if rows:
            codes = sorted({int(row["code"]) for row in rows if row["role"] in {"class", "background", "unknown"}})
            background = next(int(row["code"]) for row in rows if row["role"] == "background")
            self.classes = {"codes": np.array(codes, np.int64), "background": background}
        self.outlines = self._outlines()

    def _outlines(self) -> dict[str, dict[str, Any]]:
        key = f"resources/{self.there.info.name}_parcel_windows.csv"
        try:
            text = self.there.store.get(key).decode()
        except MissingKeyError:
            return {}
        found = {}
        for row in csv.DictReader(io.StringIO(text)):
            shapes = (shapely.get_coordinates(shapely.from_wkt(row[name])) for name in ("outline", "vertices"))
            var, fixed = shapes
            found[row["sample"]] = {"parcel": int(row["parcel"]), "poly_var": var, "poly_fixed": fixed}
        return found

    def samples(self) -> Iterator[tuple[Sample, dict[str, Any]]]:
        """Every sample, tile by tile in id order, with its arrays."""
        for tile, samples in self.there.tiles.items():
            exists = self.there.exists()[tile]
            scenes = self._scenes(tile)
            cubes = self._cubes(samples[0]) if "cubes" in self.there.info.layouts else {}
            for position, sample in enumerate(samples):
                rows = {key: there[position] for key, there in exists.items()}
                yield sample, self._arrays(sample, rows, scenes, cubes)

    def _scenes(self, tile: str) -> dict[str, str]:
        """Timestep → ids of its scenes."""
        info = self.there.info
        for item in info.products:
            if is_imagery(item):
                key = info.layout.lineage(TileKey.parse(tile), item.product)
                if self.there.store.exists(key):
                    document = json.loads(self.there.store.get(key))
                    return {
                        step["timestep"]: ";".join(scene["id"] for scene in step["scenes"])
                        for step in document["timesteps"]
                    }
        return {}

    def _cubes(self, sample: Sample) -> dict[str, CubeReader]:
        there, found = self.there, {}
        for item in there.info.products:
            if item.timesteps:
                folder = there.info.layout.cube(sample.id, item.product)
                try:
                    found[item.key] = CubeReader(there.store.get, there.store.get_range, f"{folder}/")
                except MissingKeyError:
                    continue
        return found

    def _arrays(
        self,
        sample: Sample,
        exists: Mapping[str, NDArray[np.bool_]],
        scenes: Mapping[str, str],
        cubes: Mapping[str, CubeReader],
    ) -> dict[str, Any]:
        info = self.there.info
        imagery = [item for item in info.products if is_imagery(item)]
        axis = [item for item in imagery if item.timesteps == imagery[0].timesteps]
        steps = np.flatnonzero(np.logical_and.reduce([exists[item.key] for item in axis]))
        stamps = [axis[0].timesteps[step] for step in steps.tolist()]
        arrays: dict[str, Any] = {}
        for item in axis:
            cube = self._series(sample, item, steps, cubes)
            for position, band in enumerate(item.product.bands):
                arrays.setdefault(band.name, cube[:, position])
        arrays["doy"] = np.array([step.stamp.timetuple().tm_yday for step in stamps], np.int16)
        arrays["year"] = getattr(sample.id, "year", None) or self._year()
        arrays |= self._layers(sample, exists)
        mask = next((item for item in info.products if item.key.endswith(VALID)), None)
        if mask is not None:
            arrays["valid"] = self._series(sample, mask, steps, cubes)[:, 0]
        arrays["datetime"] = np.array([format_instant(step.stamp) for step in stamps], "U20")
        arrays["years"] = np.array([step.stamp.year for step in stamps], np.int16)
        arrays["product_ids"] = np.array([scenes.get(step.name, "") for step in stamps], np.str_)
        arrays |= {"sample": str(sample.id), "crs": f"EPSG:{sample.epsg}", "bounds": np.array(sample.bounds)}
        for resolution in sorted({float(item.product.resolution or 10) for item in axis}):
            arrays[f"transform_{resolution:g}m"] = np.array(sample.grid(resolution).transform)
        return arrays | self.classes | self.outlines.get(str(sample.id), {})

    def _year(self) -> int:
        """The year of the labels: that of the last day of their period, or of that of the imagery."""
        layers = next((item for item in self.there.info.products if item.product.kind == "raster-labels"), None)
        period = (layers.period if layers is not None else None) or self.there.info.period
        last = period.end - (period.end - period.start) / 1_000_000
        return last.year

    def _series(
        self, sample: Sample, item: ProductInfo, steps: NDArray[np.int64], cubes: Mapping[str, CubeReader]
    ) -> NDArray[Any]:
        """(T, band, y, x) of the selected timesteps."""
        product, layout = item.product, self.there.info.layout
        names = [item.timesteps[step].name for step in steps.tolist()]
        if item.key in cubes:
            reader = cubes[item.key]
            positions = {name: position for position, name in enumerate(reader.spec.timesteps)}
            return np.ascontiguousarray(reader.read(str(sample.id))[[positions[name] for name in names]])
        shape = sample.grid(float(product.resolution or 10)).shape
        cube = np.zeros((len(names), len(product.bands), *shape), product.dtype)
        for position, name in enumerate(names):
            cube[position] = decode_geotiff(self.there.store.get(layout.chip(sample.id, product, name)))[0]
        return cube

    def _layers(self, sample: Sample, exists: Mapping[str, NDArray[np.bool_]]) -> dict[str, NDArray[Any]]:
        found = {}
        for item in self.there.info.products:
            if item.product.kind == "raster-labels" and not item.timesteps and exists[item.key].any():
                key = self.there.info.layout.raster_label(sample.id, item.product.prefix, item.label_version)
                array = decode_geotiff(self.there.store.get(key))[0][0]
                if item.key == "distances":
                    array = np.nan_to_num(array, nan=0.0)
                found[LABELS.get(item.key, item.key)] = array
        return found


def is_imagery(item: ProductInfo) -> bool:
    """Whether a product is a series of images."""
    return item.product.kind == "imagery" and bool(item.timesteps)
