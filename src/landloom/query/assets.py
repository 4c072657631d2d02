"""Files of a selection, lazily: samples × products × timesteps, restricted to what exists.

Order: sample by sample (index order), within a sample product by product as asked for, within a product in time order.

A period chooses timesteps by their stamp, and it is half-open: a stamp equal to its start is in, one equal to its end
is not. A month is stamped the 15th at 10:30 UTC, a date at 10:30 of that day, as in the STAC. (The published helper,
which `landloom.query.published` reproduces, stamps months at their last day and is strict at both ends.)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np

from landloom.corpus.layout import ANY_SAMPLE
from landloom.errors import InvalidInputError, StoreError
from landloom.query.address_lists import blocks, filled
from landloom.query.index.arrays import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import pyarrow as pa
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.model.time import Period, Timestep
    from landloom.query.index.sidecar import Rows, Sidecar


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One file that a sample may have: a product at a timestep."""

    product: str
    """Key of the product."""
    timestep: str | None
    """Name of the timestep; None for a product without time."""
    place: int
    """Place of the timestep among the product's."""
    stamp: datetime | None = None
    """The instant that represents the timestep."""
    band: str | None = None
    """The band, where each is a file of its own."""
    template: str
    """Relative path, with gaps for the sample (`landloom.corpus.layout.ANY_SAMPLE`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file."""

    sample: str
    """Id of the sample."""
    product: str
    """Key of the product."""
    timestep: str | None
    """Name of the timestep; None for a product without time."""
    path: str
    """Relative to the corpus."""
    href: str
    """Path or URL that opens it."""
    stamp: datetime | None = None
    """The instant that represents it, UTC."""
    band: str | None = None
    """The band, where each is a file of its own."""


def _files(
    info: CorpusInfo, item: ProductInfo, timestep: str | None, bands: Sequence[str] | None
) -> Iterator[tuple[str, str | None]]:
    """Templates, and bands, of the files of one timestep."""
    product, layout = item.product, info.layout
    if product.kind == "labels":
        yield layout.label(ANY_SAMPLE, product.prefix), None
    elif product.kind == "raster-labels" and timestep is None:
        yield layout.raster_label(ANY_SAMPLE, product.prefix, item.label_version, product.suffix), None
    elif layout.patterns.band_asset is not None:
        for band in product.bands:
            if bands is None or band.name in bands:
                yield layout.chip(ANY_SAMPLE, product, timestep, band.name), band.name
    else:
        yield layout.chip(ANY_SAMPLE, product, timestep), None


def slots_of(
    info: CorpusInfo, keys: Sequence[str], period: Period | None = None, bands: Sequence[str] | None = None
) -> tuple[Slot, ...]:
    """Files that a sample may have.

    In a corpus of cubes alone imagery does not lie in files, and only labels do.

    Args:
        info: the corpus.
        keys: which products.
        period: choose timesteps whose stamp lies in it; products without time stay.
        bands: choose bands, where each is a file of its own.

    Raises:
        NotFoundError: no such product in the corpus.

    Example:
        >>> from landloom.query.index.rapidai4eo import published_info
        >>> slots_of(published_info(), ["s2"])[0].template
        'imagery/{zone}/{tile}/{id}/S2-SR/2018-01.tif'
    """
    slots: list[Slot] = []
    for key in keys:
        item = info.product(key)
        if "chips" not in info.layouts and item.product.kind in ("imagery", "quality"):
            continue
        steps: Sequence[Timestep | None] = item.timesteps or [None]
        for place, step in enumerate(steps):
            if step is None or period is None or step.stamp in period:
                name, stamp = (None, None) if step is None else (step.name, step.stamp)
                for text, band in _files(info, item, name, bands):
                    slots.append(Slot(product=key, timestep=name, place=place, stamp=stamp, band=band, template=text))
    return tuple(slots)


@dataclass(frozen=True, kw_only=True)
class AssetSet:
    """A lazy, immutable sequence of files; strings are made only when asked for."""

    sidecar: Sidecar = field(repr=False)
    """The corpus's index."""
    rows: Rows = field(repr=False)
    """Samples, in order."""
    slots: tuple[Slot, ...] = field(repr=False)
    """Files that a sample may have, in order."""
    base: str
    """Stands before relative paths in hrefs; ends with a slash."""
    window: range | None = None
    """Which part of the whole sequence this is; None for all of it."""

    @cached_property
    def _kinds(self) -> tuple[NDArray[np.intp] | None, NDArray[np.bool_]]:
        """(row,) number of each row's mask, None where all have the first; and (mask, slot) which files exist."""
        keys = list(dict.fromkeys(slot.product for slot in self.slots))
        found = {key: self.sidecar.availability(key) for key in keys if self.sidecar.has_availability(key)}
        varying = [key for key in found if found[key][0] is not None]
        codes = [np.asarray(found[key][0])[self.rows].astype(np.int64) for key in varying]
        if codes and len(self.rows):
            combined, kinds = np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)
        else:
            combined, kinds = np.zeros((1, 0), dtype=np.int64), None
        masks = np.ones((len(combined), len(self.slots)), dtype=bool)
        for number, slot in enumerate(self.slots):
            if slot.product in found:
                patterns = found[slot.product][1][:, slot.place]
                column = varying.index(slot.product) if slot.product in varying else None
                masks[:, number] = patterns[0] if column is None else patterns[combined[:, column]]
        return (None if kinds is None else kinds.reshape(-1)), masks

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        """(row,) number of files up to and with each row."""
        kinds, masks = self._kinds
        counts = masks.sum(axis=1)
        own = np.full(len(self.rows), counts[0]) if kinds is None else counts[kinds]
        ends: NDArray[np.int64] = np.cumsum(own, dtype=np.int64)
        return ends

    @cached_property
    def _whole(self) -> range:
        if self.window is not None:
            return self.window
        return range(int(self._ends[-1]) if len(self.rows) else 0)

    def __len__(self) -> int:
        return len(self._whole)

    @overload
    def __getitem__(self, index: int) -> Asset: ...
    @overload
    def __getitem__(self, index: slice) -> AssetSet: ...
    def __getitem__(self, index: int | slice) -> Asset | AssetSet:
        if isinstance(index, slice):
            window = self._whole[index]
            if window.step != 1:
                raise InvalidInputError(f"got a slice with step {window.step}, expected 1")
            return replace(self, window=window)
        flat = self._whole[index]
        row = int(np.searchsorted(self._ends, flat, side="right"))
        kinds, masks = self._kinds
        present = np.flatnonzero(masks[0 if kinds is None else kinds[row]])
        slot = self.slots[int(present[flat - (int(self._ends[row - 1]) if row else 0)])]
        return self._asset(self.rows[row : row + 1], slot)

    def _asset(self, row: Rows, slot: Slot) -> Asset:
        directory, identity = self.sidecar.directories(row)[0].decode(), self.sidecar.ids(row)[0].decode()
        path = filled(slot.template, directory, identity)
        return Asset(
            sample=identity,
            product=slot.product,
            timestep=slot.timestep,
            path=path,
            href=f"{self.base}{path}",
            stamp=slot.stamp,
            band=slot.band,
        )

    def __iter__(self) -> Iterator[Asset]:
        return (self[place] for place in range(len(self)))

    def _row_range(self) -> tuple[int, int, int]:
        """First row, last row + 1, and how many files of the first row come before the window."""
        window = self._whole
        if not len(window):
            return 0, 0, 0
        first = int(np.searchsorted(self._ends, window.start, side="right"))
        last = int(np.searchsorted(self._ends, window.stop - 1, side="right"))
        return first, last + 1, window.start - (int(self._ends[first - 1]) if first else 0)

    def _stretches(self, first: int, last: int) -> Iterator[tuple[int, int, NDArray[np.bool_]]]:
        """Stretches of rows for which the same files exist."""
        kinds, masks = self._kinds
        if kinds is None:
            yield first, last, masks[0]
            return
        change = np.flatnonzero(np.diff(kinds[first:last])) + 1 + first
        edges = [first, *change.tolist(), last]
        for start, end in pairwise(edges):
            yield start, end, masks[kinds[start]]

    def lines(self, *, absolute: bool = False) -> Iterator[bytes]:
        """Addresses as bytes, one a line, in blocks.

        Args:
            absolute: hrefs instead of relative paths.
        """
        first, last, skipped = self._row_range()
        if last == first:
            return
        partial = skipped > 0 or int(self._ends[last - 1]) != self._whole.stop
        left = len(self)
        for start, end, mask in self._stretches(first, last):
            templates = [slot.template for slot, present in zip(self.slots, mask, strict=True) if present]
            rows = self.rows[start:end]
            texts = self.sidecar.directories(rows), self.sidecar.ids(rows)
            for block in blocks(*texts, templates, self.base if absolute else ""):
                if not partial:
                    yield block
                    continue
                lines = block.splitlines(keepends=True)
                piece = lines[skipped : skipped + left]
                skipped, left = max(skipped - len(lines), 0), left - len(piece)
                yield b"".join(piece)

    def paths(self) -> list[str]:
        """Paths relative to the corpus."""
        return b"".join(self.lines()).decode().split("\n")[:-1]

    def hrefs(self) -> list[str]:
        """Addresses that open: paths of a local corpus, URLs of a remote one."""
        return b"".join(self.lines(absolute=True)).decode().split("\n")[:-1]

    def write_list(self, path: str | Path, *, absolute: bool = False) -> int:
        """Write one address a line: what `rclone --files-from-raw` and `azcopy --list-of-files` take.

        Args:
            path: the file; replaced whole or not at all.
            absolute: hrefs instead of relative paths.

        Returns:
            The number of lines.

        Raises:
            StoreError: there can be no such file; folders that are not there are made.
        """
        try:
            write_atomically(Path(path), self.lines(absolute=absolute))
        except OSError as error:
            raise StoreError(f"cannot write the list {path}: {error.strerror or error}") from error
        return len(self)

    def to_arrow(self) -> pa.Table:
        """Columns `id`, `product`, `timestep` (dictionaries) and `path`, a row per file."""
        import pyarrow as pa

        kinds, masks = self._kinds
        present = masks[np.zeros(len(self.rows), dtype=np.intp) if kinds is None else kinds]
        row, slot = (part[self._whole.start : self._whole.stop] for part in np.nonzero(present))
        ids = pa.array(self.sidecar.ids(self.rows).astype(str).tolist())
        columns = {
            "id": pa.DictionaryArray.from_arrays(row.astype(np.int32), ids),
            "product": pa.DictionaryArray.from_arrays(
                slot.astype(np.int32), pa.array([item.product for item in self.slots], pa.string())
            ),
            "timestep": pa.DictionaryArray.from_arrays(
                slot.astype(np.int32), pa.array([item.timestep for item in self.slots], pa.string())
            ),
            "path": pa.array(self.paths(), pa.string()),
        }
        return pa.table(columns)
