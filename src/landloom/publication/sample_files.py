"""`export --to pickle` and `--to npz`: one file per sample, as read by training code of the published system.

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

import io
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from landloom.corpus.finished import FinishedCorpus
from landloom.errors import ForeignCorpusError, InvalidInputError, InvalidValueError
from landloom.formats.csv_table import csv_bytes
from landloom.publication.sample_arrays import SampleReader
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from landloom.engine.run import Listener
    from landloom.model.sample import Sample

FORMATS: Final = ("pickle", "npz")
"""File formats of samples."""
INDEX: Final = "saved_timeseries_data_info.csv"
"""The list of files, with its name in the published system."""
PROTOCOL: Final = 4
"""Pickle protocol, readable since Python 3.4."""
_HEADER: Final = (
    "sample_path",
    "Year",
    "N",
    "W",
    "dy",
    "dx",
    "dt",
    "win_i",
    "win_j",
    "status",
    "crs",
    "sample",
    "split",
    "label",
    "purity",
)

SingleImage = Literal["all", "least-cloudy"]
"""One file per date, or only for the date with most valid pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purity:
    """How a window gets a single label."""

    least: float = 0.5
    """Minimum share of pixels of the most frequent class; windows with less are left out."""
    fractions: bool = False
    """Whether the label is the share of every class, instead of the most frequent class."""

    def __post_init__(self) -> None:
        if not 0 <= self.least <= 1:
            raise InvalidValueError(f"got a purity of {self.least}, expected a share from 0 to 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesReport:
    """Result of an export of samples."""

    folder: Path
    files: int
    size: int
    """Size in bytes."""
    impure: int
    """Number of windows left out because no class reaches the share."""
    empty: int
    """Number of windows left out because they have no date."""

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
    """Write every sample of a corpus to one file; memory holds one sample at a time.

    Args:
        corpus: folder or address of the corpus, in either layout.
        out: target folder; empty, or from the same export, whose files are rewritten.
        to: `pickle`, or `npz` (without pickled objects).
        single_image: one file for each date, or for the clearest one, instead of the series; T is 1.
        one_label: one label per window, instead of rasters.
        listener: receives progress.

    Raises:
        InvalidValueError: no such format.
        InvalidInputError: the corpus has no imagery, or no classes although they are needed.
        ForeignCorpusError: the folder contains something else.
        CorpusError: there is no corpus.
    """
    if to not in FORMATS:
        raise InvalidValueError(f"got the format {to!r}, expected {' or '.join(FORMATS)}")
    reader = SampleReader(FinishedCorpus.open(corpus))
    folder = Path(out)
    if folder.exists() and any(folder.iterdir()) and not (folder / INDEX).exists():
        raise ForeignCorpusError(f"{folder}: contains files of something else; choose another folder")
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
    """A sample as bytes; equal arrays give equal bytes.

    Example:
        >>> data = encode_sample({"doy": np.array([7]), "sample": "a"}, "npz")
        >>> loaded = np.load(io.BytesIO(data), allow_pickle=False)
        >>> loaded["doy"].tolist(), str(loaded["sample"])
        ([7], 'a')
    """
    if to == "pickle":
        kept = io.BytesIO()
        _Pickler(kept, protocol=PROTOCOL).dump(dict(arrays))
        return kept.getvalue()
    buffer = io.BytesIO()
    plain = {key: np.asarray(value) for key, value in arrays.items()}
    np.savez_compressed(buffer, allow_pickle=False, **plain)
    return buffer.getvalue()


class _Pickler(pickle.Pickler):
    """Writes arrays by names that every numpy has: numpy 2 calls its own `numpy._core`, which numpy 1 lacks."""

    def reducer_override(self, value: Any) -> Any:
        """How an array is made again: an empty one, which takes the state that numpy pickles."""
        if isinstance(value, np.ndarray):
            return np.ndarray, ((0,), "b"), value.__reduce__()[2]
        if isinstance(value, np.bool_):
            return bool, (bool(value),)
        if isinstance(value, np.generic):
            return type(value), (value.item(),)
        return NotImplemented


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
    """One date of a sample; T is 1, so that readers of series can read it too.

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
    """The date with most valid pixels; the earliest of several.

    Example:
        >>> clearest({"doy": np.array([1, 6]), "valid": np.array([[[0, 1]], [[1, 1]]])})
        1
    """
    if "valid" not in arrays:
        return 0
    return int(np.argmax(arrays["valid"].mean(axis=(1, 2))))


def labelled(arrays: Mapping[str, Any], rule: Purity) -> tuple[dict[str, Any], str]:
    """A sample with one label instead of rasters, and its status `ok` or `impure`.

    Shares are relative to all pixels except ignored ones. The most frequent class is one of the corpus's classes, not
    background; of several the one with the smallest code.

    Args:
        arrays: with `labels`, `codes` (those of classes and background) and `background`.
        rule: rule for the label.

    Raises:
        InvalidInputError: there are no classes.

    Example:
        >>> arrays = {"labels": np.array([[1, 1, 2, 0]]), "codes": np.array([0, 1, 2]), "background": 0}
        >>> done, status = labelled(arrays, Purity(least=0.5))
        >>> done["label"], done["purity"], status
        (1, 0.5, 'ok')
    """
    if "labels" not in arrays or "codes" not in arrays:
        raise InvalidInputError("got samples without classes, expected a corpus with parcels for one label per window")
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
        path,
        arrays["year"],
        f"{north:.0f}",
        f"{west:.0f}",
        f"{north - south:.0f}",
        f"{east - west:.0f}",
        len(arrays["doy"]),
        row,
        column,
        status,
        arrays["crs"],
        sample.id,
        sample.split or "",
        arrays.get("label", ""),
        arrays.get("purity", ""),
    )
