"""Tables of granules to draw from."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv
import shapely

from landloom.errors import InvalidInputError
from landloom.formats.parquet import decode_parquet
from landloom.model.apportion import apportion
from landloom.model.ids import GranuleId
from landloom.samplers.granules.features import assigned
from landloom.sampling.granules import CLASSES, GranuleTable, draw_granules

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from landloom.model.recipe import VectorSource
    from landloom.samplers.granules.section import GranuleChips
    from landloom.sampling.granules import GranuleDraw


def draw_from_table(path: str, section: GranuleChips, seed: int, region: BaseGeometry | None = None) -> GranuleDraw:
    """Draw granules from a table of features.

    Args:
        path: of the table.
        section: settings of the draw.
        seed: of the draw.
        region: WGS84; only granules whose centre lies in it; by default all.

    Raises:
        InvalidInputError: the table cannot be used, or quotas cannot be met.
    """
    table = read_granules(path, section.continents, region)
    quotas = section.quotas or _by_area(table, section.count)
    return draw_granules(table, quotas, seed, method=section.method, water=section.water, barren=section.barren)


def _by_area(table: GranuleTable, count: int) -> dict[str, int]:
    areas = table.land_areas()
    return dict(zip(areas, apportion(np.array(list(areas.values())), count).tolist(), strict=True))


def read_granules(
    path: str, continents: VectorSource | None = None, region: BaseGeometry | None = None
) -> GranuleTable:
    """Read a table of granules: Parquet or CSV with `id, continent, longitude, latitude, igbp_1` to `igbp_17`.

    Args:
        path: of the table.
        continents: source of the continents, instead of the table's column.
        region: WGS84; only granules whose centre lies in it; by default all.

    Raises:
        InvalidInputError: no such file, or missing columns; the message lists them.
    """
    try:
        data = Path(path).read_bytes()
        table = decode_parquet(data) if path.endswith(".parquet") else pyarrow.csv.read_csv(io.BytesIO(data))
    except InvalidInputError as error:
        raise InvalidInputError(f"{path}: {error}") from error
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read: {error.strerror}") from error
    except pa.ArrowException as error:
        raise InvalidInputError(f"{path}: cannot be read: {error}") from error
    shares = [f"igbp_{code}" for code in range(1, CLASSES + 1)]
    wanted = ("id", *(() if continents else ("continent",)), "longitude", "latitude", *shares)
    missing = [name for name in wanted if name not in table.column_names]
    if missing:
        raise InvalidInputError(f"{path}: got no column {', '.join(missing)}")
    ids = [GranuleId.parse(name) for name in table["id"].to_pylist()]
    own = continents
    names = table["continent"].to_pylist() if own is None else assigned(ids, own.file, own.column, own.layer)
    kept = [position for position, name in enumerate(names) if name]
    if not kept:
        raise InvalidInputError(f"{path}: got no continent for any granule, expected a source of continents")
    if region is not None:
        inside = shapely.contains_xy(region, table["longitude"].to_numpy(), table["latitude"].to_numpy())
        kept = [position for position in kept if inside[position]]
        if not kept:
            raise InvalidInputError(f"{path}: got no granule whose centre lies in the region")
    table = table.take(kept)
    return GranuleTable.of_rows(
        [ids[position] for position in kept],
        [str(names[position]) for position in kept],
        np.column_stack([table["longitude"].to_numpy(), table["latitude"].to_numpy()]),
        np.column_stack([table[name].to_numpy() for name in shares]),
    )
