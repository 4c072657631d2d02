"""Layout `chips`: a file per sample and timestep."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Semaphore
from typing import TYPE_CHECKING, Any, Final, Self

from landloom.engine.pixels.writers.target import Target, parts
from landloom.formats.chip_tags import chip_tags
from landloom.formats.geotiff import encode_geotiff

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

    from landloom.corpus.manifest import FileEntry

WRITERS: Final = 8
"""Chips that are stored at a time."""


@dataclass(slots=True, kw_only=True)
class ChipWriter:
    """Layout `chips`: a GeoTIFF per sample and timestep, stored as soon as it is encoded.

    Threads of its own wait for the store: a disk that is asked for several files at a time is done with all of them at
    once.
    """

    target: Target
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(WRITERS, "store"))
    _room: Semaphore = field(default_factory=lambda: Semaphore(4 * WRITERS))
    """Counts the files that may still wait to be stored."""
    _futures: list[Future[FileEntry]] = field(default_factory=list)
    _faults: list[BaseException] = field(default_factory=list)
    _kept: dict[str, bytes] | None = None
    """Key → bytes of the chips of a timestep that is not complete."""

    def begin(self, timestep: int) -> None:  # noqa: ARG002 - files are named by it
        """Keep what comes in memory, encoded."""
        self._kept = {}

    def complete(self) -> None:
        """Store it."""
        kept, self._kept = self._kept or {}, None
        for key, data in kept.items():
            self._store(key, data)

    def write(self, sample: int, timestep: int, chip: NDArray[Any]) -> None:
        """Encode the chip, and store it in another thread, whose faults the next calls raise."""
        target, name = self.target, self.target.timesteps[timestep].name
        one = target.samples[sample]
        grid = one.grid(target.resolution)
        for band, array, names in parts(target.layout, target.product, chip):
            tags = chip_tags(target.product, target.timesteps[timestep], band)
            data = encode_geotiff(array, grid, nodata=target.product.nodata, bands=names, **tags)
            key = target.layout.chip(one.id, target.product, name, band)
            if self._kept is None:
                self._store(key, data)
            else:
                self._kept[key] = data

    def _store(self, key: str, data: bytes) -> None:
        if self._faults:
            raise self._faults[0]
        self._room.acquire()
        future = self._pool.submit(self.target.put, key, data)
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
