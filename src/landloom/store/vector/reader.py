"""Vector files → GeoDataFrames: one reader for what users have, with errors that name the file and the choice."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import shapely

from landloom.errors import InvalidInputError, NotFoundError, StoreError
from landloom.model.address import VectorName, shown
from landloom.model.crs_key import CrsKey, crs_key, crs_name
from landloom.model.grid import WGS84, transformer
from landloom.store.vector.cells import column_values, nfc
from landloom.store.vector.copies import unpacked
from landloom.store.vector.forms import PARTS, VECTORS, Form
from landloom.store.vector.frames import UNREAD
from landloom.store.vector.gdal import GdalLayer, layer_names
from landloom.store.vector.geoparquet import ParquetLayer
from landloom.store.vector.numbers import typed_texts
from landloom.store.vector.rows import Layer, Rows, Told
from landloom.store.vector.tables import require_encoding
from landloom.store.vector.text import TextLayer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geopandas import GeoDataFrame

    from landloom.model.grid import Bounds

_GDAL: Final = frozenset({Form.GEOPACKAGE, Form.FLATGEOBUF, Form.SHAPEFILE, Form.JSON, Form.KML})
_NOTHING: Final = Told()
_NO_CRS: Final = "{name} has no CRS: name it, for a guess would move it silently"
_LISTED: Final = 20
_DEGREES: Final = 400
"""What no longitude or latitude exceeds, however naively it was wrapped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is wanted of a file."""

    columns: tuple[str, ...] | None
    bbox: Bounds | None
    bbox_crs: CrsKey | None
    boxes: dict[CrsKey | None, Bounds | None] = field(default_factory=dict)

    def box_in(self, crs: CrsKey | None) -> Bounds | None:
        """The box in a CRS of the file; None where nothing can be left out."""
        if self.bbox is None:
            return None
        if crs not in self.boxes:
            self.boxes[crs] = _box_in(self.bbox, self.bbox_crs, crs)
        return self.boxes[crs]


def vector_name(text: str, layer: str | None = None, encoding: str | None = None) -> VectorName:
    """A vector file as a user wrote it, with its layer and encoding; a file whose own name has a bar is found, too.

    Raises:
        InvalidInputError: two different layers, or encodings.

    Example:
        >>> vector_name("data/m.gpkg", "two")
        VectorName(file='data/m.gpkg', layer='two', encoding=None)
    """
    return VectorName.parse(text, layer, encoding, whole="://" not in text and Path(text).exists())


def read_vector(
    path: str | Path,
    *,
    layer: str | None = None,
    columns: Sequence[str] | None = None,
    bbox: Bounds | None = None,
    bbox_crs: CrsKey | None = None,
    told: Told = _NOTHING,
    numbered: bool = False,
) -> GeoDataFrame:
    """Read a GeoPackage, GeoParquet, FlatGeobuf, shapefile, GeoJSON, TopoJSON, KML, or a CSV with geometry.

    What a file is, its first bytes tell, wherever it lies: on disk, at a URL, in a zip archive or folder. Numbers stay
    exact, text is in NFC, geometries have two dimensions. Rows without geometry come along, whatever the box.

    A CSV has WKT, EWKT, hexadecimal WKB or GeoJSON in a column `geometry` (`WKT`, `geom`, …), or `x` and `y`;
    optionally `crs` for each row. Where its rows name several CRSs the frame has none and keeps the column, for they
    cannot be one map; `labels.parcels` takes it so.

    Args:
        path: file or URL; `file.gpkg|layer` names a layer of it, `file.csv|encoding=cp1252` its encoding.
        layer: name of a layer; needed only where several have geometry. Tables without geometry (`layer_styles`)
            are never taken.
        columns: attributes to read; all unless told. `geometry`, and `crs` of a CSV, come along always.
        bbox: west, south, east, north: only features whose bounds meet it.
        bbox_crs: CRS of `bbox`; the file's own unless told.
        told: what the file does not say itself.
        numbered: whether the frame's index says where rows stand in the file, for `row_names`.

    Returns:
        The features in the order of the file; its geometries are in `geometry`.

    Raises:
        MissingKeyError: no such file.
        NotFoundError: no such layer or column; the choices are named.
        InvalidInputError: several layers have geometry, or none; no rows; no CRS; text of another encoding, or more of
            it than memory and no box. Names the file.
        StoreError: the file cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "parcels.csv"
        ...     _ = file.write_text(
        ...         '''id,crs,geometry
        ... 7,32633,"POLYGON ((0 0, 10 0, 10 10, 0 0))"'''
        ...     )
        ...     frame = read_vector(file)
        >>> frame.crs.to_epsg(), frame.id.tolist(), frame.area.tolist()
        (32633, [7], [50.0])
    """
    asked = _Asked(columns=None if columns is None else tuple(columns), bbox=bbox, bbox_crs=bbox_crs)
    with _opened(str(path), layer, told, columns) as (name, found):
        fields = _fields(name, asked.columns, found.fields)
        own = _crs(name, found, told.crs)
        if isinstance(found, TextLayer) and bbox is None:
            found.check_memory()
        blocks = [_kept(rows, own, asked) for rows in found.rows(fields, asked.box_in(own), bare=True)]
        blocks = [rows for rows in blocks if len(rows.numbers)]
        if not blocks and found.is_empty():
            raise InvalidInputError(f"{name} holds no rows")
        frame = _frame(name, blocks, _spelt(fields, asked.columns), own, found)
    return frame if numbered else _renumbered(frame)


def read_blocks(
    path: str | Path, *, layer: str | None = None, columns: Sequence[str], told: Told = _NOTHING
) -> Iterator[GeoDataFrame]:
    """Read a file whole but in pieces, as `read_vector` with `numbered`.

    Raises:
        LandloomError: as `read_vector` says.
    """
    asked = _Asked(columns=tuple(columns), bbox=None, bbox_crs=None)
    with _opened(str(path), layer, told, columns) as (name, found):
        fields = _fields(name, asked.columns, found.fields)
        own = _crs(name, found, told.crs)
        count = 0
        for rows in found.rows(fields):
            count += len(rows.numbers)
            yield _frame(name, [_kept(rows, own, asked)], _spelt(fields, asked.columns), own, found)
        if not count:
            raise InvalidInputError(f"{name} holds no rows")


def vector_extent(path: str | Path, layer: str | None = None, told: Told = _NOTHING) -> Bounds:
    """West, south, east, north of all features, in WGS84; whole, but without attributes, the file is read for it.

    Raises:
        LandloomError: as `read_vector` says.
    """
    frame = read_vector(path, layer=layer, columns=[], told=told)
    west, south, east, north = frame.to_crs(WGS84).total_bounds if frame.crs is not None else (math.nan,) * 4
    return float(west), float(south), float(east), float(north)


def frame_crs(frame: GeoDataFrame, name: str = "the layer") -> CrsKey:
    """CRS of a frame: its EPSG code, or WKT.

    Raises:
        InvalidInputError: it has none, or none of a map.

    Example:
        >>> import geopandas
        >>> frame_crs(geopandas.GeoDataFrame(geometry=[], crs=25830))
        25830
    """
    if frame.crs is None:
        raise InvalidInputError(f"{name}: got no CRS, expected one: name it, for a guess would move it silently")
    return crs_key(frame.crs)


def layers_with_geometry(path: str | Path) -> tuple[str, ...]:
    """Names of the layers of a file that have geometry; one without a name for formats of a single table.

    Raises:
        InvalidInputError: no vector file.
        StoreError: the file cannot be read.
    """
    own = vector_name(str(path))
    with unpacked(own.file, own.layer) as (file, form, _):
        return layer_names(file, shown(own.file), form) if form in _GDAL else ("",)


@contextmanager
def _opened(
    path: str, layer: str | None, told: Told, columns: Sequence[str] | None = None
) -> Iterator[tuple[str, Layer]]:
    own = vector_name(path, layer, told.encoding)
    name, told = shown(own.file), replace(told, encoding=own.encoding)
    require_encoding(name, told.encoding)
    with unpacked(own.file, own.layer) as (file, form, inner):
        if form is Form.TEXT and file.suffix.lower() in PARTS - {".csv", ".tsv"}:
            raise StoreError(f"cannot read {name}: got plain text, expected what its name says")
        if form in _GDAL:
            yield name, GdalLayer.of(file, name, form, inner, told.encoding, columns)
        elif inner is not None and form in {Form.PARQUET, Form.TEXT}:
            raise InvalidInputError(f"{name}: got the layer {inner!r}, but {form.value} has none: remove it")
        elif form is Form.PARQUET:
            yield name, ParquetLayer.of(file, name, told)
        elif form is Form.TEXT:
            yield name, TextLayer.of(file, name, told)
        else:
            raise InvalidInputError(f"{name}: got {form.value}, expected {VECTORS}")


def _fields(name: str, columns: tuple[str, ...] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """The file's own spelling of the columns wanted."""
    if columns is None:
        return known
    spelt = {nfc(own): own for own in known}
    for column in columns:
        if nfc(column) not in spelt and column != "geometry":
            raise NotFoundError.of(f"column in {name}", column, known)
    return tuple(dict.fromkeys(spelt[nfc(column)] for column in columns if column != "geometry"))


def _spelt(fields: Sequence[str], columns: tuple[str, ...] | None) -> dict[str, str]:
    """The file's columns → how they were asked for: in which form of Unicode is nobody's to know."""
    asked = {nfc(one): one for one in columns or ()}
    return {nfc(own): asked.get(nfc(own), nfc(own)) for own in fields}


def _crs(name: str, found: Layer, told: CrsKey | None) -> CrsKey | None:
    """The file's word, else the user's; a contradiction is refused."""
    if told is None or found.crs is None or told == found.crs:
        if told is None and found.crs is None and not isinstance(found, TextLayer):  # whose rows may say it
            raise InvalidInputError(_NO_CRS.format(name=name))
        return told if found.crs is None else found.crs
    if found.is_stated:
        raise InvalidInputError(f"{name}: got {crs_name(told)}, but the file says {crs_name(found.crs)}: remove one")
    return told


def _kept(rows: Rows, own: CrsKey | None, asked: _Asked) -> Rows:
    """The rows whose bounds meet the box; those without geometry stay, for someone must report them."""
    if rows.crs is not None:
        rows = replace(rows, crs=[own if one is None else one for one in rows.crs])
    if asked.bbox is None or not len(rows.numbers):
        return rows
    said = rows.crs or [own] * len(rows.numbers)
    bounds = shapely.bounds(rows.shapes)
    keep = shapely.is_missing(rows.shapes) | shapely.is_empty(rows.shapes)
    for crs in dict.fromkeys(said):
        mine = np.array([one == crs for one in said])
        box = asked.box_in(crs)
        keep |= mine if box is None else mine & _meets(bounds, box)
    positions = np.flatnonzero(keep)
    values = {name: [column[i] for i in positions.tolist()] if isinstance(column, list) else column.take(positions)
              for name, column in rows.columns.items()}  # fmt: skip
    moved = {int(position): i for i, position in enumerate(positions)}
    return Rows(
        numbers=rows.numbers[positions],
        columns=values,
        shapes=rows.shapes[positions],
        unread={moved[position]: why for position, why in rows.unread.items()},
        crs=None if rows.crs is None else [said[i] for i in positions.tolist()],
    )


def _meets(bounds: Any, box: Bounds) -> Any:
    west, south, east, north = box
    return (bounds[:, 0] <= east) & (bounds[:, 2] >= west) & (bounds[:, 1] <= north) & (bounds[:, 3] >= south)


def _box_in(bbox: Bounds, source: CrsKey | None, target: CrsKey | None) -> Bounds | None:
    """The bounds in another CRS of a box, whose sides are curved there; None where they have none."""
    if source is None or target is None or source == target:
        return bbox
    west, south, east, north = transformer(source, target).transform_bounds(*bbox, densify_pts=21)
    if not all(map(math.isfinite, (west, south, east, north))):
        return None
    return (west, south, east, north) if west <= east else (-math.inf, south, math.inf, north)


def _frame(
    name: str, blocks: Sequence[Rows], fields: Mapping[str, str], own: CrsKey | None, found: Layer
) -> GeoDataFrame:
    import geopandas
    import pandas as pd

    numbers = np.concatenate([np.zeros(0, np.int64), *(rows.numbers for rows in blocks)])
    values: dict[str, Any] = {}
    for own_name, column in fields.items():
        parts = [rows.columns[own_name] for rows in blocks]
        if parts and isinstance(parts[0], list):
            values[column] = [cell for part in parts for cell in part]
        elif parts:
            values[column] = column_values(pa.chunked_array(parts), f"{name}, column {column}", numbers)
        else:
            values[column] = []
        if isinstance(found, TextLayer):
            values[column] = typed_texts(values[column], "," if found.separator != "," else ".").to_numpy()
    shapes = np.concatenate([np.zeros(0, object), *(rows.shapes for rows in blocks)])
    said = [crs for rows in blocks for crs in (rows.crs or [own] * len(rows.numbers))]
    if None in said:  # what has no geometry needs no CRS
        some = next((one for one in said if one is not None), None)
        bare = shapely.is_missing(shapes).tolist()
        said = [some if one is None and no else one for one, no in zip(said, bare, strict=True)]
    crs = _common(name, said, numbers, own)
    if crs is None and said:
        values["crs"] = said
    index = pd.Index(numbers, name="fid" if found.counted == "feature" else None)
    table = pd.DataFrame({key: _series(value, index) for key, value in values.items()}, index=index)
    table = table.rename(columns={"geometry": "geometry_"}) if "geometry" in table.columns else table
    frame = geopandas.GeoDataFrame(table, geometry=geopandas.GeoSeries(shapes, index=index, crs=crs))
    _check_degrees(name, frame, found)
    frame.attrs[UNREAD] = {int(rows.numbers[position]): why for rows in blocks for position, why in rows.unread.items()}
    return frame.sort_index(kind="stable") if isinstance(found, GdalLayer) and found.indexed else frame


def _series(values: Any, index: Any) -> Any:
    """Lists of Python's numbers and None stay as they are: pandas would make floats of them."""
    import pandas as pd

    plain = isinstance(values, list) or values.dtype == object
    return pd.Series(list(values) if plain else values, index=index, dtype=object if plain else None)


def _common(name: str, said: Sequence[CrsKey | None], numbers: Any, own: CrsKey | None) -> CrsKey | None:
    """The one CRS of all rows; None where they have several."""
    known = dict.fromkeys(said)
    if None in known:
        if len(known) == 1:
            raise InvalidInputError(_NO_CRS.format(name=name))
        rows = [int(number) for number, crs in zip(numbers, said, strict=True) if crs is None]
        raise InvalidInputError(f"{name}: got no CRS in rows {rows[:_LISTED]}, expected one in each")
    if not known:
        return own
    return next(iter(known)) if len(known) == 1 else None


def _check_degrees(name: str, frame: GeoDataFrame, found: Layer) -> None:
    """Refuse metres in a form whose numbers are degrees unless told: they are no place on Earth.

    Raises:
        InvalidInputError: they are.
    """
    if found.is_stated or frame.crs is None or frame.crs.to_epsg() != WGS84 or frame.empty:
        return
    bounds = frame.total_bounds
    if np.isfinite(bounds).all() and np.abs(bounds).max() > _DEGREES:
        raise InvalidInputError(
            f"{name}: got coordinates up to {np.abs(bounds).max():,.0f}, expected degrees, which is what this form of "
            "file holds unless it says another CRS: name it"
        )


def _renumbered(frame: GeoDataFrame) -> GeoDataFrame:
    positions = {number: position for position, number in enumerate(frame.index.tolist())}
    result = frame.reset_index(drop=True)
    result.attrs[UNREAD] = {positions[number]: why for number, why in frame.attrs[UNREAD].items()}
    return result
