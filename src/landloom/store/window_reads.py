"""Reading many windows of one raster file, decoding each of its tiles once.

A JPEG 2000 tile of a Sentinel-2 band has a million pixels, and a window of 24 x 24 costs the whole tile. GDAL caches
decoded tiles, but only as many as its cache holds, which other reads share, and decodes them again for windows that cut
across them. `read_windows` decodes each row of tiles once and cuts all windows from it, whatever their order;
`TileCache` serves windows that are requested one after the other, in rows.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from landloom.errors import PermanentFaultError
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from landloom.model.grid import Grid
    from landloom.store.raster import RasterFile


class TileCache:
    """Cache of the latest decoded tiles of several files, up to a number of bytes.

    Example:
        >>> TileCache(limit=10).held
        0
    """

    def __init__(self, limit: int = 384 * 2**20) -> None:
        """Set the number of bytes to hold; one tile is held in any case."""
        self._limit = limit
        self._tiles: OrderedDict[tuple[str, int, int, int], NDArray[Any]] = OrderedDict()
        self.held = 0
        """Bytes held."""
        self.decoded = 0
        """Tiles decoded so far."""

    def read(self, raster: RasterFile, window: Grid, *, band: int = 1, fill: float = 0) -> NDArray[Any]:
        """The same as `RasterFile.read`, from cached whole tiles."""
        row, column = window.offset_in(raster.grid)
        top, bottom = max(row, 0), min(row + window.height, raster.grid.height)
        left, right = max(column, 0), min(column + window.width, raster.grid.width)
        if not 1 <= band <= raster.count or top >= bottom or left >= right:
            return raster.read(window, band=band, fill=fill)
        found = np.empty(window.shape, raster.dtype)
        if (bottom - top, right - left) != window.shape:
            found[...] = fill
        height, width = raster.block_shape(band)
        for first in range(top // height * height, bottom, height):
            for start in range(left // width * width, right, width):
                tile = self._tile(raster, band, first, start)
                north, south = max(top, first), min(bottom, first + tile.shape[0])
                west, east = max(left, start), min(right, start + tile.shape[1])
                part = tile[north - first : south - first, west - start : east - start]
                found[north - row : south - row, west - column : east - column] = part
        return found

    def _tile(self, raster: RasterFile, band: int, first: int, start: int) -> NDArray[Any]:
        key = (raster.href, band, first, start)
        tile = self._tiles.pop(key, None)
        if tile is None:
            height, width = raster.block_shape(band)
            height, width = min(height, raster.grid.height - first), min(width, raster.grid.width - start)
            tile = raster.read(raster.grid.window(first, start, height, width), band=band)
            self.held += tile.nbytes
            self.decoded += 1
        self._tiles[key] = tile
        while self.held > self._limit and len(self._tiles) > 1:
            self.held -= self._tiles.popitem(last=False)[1].nbytes
        return tile


class _Part(NamedTuple):
    """The part of a window that lies in the file, in pixels of the file."""

    number: int
    top: int
    bottom: int
    left: int
    right: int


def read_windows(
    href: str, windows: Sequence[Grid], *, band: int = 1, fill: float = 0, stated: Grid | None = None
) -> list[NDArray[Any]]:
    """Read many windows of one band of a file; see `RasterFile.read` for valid windows.

    Memory: the windows themselves, and one row of the file's tiles (22 MB of a 10 m band of Sentinel-2).

    Args:
        href: a path or URL, as accepted by `open_raster`.
        windows: in any order, overlapping or not.
        band: number of the band, counted from 1.
        fill: value of pixels outside the file.
        stated: grid of the file according to the archive.

    Returns:
        Arrays (y, x) of the file's type, in the order of the windows.

    Raises:
        PermanentFaultError: the file or the band is missing, or broken.
        TransientFaultError: it is temporarily unavailable.
        InvalidValueError: a window does not share the file's pixel edges.

    Example:
        >>> read_windows("/nowhere/B04.jp2", [])
        Traceback (most recent call last):
        landloom.errors.PermanentFaultError: /nowhere/B04.jp2: No such file or directory
    """
    with open_raster(href, stated=stated) as raster:
        if not 1 <= band <= raster.count:
            raise PermanentFaultError(f"{href}: no band {band}, the file has {raster.count}")
        return read_open_windows(raster, windows, band=band, fill=fill)


def read_open_windows(
    raster: RasterFile, windows: Sequence[Grid], *, band: int = 1, fill: float = 0
) -> list[NDArray[Any]]:
    """`read_windows` on an open file."""
    found: list[NDArray[Any] | None] = [None] * len(windows)
    corners = [window.offset_in(raster.grid) for window in windows]
    for part, pixels in _parts(raster, _inside(raster.grid, windows, corners), band):
        row, column = corners[part.number]
        shape = windows[part.number].shape
        target = found[part.number]
        if target is None:
            target = found[part.number] = np.empty(shape, pixels.dtype)
            if (part.bottom - part.top, part.right - part.left) != shape:
                target[...] = fill
        target[part.top - row : part.bottom - row, part.left - column : part.right - column] = pixels
    return [
        np.full(window.shape, fill, raster.dtype) if array is None else array
        for window, array in zip(windows, found, strict=True)
    ]


def _inside(grid: Grid, windows: Sequence[Grid], corners: Sequence[tuple[int, int]]) -> list[_Part]:
    parts = []
    for index, (window, (row, column)) in enumerate(zip(windows, corners, strict=True)):
        top, bottom = max(row, 0), min(row + window.height, grid.height)
        left, right = max(column, 0), min(column + window.width, grid.width)
        if top < bottom and left < right:
            parts.append(_Part(index, top, bottom, left, right))
    return sorted(parts, key=lambda part: (part.top, part.left))


def _parts(raster: RasterFile, parts: list[_Part], band: int) -> Iterator[tuple[_Part, NDArray[Any]]]:
    """Yield every part, or its pieces that lie in one row of tiles, with their pixels."""
    height, width = raster.block_shape(band)
    for first in range(0, raster.grid.height, height):
        last = min(first + height, raster.grid.height)
        pieces = [
            _Part(part.number, max(part.top, first), min(part.bottom, last), part.left, part.right)
            for part in parts
            if part.top < last and part.bottom > first
        ]
        for left, right, members in _runs(pieces, width, raster.grid.width):
            strip = raster.read(raster.grid.window(first, left, last - first, right - left), band=band)
            for piece in members:
                yield (
                    piece,
                    strip[piece.top - first : piece.bottom - first, piece.left - left : piece.right - left],
                )


def _runs(pieces: list[_Part], width: int, end: int) -> Iterator[tuple[int, int, list[_Part]]]:
    """Group pieces of a row of tiles that share tiles: first and last column of the tiles, and the members."""
    group: list[_Part] = []
    start = stop = 0
    for piece in sorted(pieces, key=lambda piece: piece.left):
        if group and piece.left >= stop:
            yield start, min(stop, end), group
            group = []
        if not group:
            start = piece.left // width * width
            stop = start
        stop = max(stop, -(-piece.right // width) * width)
        group.append(piece)
    if group:
        yield start, min(stop, end), group
