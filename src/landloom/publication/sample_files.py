"""`export --to pickle` and `--to npz`: one file a sample, as training code of the published system reads it.

| key                                          | what                                                            |
|----------------------------------------------|-----------------------------------------------------------------|
| `B02`, …                                     | (T, h, w) uint16, each band at its native size                  |
| `doy`, `year`                                | (T,) day of the year; the year of the labels                    |
| `labels ids masks ratios distances`          | (H, W) rasters; 0 where there is no parcel                      |
| `ambiguity`, `valid`                         | (H, W) bits; (T, H, W) 1 = usable                               |
| `datetime`, `years`, `product_ids`           | (T,) ISO instants, their years, ids of the scenes behind each   |
| `sample`, `crs`, `bounds`, `transform_10m` … | its id; EPSG code; west, south, east, north; (6,) affine        |
| `parcel`, `poly_var`, `poly_fixed`           | of windows around parcels: id, (k, 2) outline, (n, 2) resampled |

Dates are in time order, whatever the calendar year; `saved_timeseries_data_info.csv` lists the files.
"""

from __future__ import annotations

import csv
import io
import json
import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from landloom.corpus.finished import Existing
from landloom.corpus.layout import TileKey
from landloom.engine.sources.parcels import csv_bytes
from landloom.errors import ForeignCorpusError, InvalidInputError, InvalidValueError, MissingKeyError
from landloom.formats.geotiff import decode_geotiff
from landloom.formats.zarr.cubes import CubeReader
from landloom.model.time import format_instant
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.info import ProductInfo
    from landloom.engine.run import Listener
    from landloom.model.sample import Sample

FORMATS: Final = ("pickle", "npz")
"""What samples can be written as."""
INDEX: Final = "saved_timeseries_data_info.csv"
"""The list of files, as the published system calls it."""
VALID: Final = "s2_valid"
"""Key of the mask's product."""
LABELS: Final = {"classes": "labels"}
"""Layer → its published name, where they differ."""
PROTOCOL: Final = 4
"""Of pickle: what every Python since 3.4 reads."""
_HEADER: Final = (
    "sample_path", "Year", "N", "W", "dy", "dx", "dt", "win_i", "win_j", "status", "crs", "sample", "split", "label",
    "purity",
)  # fmt: skip

SingleImage = Literal["all", "least-cloudy"]
"""One file a date, or for the date with most usable pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purity:
    """How a window gets one label."""

    least: float = 0.5
    """Share of its pixels that the commonest class must have; windows with less are left out."""
    fractions: bool = False
    """Whether the share of every class is the label, instead of the commonest."""

    def __post_init__(self) -> None:
        if not 0 <= self.least <= 1:
            raise InvalidValueError(f"got a purity of {self.least}, wanted a share from 0 to 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesReport:
    """What an export of samples came to."""

    folder: Path
    files: int
    size: int
    """Bytes."""
    impure: int
    """Windows left out because no class has the share wanted."""
    empty: int
    """Windows left out because they have no date."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self) | {"folder": str(self.folder)}


def export_samples(
    corpus: str,
    out: str | Path,
    to: str = "pickle",
    *,
    single_image: SingleImage | None = None,
    one_label: Purity | None = None,
    listener: Listener | None = None,
) -> SamplesReport:
    """Write every sample of a corpus as one file; one sample is in memory at a time.

    Args:
        corpus: folder or address of the corpus, in either layout.
        out: folder to write; empty, or of an export like this one, whose files are written again.
        to: `pickle`, or `npz` (nothing pickled within).
        single_image: one file for each date, or for the clearest one, instead of the series; T is 1.
        one_label: one label a window, instead of rasters.
        listener: told of progress.

    Raises:
        InvalidValueError: no such format.
        InvalidInputError: the corpus has no imagery, or no classes where they are needed.
        ForeignCorpusError: the folder holds something else.
        CorpusError: there is no corpus.
    """
    if to not in FORMATS:
        raise InvalidValueError(f"got the format {to!r}, wanted {' or '.join(FORMATS)}")
    reader = _Reader(Existing.open(corpus))
    folder = Path(out)
    if folder.exists() and any(folder.iterdir()) and not (folder / INDEX).exists():
        raise ForeignCorpusError(f"{folder}: holds files that no export has written; choose another folder")
    store = LocalStore(folder)
    store.put(INDEX, csv_bytes(_HEADER, ()))
    rows: list[Sequence[object]] = []
    counts = {"ok": 0, "impure": 0, "no date": 0}
    size = 0
    if listener is not None:
        listener.started("exporting samples", sum(map(len, reader.there.tiles.values())))
    for sample, arrays in reader.samples():
        for name, part, status in _files(sample, arrays, to, single_image, one_label):
            if status == "ok":
                data = encode_sample(part, to)
                store.put(name, data)
                size += len(data)
            counts[status] += 1
            rows.append(_row(name, sample, part, status))
        if listener is not None:
            listener.advanced(str(sample.id), None)
    store.put(INDEX, csv_bytes(_HEADER, rows))
    return SamplesReport(folder=folder, files=counts["ok"], size=size, impure=counts["impure"], empty=counts["no date"])


def encode_sample(arrays: Mapping[str, Any], to: str) -> bytes:
    """A sample as bytes; the same arrays give the same bytes.

    Example:
        >>> data = encode_sample({"doy": np.array([7]), "sample": "a"}, "npz")
        >>> loaded = np.load(io.BytesIO(data), allow_pickle=False)
        >>> loaded["doy"].tolist(), str(loaded["sample"])
        ([7], 'a')
    """
    if to == "pickle":
        return pickle.dumps(dict(arrays), protocol=PROTOCOL)
    buffer = io.BytesIO()
    plain = {key: np.asarray(value) for key, value in arrays.items()}
    np.savez_compressed(buffer, allow_pickle=False, **plain)
    return buffer.getvalue()


def _files(
    sample: Sample, arrays: dict[str, Any], to: str, single: SingleImage | None, one_label: Purity | None
) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Name, arrays and status of each file of a sample."""
    west, _, _, north = sample.bounds
    stem = f"{north:.0f}_{west:.0f}_{arrays['year']}"
    status = "ok"
    if one_label is not None:
        arrays, status = labelled(arrays, one_label)
    if not len(arrays["doy"]):
        yield "", arrays, "no date"
        return
    if status != "ok" or single is None:
        yield f"{stem}.{to}", arrays, status
        return
    steps = range(len(arrays["doy"])) if single == "all" else [clearest(arrays)]
    for step in steps:
        compact = str(arrays["datetime"][step])[:19].replace("-", "").replace(":", "")
        yield f"{stem}_{compact}.{to}", at_date(arrays, step), "ok"


def at_date(arrays: Mapping[str, Any], step: int) -> dict[str, Any]:
    """One date of a sample; T is 1, so that readers of series read it too.

    Example:
        >>> at_date({"B02": np.zeros((3, 2, 2)), "doy": np.array([1, 6, 9]), "year": 2018}, 1)["doy"]
        array([6])
    """
    count = len(arrays["doy"])
    timed = {"doy", "years", "datetime", "product_ids", "valid"}
    return {
        key: value[step : step + 1] if key in timed or (_is_band(key, value) and len(value) == count) else value
        for key, value in arrays.items()
    }


def _is_band(key: str, value: Any) -> bool:
    return key.startswith("B") and getattr(value, "ndim", 0) == 3


def clearest(arrays: Mapping[str, Any]) -> int:
    """The date with most usable pixels; the earliest of several.

    Example:
        >>> clearest({"doy": np.array([1, 6]), "valid": np.array([[[0, 1]], [[1, 1]]])})
        1
    """
    if "valid" not in arrays:
        return 0
    return int(np.argmax(arrays["valid"].mean(axis=(1, 2))))


def labelled(arrays: Mapping[str, Any], rule: Purity) -> tuple[dict[str, Any], str]:
    """A sample with one label instead of rasters, and `ok` or `impure`.

    Shares are of all pixels but those to ignore. The commonest class is one of the corpus's classes, not background;
    of several the one with the smallest code.

    Args:
        arrays: with `labels`, `codes` (those of classes and background) and `background`.
        rule: which label.

    Raises:
        InvalidInputError: there are no classes.

    Example:
        >>> arrays = {"labels": np.array([[1, 1, 2, 0]]), "codes": np.array([0, 1, 2]), "background": 0}
        >>> done, status = labelled(arrays, Purity(least=0.5))
        >>> done["label"], done["purity"], status
        (1, 0.5, 'ok')
    """
    if "labels" not in arrays or "codes" not in arrays:
        raise InvalidInputError("got samples without classes, wanted a corpus with parcels for one label a window")
    codes = arrays["codes"]
    counts = (arrays["labels"][..., None] == codes).sum(axis=(0, 1))
    shares = counts / max(int(counts.sum()), 1)
    rest = {key: value for key, value in arrays.items() if key not in _RASTERS}
    own = np.where(codes == arrays["background"], -1.0, shares)
    best = int(np.argmax(own))
    rest |= {"label": int(codes[best]), "purity": float(max(own[best], 0.0))}
    if rule.fractions:
        return rest | {"fractions": shares.astype(np.float32)}, "ok"
    return rest, "ok" if counts.sum() and own[best] >= max(rule.least, 1e-12) else "impure"


_RASTERS: Final = frozenset({"labels", "ids", "masks", "ratios", "distances", "ambiguity"})


def _row(name: str, sample: Sample, arrays: Mapping[str, Any], status: str) -> tuple[object, ...]:
    west, south, east, north = sample.bounds
    row, column = (getattr(sample.id, part, "") for part in ("row", "column"))
    path = name if status == "ok" else ""
    return (
        path, arrays["year"], f"{north:.0f}", f"{west:.0f}", f"{north - south:.0f}", f"{east - west:.0f}",
        len(arrays["doy"]), row, column, status, arrays["crs"], sample.id, sample.split or "", arrays.get("label", ""),
        arrays.get("purity", ""),
    )  # fmt: skip


@dataclass(slots=True)
class _Reader:
    """Reads the samples of a corpus one after the other."""

    there: Existing
    outlines: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Sample → what is known of the parcel that it is about."""
    classes: dict[str, Any] = field(default_factory=dict)
    """Codes of classes and background."""

    def __post_init__(self) -> None:
        info = self.there.info
        if not any(_is_imagery(item) for item in info.products):
            raise InvalidInputError(f"{info.name}: has no imagery to export")
        rows = info.class_mappings.get("classes", ())
        if rows:
            codes = sorted({int(row["code"]) for row in rows if row["role"] in {"class", "background", "unknown"}})
            background = next(int(row["code"]) for row in rows if row["role"] == "background")
            self.classes = {"codes": np.array(codes, np.int64), "background": background}
        self.outlines = self._outlines()

    def _outlines(self) -> dict[str, dict[str, Any]]:
        import shapely

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
            for place, sample in enumerate(samples):
                rows = {key: there[place] for key, there in exists.items()}
                yield sample, self._arrays(sample, rows, scenes, cubes)

    def _scenes(self, tile: str) -> dict[str, str]:
        """Timestep → ids of the scenes behind it."""
        info = self.there.info
        for item in info.products:
            if _is_imagery(item):
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
        self, sample: Sample, exists: Mapping[str, NDArray[np.bool_]], scenes: Mapping[str, str],
        cubes: Mapping[str, CubeReader],
    ) -> dict[str, Any]:  # fmt: skip
        info = self.there.info
        imagery = [item for item in info.products if _is_imagery(item)]
        axis = [item for item in imagery if item.timesteps == imagery[0].timesteps]
        steps = np.flatnonzero(np.logical_and.reduce([exists[item.key] for item in axis]))
        stamps = [axis[0].timesteps[step] for step in steps.tolist()]
        arrays: dict[str, Any] = {}
        for item in axis:
            cube = self._series(sample, item, steps, cubes)
            for place, band in enumerate(item.product.bands):
                arrays.setdefault(band.name, cube[:, place])
        arrays["doy"] = np.array([step.stamp.timetuple().tm_yday for step in stamps], np.int16)
        arrays["year"] = getattr(sample.id, "year", None) or self._year()
        arrays |= self._layers(sample, exists)
        mask = next((item for item in info.products if item.key == VALID), None)
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
        """The year of the labels: that of the last day that they, or else the imagery, speak of."""
        layers = next((item for item in self.there.info.products if item.product.kind == "raster-labels"), None)
        period = (layers.period if layers is not None else None) or self.there.info.period
        last = period.end - (period.end - period.start) / 1_000_000
        return last.year

    def _series(
        self, sample: Sample, item: ProductInfo, steps: NDArray[np.int64], cubes: Mapping[str, CubeReader]
    ) -> NDArray[Any]:
        """(T, band, y, x) of the steps wanted."""
        product, layout = item.product, self.there.info.layout
        names = [item.timesteps[step].name for step in steps.tolist()]
        if item.key in cubes:
            reader = cubes[item.key]
            places = {name: place for place, name in enumerate(reader.spec.timesteps)}
            return np.ascontiguousarray(reader.read(str(sample.id))[[places[name] for name in names]])
        shape = sample.grid(float(product.resolution or 10)).shape
        cube = np.zeros((len(names), len(product.bands), *shape), product.dtype)
        for place, name in enumerate(names):
            cube[place] = decode_geotiff(self.there.store.get(layout.chip(sample.id, product, name)))[0]
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


def _is_imagery(item: ProductInfo) -> bool:
    return item.product.kind == "imagery" and bool(item.timesteps)
