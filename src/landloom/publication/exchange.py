"""`export --to webdataset`, `hf` and `taco`: samples as other training libraries read them, with equal pixels.

Every image and raster label of a sample is written as stored, not converted; what it takes to read them (dates, bands,
nodata, bounds, CRS, class fractions) stands beside it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from landloom.errors import ForeignCorpusError, InvalidValueError
from landloom.model.apportion import MILLION
from landloom.publication.hugging_face import ParquetFiles
from landloom.publication.taco import TacoFolder
from landloom.publication.tars import TarFiles
from landloom.query.corpus import Corpus
from landloom.store.local import LocalStore
from landloom.training.datasets.rasters import RasterReader
from landloom.training.datasets.samples import Samples
from landloom.training.datasets.series import SeriesPlan, SeriesReader
from landloom.training.datasets.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.engine.run import Listener
    from landloom.query.selection import Selection

FORMATS: Final = ("webdataset", "hf", "taco")
"""Formats of exchange."""
INDEX: Final = "landloom_export.json"
"""What was written; marks a folder as that of an export."""
REST: Final = "all"
"""Split of samples without one."""


class Writer(Protocol):
    """Writes the samples of one split after another."""

    def files(
        self, split: str, samples: Iterator[tuple[dict[str, Any], dict[str, NDArray[Any]]]]
    ) -> Iterator[tuple[str, bytes, int]]:
        """Path, bytes and number of samples of each file of a split."""
        ...

    def documents(self, title: str, counts: dict[str, int]) -> Iterator[tuple[str, bytes]]:
        """Files beside them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeReport:
    """Result of an export."""

    folder: Path
    files: int
    size: int
    """Size in bytes."""
    splits: dict[str, int]
    """Split → samples; `all` for those in none of a corpus without splits."""
    left_out: int
    """Samples in no split of a split set."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self) | {"folder": str(self.folder)}


def export_exchange(
    corpus: str, out: str | Path, to: str, *, split_set: str | None = None, listener: Listener | None = None
) -> ExchangeReport:
    """Write the samples of a corpus for other training libraries, split by split.

    Args:
        corpus: folder or address of the corpus, in either layout.
        out: target folder; empty, or from an earlier export, whose files are replaced.
        to: `webdataset` (tar files), `hf` (Parquet for `datasets.load_dataset`) or `taco` (a folder for `tacoreader`).
        split_set: whose splits are written; by default those of the recipe.
        listener: receives progress.

    Raises:
        InvalidValueError: no such format.
        ForeignCorpusError: the folder contains something else.
        NotFoundError: no such corpus or split set.
    """
    if to not in FORMATS:
        raise InvalidValueError(f"got the format {to!r}, expected {', '.join(FORMATS)}")
    opened, folder = Corpus.open(corpus), Path(out)
    if folder.exists() and any(folder.iterdir()) and not (folder / INDEX).exists():
        raise ForeignCorpusError(f"{folder}: contains files of something else; choose another folder")
    store, writer = LocalStore(folder), _writer(to, opened.info)
    for entry in list(store.list()) if folder.exists() else []:
        store.delete(entry.key)
    store.put(INDEX, b"{}\n")
    parts = _parts(opened, split_set)
    if listener is not None:
        listener.started("exporting samples", sum(len(part) for part in parts.values()))
    listed: list[dict[str, Any]] = []
    size = 0
    for split, chosen in parts.items():
        for path, data, count in writer.files(split, _samples(chosen, split, listener)):
            store.put(path, data)
            listed.append({"path": path, "split": split, "samples": count, "bytes": len(data)})
            size += len(data)
    counts = {split: len(part) for split, part in parts.items()}
    for path, data in writer.documents(f"{opened.name} {opened.version}", counts):
        store.put(path, data)
    document = {"corpus": opened.name, "version": opened.version, "to": to, "split_set": split_set, "files": listed}
    store.put(INDEX, f"{json.dumps(document, indent=2)}\n".encode())
    left = 0 if REST in counts else len(opened) - sum(counts.values())
    return ExchangeReport(folder=folder, files=len(listed), size=size, splits=counts, left_out=left)


def _writer(to: str, info: CorpusInfo) -> Writer:
    if to == "taco":
        return TacoFolder(info)
    return TarFiles(info.name) if to == "webdataset" else ParquetFiles(info.name)


def _parts(corpus: Corpus, split_set: str | None) -> dict[str, Selection]:
    """Split → its samples; a corpus without splits is one part."""
    everything = corpus.query(split_set=split_set)
    names = [name for name in everything.counts("split") if name is not None]
    if not names:
        return {REST: everything}
    return {name: corpus.query(split=name, split_set=split_set) for name in names}


def _samples(
    chosen: Selection, split: str, listener: Listener | None
) -> Iterator[tuple[dict[str, Any], dict[str, NDArray[Any]]]]:
    """Description and arrays of each sample."""
    info, samples = chosen.sidecar.info, Samples.of(chosen)
    series = [
        SeriesReader(samples, SeriesPlan.of(chosen, item.key))
        for item in info.products
        if item.product.kind in ("imagery", "quality") and item.product.bands and item.product.resolution is not None
    ]
    rasters = [
        RasterReader.of(chosen, samples, item, None)
        for item in info.products
        if item.product.kind == "raster-labels" and item.product.bands and item.product.resolution is not None
    ]
    shares, columns = chosen.sidecar.shares(chosen.rows), chosen.sidecar.columns
    for number in range(len(samples)):
        west, south, east, north = samples.bounds[number].tolist()
        about: dict[str, Any] = {
            "id": samples.id(number),
            "split": split,
            "crs": f"EPSG:{samples.epsg[number]}",
            "bounds": [west, south, east, north],
            "fractions": {columns[at]: int(shares[number, at]) / MILLION for at in np.flatnonzero(shares[number])},
            "products": {},
        }
        arrays = {}
        for reader in series:
            arrays[reader.plan.key], about["products"][reader.plan.key] = _image(reader, number)
        whole = Window(top=0.0, left=0.0, height=north - south, width=east - west)
        for raster in rasters:
            if raster.there[number]:
                arrays[raster.key] = np.ascontiguousarray(raster.read(number, whole))
                about["products"][raster.key] = {"bands": list(raster.bands), "nodata": raster.nodata}
        yield about, arrays
        if listener is not None:
            listener.advanced(samples.id(number), None)


def _image(reader: SeriesReader, number: int) -> tuple[NDArray[Any], dict[str, Any]]:
    """(time, band, y, x) as stored, nodata where there is no file; and its description."""
    plan = reader.plan
    steps = plan.steps_of(number)
    stored = reader.read(number, steps)
    empty = 0 if np.isnan(plan.nodata) else plan.nodata
    image = np.full((len(steps), len(plan.bands), *stored.numbers.shape[2:]), empty, plan.dtype)
    there = stored.steps >= 0
    image[there] = stored.numbers[np.ix_(stored.steps[there], stored.bands)]
    return image, {
        "bands": list(plan.bands),
        "dates": [str(day) for day in plan.days[steps].astype("M8[D]")],
        "nodata": None if np.isnan(plan.nodata) else plan.nodata,
        "observed": there.tolist(),
        "resolution": plan.resolution,
    }
