"""Layout "cubes": the chips of a tile and product as one sharded Zarr array.

A Zarr version 3 group with the array `data` (sample, time, band, y, x) and its coordinates. A shard holds 16 whole
samples, an inner chunk is one sample's cube, compressed by zstd or LZ4; so a sample is one ranged read, and any Zarr
library can open the group. landloom encodes and decodes shards itself (docs/decisions/0003), following the codec
specification `sharding_indexed` 1.0: first an index of offset and length per inner chunk, then its crc32c, then the
chunks.

Sizes are in pixels, corners in units of the CRS. Keys are relative to the group's folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError, InvalidValueError, NotFoundError
from landloom.formats.zarr.codecs import LEVELS, compress, decompress
from landloom.formats.zarr.metadata import cube_documents, read_cube_spec, with_checksum, without_checksum
from landloom.formats.zarr.spec import CubeSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from landloom.formats.zarr.codecs import Codec
    from landloom.model.grid import Grid

__all__ = [
    "SHARD",
    "CubeReader",
    "CubeSpec",
    "cube_files",
    "encode_cube",
    "encode_cube_shard",
    "encode_cubes",
    "join_cubes",
    "shard_count",
    "shard_key",
]

SHARD: Final = 16
"""Samples in a shard."""
INDEX_BYTES: Final = SHARD * 16 + 4
"""Bytes of a shard's index: two 64-bit numbers per sample, and a checksum."""
_ABSENT: Final = 2**64 - 1


def shard_key(shard: int) -> str:
    """Key of a shard.

    Example:
        >>> shard_key(2)
        'data/c/2/0/0/0/0'
    """
    return f"data/c/{shard}/0/0/0/0"


def shard_count(samples: int) -> int:
    """Number of shards for a number of samples.

    Example:
        >>> shard_count(356), shard_count(16)
        (23, 1)
    """
    return -(-samples // SHARD)


def encode_cube_shard(cubes: NDArray[Any], *, checked: bool = True, codec: Codec = "zstd") -> bytes:
    """Encode the samples of one shard.

    Args:
        cubes: (sample, time, band, y, x), at most 16 samples; fewer only in the last shard, whose other chunks are
            absent and read as nodata.
        checked: whether each chunk ends with its CRC-32C.
        codec: how it is compressed.

    Raises:
        InvalidValueError: wrong number of dimensions or of samples.
    """
    if cubes.ndim != 5 or not 1 <= len(cubes) <= SHARD:
        raise InvalidValueError(f"got cubes of shape {cubes.shape}, expected (1 to {SHARD}, time, band, y, x)")
    return join_cubes([encode_cube(cube, checked=checked, codec=codec) for cube in cubes])


def encode_cube(cube: NDArray[Any], *, checked: bool = True, codec: Codec = "zstd") -> bytes:
    """Encode the cube of one sample: its chunk in a shard.

    Args:
        cube: (time, band, y, x).
        checked: whether it ends with its CRC-32C.
        codec: how it is compressed.
    """
    chunk = compress(codec, cube.astype(cube.dtype.newbyteorder("<"), copy=False))
    return with_checksum(chunk) if checked else chunk


def join_cubes(chunks: Sequence[bytes]) -> bytes:
    """A shard of encoded cubes, at most 16."""
    index = np.full((SHARD, 2), _ABSENT, "<u8")
    index[: len(chunks), 1] = [len(chunk) for chunk in chunks]
    index[: len(chunks), 0] = INDEX_BYTES + np.cumsum([0, *(len(chunk) for chunk in chunks[:-1])])
    head = index.tobytes()
    return b"".join([with_checksum(head), *chunks])


def encode_cubes(spec: CubeSpec, cubes: NDArray[Any]) -> Iterator[tuple[str, bytes]]:
    """Every file of a cubes array: shards in sample order, then the metadata documents.

    Args:
        spec: description of the array.
        cubes: (sample, time, band, y, x) of the spec's shape and type; may be a memory map.

    Yields:
        Key and bytes.

    Raises:
        InvalidValueError: shape or type differ from the spec.

    Example:
        >>> from datetime import UTC, datetime
        >>> spec = CubeSpec(
        ...     samples=("a", "b"), timesteps=("2018-01",), times=(datetime(2018, 1, 15, tzinfo=UTC),), bands=("B02",),
        ...     corners=((0.0, 600.0), (600.0, 600.0)), height=60, width=60, dtype="uint16", nodata=0, epsg=32633,
        ...     resolution=10.0,
        ... )
        >>> cubes = np.arange(7200, dtype=np.uint16).reshape(2, 1, 1, 60, 60)
        >>> files = dict(encode_cubes(spec, cubes))
        >>> reader = CubeReader(files.__getitem__, lambda key, start, length: files[key][start : start + length])
        >>> bool((reader.read("b") == cubes[1]).all()), reader.spec == spec
        (True, True)
    """
    if cubes.shape != spec.shape or cubes.dtype != np.dtype(spec.dtype):
        raise InvalidValueError(f"got cubes {cubes.dtype} {cubes.shape}, expected {spec.dtype} {spec.shape}")
    yield from cube_files(spec, lambda sample: encode_cube(cubes[sample], checked=spec.checked, codec=spec.codec))


def cube_files(spec: CubeSpec, chunk: Callable[[int], bytes]) -> Iterator[tuple[str, bytes]]:
    """Every file of a cubes array whose cubes are encoded one by one: shards in sample order, then the documents.

    Args:
        spec: description of the array.
        chunk: position of a sample → its cube of `encode_cube`; called in order.

    Yields:
        Key and bytes.
    """
    count = len(spec.samples)
    for shard in range(shard_count(count)):
        own = range(shard * SHARD, min((shard + 1) * SHARD, count))
        yield shard_key(shard), join_cubes([chunk(sample) for sample in own])
    yield from cube_documents(spec, shard=SHARD, level=LEVELS[spec.codec]).items()


@dataclass(frozen=True, slots=True, init=False)
class CubeReader:
    """Reads the cubes of single samples: two small reads for the first of a shard, one for the others.

    Args:
        get: key → bytes.
        get_range: key, start, length → bytes.
        prefix: key prefix of the group, with its trailing slash.

    Raises:
        InvalidInputError: the group is not in landloom's cubes layout.
    """

    spec: CubeSpec
    """Description of the array."""
    _get_range: Callable[[str, int, int], bytes]
    _prefix: str
    _positions: dict[str, int]
    _indexes: dict[int, NDArray[np.uint64]]

    def __init__(
        self, get: Callable[[str], bytes], get_range: Callable[[str, int, int], bytes], prefix: str = ""
    ) -> None:
        spec = read_cube_spec(lambda key: get(prefix + key), shard=SHARD)
        object.__setattr__(self, "spec", spec)
        object.__setattr__(self, "_get_range", get_range)
        object.__setattr__(self, "_prefix", prefix)
        object.__setattr__(self, "_positions", {sample: position for position, sample in enumerate(spec.samples)})
        object.__setattr__(self, "_indexes", {})

    def position(self, sample: str) -> int:
        """Position of a sample in the array.

        Raises:
            NotFoundError: no such sample.
        """
        if sample not in self._positions:
            raise NotFoundError.of("sample", sample, self._positions)
        return self._positions[sample]

    def grid(self, sample: str | int) -> Grid:
        """The pixel grid of a sample."""
        return self.spec.grid(sample if isinstance(sample, int) else self.position(sample))

    def read(self, sample: str | int, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """The whole cube of a sample.

        Args:
            sample: its id, or its position in the array.
            out: array that it is decoded into, of its shape and type and C-contiguous; by default a new one.

        Returns:
            Array (time, band, y, x).

        Raises:
            NotFoundError: no such sample.
            InvalidInputError: the shard is broken.
            InvalidValueError: an array to decode into of another shape or type.
        """
        position = sample if isinstance(sample, int) else self.position(sample)
        if not 0 <= position < len(self.spec.samples):
            raise NotFoundError(f"no sample at position {position}, the array has {len(self.spec.samples)}")
        shard, inside = divmod(position, SHARD)
        start, length = (int(number) for number in self._index(shard)[inside])
        cube = self._room(out)
        if start == _ABSENT:
            cube[:] = self.spec.fill
            return cube
        name = f"{self._prefix}{shard_key(shard)}: sample {inside}"
        chunk = self._get_range(self._prefix + shard_key(shard), start, length)
        decompress(self.spec.codec, without_checksum(chunk, name) if self.spec.checked else chunk, cube, name)
        return cube

    def _room(self, out: NDArray[Any] | None) -> NDArray[Any]:
        shape, dtype = self.spec.shape[1:], np.dtype(self.spec.dtype).newbyteorder("<")
        if out is None:
            return np.empty(shape, dtype)
        if (out.shape, out.dtype) != (shape, dtype) or not out.flags.c_contiguous:
            raise InvalidValueError(f"got an array {out.dtype} {out.shape}, expected {dtype} {shape}, contiguous")
        return out

    def _index(self, shard: int) -> NDArray[np.uint64]:
        index = self._indexes.get(shard)
        if index is None:
            data = self._get_range(self._prefix + shard_key(shard), 0, INDEX_BYTES)
            head = without_checksum(data, f"{self._prefix}{shard_key(shard)}: the index of the shard")
            if len(data) != INDEX_BYTES:
                raise InvalidInputError(f"{self._prefix}{shard_key(shard)}: got {len(data)} bytes of its index")
            index = np.frombuffer(head, "<u8").reshape(SHARD, 2)
            self._indexes[shard] = index
        return index
