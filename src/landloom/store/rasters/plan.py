"""A plan of reads: blocks that it needs are fetched many at a time, and kept decoded until their last use."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, Self

from landloom.store.rasters.fetching import fetcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from landloom.store.rasters.blocks import BlockFile
    from landloom.store.rasters.fetching import Fetch


class PlannedRead(NamedTuple):
    """One read of a window that is to come, as `landloom.store.raster.RasterFile.planned` describes it."""

    blocks: BlockFile | None
    """Of its file; None if GDAL decodes them."""
    numbers: Sequence[int]
    """Blocks that the window touches."""
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
            blocks = read.blocks
            if blocks is None:
                continue
            if id(blocks) not in uses:
                uses[id(blocks)] = defaultdict(list)
                self._files.append(blocks)
            for number in read.numbers:
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


def remote_spans(reads: Iterable[PlannedRead]) -> set[tuple[int, int, int]]:
    """The stored blocks of files over the network that reads need: identity of the file, first byte, end."""
    found: set[tuple[int, int, int]] = set()
    for blocks, numbers, _ in reads:
        if blocks is not None and blocks.source.remote:
            spans = (blocks.span(number) for number in numbers)
            found.update((id(blocks), *span) for span in spans if span is not None)
    return found
