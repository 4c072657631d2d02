"""How the cube of a sample is compressed: `zstd`, which is small, or `lz4`, which is fast to read.

Both are codecs of the Zarr version 3 registry, so that any Zarr library can read them: `zstd`, and `blosc` with LZ4
over shuffled bytes. Each runs in one thread and lets go of the interpreter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import imagecodecs
import numpy as np

from landloom.errors import InvalidInputError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Codec = Literal["zstd", "lz4"]
"""Name of a compression, as recipes give it."""
CODECS: Final[tuple[Codec, ...]] = get_args(Codec)
LEVELS: Final[Mapping[Codec, int]] = {"zstd": 3, "lz4": 5}
"""Codec → compression level; it is part of the metadata documents, so changing it changes the layout."""


def codec_named(text: str) -> Codec:
    """A codec by its name.

    Raises:
        InvalidValueError: there is none.
    """
    found = next((codec for codec in CODECS if codec == text), None)
    if found is None:
        raise InvalidValueError(f"got codec {text!r}, expected {' or '.join(CODECS)}")
    return found


def codec_document(codec: Codec, dtype: str, level: int) -> dict[str, Any]:
    """The codec in the metadata of an array.

    Args:
        codec: its name.
        dtype: numpy name of the data type.
        level: of compression.

    Example:
        >>> codec_document("zstd", "uint16", 3)
        {'name': 'zstd', 'configuration': {'level': 3, 'checksum': False}}
    """
    if codec == "zstd":
        return {"name": "zstd", "configuration": {"level": level, "checksum": False}}
    size = np.dtype(dtype).itemsize
    shuffle = "shuffle" if size > 1 else "noshuffle"
    settings = {"typesize": size, "cname": "lz4", "clevel": level, "shuffle": shuffle, "blocksize": 0}
    return {"name": "blosc", "configuration": settings}


def read_codec(document: Mapping[str, Any]) -> tuple[Codec, int]:
    """Codec and level of a document; that it has no other settings is for the caller to check.

    Raises:
        KeyError: it is of neither codec.
    """
    settings = document["configuration"]
    return ("zstd", settings["level"]) if document["name"] == "zstd" else ("lz4", settings["clevel"])


def compress(codec: Codec, numbers: NDArray[Any]) -> bytes:
    """The bytes of an array of little-endian numbers in C order, compressed."""
    if codec == "zstd":
        return bytes(imagecodecs.zstd_encode(numbers.tobytes(), LEVELS[codec]))
    # Blosc shuffles by the size of an item, which imagecodecs takes from the array.
    whole: Any = np.ascontiguousarray(numbers).reshape(-1)
    size, level = numbers.itemsize, LEVELS[codec]
    shuffle = int(size > 1)
    return bytes(imagecodecs.blosc_encode(whole, level, compressor="lz4", shuffle=shuffle, typesize=size, numthreads=1))


def decompress(codec: Codec, chunk: bytes, out: NDArray[Any], name: str) -> None:
    """Decompress into an array.

    Args:
        codec: its name.
        chunk: compressed bytes.
        out: C-contiguous array that they fill exactly.
        name: of what is read, for messages.

    Raises:
        InvalidInputError: they are damaged, or fill another number of bytes.
    """
    room = out.reshape(-1).view(np.uint8)
    try:
        if codec == "zstd":
            found = imagecodecs.zstd_decode(chunk, out=room.data)
        else:
            found = imagecodecs.blosc_decode(chunk, out=room.data, numthreads=1)
    except (imagecodecs.ZstdError, imagecodecs.BloscError, ValueError) as error:
        raise InvalidInputError(f"{name} is broken: {error}") from error
    if len(found) != out.nbytes:
        raise InvalidInputError(f"{name}: got {len(found)} bytes, expected {out.nbytes}")
