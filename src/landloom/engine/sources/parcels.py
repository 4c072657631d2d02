"""Reading parcels, and the tables of rejected parcels and of classes."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import InvalidInputError
from landloom.formats.csv_table import csv_bytes
from landloom.labels.classes import value_text
from landloom.labels.parcels import Parcels, Rejected, parcels_of
from landloom.model.recipe import parse_document
from landloom.store.vector import read_vector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from landloom.model.grid import Grid

MARGIN: Final = 120.0
"""Metres around a grid within which parcels are read."""

_LARGEST_MAP: Final = 2**24
"""Bytes of a mapping from values to codes at most."""


def read_parcels(path: str, grid: Grid | None = None, *, layer: str | None = None, **options: Any) -> Parcels:
    """Read parcels from a file, skipping those far from a grid.

    Args:
        path: anything that `read_vector` reads.
        grid: only parcels near it; by default all.
        layer: of the file.
        **options: for `parcels_of`; `default_epsg` is for files without a CRS.

    Raises:
        InvalidInputError: see `read_vector` and `parcels_of`; or no parcel is near the grid.

    Example:
        >>> import geopandas, shapely, tempfile
        >>> frame = geopandas.GeoDataFrame({"id": [8], "crop": [2]}, geometry=[shapely.box(0, 0, 30, 10)], crs=32633)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     frame.to_parquet(f"{folder}/parcels.parquet")
        ...     parcels = read_parcels(f"{folder}/parcels.parquet", columns={"ground_truth": "crop"})
        >>> parcels.ids.tolist()
        [8]
    """
    default = options.pop("default_epsg", None)
    box = None
    if grid is not None:
        west, south, east, north = grid.bounds
        box = (west - MARGIN, south - MARGIN, east + MARGIN, north + MARGIN)
    frame = read_vector(
        path, layer=layer, bbox=box, bbox_epsg=None if grid is None else grid.epsg, default_epsg=default
    )
    if frame.empty and grid is not None:
        raise InvalidInputError(f"{path}: no parcel lies near the grid {grid.bounds} of EPSG:{grid.epsg}")
    return parcels_of(frame, **options)


def rejected_csv(rejected: Iterable[Rejected], repaired: Iterable[Rejected] = ()) -> bytes:
    r"""The table of rejected and repaired parcels.

    Example:
        >>> rejected_csv([Rejected(id="7", ground_truth="maize", reason="no area")])
        b'id,ground_truth,fate,reason\n7,maize,rejected,no area\n'
    """
    rows = [(row.id, row.ground_truth, "rejected", row.reason) for row in rejected]
    rows += [(row.id, row.ground_truth, "repaired", row.reason) for row in repaired]
    return csv_bytes(("id", "ground_truth", "fate", "reason"), rows)


def classes_csv(rows: Iterable[Mapping[str, str | int]]) -> bytes:
    """The complete mapping from values to codes, in the format of `classes_file`."""
    return csv_bytes(("value", "code", "role"), ((row["value"], row["code"], row["role"]) for row in rows))


def _small_text(file: Path) -> str:
    size = file.stat().st_size
    if size > _LARGEST_MAP:
        raise InvalidInputError(f"{file}: got {size:,} bytes, expected at most {_LARGEST_MAP:,}")
    return file.read_text(encoding="utf-8-sig")


def classes_file(path: str | Path) -> tuple[dict[str, int], dict[str, int]]:
    """Read a mapping: a CSV with `value,code` and optionally `role`, or a YAML or JSON mapping.

    Returns:
        Value → code; and the codes of background, ignore and unknown, if given in the file.

    Raises:
        InvalidInputError: it is not such a file.
    """
    file = Path(path)
    try:
        text = _small_text(file)
        if file.suffix.lower() != ".csv":
            return {value_text(value): int(code) for value, code in parse_document(text, path)[0].items()}, {}
        rows = list(csv.DictReader(io.StringIO(text)))
        named = {value_text(row["value"]): int(row["code"]) for row in rows if row["value"]}
        special = {row["role"]: int(row["code"]) for row in rows if not row["value"]}
    except InvalidInputError:
        raise
    except (OSError, AttributeError, KeyError, TypeError, ValueError, OverflowError, csv.Error) as error:
        raise InvalidInputError(f"{path}: got {error!r}, expected the columns value and code, or a mapping") from error
    return named, special
