"""Pixels in the strips of a TIFF file, as landloom stores them: band by band, horizontal predictor, deflate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal

import imagecodecs
import numpy as np

from landloom.formats import tiff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Compression = Literal["deflate", "none"]

STRIP_BYTES: Final = 2**20
"""Approximate bytes of a strip before compression: a chip's band is one strip, a mosaic's band several."""
DENSEST: Final = 1040
"""Bytes that a byte of deflate can hold at most, nearly."""
SCHEMES: Final[dict[str, int]] = {"none": 1, "deflate": 8}
_FORMATS: Final = {"u": 1, "i": 2, "f": 3}
DTYPES: Final = frozenset(np.dtype(name) for name in ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8"))
_TYPES: Final[dict[object, np.dtype[Any]]] = {
    ((_FORMATS[one.kind],), (one.itemsize * 8,)): one.newbyteorder("<") for one in DTYPES
}
"""Format and bits of a sample → the type of its numbers."""
PALETTE: Final = (3,)
"""Photometric interpretation of numbers that stand for colours of a table."""
_NO_PREDICTOR, _HORIZONTAL, _FLOATING = 1, 2, 3
_FREE: Final = frozenset({tiff.ROWS_PER_STRIP, tiff.STRIP_OFFSETS, tiff.STRIP_COUNTS})
"""Tags whose values the size of a strip decides."""


def layout(shape: tuple[int, ...], dtype: np.dtype[Any], scheme: int, *, squeeze: bool) -> dict[int, tiff.Value]:
    """The tags that say how pixels are stored in strips."""
    count, height, width = shape
    tags: dict[int, tiff.Value] = {
        tiff.WIDTH: (width,),
        tiff.LENGTH: (height,),
        tiff.BITS: (dtype.itemsize * 8,) * count,
        tiff.COMPRESSION: (scheme,),
        tiff.PHOTOMETRIC: (1,),
        tiff.SAMPLES: (count,),
        tiff.PLANAR: (2 if count > 1 else 1,),
        tiff.SAMPLE_FORMAT: (_FORMATS[dtype.kind],) * count,
    }
    if squeeze:
        tags[tiff.PREDICTOR] = (_FLOATING if dtype.kind == "f" else _HORIZONTAL,)
    if count > 1:
        tags[tiff.EXTRA_SAMPLES] = (0,) * (count - 1)
    return tags


def other_tags(tags: dict[int, tiff.Value]) -> dict[int, tiff.Value] | None:
    """The tags that say something else than how pixels are stored; None unless they are stored as `layout` says.

    Whatever else a TIFF may say of its pixels (predictors, orders of bits and bands, kinds of numbers, strips that are
    not there) is for GDAL to honour or refuse.
    """
    dtype = _TYPES.get((tags.get(tiff.SAMPLE_FORMAT, ())[:1], tags.get(tiff.BITS, ())[:1]))
    if dtype is None or not tags.keys() >= _FREE or 0 in tags[tiff.STRIP_COUNTS]:
        return None
    shape = tuple(int(tags.get(tag, (0,))[0]) for tag in (tiff.SAMPLES, tiff.LENGTH, tiff.WIDTH))
    scheme = int(tags.get(tiff.COMPRESSION, (0,))[0])
    if scheme not in SCHEMES.values():
        return None
    wanted = layout(shape, dtype, scheme, squeeze=tiff.PREDICTOR in tags and scheme == SCHEMES["deflate"])
    if len(tags.get(tiff.COLOUR_MAP, ())) == 3 * 256 and dtype == np.uint8:
        wanted |= {tiff.PHOTOMETRIC: PALETTE, tiff.COLOUR_MAP: tags[tiff.COLOUR_MAP]}
    if any(tags.get(tag) != value for tag, value in wanted.items()):
        return None
    return {tag: value for tag, value in tags.items() if tag not in wanted and tag not in _FREE}


def strips(array: NDArray[Any], rows: int, *, squeeze: bool) -> Iterator[NDArray[Any]]:
    """Strips in file order: band by band, top to bottom."""
    if squeeze and array.dtype.kind != "f":
        array = imagecodecs.delta_encode(array, axis=-1)
    for band in array:
        for top in range(0, len(band), rows):
            strip = band[top : top + rows]
            yield imagecodecs.floatpred_encode(strip, axis=-1) if squeeze and array.dtype.kind == "f" else strip


def encode_strip(strip: NDArray[Any], compression: Compression, level: int) -> bytes:
    """A strip's bytes in a file."""
    raw = strip.tobytes()
    return bytes(imagecodecs.deflate_encode(raw, level)) if compression == "deflate" else raw


def decode_pixels(data: bytes, tags: dict[int, tiff.Value]) -> NDArray[Any]:
    """Pixels (band, y, x) of a file whose strips are laid out as `other_tags` checks.

    Raises:
        ValueError: its size does not fit its strips, or a strip is damaged.
        RuntimeError: a strip is damaged.
    """
    (width,), (height,), (count,) = tags[tiff.WIDTH], tags[tiff.LENGTH], tags[tiff.SAMPLES]
    dtype = _TYPES[tags[tiff.SAMPLE_FORMAT][:1], tags[tiff.BITS][:1]]
    rows = int(tags[tiff.ROWS_PER_STRIP][0])
    predictor = tags.get(tiff.PREDICTOR, (_NO_PREDICTOR,))[0]
    shape = int(count), int(height), int(width)
    if min(shape) < 1 or math.prod(shape) * dtype.itemsize > len(data) * DENSEST:
        raise ValueError(f"got {len(data)} bytes for {shape} pixels of {dtype}")
    array = np.empty(shape, dtype)
    places = iter(zip(tags[tiff.STRIP_OFFSETS], tags[tiff.STRIP_COUNTS], strict=True))
    for band in array:
        for top in range(0, int(height), rows):
            target = band[top : top + rows]
            start, size = (int(number) for number in next(places, (0, 0)))
            target[...] = _decode(data[start : start + size], tags, target, predictor)
    if predictor == _HORIZONTAL:
        imagecodecs.delta_decode(array, axis=-1, out=array)
    return array


def _decode(part: bytes, tags: dict[int, tiff.Value], target: NDArray[Any], predictor: float) -> NDArray[Any]:
    if tags[tiff.COMPRESSION][0] == SCHEMES["deflate"]:
        part = bytes(imagecodecs.deflate_decode(part, out=target.nbytes))
    if len(part) != target.nbytes:
        raise ValueError(f"got a strip of {len(part)} bytes, expected {target.nbytes}")
    strip: NDArray[Any] = np.frombuffer(part, target.dtype).reshape(target.shape)
    return imagecodecs.floatpred_decode(strip, axis=-1) if predictor == _FLOATING else strip
