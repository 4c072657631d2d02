"""Samples as a TACO data set in its FOLDER form (Aybar et al. 2024, arXiv 2407.13623; specification 0.5).

    COLLECTION.json           terms, extent, and the tree that every sample follows
    METADATA/level0.parquet   a row per sample: split, fractions, outline, times
    METADATA/level1.parquet   a row per file: bands, dates, grid
    DATA/ID/PRODUCT.tif       an array as GeoTIFF whose bands are time after time, DATE BAND
    DATA/ID/__meta__          the rows of the sample's own files

`tacoreader.load(FOLDER)` reads it, as does GDAL. The specification calls the split `val` `validation`.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from landloom.errors import InvalidInputError
from landloom.formats.geotiff import MOST_BANDS, encode_geotiff
from landloom.model.grid import WGS84, Grid, transformer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo

VERSION: Final = "0.5.0"
"""Of the specification."""
LONGEST_TITLE: Final = 249
"""Characters."""
_TIME: Final = pa.timestamp("us")
_SAMPLES: Final = pa.schema(
    {
        "id": pa.string(),
        "type": pa.string(),
        "split": pa.string(),
        "fractions": pa.map_(pa.string(), pa.float64()),
        "istac:crs": pa.string(),
        "istac:geometry": pa.binary(),
        "istac:time_start": _TIME,
        "istac:time_end": _TIME,
        "istac:time_middle": _TIME,
        "istac:centroid": pa.binary(),
        "internal:current_id": pa.int64(),
        "internal:parent_id": pa.int64(),
    }
)
_FILES: Final = pa.schema(
    {
        "id": pa.string(),
        "type": pa.string(),
        "bands": pa.list_(pa.string()),
        "dates": pa.list_(pa.date32()),
        "observed": pa.list_(pa.bool_()),
        "nodata": pa.float64(),
        "stac:crs": pa.string(),
        "stac:tensor_shape": pa.list_(pa.int64()),
        "stac:geotransform": pa.list_(pa.float64()),
        "stac:time_start": _TIME,
        "stac:centroid": pa.binary(),
        "stac:time_end": _TIME,
        "stac:time_middle": _TIME,
        "internal:current_id": pa.int64(),
        "internal:parent_id": pa.int64(),
        "internal:relative_path": pa.string(),
    }
)
_WORDS: Final = {
    "id": "Id among its siblings",
    "type": "FILE or FOLDER",
    "split": "Part of the data: train, validation, test, or another name",
    "fractions": "Area shares of the classes, whose sum is 1",
    "bands": "Names of the bands of one time",
    "dates": "Dates of the times; the bands of the file are those of the first date, then of the second, and so on",
    "observed": "Whether there is an image of each date; otherwise it is nodata",
    "nodata": "Value of pixels without data",
    "internal:current_id": "Row of this level",
    "internal:parent_id": "Row of the level above",
    "internal:relative_path": "Path below DATA",
    "crs": "Coordinate reference system",
    "geometry": "Outline in that system (WKB)",
    "tensor_shape": "Length of the axes (time, band, y, x), or (band, y, x)",
    "geotransform": "GDAL's affine transform",
    "time_start": "First date (UTC)",
    "time_end": "Last date (UTC)",
    "time_middle": "Between the two",
    "centroid": "Centre as longitude and latitude (WKB)",
}
"""Column, with or without its namespace → what it says."""


@dataclass(slots=True)
class TacoFolder:
    """Writes the files of each sample, and at the end the tables and the collection."""

    info: CorpusInfo
    """Of the corpus."""
    _samples: list[dict[str, Any]] = field(default_factory=list)
    _files: list[dict[str, Any]] = field(default_factory=list)
    _tree: list[str] = field(default_factory=list)

    def files(
        self, split: str, samples: Iterator[tuple[dict[str, Any], dict[str, NDArray[Any]]]]
    ) -> Iterator[tuple[str, bytes, int]]:
        """Path, bytes and number of samples of each file of a split.

        Raises:
            InvalidInputError: a sample has other products than the one before, or one without any timestep.
        """
        for about, arrays in samples:
            name, row = about["id"], len(self._samples)
            own = []
            for key, array in arrays.items():
                data, grid = _raster(about, key, array)
                own.append(_file_row(about, key, array, grid))
                yield f"DATA/{name}/{key}.tif", data, 1
            tree = [file["id"] for file in own]
            if self._samples and tree != self._tree:
                raise InvalidInputError(f"{name}: got {tree}, expected {self._tree} as of others; export to webdataset")
            self._tree = tree
            for file in own:
                own_path = f"{name}/{file['id']}"
                number = len(self._files)
                self._files.append(file | dict(zip(_INTERNAL, (number, row, own_path), strict=True)))
            self._samples.append(_sample_row(about, split, row, own))
            local = pa.Table.from_pylist(own, schema=pa.schema([one for one in _FILES if one.name not in _INTERNAL]))
            yield f"DATA/{name}/__meta__", _encoded(local), 1

    def documents(self, title: str, counts: dict[str, int]) -> Iterator[tuple[str, bytes]]:
        """The tables of both levels and the collection."""
        samples = pa.Table.from_pylist(self._samples, schema=_SAMPLES)
        yield "METADATA/level0.parquet", _encoded(samples)
        yield "METADATA/level1.parquet", _encoded(pa.Table.from_pylist(self._files, schema=_FILES))
        text = json.dumps(self._collection(title, counts), indent=2, ensure_ascii=False)
        yield "COLLECTION.json", f"{text}\n".encode()

    def _collection(self, title: str, counts: dict[str, int]) -> dict[str, Any]:
        about = self.info.publication
        terms = list(dict.fromkeys(item.terms.licence for item in self.info.products))
        makers = [one.model_dump(mode="json") | {"links": None} for one in self.info.providers()]
        attribution = dict.fromkeys(item.terms.attribution for item in self.info.products)
        pattern = {"n": len(self._files), "type": ["FILE"] * len(self._tree), "id": self._tree}
        total = len(self._samples)
        return {
            "id": _identifier(self.info.name),
            "dataset_version": self.info.version,
            "description": about.description,
            "licenses": terms,
            "providers": makers or [{"name": text, "roles": ["licensor"]} for text in attribution],
            "tasks": _tasks(self.info),
            "taco_version": VERSION,
            "title": (about.title or title)[:LONGEST_TITLE],
            "curators": [{"name": name} for name in about.authors] or None,
            "keywords": list(about.keywords) or None,
            "extent": self._extent(),
            "landloom:splits": counts,
            "landloom:attribution": list(attribution),
            "taco:pit_schema": {
                "root": {"n": total, "type": "FOLDER"},
                "shape": [total, len(self._tree)],
                "hierarchy": {"1": [pattern]},
            },
            "taco:field_schema": {"level0": _described(_SAMPLES), "level1": _described(_FILES)},
        }

    def _extent(self) -> dict[str, Any]:
        """The box of the centres, as the specification wants it, and the first and last date."""
        points = shapely.get_coordinates(shapely.from_wkb([row["istac:centroid"] for row in self._samples]))
        dates = [row[key] for row in self._samples for key in ("istac:time_start", "istac:time_end") if row[key]]
        west, south = points.min(axis=0)
        east, north = points.max(axis=0)
        return {
            "spatial": [float(west), float(south), float(east), float(north)],
            "temporal": [f"{time.isoformat()}Z" for time in (min(dates), max(dates))] if dates else None,
        }


_INTERNAL: Final = ("internal:current_id", "internal:parent_id", "internal:relative_path")


def _identifier(name: str) -> str:
    """Lower-case letters, digits, underscores and hyphens."""
    return "".join(letter if letter.isalnum() or letter in "_-" else "-" for letter in name.lower())


def _tasks(info: CorpusInfo) -> list[str]:
    """What the labels are for, in the words of the specification."""
    dense = ["semantic-segmentation"] * any(item.product.kind == "raster-labels" for item in info.products)
    return dense + ["scene-classification"] * bool(info.labels) or ["other"]


def _raster(about: dict[str, Any], key: str, array: NDArray[Any]) -> tuple[bytes, Grid]:
    """A GeoTIFF of an array, and its grid."""
    own = about["products"][key]
    times = own.get("dates", [""])
    count = array.size // (array.shape[-2] * array.shape[-1])
    if not 0 < count <= MOST_BANDS:
        raise InvalidInputError(
            f"{key} of {about['id']}: got {len(times)} timesteps of {len(own['bands'])} bands, "
            f"expected 1 to {MOST_BANDS} bands in all; export to webdataset"
        )
    west, _, east, _ = about["bounds"]
    epsg = int(about["crs"].removeprefix("EPSG:"))
    grid = Grid.of_bounds(epsg, tuple(about["bounds"]), (east - west) / array.shape[-1])
    names = [f"{day} {band}".strip() for day in times for band in own["bands"]]
    flat = array.reshape(count, *array.shape[-2:])
    return encode_geotiff(flat, grid, nodata=own["nodata"], bands=names), grid


def _file_row(about: dict[str, Any], key: str, array: NDArray[Any], grid: Grid) -> dict[str, Any]:
    own = about["products"][key]
    row = {
        "id": f"{key}.tif",
        "type": "FILE",
        "bands": own["bands"],
        "dates": None if "dates" not in own else np.array(own["dates"], "M8[D]").tolist(),
        "observed": own.get("observed"),
        "nodata": own["nodata"],
        "stac:crs": about["crs"],
        "stac:tensor_shape": list(array.shape),
        "stac:geotransform": [grid.west, grid.pixel_width, 0.0, grid.north, 0.0, -grid.pixel_height],
        "stac:centroid": _centre(about),
    }
    return row | _times("stac", own.get("dates", []))


def _sample_row(about: dict[str, Any], split: str, row: int, files: Sequence[dict[str, Any]]) -> dict[str, Any]:
    dates = [str(day) for file in files for day in file["dates"] or ()]
    own = {
        "id": about["id"],
        "type": "FOLDER",
        "split": "validation" if split == "val" else split,
        "fractions": list(about["fractions"].items()),
        "istac:crs": about["crs"],
        "istac:geometry": shapely.to_wkb(shapely.box(*about["bounds"])),
        "istac:centroid": _centre(about),
        "internal:current_id": row,
        "internal:parent_id": row,
    }
    return own | _times("istac", dates)


def _times(space: str, dates: Sequence[str]) -> dict[str, Any]:
    days = np.array(sorted(dates), "M8[us]")
    first, last = (days[0], days[-1]) if len(days) else (None, None)
    middle = None if first is None else first + (last - first) // 2
    named = {"time_start": first, "time_end": last, "time_middle": middle}
    return {f"{space}:{name}": None if time is None else time.item() for name, time in named.items()}


def _centre(about: dict[str, Any]) -> bytes:
    west, south, east, north = about["bounds"]
    change = transformer(int(about["crs"].removeprefix("EPSG:")), WGS84)
    wkb: bytes = shapely.to_wkb(shapely.Point(*change.transform((west + east) / 2, (south + north) / 2)))
    return wkb


def _described(schema: pa.Schema) -> list[list[str]]:
    words = {one.name: _WORDS.get(one.name) or _WORDS[one.name.split(":")[-1]] for one in schema}
    return [[one.name, str(one.type).lower(), words[one.name]] for one in schema]


def _encoded(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
