"""Reading parcels, and the tables of rejected parcels and of classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import InvalidInputError, LandloomError, NotFoundError, Problem
from landloom.formats.csv_table import csv_bytes
from landloom.labels.classes import value_text
from landloom.labels.parcels import Parcels, parcels_of
from landloom.model.address import shown
from landloom.model.recipe import parse_document
from landloom.store.vector import UNREAD, Told, read_vector
from landloom.store.vector.tables import read_text, table_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from landloom.labels.parcel_table import Rejected
    from landloom.model.grid import Grid

_NOTHING: Final = Told()
_AREAS: Final = ("Polygon", "MultiPolygon", "GeometryCollection")
"""Types of geometry that may have an area."""
MARGIN: Final = 120.0
"""Metres around a grid within which parcels are read."""

_LARGEST_MAP: Final = 2**24
"""Bytes of a mapping from values to codes at most."""


def read_parcels(
    path: str,
    grid: Grid | None = None,
    *,
    layer: str | None = None,
    told: Told = _NOTHING,
    columns: Mapping[Any, str] | None = None,
    **options: Any,
) -> Parcels:
    """Read parcels from a file, skipping those far from a grid.

    Args:
        path: anything that `read_vector` reads.
        grid: only parcels near it; by default all.
        layer: of the file.
        told: what the file does not say itself.
        columns: role → column, as for `parcels_of`; `geometry` is one of CSV and GeoParquet.
        **options: for `parcels_of`.

    Raises:
        InvalidInputError: see `read_vector` and `parcels_of`; or no parcel is near the grid, or none has an area.

    Example:
        >>> import geopandas, shapely, tempfile
        >>> frame = geopandas.GeoDataFrame({"id": [8], "crop": [2]}, geometry=[shapely.box(0, 0, 30, 10)], crs=32633)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     frame.to_parquet(f"{folder}/parcels.parquet")
        ...     parcels = read_parcels(f"{folder}/parcels.parquet", columns={"ground_truth": "crop"})
        >>> parcels.ids.tolist()
        [8]
    """
    roles = dict(columns or {})
    told = replace(told, geometry=roles.pop("geometry", told.geometry), crs_column=roles.get("crs", told.crs_column))
    box, epsg = None, None
    if grid is not None:
        west, south, east, north = grid.bounds
        box, epsg = (west - MARGIN, south - MARGIN, east + MARGIN, north + MARGIN), grid.epsg
    frame = read_vector(path, layer=layer, bbox=box, bbox_crs=epsg, told=told)
    name = shown(path)
    kinds = frame.geom_type[~(frame.geometry.isna() | frame.geometry.is_empty)]
    if grid is not None and kinds.empty and not frame.attrs[UNREAD]:
        raise InvalidInputError(f"{name}: no parcel lies near the grid {grid.bounds} of EPSG:{grid.epsg}")
    if not kinds.empty and not kinds.isin(_AREAS).any():
        got = " and ".join(f"{kind}s" for kind in sorted(set(kinds)))
        raise InvalidInputError(f"{name}: got {got}, expected polygons: what has no area covers no pixel")
    if "crs" in roles and roles["crs"] not in frame.columns:  # its reader has used it up, or kept it as `crs`
        roles = {role: column for role, column in roles.items() if role != "crs"}
    try:
        return parcels_of(frame, columns=roles, **options)
    except (InvalidInputError, NotFoundError) as error:
        raise type(error)(f"{name}: {error}") from error


def rejected_csv(rejected: Iterable[Rejected], repaired: Iterable[Rejected] = ()) -> bytes:
    r"""The table of rejected and repaired parcels.

    Example:
        >>> from landloom.labels.parcel_table import Rejected
        >>> rejected_csv([Rejected(id="7", ground_truth="maize", reason="no area")])
        b'id,ground_truth,fate,reason\n7,maize,rejected,no area\n'
    """
    rows = [(row.id, row.ground_truth, "rejected", row.reason) for row in rejected]
    rows += [(row.id, row.ground_truth, "repaired", row.reason) for row in repaired]
    return csv_bytes(("id", "ground_truth", "fate", "reason"), rows)


def _named_values(mapping: Mapping[str, Any], problems: Sequence[Problem]) -> dict[str, int]:
    if problems:
        raise InvalidInputError("; ".join(map(str, problems)))
    return {value_text(value): int(code) for value, code in mapping.items()}


def classes_csv(rows: Iterable[Mapping[str, str | int]]) -> bytes:
    """The complete mapping from values to codes, in the format of `classes_file`."""
    return csv_bytes(("value", "code", "role"), ((row["value"], row["code"], row["role"]) for row in rows))


def classes_file(path: str | Path) -> tuple[dict[str, int], dict[str, int]]:
    """Read a mapping: a CSV with `value,code` and optionally `role`, or a YAML or JSON mapping.

    Returns:
        Value → code; and the codes of background, ignore and unknown, if given in the file.

    Raises:
        InvalidInputError: it is not such a file.
    """
    file = Path(path)
    try:
        text = read_text(file, largest=_LARGEST_MAP)
        if file.suffix.lower() not in {".csv", ".tsv", ".txt"}:
            return _named_values(*parse_document(text, str(path))), {}
        rows = table_rows(text)
        named = {value_text(row["value"]): int(row["code"]) for row in rows if row["value"]}
        special = {row["role"]: int(row["code"]) for row in rows if not row["value"]}
    except (LandloomError, AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        got = str(error) if isinstance(error, LandloomError) else repr(error)
        raise InvalidInputError(f"{path}: got {got}, expected the columns value and code, or a mapping") from error
    return named, special
