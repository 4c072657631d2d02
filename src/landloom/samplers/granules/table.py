"""Tables of granules to draw from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from landloom.errors import InvalidInputError, InvalidValueError, Problem, bullets
from landloom.formats.parquet import decode_parquet
from landloom.model.apportion import apportion
from landloom.model.ids import GranuleId
from landloom.samplers.granules.features import assigned
from landloom.sampling.granules import CLASSES, GranuleTable, draw_granules
from landloom.store.vector.tables import column_names, numbered_rows, read_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

    from landloom.model.recipe import VectorSource
    from landloom.samplers.granules.section import GranuleChips
    from landloom.sampling.granules import GranuleDraw

_SHARES: Final = tuple(f"igbp_{code}" for code in range(1, CLASSES + 1))
_NUMBERS: Final = ("longitude", "latitude", *_SHARES)
_LISTED: Final = 5


def draw_from_table(
    path: str, section: GranuleChips, seed: int, region: BaseGeometry | None = None
) -> tuple[GranuleDraw, tuple[Problem, ...]]:
    """Draw granules from a table of features.

    Args:
        path: of the table.
        section: settings of the draw.
        seed: of the draw.
        region: WGS84; only granules whose centre lies in it; by default all.

    Returns:
        The draw, and the rows of the table that cannot be used.

    Raises:
        InvalidInputError: the table cannot be used, or quotas cannot be met.
    """
    table, left_out = read_granules(path, section.continents, region)
    quotas = section.quotas or _by_area(table, section.count)
    drawn = draw_granules(table, quotas, seed, method=section.method, water=section.water, barren=section.barren)
    return drawn, left_out


def _by_area(table: GranuleTable, count: int) -> dict[str, int]:
    areas = table.land_areas()
    return dict(zip(areas, apportion(np.array(list(areas.values())), count).tolist(), strict=True))


def read_granules(
    path: str, continents: VectorSource | None = None, region: BaseGeometry | None = None
) -> tuple[GranuleTable, tuple[Problem, ...]]:
    """Read a table of granules: Parquet or CSV with `id, continent, longitude, latitude, igbp_1` to `igbp_17`.

    Args:
        path: of the table.
        continents: source of the continents, instead of the table's column.
        region: WGS84; only granules whose centre lies in it; by default all.

    Returns:
        The granules that have a continent, and the rows that cannot be used, each with the reason.

    Raises:
        InvalidInputError: no such file, missing columns, or no row that can be used; the message lists them.
    """
    columns, rows, odd = _read(path)
    wanted = ("id", *(() if continents else ("continent",)), *_NUMBERS)
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise InvalidInputError(f"{path}: got no column {', '.join(missing)}")
    found, odd = _granules(rows, odd)
    left_out = tuple(Problem(where=f"{path}, {where}", what=why) for where, why in odd.items())
    if not found and left_out:
        raise InvalidInputError(f"{path}: got no row that can be used:\n{bullets(left_out[:_LISTED])}")
    own = continents
    stated = [row.get("continent") for row, _ in found.values()]
    names = stated if own is None else assigned(list(found), own.file, own.column, own.layer)
    kept = {granule: str(name) for granule, name in zip(found, names, strict=True) if name}
    if not kept:
        raise InvalidInputError(f"{path}: got no continent for any granule, expected a source of continents")
    if region is not None:
        places = np.array([found[granule][1][:2] for granule in kept])
        inside = shapely.contains_xy(region, *places.T)
        kept = {granule: name for (granule, name), within in zip(kept.items(), inside, strict=True) if within}
        if not kept:
            raise InvalidInputError(f"{path}: got no granule whose centre lies in the region")
    numbers = np.array([found[granule][1] for granule in kept])
    return GranuleTable.of_rows(list(kept), list(kept.values()), numbers[:, :2], numbers[:, 2:]), left_out


def _read(path: str) -> tuple[Sequence[str], dict[str, Mapping[str, Any]], dict[str, str]]:
    """Columns; rows by what people call them; and what is no row, with the reason."""
    if not path.endswith(".parquet"):
        text = read_text(path)
        lines, odd = numbered_rows(text, path)
        told = {f"line {line}": why for line, why in odd.items()}
        return column_names(text), {f"line {line}": row for line, row in lines.items()}, told
    try:
        table = decode_parquet(Path(path).read_bytes())
    except InvalidInputError as error:
        raise InvalidInputError(f"{path}: {error}") from error
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read: {error.strerror}") from error
    return table.column_names, {f"row {number}": row for number, row in enumerate(table.to_pylist())}, {}


def _granules(
    rows: Mapping[str, Mapping[str, Any]], odd: Mapping[str, str]
) -> tuple[dict[GranuleId, tuple[Mapping[str, Any], list[float]]], dict[str, str]]:
    """Granule → its row, and its longitude, latitude and shares; and the rows that cannot be used."""
    found: dict[GranuleId, tuple[Mapping[str, Any], list[float]]] = {}
    refused = dict(odd)
    for where, row in rows.items():
        try:
            granule, numbers = GranuleId.parse(str(row["id"])), _numbers(row)
        except (InvalidInputError, InvalidValueError) as error:
            refused[where] = str(error)
            continue
        if granule in found:
            refused[where] = f"got {granule} again, expected each granule once"
        else:
            found[granule] = row, numbers
    return found, refused


def _numbers(row: Mapping[str, Any]) -> list[float]:
    numbers = [_number(row, name) for name in _NUMBERS]
    longitude, latitude, *shares = numbers
    if abs(longitude) > 180 or abs(latitude) > 90:
        raise InvalidInputError(f"got a centre at {longitude:g}, {latitude:g}, expected degrees")
    if min(shares) < 0 or sum(shares) > 1 + 1e-6:
        raise InvalidInputError(f"got shares of {min(shares):g} and more that sum to {sum(shares):g}, expected 0 to 1")
    return numbers


def _number(row: Mapping[str, Any], name: str) -> float:
    try:
        number = float(row[name])
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InvalidInputError(f"got {name} {row[name]!r}, expected a number")
    return number
