"""Writing the chips of a product as they are made, in the layouts of the recipe."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

import numpy as np

from landloom.corpus.manifest import FileEntry
from landloom.engine.pixels.scratch import release, scratch_arrays
from landloom.formats.geotiff import encode_geotiff
from landloom.formats.zarr.cubes import encode_cubes
from landloom.formats.zarr.metadata import CubeSpec
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


MAPPED: Final = 128 * 2**20
"""Bytes of chips after which the memory of a temporary file is given back."""


class ProductWriter(Protocol):
    """Takes the chips of one product and tile, in any order."""

    def write(self, sample: int, timestep: int, chip: NDArray[Any]) -> None:
        """Accept a chip (band, y, x) with the indices of its sample and timestep."""
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
    """Layout `chips`: a GeoTIFF per sample and timestep, written at once."""

    target: _Target
    files: list[FileEntry] = field(default_factory=list)

    def write(self, sample: int, timestep: int, chip: NDArray[Any]) -> None:
        """Encode and store the chip."""
        target, name = self.target, self.target.timesteps[timestep].name
        one = target.samples[sample]
        grid = one.grid(target.resolution)
        for band, array, names in parts(target.layout, target.product, chip):
            data = encode_geotiff(array, grid, nodata=target.product.nodata, bands=names)
            self.files.append(target.put(target.layout.chip(one.id, target.product, name, band), data))

    def finish(self) -> list[FileEntry]:
        """All files are already written."""
        return self.files

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """There is nothing to close."""


@dataclass(slots=True, kw_only=True)
class CubeWriter:
    """Layout `cubes`: all chips of the tile are collected, then written shard by shard in id order."""

    target: _Target
    _stack: ExitStack = field(default_factory=ExitStack)
    _array: NDArray[Any] | None = None
    _there: NDArray[np.bool_] | None = None
    _written: int = 0

    def __enter__(self) -> Self:
        target = self.target
        one = target.samples[0].grid(target.resolution)
        shape = (len(target.samples), len(target.timesteps), len(target.product.bands), *one.shape)
        self._array = scratch_arrays({"cubes": (shape, target.product.dtype)}, self._stack)["cubes"]
        self._there = np.zeros(shape[:2], np.bool_)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._array = None
        self._stack.close()

    def write(self, sample: int, timestep: int, chip: NDArray[Any]) -> None:
        """Keep the chip until the tile is complete."""
        if self._array is None or self._there is None:
            raise RuntimeError("a cube writer is used within its with block")
        self._array[sample, timestep] = chip
        self._there[sample, timestep] = True
        self._written += chip.nbytes
        if self._written > MAPPED:
            release(self._array)
            self._written = 0

    def finish(self) -> list[FileEntry]:
        """Encode and store every shard, then the metadata."""
        if self._array is None or self._there is None:
            raise RuntimeError("a cube writer is used within its with block")
        target = self.target
        for sample, timestep in np.argwhere(~self._there):
            self._array[sample, timestep] = target.product.nodata or 0
        folder = target.layout.cube(target.samples[0].id, target.product)
        files = []
        if target.observed is None and not self._there.all():
            target = replace(target, observed=self._there)
        for key, data in encode_cubes(cube_spec(target), self._array):
            files.append(target.put(f"{folder}/{key}", data))
            release(self._array)
        return files


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
        layouts: `chips`, `cubes` or both.
        product: to write.
        samples: of one tile, in id order.
        timesteps: the product's time axis.
        observed: (sample, timestep) True where there is a chip, for an acquired axis; None for a regular one.
    """
    target = _Target(
        store=open_store(store), layout=layout, product=product, samples=samples, timesteps=timesteps, observed=observed
    )
    kinds: dict[str, type[ChipWriter | CubeWriter]] = {"chips": ChipWriter, "cubes": CubeWriter}
    return AllWriters(writers=[kinds[name](target=target) for name in layouts])
