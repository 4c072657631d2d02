"""Read the interchange index (`index/samples.parquet`) into a draft of a sidecar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import CorpusError
from landloom.model.parquet_size import check_size
from landloom.query.index.draft import Draft

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa
    import pyarrow.parquet as pq
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.model.taxonomy import Taxonomy

WORDS: Final = ("stratum", "split")
"""Text columns for queries."""
_BOUNDS: Final = ("west", "south", "east", "north")


def label_groups(own: Taxonomy, columns: Sequence[str], prefix: str = "") -> dict[str, list[str]]:
    """Coarser columns of a taxonomy → the finest columns that they sum; a finest column keeps its name.

    Args:
        own: taxonomy of the labels.
        columns: finest columns that are present.
        prefix: prefix of the taxonomy's column names.

    Example:
        >>> from landloom.model.taxonomy import taxonomy
        >>> groups = label_groups(taxonomy("clc"), ["clc_311", "clc_312", "clc_411"])
        >>> groups["clc_3"], groups["clc_31"], groups["clc_2"]
        (['clc_311', 'clc_312'], ['clc_311', 'clc_312'], [])
    """
    groups: dict[str, list[str]] = {}
    for level in range(own.levels - 1, 0, -1):
        for code in own.codes(level):
            members = [prefix + own.column(item.code) for item in own.classes if item.parents[level - 1] == code]
            if prefix + own.column(code) not in columns:
                groups.setdefault(prefix + own.column(code), [column for column in members if column in columns])
    return groups


class _Words:
    """Encode text values as numbers, in order of appearance; 0 is null."""

    def __init__(self) -> None:
        self.places: dict[str | None, int] = {None: 0}

    def encode(self, column: pa.ChunkedArray) -> NDArray[np.int32]:
        encoded = column.combine_chunks().dictionary_encode()
        table = [self.places.setdefault(word, len(self.places)) for word in encoded.dictionary.to_pylist()]
        codes = encoded.indices.fill_null(len(table)).to_numpy(zero_copy_only=False)
        words: NDArray[np.int32] = np.array([*table, 0], dtype=np.int32)[codes]
        return words

    @property
    def vocabulary(self) -> list[str]:
        return [word for word in self.places if word is not None]


class _Patterns:
    """Encode bitmaps as numbers, in order of appearance."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.places: dict[bytes, int] = {}

    def encode(self, column: pa.ChunkedArray) -> NDArray[np.int32]:
        encoded = column.combine_chunks().dictionary_encode()
        words = [(word or b"").ljust(self.size, b"\0")[: self.size] for word in encoded.dictionary.to_pylist()]
        table = [self.places.setdefault(word, len(self.places)) for word in words]
        missing = self.places.setdefault(bytes(self.size), len(self.places)) if encoded.null_count else 0
        codes = encoded.indices.fill_null(len(table)).to_numpy(zero_copy_only=False)
        numbers: NDArray[np.int32] = np.array([*table, missing], dtype=np.int32)[codes]
        return numbers

    @property
    def bitmaps(self) -> NDArray[np.uint8]:
        return np.frombuffer(b"".join(self.places), np.uint8).reshape(len(self.places), self.size)


def vertices_of(wkb: NDArray[np.object_]) -> tuple[NDArray[np.float64], dict[int, bytes]]:
    """Four vertices of each outline, NaN for another number; and those outlines by row.

    Example:
        >>> from shapely import Point, box
        >>> vertices, strange = vertices_of(np.array([box(0, 0, 1, 1).wkb, Point(0, 0).wkb], dtype=object))
        >>> vertices[0].tolist(), list(strange)
        ([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]], [1])
    """
    import shapely

    shapes = shapely.from_wkb(wkb)
    plain = (shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON) & (shapely.get_num_coordinates(shapes) == 5)
    plain &= shapely.get_num_interior_rings(shapes) == 0
    vertices = np.full((len(shapes), 4, 2), np.nan)
    vertices[plain] = shapely.get_coordinates(shapes[plain]).reshape(-1, 5, 2)[:, :4]
    return vertices, {int(row): bytes(wkb[row]) for row in np.flatnonzero(~plain)}


class _IndexReader:
    """Collects the columns of the draft, one row group at a time."""

    def __init__(self, file: pq.ParquetFile, info: CorpusInfo) -> None:
        self.file, self.info = file, info
        present = file.schema_arrow.names
        self.columns = [column for names in info.label_columns.values() for column in names]
        self.words = {name: _Words() for name in WORDS if name in present}
        self.tiles = _Words()
        self.patterns = {
            item.key: _Patterns(-(-item.slots // 8)) for item in info.products if f"{item.key}_available" in present
        }
        self.parts: dict[str, list[NDArray[Any]]] = {}
        self.labels: list[list[tuple[NDArray[np.integer], NDArray[np.integer]]]] = [[] for _ in self.columns]
        self.strange: dict[int, bytes] = {}
        self.square = info.scheme != "utm24"
        self.wanted = [
            name
            for name in ("id", "tile", "epsg", "geometry", *self.words, *self.columns)
            + tuple(f"{key}_available" for key in self.patterns)
            + (_BOUNDS if self.square else ())
            if name in present
        ]

    def _add(self, name: str, values: NDArray[Any]) -> None:
        self.parts.setdefault(name, []).append(values)

    def read(self, group: int, start: int) -> int:
        table = self.file.read_row_group(group, columns=self.wanted)
        self._add("id", np.array(table["id"].to_pylist(), dtype="S"))
        self._add("tile", self.tiles.encode(table["tile"]) - 1)
        self._add("epsg", table["epsg"].to_numpy().astype(np.int32))
        for name, words in self.words.items():
            self._add(name, words.encode(table[name]))
        for key, patterns in self.patterns.items():
            self._add(f"{key}_available", patterns.encode(table[f"{key}_available"]))
        if self.square:
            self._add("bounds", np.column_stack([table[name].to_numpy() for name in _BOUNDS]))
        if "geometry" in table.column_names:
            vertices, strange = vertices_of(np.array(table["geometry"].to_pylist(), dtype=object))
            self._add("outlines", vertices)
            self.strange |= {start + place: wkb for place, wkb in strange.items()}
        for number, name in enumerate(self.columns):
            values = table[name].fill_null(0).to_numpy()
            rows = np.flatnonzero(values)
            self.labels[number].append((rows + start, values[rows]))
        return start + int(table.num_rows)

    def _groups(self) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for item in self.info.labels:
            if item.taxonomy is not None:
                columns = self.info.label_columns[item.key]
                prefix = columns[0].removesuffix(item.taxonomy.columns()[0])
                groups |= label_groups(item.taxonomy, columns, prefix)
        return groups

    def draft(self) -> Draft:
        def joined(name: str) -> NDArray[Any]:
            return np.concatenate(self.parts[name])

        return Draft(
            info=self.info,
            columns=self.columns,
            groups=self._groups(),
            tiles=self.tiles.vocabulary,
            tile=joined("tile"),
            epsg=joined("epsg"),
            ids=joined("id"),
            bounds=joined("bounds") if self.square else None,
            labels=[
                (np.concatenate([rows for rows, _ in pieces]), np.concatenate([values for _, values in pieces]))
                for pieces in self.labels
            ],
            words={name: (joined(name), words.vocabulary) for name, words in self.words.items()},
            patterns={key: (joined(f"{key}_available"), patterns.bitmaps) for key, patterns in self.patterns.items()},
            outlines=joined("outlines") if "outlines" in self.parts else None,
            strange=self.strange,
        )


def _description(file: pq.ParquetFile, path: Path, corpus: Path | None) -> CorpusInfo:
    """The corpus of an index: as described by `corpus.json`, else by the index."""
    from landloom.corpus.documents import parse_corpus_json
    from landloom.corpus.index import METADATA, described, read_metadata

    if METADATA not in (file.schema_arrow.metadata or {}):
        raise CorpusError(f"{path}: got a Parquet file without `landloom` metadata, expected a corpus index")
    own = described(read_metadata(file.schema_arrow, str(path)))
    if corpus is None:
        return own
    info = parse_corpus_json(corpus.read_bytes())
    if (info.name, info.version) != (own.name, own.version):
        raise CorpusError(f"{corpus}: got {info.name} {info.version}, but its index is of {own.name} {own.version}")
    return info


def read_index(path: Path, corpus: Path | None = None) -> Draft:
    """Read the index of a corpus.

    Args:
        path: `index/samples.parquet`.
        corpus: `corpus.json`, which describes the products in more detail; None if there is none.

    Raises:
        CorpusError: not an index, an index without samples, or of another corpus than `corpus.json`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        opened = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise CorpusError(f"{path}: the index cannot be read: {error}") from error
    with opened as file:
        reader = _IndexReader(file, _description(file, path, corpus))
        try:
            with pa.OSFile(str(path)) as whole:
                check_size(whole, reader.wanted)
        except pa.ArrowException as error:
            raise CorpusError(f"{path}: the index cannot be read: {error}") from error
        rows = 0
        for group in range(file.num_row_groups):
            rows = reader.read(group, rows)
        if not rows:
            raise CorpusError(f"{path}: got an index without samples")
        return reader.draft()
