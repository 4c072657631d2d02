"""Law: a damaged file is read, or refused by a LandloomError; never a traceback, a signal or a flood.

Small valid files are damaged by a seeded generator: bits, cuts, splices, repeats, and words that files break at.
`ODD_FILES=2000` makes that many of each, instead of 25.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pytest
import rasterio
import xarray as xr
from pyproj import CRS

from landloom.engine.journal import Journal
from landloom.engine.units import Unit
from landloom.formats.geotiff import encode_cog, encode_geotiff
from landloom.formats.parquet import encode_parquet
from landloom.model.grid import Grid
from landloom.pipelines.starters import write_starter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.readers import Limited

COUNT: Final = int(os.environ.get("ODD_FILES", "25"))
GRID: Final = Grid.of_bounds(32633, (500_000, 4_999_900, 500_100, 5_000_000), 10)
PIXELS: Final = (np.arange(200, dtype=np.uint16) * 50).reshape(2, 10, 10)
_WORDS: Final = (
    b"\0", b"\xff\xff\xff\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"-1", b"1e999", b"NaN", b"null", b"99999999999999999999",
    b"[]", b"{}", b'""', b"\n", b",", b'"', b"&a", b"*a", b"<<: ", b"!!", b"\xed\xa0\x80", b"\x1b[31m", b"'", b": ",
)  # fmt: skip


def _damaged(data: bytes, chance: random.Random) -> bytes:
    """A file with one to three damages."""
    for _ in range(chance.randint(1, 3)):
        at, to = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        if at > 512 and chance.random() < 0.5:  # heads are where files break
            at %= 512
        own = chance.randrange(6)
        if own == 0:
            data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
        elif own == 1:
            data = data[:to]
        elif own == 2:
            data = data[:at] + data[to:]
        elif own == 3:
            data = data[:to] + data[at:to] * chance.randint(1, 3) + data[to:]
        else:
            word = chance.choice(_WORDS)
            data = data[:at] + word + data[at + (len(word) if own == 4 else 0) :]
        data = data or b"\n"
    return data


def _jp2(folder: Path) -> bytes:
    path = folder / "a.jp2"
    profile = {"driver": "JP2OpenJPEG", "count": 1, "height": 10, "width": 10, "dtype": "uint16", "crs": "EPSG:32633"}
    with rasterio.open(path, "w", transform=GRID.affine, **profile) as dataset:
        dataset.write(PIXELS[:1])
    return path.read_bytes()


def _cube(folder: Path) -> bytes:
    path, axes = folder / "a.nc", ("time", "y", "x")
    times = np.array(["2018-06-03", "2018-06-12"], "datetime64[ns]")
    x, y = GRID.west + 5 + 10.0 * np.arange(10), GRID.north - 5 - 10.0 * np.arange(10)
    made = xr.Dataset({"B04": (axes, PIXELS)}, coords={"time": times, "y": y, "x": x})
    made["crs"] = ((), 0, CRS.from_epsg(32633).to_cf())
    made["B04"].attrs["grid_mapping"] = "crs"
    for name in ("x", "y"):
        made[name].attrs["standard_name"] = f"projection_{name}_coordinate"
    made.to_netcdf(path, engine="h5netcdf")
    return path.read_bytes()


def _recipe(folder: Path) -> bytes:
    write_starter("demo", folder / "landloom.yaml")
    return (folder / "landloom.yaml").read_bytes()


def _journal(folder: Path) -> bytes:
    path = folder / "journal.sqlite"
    with Journal(path) as journal:
        unit = Unit(kind="composite", product="s2", tile="33N_16E-243N", key="k", memory=0, task=None)  # type: ignore[arg-type]
        journal.record_failure(unit, "timeout", seconds=1.0)
        journal.keep("plan", "a", "{}")
    with sqlite3.connect(path) as database:
        database.execute("pragma journal_mode = delete")
    database.close()
    return path.read_bytes()


_PRODUCT: Final = {
    "Id": "0f1e",
    "Name": "S2B_MSIL2A_20230820T094549_N0509_R079_T33TWL_20230820T124817.SAFE",
    "ContentDate": {"Start": "2023-08-20T09:45:49.024Z"},
    "ContentLength": 1000,
    "Checksum": [{"Algorithm": "MD5", "Value": "00112233445566778899aabbccddeeff"}],
    "GeoFootprint": {"type": "Polygon", "coordinates": [[[15, 45], [16, 45], [16, 46], [15, 45]]]},
}
_CHOICE: Final = b"use,granule,time,cloud_cover,nodata_share,size,id\nyes,33TWL,2018-06-01T10:00:00Z,12.5,0,1000,a\n"

FILES: Final[dict[str, tuple[str, str, Callable[[Path], bytes]]]] = {
    "chip": ("geotiff", "tif", lambda _: encode_geotiff(PIXELS, GRID, nodata=0, bands=("B02", "B03"))),
    "cog": ("geotiff", "tif", lambda _: encode_cog(PIXELS, GRID, nodata=0)),
    "raster": ("raster", "tif", lambda _: encode_cog(PIXELS, GRID, nodata=0)),
    "jp2": ("raster", "jp2", _jp2),
    "cube": ("cube", "nc", _cube),
    "recipe": ("recipe", "yaml", _recipe),
    "classes as YAML": ("classes", "yaml", lambda _: b"maize: 1\nwheat: 2\n'0110': 3\n"),
    "classes as CSV": ("classes", "csv", lambda _: b"value,code,role\nmaize,1,\n,0,background\n"),
    "choice": ("choice", "csv", lambda _: _CHOICE),
    "product": ("product", "json", lambda _: json.dumps(_PRODUCT).encode()),
    "parquet": ("parquet", "parquet", lambda _: encode_parquet(pa.table({"id": ["a", "b"], "n": [1, 2]}))),
    "journal": ("journal", "sqlite", _journal),
    "filter": (
        "filter",
        "txt",
        lambda _: b"clc_311 > 0.5 AND (zone = '33N' OR id LIKE '33N%') AND NOT tile IN ('a', 'b')",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_damaged_files_are_read_or_refused(limited: Limited, tmp_path: Path, name: str) -> None:
    """Whatever is damaged."""
    reader, suffix, make = FILES[name]
    data, chance = make(tmp_path), random.Random(f"{name} 1")  # noqa: S311 - no secret
    paths = []
    for number in range(COUNT):
        paths.append(tmp_path / f"odd-{number}.{suffix}")
        paths[-1].write_bytes(_damaged(data, chance))
    results = limited.read(reader, paths, seconds=10 + COUNT)
    faults = [
        fault
        for result in results
        if (fault := result.fault) and not (reader == "product" and "JSONDecodeError" in fault)
    ]
    assert not faults
