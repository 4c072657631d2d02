"""Layout `cubes`: all chips of a sample together, and sixteen samples a file."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.engine.pixels.parallel import in_threads
from landloom.engine.pixels.scratch import Spool, release, scratch_arrays
from landloom.formats.zarr.cubes import SHARD, cube_files, encode_cube, shard_count
from landloom.formats.zarr.spec import CubeSpec

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

    from landloom.corpus.manifest import FileEntry
    from landloom.engine.pixels.writers.target import Target

MANY: Final = 64
"""Cubes that threads encode before the memory of a temporary file is given back."""
SHARDS: Final = 8
"""Files of cubes that are in memory at a time, to be written."""
MAPPED: Final = 128 * 2**20
"""Bytes of chips after which the memory of a temporary file is given back."""


@dataclass(slots=True, kw_only=True)
class CubeWriter:
    """Layout `cubes`: chips of the tile are collected, whole cubes encoded at once; shards are written in id order."""

    target: Target
    _stack: ExitStack = field(default_factory=ExitStack)
    _lock: Lock = field(default_factory=Lock)
    _spool: Spool | None = None
    """Encoded cubes."""
    _array: NDArray[Any] | None = None
    """Of the samples whose chips come one by one; there is none until the first comes."""
    _there: NDArray[np.bool_] | None = None
    _written: int = 0

    def __enter__(self) -> Self:
        self._there = np.zeros((len(self.target.samples), len(self.target.timesteps)), np.bool_)
        self._spool = Spool(self._stack)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._array = self._spool = self._there = None
        self._stack.close()

    def begin(self, timestep: int) -> None:
        """Forget what has come for the timestep."""
        there, spool = self._opened()
        there[:, timestep] = False
        if there.shape[1] == 1:
            spool.clear()

    def complete(self) -> None:
        """What has come is kept until the tile is complete."""

    def write(self, sample: int, timestep: int, chip: NDArray[Any]) -> None:
        """Keep the chip until the tile is complete."""
        there, _ = self._opened()
        if there.shape[1] == 1:
            self.write_cube(sample, chip[None])
            return
        with self._lock:
            if self._array is None:
                shape = (*there.shape, *self._shape()[1:])
                self._array = scratch_arrays({"cubes": (shape, self.target.product.dtype)}, self._stack)["cubes"]
        self._array[sample, timestep] = chip
        there[sample, timestep] = True
        with self._lock:
            self._written += chip.nbytes
            if self._written > MAPPED:
                release(self._array)
                self._written = 0

    def write_cube(self, sample: int, cube: NDArray[Any]) -> None:
        """Encode the cube, and keep it until the tile is complete."""
        there, spool = self._opened()
        spool.add(sample, self._encoded(cube))
        there[sample] = True

    def finish(self) -> list[FileEntry]:
        """Encode what is not yet encoded and store every shard, then the metadata."""
        there, spool = self._opened()
        target, files = self.target, []
        folder = target.layout.cube(target.samples[0].id, target.product)
        if target.observed is None and not there.all():
            target = replace(target, observed=there)

        def encode(sample: int) -> None:
            spool.add(sample, self._encoded(self._collected(sample, there[sample])))

        for start in range(0, len(there), MANY):
            in_threads(encode, [one for one in range(start, min(start + MANY, len(there))) if one not in spool])
            if self._array is not None:
                release(self._array)
        found = cube_files(cube_spec(target), spool.get)
        while batch := list(islice(found, SHARDS)):
            files += in_threads(lambda one: target.put(f"{folder}/{one[0]}", one[1]), batch, threads=SHARDS)
        return files

    def _opened(self) -> tuple[NDArray[np.bool_], Spool]:
        if self._there is None or self._spool is None:
            raise RuntimeError("a cube writer is used within its with block")
        return self._there, self._spool

    def _shape(self) -> tuple[int, ...]:
        """(time, band, y, x) of a cube."""
        target = self.target
        return len(target.timesteps), len(target.product.bands), *target.samples[0].grid(target.resolution).shape

    def _collected(self, sample: int, there: NDArray[np.bool_]) -> NDArray[Any]:
        """The chips of a sample; nodata where there is none."""
        if self._array is None:
            return np.full(self._shape(), self.target.product.nodata or 0, self.target.product.dtype)
        cube: NDArray[Any] = self._array[sample]
        cube[~there] = self.target.product.nodata or 0
        return cube

    def _encoded(self, cube: NDArray[Any]) -> bytes:
        if cube.shape != self._shape():
            raise RuntimeError(f"got a cube of shape {cube.shape}, expected {self._shape()}")
        return encode_cube(cube.astype(self.target.product.dtype, copy=False), codec=self.target.layout.codec)


@dataclass(slots=True, kw_only=True)
class PartWriter:
    """Layout `parts`: the chips of one timestep, as numbers, for the cubes that are written when all are there."""

    target: Target
    _stack: ExitStack = field(default_factory=ExitStack)
    _array: NDArray[Any] | None = None
    _written: bool = False

    def __enter__(self) -> Self:
        target = self.target
        shape = len(target.samples), len(target.product.bands), *target.samples[0].grid(target.resolution).shape
        self._array = scratch_arrays({"chips": (shape, target.product.dtype)}, self._stack)["chips"]
        if target.product.nodata:
            self._array[...] = target.product.nodata
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._array = None
        self._stack.close()

    def begin(self, timestep: int) -> None:  # noqa: ARG002 - there is one
        """Forget what has come."""
        if self._written and self._array is not None:
            self._array[...] = self.target.product.nodata or 0

    def complete(self) -> None:
        """What has come is kept until the end."""

    def write(self, sample: int, timestep: int, chip: NDArray[Any]) -> None:
        """Keep the chip; there is one timestep."""
        if self._array is None or timestep:
            raise RuntimeError("a writer of parts is used within its with block, for one timestep")
        self._array[sample] = chip
        self._written = True

    def write_cube(self, sample: int, cube: NDArray[Any]) -> None:
        """Keep its only chip."""
        self.write(sample, 0, cube[0])

    def finish(self) -> list[FileEntry]:
        """Store the chips, sixteen samples a file; none of them is published."""
        target, array = self.target, self._array
        if array is None:
            raise RuntimeError("a writer of parts is used within its with block")
        folder = target.layout.parts(target.samples[0].id, target.product, target.timesteps[0].name)

        def put(shard: int) -> None:
            numbers = array[shard * SHARD : (shard + 1) * SHARD].reshape(-1).view(np.uint8)
            target.store.put(f"{folder}/{shard}", numbers.data, durable=False)

        in_threads(put, range(shard_count(len(array))))
        return []


def cube_spec(target: Target) -> CubeSpec:
    """The specification of a target's cube array."""
    grids = [sample.grid(target.resolution) for sample in target.samples]
    return CubeSpec(
        samples=tuple(str(sample.id) for sample in target.samples),
        timesteps=tuple(step.name for step in target.timesteps),
        times=tuple(step.stamp for step in target.timesteps),
        bands=tuple(band.name for band in target.product.bands),
        corners=tuple((grid.west, grid.north) for grid in grids),
        height=grids[0].height,
        width=grids[0].width,
        dtype=target.product.dtype,
        nodata=target.product.nodata,
        epsg=grids[0].epsg,
        resolution=target.resolution,
        observed=None if target.observed is None else tuple(tuple(row) for row in target.observed.tolist()),
        title=target.product.title,
        codec=target.layout.codec,
        scale=target.product.scale,
        unit=target.product.unit,
    )
