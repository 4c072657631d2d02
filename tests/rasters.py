"""Reading windows of files, as tests do; and TIFFs in every layout."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import rasterio
from hypothesis import strategies as st

from landloom.errors import FaultError
from landloom.model.grid import Grid
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.store.patience import Patience
    from landloom.store.raster import RasterFile

PLACE: Final = Grid.of_bounds(32633, (500_000, 5_000_000, 500_010, 5_000_010), 10)
_COMPRESSIONS: Final = {"none": "NONE", "deflate": "DEFLATE", "lzw": "LZW", "zstd": "ZSTD"}


def read_window(
    href: str, window: Grid, *, band: int = 1, fill: float = 0, patience: Patience | None = None
) -> NDArray[Any]:
    """Open a file and read a window of a band."""
    with open_raster(href, patience=patience) as raster:
        return raster.read(window, band=band, fill=fill)


@contextmanager
def both_ways(href: str, stated: Grid | None = None) -> Iterator[tuple[RasterFile, RasterFile]]:
    """A file that is read block by block where it can be, and the same by GDAL alone."""
    with open_raster(href, stated=stated) as raster:
        yield raster, replace(raster, blocks=None)


def outcome(raster: RasterFile, window: Grid, band: int = 1) -> tuple[str, Any]:
    """What reading a window gives: type and pixels, or the kind of fault and its words."""
    try:
        pixels = raster.read(window, band=band)
    except FaultError as error:
        return type(error).__name__, str(error)
    return str(pixels.dtype), (pixels.shape, pixels.tobytes())


@st.composite
def layouts(draw: st.DrawFn) -> dict[str, Any]:
    """Options of GDAL's driver: sizes, types, blocks, codecs, predictors, interleaving, byte order, sparse files."""
    dtype = draw(
        st.sampled_from(["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64", "int64"])
    )
    compression = draw(st.sampled_from(sorted(_COMPRESSIONS)))
    best = 3 if dtype.startswith("float") else 2
    options: dict[str, Any] = {
        "driver": "GTiff",
        "dtype": dtype,
        "width": draw(st.integers(1, 90)),
        "height": draw(st.integers(1, 90)),
        "count": draw(st.integers(1, 4)),
        "compress": _COMPRESSIONS[compression],
        "predictor": 1 if compression == "none" else draw(st.sampled_from([1, best])),
        "interleave": draw(st.sampled_from(["pixel", "band"])),
        "endianness": draw(st.sampled_from(["LITTLE", "BIG"])),
        "bigtiff": draw(st.sampled_from(["YES", "NO"])),
        "nodata": draw(st.sampled_from([None, 0, 7])),
        "sparse_ok": draw(st.booleans()),
        "photometric": "MINISBLACK",
    }
    if draw(st.booleans()):
        options |= {
            "tiled": True,
            "blockxsize": 16 * draw(st.integers(1, 4)),
            "blockysize": 16 * draw(st.integers(1, 4)),
        }
    else:
        options["blockysize"] = draw(st.integers(1, 40))
    return options


def write_layout(path: Path, options: dict[str, Any], seed: int = 1) -> NDArray[Any]:
    """Write a TIFF of smooth numbers with blocks of nodata; returns its pixels (band, y, x)."""
    rng, shape = np.random.default_rng(seed), (options["count"], options["height"], options["width"])
    array: NDArray[Any] = (rng.integers(0, 100, shape) + np.arange(shape[2]) // 3).astype(options["dtype"])
    if options["dtype"].startswith("float"):
        array += rng.normal(size=shape).astype(options["dtype"])
    array[:, : shape[1] // 2, : shape[2] // 2] = options["nodata"] or 0
    path.unlink(missing_ok=True)  # what lies there may be damaged
    with rasterio.open(path, "w", crs="EPSG:32633", transform=PLACE.affine, **options) as dataset:
        dataset.write(array)
    return array


def flipped(data: bytes, places: list[int]) -> bytes:
    """A file with some bits flipped; a place is a bit, counted from the start, over and over."""
    damaged = bytearray(data)
    for place in places:
        damaged[place // 8 % len(damaged)] ^= 1 << place % 8
    return bytes(damaged)
