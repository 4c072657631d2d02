"""Writing the chips of a product as they are made, in the layouts of the recipe."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from threading import Lock, Semaphore
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

import numpy as np

from landloom.corpus.manifest import FileEntry
from landloom.engine.pixels.parallel import in_threads
from landloom.engine.pixels.scratch import Spool, release, scratch_arrays
from landloom.formats.chip_tags import chip_tags
from landloom.formats.geotiff import encode_geotiff
from landloom.formats.zarr.cubes import SHARD, cube_files, encode_cube, shard_count
from landloom.formats.zarr.spec import CubeSpec
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.model.time import Timestep
    from landloom.store.protocol import Store


WRITERS: Final = 8
"""Chips that are stored at a time."""
MANY: Final = 64
"""Cubes that threads encode before the memory of a temporary file is given back."""
SHARDS: Final = 8
"""Files of cubes that are in memory at a time, to be written."""
MAPPED: Final = 128 * 2**20
"""Bytes of chips after which the memory of a temporary file is given back."""


class ProductWriter(Protocol):
    """Takes the chips of one product and tile, in any order."""

    def write(self, sample: int, timestep: int, chip: NDArray[Any]) -> None:
        """Accept a chip (band, y, x) with the indices of its sample and timestep; any number of threads may do so."""
        ...

    def write_cube(self, sample: int, cube: NDArray[Any]) -> None:
        """Accept all chips of a sample (time, band, y, x) at once; any number of threads may do so."""
        ...

    def finish(self) -> list[FileEntry]:
        """Write the remaining chips; returns every file written."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


@dataclass(slots=True, kw_only=True)
class _Target:
    """The destination and subject of a writer."""

    store: Store
    layout: Layout
    product: Product
    samples: Sequence[Sample]
    timesteps: Sequence[Timestep]
    observed: NDArray[np.bool_] | None = None

    @property
    def resolution(self) -> float:
        return float(self.product.resolution or 10)

    def put(self, key: str, data: bytes) -> FileEntry:
        self.store.put(key, data)
        return FileEntry.of(key, data)


def parts(layout: Layout, product: Product, chip: NDArray[Any]) -> Iterator[tuple[str | None, NDArray[Any], list[str]]]:
    """The files of a chip: one with all bands, or one per band, according to the layout.

    Yields:
        Band in the file's name, or None; its part of the chip (band, y, x); names of its bands.
    """
    names = [band.name for band in product.bands]
    if layout.patterns.band_asset is None:
        yield None, chip, names
        return
    for position, name in enumerate(names):
        yield name, chip[position : position + 1], [name]


@dataclass(slots=True, kw_only=True)
class ChipWriter:
    """Layout `chips`: a GeoTIFF per sample and timestep, stored as soon as it is encoded.

    Threads of its own wait for the store: a disk that is asked for several files at a time is done with all of them at
    once.
    """

    target: _Target
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(WRITERS, "store"))
    _room: Semaphore = field(default_factory=lambda: Semaphore(4 * WRITERS))
    """Counts the files that may still wait to be stored."""
    _futures: list[Future[FileEntry]] = field(default_factory=list)
    _faults: list[BaseException] = field(default_factory=list)

    def write(self, sample: int, timestep: int, chip: NDArray[Any]) -> None:
        """Encode the chip, and store it in another thread, whose faults the next calls raise."""
        if self._faults:
            raise self._faults[0]
        target, name = self.target, self.target.timesteps[timestep].name
        one = target.samples[sample]
        grid = one.grid(target.resolution)
        for band, array, names in parts(target.layout, target.product, chip):
            tags = chip_tags(target.product, target.timesteps[timestep], band)
            data = encode_geotiff(array, grid, nodata=target.product.nodata, bands=names, **tags)
            self._room.acquire()
            future = self._pool.submit(target.put, target.layout.chip(one.id, target.product, name, band), data)
            future.add_done_callback(self._stored)
            self._futures.append(future)

    def _stored(self, future: Future[FileEntry]) -> None:
        fault = None if future.cancelled() else future.exception()
        if fault is not None:
            self._faults.append(fault)
        self._room.release()

    def write_cube(self, sample: int, cube: NDArray[Any]) -> None:
        """Encode and store the chips."""
        for timestep, chip in enumerate(cube):
            self.write(sample, timestep, chip)

    def finish(self) -> list[FileEntry]:
        """Wait until all files are stored."""
        return sorted((future.result() for future in self._futures), key=lambda file: file.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)


@dataclass(slots=True, kw_only=True)
class CubeWriter:
    """Layout `cubes`: chips of the tile are collected, whole cubes encoded at once; shards are written in id order."""

    target: _Target
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
            files += in_threads(lambda one: target.put(f"{folder}/{one[0]}", one[1]), batch)
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

    target: _Target
    _stack: ExitStack = field(default_factory=ExitStack)
    _array: NDArray[Any] | None = None

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

    def write(self, sample: int, timestep: int, chip: NDArray[Any]) -> None:
        """Keep the chip; there is one timestep."""
        if self._array is None or timestep:
            raise RuntimeError("a writer of parts is used within its with block, for one timestep")
        self._array[sample] = chip

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
            target.store.put(f"{folder}/{shard}", array[shard * SHARD : (shard + 1) * SHARD].tobytes())

        in_threads(put, range(shard_count(len(array))))
        return []


def cube_spec(target: _Target) -> CubeSpec:
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


@dataclass(slots=True, kw_only=True)
class AllWriters:
    """Passes each chip to the writer of every layout."""

    writers: Sequence[ProductWriter]

    def __enter__(self) -> Self:
        for writer in self.writers:
            writer.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for writer in self.writers:
            writer.__exit__(kind, error, at)

    def write(self, sample: int, timestep: int, chip: NDArray[Any]) -> None:
        """Pass it on."""
        for writer in self.writers:
            writer.write(sample, timestep, chip)

    def write_cube(self, sample: int, cube: NDArray[Any]) -> None:
        """Pass it on."""
        for writer in self.writers:
            writer.write_cube(sample, cube)

    def finish(self) -> list[FileEntry]:
        """The files of all of them."""
        return [file for writer in self.writers for file in writer.finish()]


def product_writer(
    *,
    store: str,
    layout: Layout,
    layouts: Sequence[str],
    product: Product,
    samples: Sequence[Sample],
    timesteps: Sequence[Timestep],
    observed: NDArray[np.bool_] | None = None,
) -> ProductWriter:
    """A writer for all the layouts of a recipe.

    Args:
        store: of the corpus.
        layout: its keys.
        layouts: `chips`, `cubes` or both; `parts` instead of `cubes` for one timestep of several.
        product: to write.
        samples: of one tile, in id order.
        timesteps: the product's time axis.
        observed: (sample, timestep) True where there is a chip, for an acquired axis; None for a regular one.
    """
    target = _Target(
        store=open_store(store), layout=layout, product=product, samples=samples, timesteps=timesteps, observed=observed
    )
    kinds: dict[str, type[ChipWriter | CubeWriter | PartWriter]] = {
        "chips": ChipWriter,
        "cubes": CubeWriter,
        "parts": PartWriter,
    }
    return AllWriters(writers=[kinds[name](target=target) for name in layouts])
