"""Rasters in tiles and overviews, as Cloud-Optimised GeoTIFFs hold them: tiles with all bands, predictor, deflate.

The layout is that of GDAL's COG driver (directories before data, overviews halved until one fits a tile), which a note
after the header declares: a reader then needs one request for all directories.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np

from landloom.formats import strips, tiff

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

_LINES: Final = (
    b"LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n"
    b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n "
)
NOTE: Final = b"GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n" % len(_LINES) + _LINES
"""What GDAL writes between header and directories of a file that is laid out so."""
_REDUCED: Final = 1


def write_cog(
    array: NDArray[Any],
    tags: Mapping[int, tiff.Value],
    lasting: Mapping[int, tiff.Value],
    *,
    block: int,
    level: int,
    overviews: bool = True,
) -> bytes:
    """A file of a raster and its overviews.

    Args:
        array: (band, y, x), little-endian.
        tags: of the raster itself.
        lasting: of the raster and of each of its overviews.
        block: side of a tile in pixels, a multiple of 16.
        level: of deflate.
        overviews: whether to add them.
    """
    scheme = strips.SCHEMES["deflate"]
    images = []
    for number, pixels in enumerate(_pyramid(array, block) if overviews else [array]):
        own = strips.layout(pixels.shape, pixels.dtype, scheme, squeeze=True) | dict(lasting)
        own |= tags_of_tiles(block)
        own |= {tiff.SUBFILE: (_REDUCED,)} if number else dict(tags)
        images.append((own, [encode_tile(tile, level) for tile in _tiles(pixels, block)]))
    return tiff.write_tiled(images, NOTE)


def _pyramid(array: NDArray[Any], block: int) -> Iterator[NDArray[Any]]:
    """The raster, then nearest-neighbour overviews as GDAL picks their pixels."""
    yield array
    while max(array.shape[1:]) > block:
        height, width = array.shape[1:]
        array = array[:, _picked(height)][:, :, _picked(width)]
        yield array


def _picked(count: int) -> NDArray[np.intp]:
    half = max(count // 2, 1)
    return np.minimum((0.5 + np.arange(half) * (count / half)).astype(np.intp), count - 1)


def _tiles(array: NDArray[Any], block: int) -> Iterator[NDArray[Any]]:
    """(y, x, band) whole tiles, row by row; beyond the edge the last pixel is repeated."""
    for top in range(0, array.shape[1], block):
        for left in range(0, array.shape[2], block):
            tile = np.moveaxis(array[:, top : top + block, left : left + block], 0, -1)
            missing = [(0, block - size) for size in tile.shape[:2]]
            whole = missing == [(0, 0), (0, 0)]
            yield np.ascontiguousarray(tile if whole else np.pad(tile, [*missing, (0, 0)], mode="edge"))


def tags_of_tiles(block: int) -> dict[int, tiff.Value]:
    """The tags that say that pixels lie in square tiles of this side, all bands together."""
    return {tiff.PLANAR: (1,), tiff.TILE_WIDTH: (block,), tiff.TILE_LENGTH: (block,)}


def encode_tile(tile: NDArray[Any], level: int) -> bytes:
    """A (y, x, band) tile as it is stored: differences along x, by deflate of a level from 1 to 12."""
    predict = imagecodecs.floatpred_encode if tile.dtype.kind == "f" else imagecodecs.delta_encode
    return bytes(imagecodecs.deflate_encode(predict(tile, axis=-2).tobytes(), level))
