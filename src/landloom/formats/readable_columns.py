"""Columns of the index for people and for tools that know nothing of landloom, derived from those that queries use.

| column            | type                | meaning                                                            |
|-------------------|---------------------|--------------------------------------------------------------------|
| `shares`          | map<string, double> | class column → share of the area, 0 to 1; classes that occur        |
| `{product}_count` | int32               | how many of its timesteps exist; of a product without time, 0 or 1 |

Every column also says in its metadata what it is (`title`), and in which unit (`unit`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from landloom.model.apportion import MILLION

if TYPE_CHECKING:
    from collections.abc import Mapping

SHARES: Final = "shares"
"""Name of the column of shares."""
_TITLES: Final = {
    "id": "Id of the sample",
    "zone": "UTM zone",
    "tile": "Zone and tile",
    "epsg": "EPSG code of the CRS of west, south, east, north",
    "stratum": "Group of the draw",
    "split": "Split of the recipe",
    "bbox": "Bounding box of the footprint",
    "geometry": "Footprint in WGS84",
    SHARES: "Share of the area of each class that occurs",
}
_UNITS: Final = dict.fromkeys(("west", "south", "east", "north"), "m") | {"bbox": "degree", SHARES: "1"}
MILLIONTHS: Final = "1e-6"
"""Unit of the integer columns of classes: 250,000 is a quarter of the area."""


def readable(table: pa.Table, titles: Mapping[str, str], products: Mapping[str, str]) -> pa.Table:
    r"""The index with these columns, made anew, before `bbox` and `geometry`, and with metadata of all columns.

    Args:
        table: the index.
        titles: column of a class → name of the class.
        products: key of a product with a column `{key}_available` → its title.

    Example:
        >>> table = pa.table({"id": ["a"], "clc_1": pa.array([250_000], pa.int32()), "s2_available": [b"\x05"]})
        >>> made = readable(table, {"clc_1": "Artificial surfaces"}, {"s2": "Composites"})
        >>> made.column("shares").to_pylist(), made.column("s2_count").to_pylist()
        ([[('clc_1', 0.25)]], [2])
        >>> made.field("clc_1").metadata[b"unit"], made.field("clc_1").metadata[b"title"]
        (b'1e-6', b'Artificial surfaces')
    """
    own = {name: table.column(name) for name in table.column_names}
    counts = {f"{key}_count": _count(own[f"{key}_available"]) for key in products}
    kept = {name: column for name, column in own.items() if name not in (SHARES, *counts, "bbox", "geometry")}
    shares = {SHARES: _shares(table, list(titles))} if titles else {}
    end = {name: own[name] for name in ("bbox", "geometry") if name in own}
    columns: dict[str, Any] = kept | counts | shares | end
    said = _TITLES | dict(titles)
    said |= {f"{key}_count": f"Existing timesteps: {title}" for key, title in products.items()}
    said |= {
        f"{key}_available": f"Bit i % 8 of byte i // 8: timestep i exists: {title}" for key, title in products.items()
    }
    units = _UNITS | dict.fromkeys(titles, MILLIONTHS)
    made = pa.table(columns)
    fields = [
        field.with_metadata(
            {
                **({"title": said[field.name]} if field.name in said else {}),
                **({"unit": units[field.name]} if field.name in units else {}),
            }
        )
        for field in made.schema
    ]
    return made.cast(pa.schema(fields)).replace_schema_metadata(table.schema.metadata)


def _count(column: pa.ChunkedArray) -> pa.Array:
    words = column.combine_chunks().dictionary_encode()
    ones = [sum(byte.bit_count() for byte in word or b"") for word in words.dictionary.to_pylist()]
    return pa.array(ones or [0], pa.int32()).take(words.indices.fill_null(0))


def _shares(table: pa.Table, names: list[str]) -> pa.MapArray:
    values = np.stack([table.column(name).to_numpy() for name in names], axis=1)
    rows, columns = np.nonzero(values)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(values)))]).astype(np.int32)
    keys = pa.array(names, pa.string()).take(pa.array(columns))
    return pa.MapArray.from_arrays(pa.array(offsets), keys, pa.array(values[rows, columns] / MILLION))
