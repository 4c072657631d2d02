"""From the three published resource files to our index: GeoParquet 1.1, which every tool and query can open.

Labels are rounded as described in `landloom.query.index.resources`; outlines are kept as published. The files have no
information on chips: products and timesteps are those of the published corpus (`landloom.query.index.rapidai4eo`).
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import shapely

from landloom.corpus.documents import corpus_json
from landloom.corpus.footprints import boxes, unwrapped, wkb
from landloom.corpus.index import SampleTable, index_bytes, index_table
from landloom.corpus.layout import CORPUS
from landloom.errors import InvalidInputError, MissingKeyError, NotFoundError
from landloom.query.index.arrays import write_atomically
from landloom.query.index.draft import finish
from landloom.query.index.rapidai4eo import PERIODS, published_info
from landloom.query.index.resource_files import ResourceFiles, published_files
from landloom.query.index.resources import read_resources
from landloom.query.index.sidecar_sources import INDEX
from landloom.store.vector.tables import separator_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.query.index.draft import Draft
    from landloom.query.index.sidecar import Sidecar

_ENDING: Final = "_geometries"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """Result of indexing."""

    path: Path
    """Path of the index."""
    samples: int
    """Number of rows."""
    columns: int
    """Number of label columns."""
    size: int
    """Size in bytes."""
    odd: int
    """Number of samples whose published outline differs from that of their square."""

    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "path": str(self.path),
            "samples": self.samples,
            "columns": self.columns,
            "size": self.size,
            "odd_outlines": self.odd,
        }


def find_resources(paths: Sequence[Path]) -> ResourceFiles:
    """The three resource files: in a folder (or its folder `resources/`), or given one by one in any order.

    Args:
        paths: one folder, or three files.

    Raises:
        MissingKeyError: one or all of the files are missing.
        InvalidInputError: neither one folder nor three files of three kinds.
    """
    for path in paths:
        if not path.exists():
            raise MissingKeyError(f"no file or folder {path}")
    if len(paths) == 1 and paths[0].is_dir():
        found = published_files(paths[0])
        if found is None:
            raise MissingKeyError(f"no NAME{_ENDING}.geojson.gz in {paths[0]}, nor in a folder resources in it")
        return found
    kinds = {_kind(path): path for path in paths}
    if len(paths) != 3 or len(kinds) != 3:
        got = ", ".join(f"{path.name} ({_kind(path)})" for path in paths)
        raise InvalidInputError(f"got {got}; expected a folder, or one file each of geometries, labels and mapping")
    return ResourceFiles(**kinds)


def _kind(path: Path) -> str:
    """`geometries`, `labels` or `mapping`, determined from the first bytes of a file."""
    if path.is_dir():
        return "folder"
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if zipped else path.open("rb") as file:
        head = file.read(4_096).decode("utf-8", "replace")
    if head.removeprefix("\ufeff").lstrip()[:1] == "{":
        return "geometries"
    first = head.removeprefix("\ufeff").partition("\n")[0].rstrip("\r")
    header = next(csv.reader([first], delimiter=separator_of(first)), [])
    return "mapping" if "index" in header else "labels" if "sample_id" in header else "unknown"


def write_index(
    files: ResourceFiles,
    folder: Path,
    *,
    name: str | None = None,
    version: str = "1.0",
    products: Iterable[str] | None = None,
) -> IndexReport:
    """Index published resource files.

    Args:
        files: the three resource files.
        folder: folder of the corpus, for `index/samples.parquet` and `corpus.json`.
        name: name of the corpus; by default that of the geometries file.
        version: version of the corpus.
        products: keys of products of the published corpus that it has; by default all. Labels are always included.

    Raises:
        NotFoundError: no such product.
        CorpusError: the files disagree with each other.
        InvalidInputError: a file is invalid, or its classes belong to no known taxonomy.
        OSError: the folder cannot be written.
    """
    keys = list(PERIODS) if products is None else [*dict.fromkeys([*products, "labels"])]
    for key in keys:
        if key not in PERIODS:
            raise NotFoundError.of("product of the published corpus", key, PERIODS)
    title = name or files.geometries.name.split(".", 1)[0].removesuffix(_ENDING)
    known = published_info(title)
    draft = read_resources(files, replace(known, version=version, products=tuple(known.product(key) for key in keys)))
    if not draft.info.labels:
        raise InvalidInputError(f"got label columns such as {draft.columns[0]!r}, expected those of a known taxonomy")
    sidecar = finish(draft)
    data = index_bytes(_table(draft.info, sidecar, draft))
    path = folder / INDEX
    write_atomically(path, data)
    write_atomically(folder / CORPUS, corpus_json(draft.info))
    return IndexReport(
        path=path, samples=len(sidecar), columns=len(sidecar.columns), size=len(data), odd=len(sidecar.odd_rows)
    )


def _table(info: CorpusInfo, sidecar: Sidecar, draft: Draft) -> pa.Table:
    rows = np.arange(len(sidecar), dtype=np.int32)
    places = np.asarray(draft.tile)
    nothing = pa.nulls(len(rows), pa.string())
    samples = SampleTable(
        id=pa.array(list(sidecar.texts(rows)), pa.string()),
        zone=pa.array([tile.split("_", 1)[0] for tile in draft.tiles], pa.string()).take(pa.array(places)),
        tile=pa.array(list(draft.tiles), pa.string()).take(pa.array(places)),
        epsg=np.asarray(draft.epsg),
        bounds=sidecar.squares(rows),
        stratum=nothing,
        split=nothing,
    )
    names = next(iter(info.label_columns.values()))
    shares = np.zeros((len(rows), len(names)), dtype=np.int32)
    for number, column in enumerate(sidecar.columns):
        own, values = sidecar.labels.entries(number)
        shares[own, names.index(column)] = values
    everything = {item.key: np.broadcast_to(np.True_, (len(rows), item.slots)) for item in info.products}
    table = index_table(info, samples, {"labels": shares}, everything)
    return _with_outlines(table, samples.order(), draft)


def _with_outlines(table: pa.Table, order: NDArray[np.int64], draft: Draft) -> pa.Table:
    """The table with the published outlines instead of the computed ones."""
    if draft.outlines is None:
        return table
    vertices = draft.outlines[order]
    rings = unwrapped(np.concatenate([vertices, vertices[:, :1]], axis=1))
    box = boxes(rings)
    outlines = wkb(rings)
    strange = {place: draft.strange[row] for place, row in enumerate(order.tolist()) if row in draft.strange}
    if strange:
        texts = outlines.to_pylist()
        for place, text in strange.items():
            texts[place] = text
            box[place] = shapely.from_wkb(text).bounds
        outlines = pa.array(texts, pa.binary())
    covering = pa.StructArray.from_arrays(
        [pa.array(box[:, place]) for place in range(4)], names=["xmin", "ymin", "xmax", "ymax"]
    )
    table = table.set_column(table.column_names.index("bbox"), "bbox", covering)
    return table.set_column(table.column_names.index("geometry"), "geometry", outlines)
