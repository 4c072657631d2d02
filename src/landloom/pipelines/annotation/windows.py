"""What an annotator sees of a task: the series of its pixels and of their surroundings."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from landloom.errors import InvalidInputError
from landloom.pipelines.annotation.series import ChipSeries, SeriesSource
from landloom.pipelines.annotation.superpixels import superpixels
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    import os
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.annotate.tasks.values import TaskWindow
    from landloom.model.grid import Grid
    from landloom.model.sensor import Band

Kind = TypeVar("Kind", bound=np.generic)

CACHE: Final = 256 * 2**20
"""Bytes of decoded chips that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """A task with its surroundings."""

    chip: str
    """Id of the chip's sample."""
    row: int
    """First row of the task inside the window."""
    column: int
    """First column of the task inside the window."""
    height: int
    """Rows of the task."""
    width: int
    """Columns of the task."""
    times: tuple[datetime, ...]
    """UTC, in time order."""
    bands: tuple[Band, ...]
    reflectance: NDArray[np.uint16]
    """(time, band, y, x), 10,000 × reflectance; 0 for nodata and beyond the chip."""
    valid: NDArray[np.bool_]
    """(time, y, x) True where a pixel is clear and has data."""

    @property
    def task(self) -> tuple[slice, slice]:
        """Rows and columns of the task inside the window."""
        return slice(self.row, self.row + self.height), slice(self.column, self.column + self.width)

    @property
    def clear(self) -> tuple[float, ...]:
        """(time,) share of the task's pixels that are valid."""
        inside = self.valid[:, *self.task]
        return tuple(inside.reshape(len(inside), -1).mean(axis=1).tolist())

    def payload(self) -> bytes:
        """The bytes for the page: reflectance as little-endian uint16, then valid as uint8, both in array order."""
        return b"".join((self.reflectance.astype("<u2", copy=False).data, self.valid.view(np.uint8).data))


class WindowReader:
    """Reads the windows of tasks; chips that were decoded lately are kept within a bound. Threads may share it.

    Args:
        corpus: folder, address or name of the corpus, or the opened corpus.
        context: side of a window in pixels. Along an axis on which the chip is not longer, a window is the whole chip.
        series: key of the product that annotators see; empty for the first series of the corpus.
        cache_bytes: bound of the decoded chips that are kept; a larger chip is read again for each window.
    """

    def __init__(
        self, corpus: str | os.PathLike[str] | Corpus, *, context: int = 96, series: str = "", cache_bytes: int = CACHE
    ) -> None:
        opened = corpus if isinstance(corpus, Corpus) else Corpus.open(corpus)
        self.source = SeriesSource(corpus=opened, key=series)
        self.context = context
        self.cache_bytes = cache_bytes
        self._kept: OrderedDict[str, ChipSeries] = OrderedDict()
        self._lock = threading.Lock()
        self._reading: dict[str, threading.Lock] = {}

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """Bands of every window, in order."""
        return self.source.bands

    def grid(self, chip: str) -> Grid:
        """Grid of a chip."""
        return self.source.grid(chip)

    def chip(self, chip: str) -> ChipSeries:
        """The whole series of a chip, from memory where it is kept."""
        with self._lock:
            found = self._found(chip)
            if found is not None:
                return found
            own = self._reading.setdefault(chip, threading.Lock())
        with own:  # several windows of one chip wait for one reading
            with self._lock:
                found = self._found(chip)
            if found is None:
                found = self.source.read(chip)
            with self._lock:
                self._keep(chip, found)
                self._reading.pop(chip, None)
        return found

    def _found(self, chip: str) -> ChipSeries | None:
        found = self._kept.get(chip)
        if found is not None:
            self._kept.move_to_end(chip)
        return found

    def _keep(self, chip: str, series: ChipSeries) -> None:
        if series.size > self.cache_bytes:
            return
        self._kept[chip] = series
        self._kept.move_to_end(chip)
        while self.kept_bytes > self.cache_bytes:
            self._kept.popitem(last=False)

    @property
    def kept_bytes(self) -> int:
        """Bytes of decoded chips in memory."""
        return sum(series.size for series in self._kept.values())

    def window(self, task: TaskWindow) -> Window:
        """Read the window of a task.

        Raises:
            NotFoundError: the corpus has no such chip.
            InvalidInputError: the task lies outside the chip.
        """
        series = self.chip(task.chip)
        height, width = series.valid.shape[1:]
        if task.row + task.height > height or task.column + task.width > width:
            raise InvalidInputError(
                f"{task.chip}: got a task up to row {task.row + task.height} and column {task.column + task.width}, "
                f"expected at most {height} and {width}"
            )
        rows = _span(task.row, task.height, height, self.context)
        columns = _span(task.column, task.width, width, self.context)
        return Window(
            chip=task.chip,
            row=task.row - rows.start,
            column=task.column - columns.start,
            height=task.height,
            width=task.width,
            times=series.times,
            bands=self.bands,
            reflectance=_cut(series.reflectance, rows, columns),
            valid=_cut(series.valid, rows, columns),
        )

    def superpixels(self, task: TaskWindow, size: int = 6) -> NDArray[np.uint16]:
        """(y, x) segments of a task from its series, numbered from 1; see `superpixels`."""
        window = self.window(task)
        found = superpixels(window.reflectance, window.valid, size)[window.task]
        _, numbers = np.unique(found, return_inverse=True)
        return (numbers.reshape(found.shape) + 1).astype(np.uint16)


def _span(start: int, length: int, side: int, context: int) -> range:
    """Pixels of a window along one axis; they may lie beyond the chip, from 0 to `side`."""
    if side <= context:
        return range(side)
    first = start + length // 2 - context // 2
    return range(first, first + context)


def _cut(array: NDArray[Kind], rows: range, columns: range) -> NDArray[Kind]:
    """(…, y, x) pixels of a window; 0 beyond the array."""
    height, width = array.shape[-2:]
    top, bottom = max(rows.start, 0), min(rows.stop, height)
    left, right = max(columns.start, 0), min(columns.stop, width)
    inside = array[..., top:bottom, left:right]
    if inside.shape[-2:] == (len(rows), len(columns)):
        return np.ascontiguousarray(inside)
    result = np.zeros((*array.shape[:-2], len(rows), len(columns)), dtype=array.dtype)
    result[..., top - rows.start : bottom - rows.start, left - columns.start : right - columns.start] = inside
    return result
