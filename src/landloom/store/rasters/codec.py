"""Bytes of a TIFF's block to pixels, by codecs that run without the interpreter's lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np

from landloom.store.rasters.table import DEFLATE, FLOATING, HORIZONTAL, LZW, NONE, OLD_DEFLATE, ZSTD, BlockTable

if TYPE_CHECKING:
    from numpy.typing import NDArray


def decode_block(table: BlockTable, number: int, data: bytes | memoryview) -> NDArray[Any] | None:
    """Pixels of a block, in this machine's byte order.

    Args:
        table: of the file.
        number: of the block.
        data: its bytes.

    Returns:
        Array (y, x), or (y, x, band) where a block holds several bands; None if it is damaged, or differs from what
        the table says: GDAL decides what that means.

    Example:
        >>> one, where = np.dtype("u1"), np.array([8], np.uint64)
        >>> image = {"height": 1, "width": 2, "bands": 1, "block": (1, 2), "tiled": False, "together": True}
        >>> stored = {"dtype": one, "compression": NONE, "predictor": 1, "offsets": where, "counts": where}
        >>> decode_block(BlockTable(**image, **stored), 0, bytes([1, 2]))
        array([[1, 2]], dtype=uint8)
    """
    shape = table.shape(number)
    try:
        raw = _raw(table.compression, data, int(np.prod(shape)) * table.dtype.itemsize)
    except (RuntimeError, ValueError):  # imagecodecs' errors are RuntimeErrors
        return None
    return None if raw is None else _pixels(table, raw, shape)


def _raw(compression: int, data: bytes | memoryview, size: int) -> NDArray[np.uint8] | None:
    """The decompressed bytes; None unless they are as many as expected."""
    if compression == NONE:
        return np.frombuffer(data, np.uint8) if len(data) == size else None
    if compression == LZW and (len(data) < 2 or (data[0] == 0 and data[1] & 1)):
        return None  # of before TIFF 5: bits in another order
    decode: Any = {
        DEFLATE: imagecodecs.deflate_decode,
        OLD_DEFLATE: imagecodecs.deflate_decode,
        LZW: imagecodecs.lzw_decode,
        ZSTD: imagecodecs.zstd_decode,
    }[compression]
    found: NDArray[np.uint8] = decode(data, out=np.empty(size, np.uint8))
    return found if len(found) == size else None


def _pixels(table: BlockTable, raw: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[Any]:
    native = table.dtype.newbyteorder("=")
    if table.predictor == FLOATING:
        return _unshuffled(raw, native, shape)
    stored = raw.view(table.dtype).reshape(shape)
    pixels = stored if table.dtype == native else stored.astype(native)
    if table.predictor == HORIZONTAL:
        pixels = imagecodecs.delta_decode(pixels, axis=1, out=pixels if pixels.flags.writeable else None)
    return pixels


def _unshuffled(raw: NDArray[np.uint8], dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Floats whose bytes are stored as differences, the highest bytes of a row first (Technical Note 3)."""
    bands = shape[2] if len(shape) > 2 else 1
    rows, width = shape[0], shape[1] * bands
    planes = raw.reshape(rows, -1, bands)
    planes = imagecodecs.delta_decode(planes, axis=1)
    high = planes.reshape(rows, dtype.itemsize, width).transpose(0, 2, 1)
    big: NDArray[Any] = np.ascontiguousarray(high).view(dtype.newbyteorder(">")).reshape(shape)
    return big.astype(dtype)
