"""Read the three published resource files (outlines, labels, class mapping) into a draft of a sidecar.

Rounding rule: labels become millionths. The fractions of a row are divided by their sum, floored to millionths, and the
rest goes to the largest remainders (`landloom.model.apportion`), so that every row sums to exactly 1,000,000. A row
that sums to less than 0.999 has area without a label: that share first goes to the taxonomy's nodata class. A row that
sums to more than 1.001 is an error.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import json
import re
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, Final, cast

import numpy as np

from landloom.errors import CorpusError, InvalidInputError
from landloom.model.apportion import apportion
from landloom.model.ids import Zone
from landloom.model.taxonomy import taxonomies, taxonomy
from landloom.query.index.draft import Draft, cells_of
from landloom.query.index.geoparquet import label_groups
from landloom.store.vector.tables import decoded, read_text, separator_of, table_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.model.taxonomy import Taxonomy
    from landloom.query.index.resource_files import ResourceFiles

SLACK: Final = 1e-3
"""Tolerance for the sum of a sample's fractions, which should be 1."""
_CHUNK: Final = 1 << 20
_BYTES: Final = 8 << 20
_BETWEEN: Final = re.compile(r"[ \t\r\n,]*")
_LONGEST: Final = 16 << 20
"""Characters of a feature, or before the first one, at most."""


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.open(path, "rb") if zipped else path.open("rb"))


def features(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    r"""Features of a GeoJSON FeatureCollection one by one, with any white space, in bounded memory.

    Raises:
        InvalidInputError: not a FeatureCollection, or truncated.

    Example:
        >>> import io
        >>> text = b'{"type": "FeatureCollection", "features": [ {"id": 1},\n {"id": 2} ]}'
        >>> [feature["id"] for feature in features(io.BytesIO(text))]
        [1, 2]
    """
    decoder = json.JSONDecoder()
    reader = codecs.getreader("utf-8")(file)
    text = ""
    while (begin := text.find('"features"')) < 0 or (begin := text.find("[", begin)) < 0:
        more = reader.read(_CHUNK)
        if not more or len(text) > _LONGEST:
            raise InvalidInputError("got a file without `features`, expected a GeoJSON FeatureCollection")
        text += more
    place = begin + 1
    while True:
        place = _BETWEEN.match(text, place).end()  # type: ignore[union-attr]
        if place < len(text) and text[place] == "]":
            return
        try:
            feature, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:  # cut here, too deep, or a number of too many digits
            more = reader.read(_CHUNK)
            if not more:
                raise InvalidInputError("got truncated GeoJSON") from error
            if len(text) - place > _LONGEST:
                raise InvalidInputError(f"got a feature of more than {_LONGEST:,} characters") from error
            text, place = text[place:] + more, 0
            continue
        yield feature


def _outline(feature: Mapping[str, Any]) -> tuple[str, Any]:
    properties = feature.get("properties") or {}
    identity = properties.get("sample_id", feature.get("id"))
    if not isinstance(identity, str):
        raise InvalidInputError("got a feature without `sample_id`")
    return identity, feature["geometry"]


def read_outlines(path: Path) -> tuple[list[str], NDArray[np.float64], dict[int, bytes]]:
    """Ids, (n, 4, 2) vertices (NaN for outlines with another number), and WKB of those outlines by row.

    Raises:
        InvalidInputError: not GeoJSON, truncated, or a feature without an id.
    """
    ids: list[str] = []
    flat: list[float] = []
    strange: dict[int, bytes] = {}
    with _opened(path) as file:
        for feature in features(file):
            identity, geometry = _outline(feature)
            rings = geometry["coordinates"]
            if geometry["type"] == "Polygon" and len(rings) == 1 and len(rings[0]) == 5:
                for vertex in rings[0][:4]:
                    flat += vertex[:2]
            else:
                import shapely.geometry

                strange[len(ids)] = shapely.geometry.shape(geometry).wkb
                flat += [np.nan] * 8
            ids.append(identity)
    return ids, np.array(flat, dtype=np.float64).reshape(-1, 4, 2), strange


def to_millionths(shares: NDArray[np.float64], nodata: int | None, names: Sequence[str]) -> NDArray[np.int64]:
    """Fractions of rows as integer millionths, by the module's rule.

    Args:
        shares: (row, class).
        nodata: index of the nodata class, None if there is none.
        names: names of rows, for messages.

    Raises:
        InvalidInputError: fractions that are negative, not finite, or do not sum to 1.

    Example:
        >>> to_millionths(np.array([[0.333333, 0.333333, 0.333333]]), None, ["a"]).tolist()
        [[333334, 333333, 333333]]
        >>> to_millionths(np.array([[0.25, 0.5, 0.0]]), 2, ["a"]).tolist()
        [[250000, 500000, 250000]]
    """
    sums = shares.sum(axis=1)
    if nodata is not None:
        short = sums < 1 - SLACK
        shares[short, nodata] += 1 - sums[short]
        sums = np.where(short, 1.0, sums)
    wrong = ~(np.abs(sums - 1) <= SLACK) | (shares < 0).any(axis=1)
    if wrong.any():
        examples = ", ".join(names[row] for row in np.flatnonzero(wrong)[:5])
        raise InvalidInputError(f"got {wrong.sum()} samples whose shares do not sum to 1, among them {examples}")
    return apportion(shares)


def _read_labels(
    path: Path, columns: Sequence[str], places: Mapping[str, int]
) -> tuple[list[tuple[NDArray[np.int64], NDArray[np.int64]]], int]:
    """Unsorted rows and values of each column, and the number of rows read."""
    nodata = next((n for n, name in enumerate(columns) if name in _nodata_columns()), None)
    found: list[list[tuple[NDArray[np.int64], NDArray[np.int64]]]] = [[] for _ in columns]
    count = 0
    with _opened(path) as file, _named(path):
        reader = _shares(file, path, columns)
        for batch in reader:
            names = batch.column("sample_id").to_pylist()
            unknown = [name for name in names if name not in places]
            if unknown:
                raise CorpusError(f"{path.name}: got labels of {len(unknown)} unknown samples, such as {unknown[0]!r}")
            rows = np.array([places[name] for name in names])
            shares = np.column_stack([batch.column(name).to_numpy(zero_copy_only=False) for name in columns])
            values = to_millionths(shares, nodata, names)
            for number in range(len(columns)):
                filled = np.flatnonzero(values[:, number])
                found[number].append((rows[filled], values[filled, number]))
            count += len(rows)
    return [(np.concatenate([a for a, _ in own]), np.concatenate([b for _, b in own])) for own in found], count


@contextmanager
def _named(path: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, EOFError, OSError, UnicodeError) as error:
        raise InvalidInputError(f"{path.name}: cannot be read: {str(error).splitlines()[0][:300]}") from error


def _shares(file: IO[bytes], path: Path, columns: Sequence[str]) -> Any:
    """Arrow's reader of a table of shares, whatever separates its cells.

    Raises:
        InvalidInputError: it has no column of ids, or lacks one of a class.
    """
    import pyarrow.csv as pc

    header = decoded(file.readline(_CHUNK), path.name).strip()
    file.seek(0)
    separator = separator_of(header)
    known = next(csv.reader([header], delimiter=separator), [])
    lost = [name for name in ("sample_id", *columns) if name not in known]
    if lost:
        raise InvalidInputError(
            f"{path.name}: got the columns {', '.join(known)[:200]}, expected {', '.join(lost)[:200]}"
        )
    types = dict.fromkeys(columns, "float64") | {"sample_id": "string"}
    return pc.open_csv(
        file,
        read_options=pc.ReadOptions(block_size=_BYTES),
        parse_options=pc.ParseOptions(delimiter=separator),
        convert_options=pc.ConvertOptions(
            column_types=types,
            include_columns=["sample_id", *columns],
            decimal_point="." if separator == "," else _point(file, header),
        ),
    )


def _point(file: IO[bytes], header: str) -> str:
    """What stands before decimals, told by the first row."""
    file.readline()
    row = file.readline(_CHUNK)
    file.seek(0)
    return "," if b"," in row and "," not in header else "."


def _nodata_columns() -> set[str]:
    return {own.column(own.nodata) for own in map(taxonomy, taxonomies())}


def _columns(mapping: Path) -> tuple[list[str], Taxonomy | None]:
    """Label columns, and their taxonomy, if it is known."""
    rows = table_rows(read_text(mapping, mapping.name), mapping.name)
    if not rows or "index" not in rows[0]:
        raise CorpusError(f"{mapping.name}: got no column `index`, expected a mapping of classes")
    columns = [row["index"] for row in rows]
    known = (taxonomy(name) for name in taxonomies())
    return columns, next((own for own in known if set(columns) & set(own.columns())), None)


def read_resources(files: ResourceFiles, info: CorpusInfo) -> Draft:
    """Read the published files of a `utm24` corpus.

    Args:
        files: paths of the files.
        info: description of the corpus, which the files do not have; its labels get the taxonomy of the files.

    Raises:
        CorpusError: the files disagree with each other.
        InvalidInputError: a file is invalid.
    """
    columns, spoken = _columns(files.mapping)
    groups = {} if spoken is None else label_groups(spoken, columns)
    names, outlines, strange = read_outlines(files.geometries)
    ids = np.array(names, dtype="S")
    tiles = sorted({name[: name.rindex("_", 0, name.rindex("_"))] for name in names})
    numbers = {tile: place for place, tile in enumerate(tiles)}
    tile = np.array([numbers[name[: name.rindex("_", 0, name.rindex("_"))]] for name in names], dtype=np.int32)
    prefixes = np.array([f"{name}_".encode() for name in tiles])[tile]
    order = np.lexsort((cells_of(ids, prefixes), tile))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    places = dict(zip(names, rank.tolist(), strict=True))
    labels, count = _read_labels(files.labels, columns, places)
    if len(places) != len(names) or count != len(names):
        raise CorpusError(
            f"got {len(names)} outlines, {len(places)} ids and {count} rows of labels, expected one of each"
        )
    zones = np.array([Zone.parse(name[:3]).epsg for name in tiles], dtype=np.int32)
    return Draft(
        info=_speaking(info, spoken),
        columns=columns,
        groups=groups,
        tiles=tiles,
        tile=tile[order],
        epsg=zones[tile[order]],
        ids=ids[order],
        labels=[_ascending(rows, values) for rows, values in labels],
        words={},
        patterns={item.key: (np.zeros(len(ids), np.int32), _everything(item.slots)) for item in info.products},
        outlines=outlines[order],
        strange={int(rank[row]): wkb for row, wkb in strange.items()},
    )


def _ascending(rows: NDArray[np.int64], values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    order = np.argsort(rows)
    return rows[order], values[order]


def _everything(slots: int) -> NDArray[np.uint8]:
    """A bitmap with all timesteps existing."""
    return np.packbits(np.ones((1, slots), bool), axis=1, bitorder="little")


def _speaking(info: CorpusInfo, spoken: Taxonomy | None) -> CorpusInfo:
    """The corpus with the taxonomy of its files."""
    products = (replace(item, taxonomy=spoken) if item.product.kind == "labels" else item for item in info.products)
    return replace(info, products=tuple(products))
