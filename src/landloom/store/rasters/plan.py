"""A plan of reads: blocks that it needs are fetched many at a time, and kept decoded until their last use."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, Self

from landloom.store.rasters.fetching import fetcher

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from landloom.model.grid import Grid
    from landloom.store.raster import RasterFile
    from landloom.store.rasters.blocks import BlockFile
    from landloom.store.rasters.fetching import Fetch


class PlannedRead(NamedTuple):
    """One read of a window that is to come."""

    file: RasterFile
    window: Grid
    band: int
    """Counted from 1."""
    position: int
    """When it comes, counted up; several may share one."""


class ReadPlan:
    """Reads that will come; within its context, files know of them. Each file is read by one thread at a time.

    Args:
        reads: in their order. Reads of files that GDAL has to decode are passed over: GDAL fetches what it needs.
    """

    def __init__(self, reads: Iterable[PlannedRead]) -> None:
        self._files: list[BlockFile] = []
        uses: dict[int, dict[int, list[int]]] = {}
        for read in reads:
            blocks, numbers = _touched(read.file, read.window, read.band)
            if blocks is None:
                continue
            if id(blocks) not in uses:
                uses[id(blocks)] = defaultdict(list)
                self._files.append(blocks)
            for number in numbers:
                uses[id(blocks)][number].append(read.position)
        self._uses = [uses[id(blocks)] for blocks in self._files]

    def __enter__(self) -> Self:
        fetches: list[tuple[int, Fetch]] = []
        for blocks, uses in zip(self._files, self._uses, strict=True):
            blocks.plan(uses)
            if blocks.source.remote:
                fetches += blocks.ahead(uses)
        if fetches:
            fetcher().later(fetch for _, fetch in sorted(fetches, key=lambda one: one[0]))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for blocks in self._files:
            blocks.end_plan()


def encoded_bytes(windows: Iterable[tuple[RasterFile, Grid, int]]) -> int:
    """Bytes of the stored blocks that windows touch: file, window and number of the band."""
    found: set[tuple[int, tuple[int, int]]] = set()
    for file, window, band in windows:
        blocks, numbers = _touched(file, window, band)
        if blocks is not None and blocks.source.remote:
            spans = (blocks.span(number) for number in numbers)
            found.update((id(blocks), span) for span in spans if span is not None)
    return sum(stop - start for _, (start, stop) in found)


def _touched(file: RasterFile, window: Grid, band: int) -> tuple[BlockFile | None, list[int]]:
    """The blocks that a read of a window needs; none if GDAL decodes them, or there is no such band."""
    box = file.box(window)
    if file.blocks is None or box is None or not 1 <= band <= file.count:
        return None, []
    return file.blocks, file.blocks.blocks(box, band)
