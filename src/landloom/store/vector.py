"""Vector files → GeoDataFrames: one reader for users' files; its errors name the file and the choices."""

from __future__ import annotations

import math
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import geopandas
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyarrow import csv
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from landloom.errors import InvalidInputError, MissingKeyError, NotFoundError, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geopandas import GeoDataFrame

    from landloom.model.grid import Bounds

_PARQUET: Final = (".parquet", ".geoparquet", ".pq")
_TEXT: Final = (".csv", ".csv.gz")
_CSV_BLOCK: Final = 64 << 20
"""Bytes of a CSV read at once, so that filters apply before a large file fills the memory."""


def read_vector(
    path: str | Path,
    *,
    layer: str | None = None,
    columns: Sequence[str] | None = None,
    bbox: Bounds | None = None,
    bbox_epsg: int | None = None,
    default_epsg: int | None = None,
    numbered: bool = False,
) -> GeoDataFrame:
    """Read a GeoPackage, GeoParquet, shapefile, GeoJSON, any other format that GDAL reads, or a CSV with WKT.

    The expected CSV has a column `geometry` with WKT and optionally `crs` with an EPSG code for each row. If it
    names several CRSs, the frame has none and keeps the column, because one frame has one CRS; `labels.parcels`
    accepts that.

    Args:
        path: file or, for formats that GDAL reads, a URI.
        layer: name of a layer; needed only if several have geometry. Tables without geometry
            (`layer_styles`) are never read.
        columns: attributes to read; by default all. `geometry`, and `crs` of a CSV, are always read.
        bbox: west, south, east, north: only features whose bounds intersect it. CSV rows without geometry are kept.
        bbox_epsg: CRS of `bbox`; by default that of the file.
        default_epsg: CRS to assume if the file has none.
        numbered: whether the frame's index holds the positions of the rows in the file, for `row_names`.

    Returns:
        The features in file order.

    Raises:
        MissingKeyError: no such file.
        NotFoundError: no such layer or column; the message names the choices.
        InvalidInputError: several layers have geometry, or none; no CRS; text that is not WKT, or more text than fits
            into memory and no box. Names the file.
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
    name = str(path)
    local = "://" not in name and not name.startswith("/vsi")
    if local and not Path(name).exists():
        raise MissingKeyError(f"no file {name}")
    if name.lower().endswith(_TEXT):
        frame = _read_csv(name, columns, bbox, bbox_epsg)
    elif name.lower().endswith(_PARQUET):
        frame = _read_parquet(name, columns, bbox, bbox_epsg)
    else:
        frame = _read_gdal(name, layer, columns, bbox, bbox_epsg)
    if not numbered:
        frame = frame.reset_index(drop=True)
    if frame.crs is None and "crs" not in frame.columns:
        if default_epsg is None:
            raise InvalidInputError(f"{name} has no CRS: give its EPSG code, because a guess could misplace it")
        frame = frame.set_crs(default_epsg)
    return frame


def row_names(frame: GeoDataFrame) -> list[str]:
    """Names for the rows of a frame that was read `numbered`, for messages to users.

    Returns:
        `feature 7`, by the ids that GIS tools show, if the format has them; else `row 7`, counted from 0.

    Example:
        >>> import geopandas
        >>> row_names(geopandas.GeoDataFrame(geometry=[None], index=[7]))
        ['row 7']
    """
    kind = "feature" if frame.index.name == "fid" else "row"
    return [f"{kind} {number}" for number in frame.index.tolist()]


def vector_extent(path: str | Path, layer: str | None = None) -> Bounds:
    """West, south, east, north of all features, in WGS84; reads the whole file, without attributes.

    Raises:
        LandloomError: as in `read_vector`.
    """
    frame = read_vector(path, layer=layer, columns=[])
    west, south, east, north = frame.to_crs(4326).total_bounds if frame.crs is not None else (math.nan,) * 4
    return float(west), float(south), float(east), float(north)


def epsg_of(frame: GeoDataFrame, name: str = "the layer") -> int:
    """EPSG code of a frame's CRS.

    Raises:
        InvalidInputError: it has none, or one without an EPSG code.

    Example:
        >>> import geopandas
        >>> epsg_of(geopandas.GeoDataFrame(geometry=[], crs=25830))
        25830
    """
    code = frame.crs.to_epsg(min_confidence=70) if frame.crs is not None else None
    if code is None:
        got = "no CRS" if frame.crs is None else f"CRS {frame.crs.name!r}"
        raise InvalidInputError(f"{name}: got {got}, expected one with an EPSG code")
    return int(code)


def layers_with_geometry(path: str | Path) -> tuple[str, ...]:
    """Names of the layers of a file that have geometry.

    Raises:
        StoreError: the file cannot be read.
    """
    try:
        found = pyogrio.list_layers(str(path))
    except pyogrio.errors.DataSourceError as error:
        raise StoreError(_unread(str(path), error)) from error
    return tuple(str(layer) for layer, kind in found if kind is not None)


def _unread(name: str, error: Exception) -> str:
    """GDAL's reason without its advice to programmers."""
    if "not recognized as being in a supported file format" in str(error):
        return f"cannot read {name}: not a vector format that GDAL reads"
    return f"cannot read {name}: {error}"


def _chosen(name: str, layer: str | None) -> str:
    known = layers_with_geometry(name)
    if layer is not None:
        if layer not in known:
            raise NotFoundError.of(f"layer with geometry in {name}", layer, known)
        return layer
    if len(known) != 1:
        what = f"several layers with geometry: {', '.join(known)}; name one" if known else "no layer with geometry"
        raise InvalidInputError(f"{name} has {what}")
    return known[0]


def _check_columns(name: str, columns: Sequence[str] | None, known: Sequence[str]) -> list[str] | None:
    for column in columns or ():
        if column not in known and column != "geometry":
            raise NotFoundError.of(f"column in {name}", column, known)
    return None if columns is None else [column for column in columns if column != "geometry"]


def _box_in(bbox: Bounds, source: int | None, target: Any) -> Bounds:
    """The bounds of a box in another CRS, where its sides are curved."""
    if source is None or target is None or CRS.from_epsg(source) == CRS.from_user_input(target):
        return bbox
    change = Transformer.from_crs(source, target, always_xy=True)
    west, south, east, north = change.transform_bounds(*bbox, densify_pts=21)
    return west, south, east, north


def _read_gdal(
    name: str, layer: str | None, columns: Sequence[str] | None, bbox: Bounds | None, bbox_epsg: int | None
) -> GeoDataFrame:
    chosen = _chosen(name, layer)
    try:
        info = pyogrio.read_info(name, layer=chosen)
        wanted = _check_columns(name, columns, list(info["fields"]))
        bounds = None if bbox is None else _box_in(bbox, bbox_epsg, info["crs"])
        frame = pyogrio.read_dataframe(name, layer=chosen, columns=wanted, bbox=bounds, fid_as_index=True)
    except pyogrio.errors.DataSourceError as error:
        raise StoreError(_unread(name, error)) from error
    return geopandas.GeoDataFrame(frame)


def _read_parquet(name: str, columns: Sequence[str] | None, bbox: Bounds | None, bbox_epsg: int | None) -> GeoDataFrame:
    try:
        schema = pq.read_schema(name)
        wanted = _check_columns(name, columns, schema.names)
        if b"geo" not in (schema.metadata or {}):
            raise InvalidInputError(f"{name} is Parquet without `geo` metadata, expected GeoParquet")
        frame = geopandas.read_parquet(name, columns=None if wanted is None else [*wanted, "geometry"])
    except (pa.ArrowInvalid, OSError) as error:
        raise StoreError(f"cannot read {name}: {error}") from error
    return _inside(frame, bbox, bbox_epsg)


def _inside(frame: GeoDataFrame, bbox: Bounds | None, bbox_epsg: int | None) -> GeoDataFrame:
    """Rows whose bounds intersect a box; rows without geometry are kept, so that they can be reported."""
    if bbox is None or frame.empty:
        return frame
    return _meeting(frame, _box_in(bbox, bbox_epsg, frame.crs))


def _meeting(rows: Any, box: Bounds) -> Any:
    west, south, east, north = box
    bounds = rows.bounds
    meets = (bounds.minx <= east) & (bounds.maxx >= west) & (bounds.miny <= north) & (bounds.maxy >= south)
    return rows[meets | rows.geometry.isna() | rows.geometry.is_empty]


def _read_csv(name: str, columns: Sequence[str] | None, bbox: Bounds | None, bbox_epsg: int | None) -> GeoDataFrame:
    """Read every column as text first: types guessed from the first rows fail further down, and drop leading zeros."""
    if bbox is None:
        _check_memory(name)
    try:
        with csv.open_csv(name) as head:
            known = list(head.schema.names)
        wanted = _check_columns(name, columns, known)
        if "geometry" not in known:
            raise InvalidInputError(f"{name} has the columns {', '.join(known)}, expected `geometry` with WKT")
        keep = known if wanted is None else list(dict.fromkeys([*wanted, *({"crs"} & set(known)), "geometry"]))
        reader = csv.open_csv(
            name,
            read_options=csv.ReadOptions(block_size=_CSV_BLOCK),
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(keep, pa.string()), include_columns=keep, strings_can_be_null=True
            ),
        )
        blocks, first = [], 0
        for batch in reader:
            blocks.extend(_csv_block(batch.to_pandas(), name, first, bbox, bbox_epsg))
            first += batch.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise StoreError(f"cannot read {name}: {error}") from error
    if not blocks:
        return geopandas.GeoDataFrame({column: [] for column in keep}, geometry="geometry")
    frame = geopandas.GeoDataFrame(pd.concat(blocks).sort_index(), geometry="geometry")
    for column in frame.columns.drop("geometry"):
        frame[column] = _typed(frame[column])
    found = set(frame["crs"]) if "crs" in frame.columns else set()
    return frame.drop(columns="crs").set_crs(found.pop()) if len(found) == 1 else frame


def _check_memory(name: str) -> None:
    """Refuse text that cannot fit into memory; with a box it is read block by block, whatever its size."""
    pages, page = (os.sysconf(key) if key in os.sysconf_names else 0 for key in ("SC_PHYS_PAGES", "SC_PAGE_SIZE"))
    size, memory = Path(name).stat().st_size, pages * page
    if 0 < memory < size:
        raise InvalidInputError(
            f"{name}: {size / 1e9:,.1f} GB of text do not fit into {memory / 1e9:,.1f} GB of memory; expected a region "
            "or bounds, inside which it is read block by block"
        )


def _csv_block(frame: Any, name: str, first: int, bbox: Bounds | None, bbox_epsg: int | None) -> list[Any]:
    """The rows of a block inside the box, one frame per CRS, indexed by row of the file."""
    text = [value if isinstance(value, str) and value else None for value in frame["geometry"]]
    shapes = shapely.from_wkt(text, on_invalid="ignore")
    bad = [first + row for row, (shape, value) in enumerate(zip(shapes, text, strict=True)) if value and shape is None]
    if bad:
        more = f" and {len(bad) - 20} more" if len(bad) > 20 else ""
        raise InvalidInputError(f"{name}: got text that is not WKT in rows {bad[:20]}{more}")
    frame.index = frame.index + first
    located = geopandas.GeoDataFrame(frame.drop(columns="geometry"), geometry=shapes)
    if "crs" not in located.columns:
        return [_kept(located, None, bbox, bbox_epsg)]
    unnamed = located.index[located["crs"].isna()].tolist()
    if unnamed:
        raise InvalidInputError(f"{name}: got no CRS in rows {unnamed[:20]}, expected an EPSG code in each")
    located["crs"] = [str(epsg_from_text(value, name)) for value in located["crs"]]
    return [_kept(rows, int(code), bbox, bbox_epsg) for code, rows in located.groupby("crs")]


def _kept(rows: Any, epsg: int | None, bbox: Bounds | None, bbox_epsg: int | None) -> Any:
    return rows if bbox is None else _meeting(rows, _box_in(bbox, bbox_epsg, epsg))


def _typed(column: Any) -> Any:
    """Convert text to whole numbers if all of it is (64 bits exact, no leading zeros), else to floats, else keep it."""
    filled = column.dropna().astype(str)
    if len(filled) and filled.str.fullmatch(r"-?(0|[1-9]\d{0,17})").all():
        return column.astype("Int64") if column.isna().any() else column.astype("int64")
    if len(filled) and filled.str.fullmatch(r"-?(0|[1-9]\d*)?(\.\d*)?([eE][-+]?\d+)?|-?nan|NaN").all():
        numbers = pd.to_numeric(column, errors="coerce")
        return numbers if numbers.notna().sum() == (filled.str.lower() != "nan").sum() else column
    return column


def epsg_from_text(value: object, name: str = "the table") -> int:
    """Read 32633, `32633` or `EPSG:32633`.

    Raises:
        InvalidInputError: anything else, or a number that EPSG does not know.

    Example:
        >>> epsg_from_text("EPSG:2154"), epsg_from_text(32633.0)
        (2154, 32633)
    """
    text = str(value).strip().upper().removeprefix("EPSG:").removesuffix(".0")
    if not text.isdigit():
        raise InvalidInputError(f"{name}: got CRS {value!r}, expected an EPSG code")
    if not is_known_epsg(int(text)):
        raise InvalidInputError(f"{name}: got CRS {value!r}, which EPSG does not know")
    return int(text)


@cache
def is_known_epsg(code: int) -> bool:
    """Whether EPSG has a CRS with that code.

    Example:
        >>> is_known_epsg(32633), is_known_epsg(999_999)
        (True, False)
    """
    try:
        CRS.from_epsg(code)
    except CRSError:
        return False
    return True
