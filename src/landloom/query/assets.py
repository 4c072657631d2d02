"""Files of a selection, lazily: samples × products × timesteps, restricted to what exists.

Order: by sample (index order), then by product (as requested), then by time.

A period selects timesteps by their stamp and is half-open: a stamp equal to its start is included, one equal to its end
is not. The stamp of a month is the 15th at 10:30 UTC, that of a date 10:30 of the day, as in the STAC. (The published
helper, which `landloom.query.published` reproduces, uses the last day of a month and excludes both ends.)
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

    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.model.time import Period, Timestep
    from landloom.query.index.sidecar import Rows, Sidecar


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One possible file of a sample: a product at a timestep."""

    product: str
    """Key of the product."""
    timestep: str | None
    """Name of the timestep; None for a product without time."""
    position: int
    """Index of the timestep in the product."""
    stamp: datetime | None = None
    """The instant that represents the timestep."""
    band: str | None = None
    """The band, if each band is a separate file."""
    template: str
    """Relative path, with placeholders for the sample (`landloom.corpus.layout.ANY_SAMPLE`)."""


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
    """The band, if each band is a separate file."""


def _files(
    info: CorpusInfo, item: ProductInfo, timestep: str | None, bands: Sequence[str] | None
) -> Iterator[tuple[str, str | None]]:
    """Path templates, and bands, of the files of one timestep."""
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
    """Possible files of a sample.

    A corpus with only cubes has no imagery files, only label files.

    Args:
        info: the corpus.
        keys: keys of products.
        period: select timesteps by their stamp; products without time are kept.
        bands: select bands, if each is a separate file.

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
        for position, step in enumerate(steps):
            if step is None or period is None or step.stamp in period:
                name, stamp = (None, None) if step is None else (step.name, step.stamp)
                for text, band in _files(info, item, name, bands):
                    slots.append(
                        Slot(product=key, timestep=name, position=position, stamp=stamp, band=band, template=text)
                    )
    return tuple(slots)


def _dictionary(texts: Sequence[str | None], chosen: NDArray[np.intp]) -> pa.DictionaryArray:
    """Some of these texts, each different one kept once; None is null."""
    import pyarrow as pa

    words = list(dict.fromkeys(text for text in texts if text is not None))
    codes = np.array([-1 if text is None else words.index(text) for text in texts], dtype=np.int32)[chosen]
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), pa.array(words, pa.string()))


@dataclass(frozen=True, kw_only=True)
class AssetSet:
    """A lazy, immutable sequence of files; strings are created only on demand."""

    sidecar: Sidecar = field(repr=False)
    """Index of the corpus."""
    rows: Rows = field(repr=False)
    """Rows of the samples, in order."""
    slots: tuple[Slot, ...] = field(repr=False)
    """Possible files of a sample, in order."""
    base: str
    """Prefix of relative paths in hrefs; ends with a slash."""
    window: range | None = None
    """The part of the whole sequence; None for all of it."""

    @cached_property
    def _kinds(self) -> tuple[NDArray[np.intp] | None, NDArray[np.bool_]]:
        """(row,) index of each row's mask, None if all have the first; and (mask, slot) existing files."""
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
                patterns = found[slot.product][1][:, slot.position]
                column = varying.index(slot.product) if slot.product in varying else None
                masks[:, number] = patterns[0] if column is None else patterns[combined[:, column]]
        return (None if kinds is None else kinds.reshape(-1)), masks

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        """(row,) cumulative number of files up to and including each row."""
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
        return (self[position] for position in range(len(self)))

    def _row_range(self) -> tuple[int, int, int]:
        """First row, last row + 1, and number of files of the first row before the window."""
        window = self._whole
        if not len(window):
            return 0, 0, 0
        first = int(np.searchsorted(self._ends, window.start, side="right"))
        last = int(np.searchsorted(self._ends, window.stop - 1, side="right"))
        return first, last + 1, window.start - (int(self._ends[first - 1]) if first else 0)

    def _stretches(self, first: int, last: int) -> Iterator[tuple[int, int, NDArray[np.bool_]]]:
        """Runs of rows with the same existing files."""
        kinds, masks = self._kinds
        if kinds is None:
            yield first, last, masks[0]
            return
        change = np.flatnonzero(np.diff(kinds[first:last])) + 1 + first
        edges = [first, *change.tolist(), last]
        for start, end in pairwise(edges):
            yield start, end, masks[kinds[start]]

    def lines(self, *, absolute: bool = False) -> Iterator[bytes]:
        """Addresses as bytes, one per line, in blocks.

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
        """Addresses for opening: paths of a local corpus, URLs of a remote one."""
        return b"".join(self.lines(absolute=True)).decode().split("\n")[:-1]

    def write_list(self, path: str | Path, *, absolute: bool = False) -> int:
        """Write one address per line, as read by `rclone --files-from-raw` and `azcopy --list-of-files`.

        Args:
            path: the file; replaced atomically.
            absolute: hrefs instead of relative paths.

        Returns:
            The number of lines.

        Raises:
            StoreError: the file cannot be written; missing folders are created.
        """
        try:
            write_atomically(Path(path), self.lines(absolute=absolute))
        except OSError as error:
            raise StoreError(f"cannot write the list {path}: {error.strerror or error}") from error
        return len(self)

    def to_arrow(self) -> pa.Table:
        """Columns `id`, `product`, `timestep` (dictionaries) and `path`, one row per file."""
        import pyarrow as pa

        kinds, masks = self._kinds
        present = masks[np.zeros(len(self.rows), dtype=np.intp) if kinds is None else kinds]
        row, slot = (part[self._whole.start : self._whole.stop] for part in np.nonzero(present))
        ids = pa.array(self.sidecar.ids(self.rows).astype(str).tolist())
        columns = {
            "id": pa.DictionaryArray.from_arrays(row.astype(np.int32), ids),
            "product": _dictionary([item.product for item in self.slots], slot),
            "timestep": _dictionary([item.timestep for item in self.slots], slot),
            "path": pa.array(self.paths(), pa.string()),
        }
        return pa.table(columns)

    def to_dataframe(self) -> pd.DataFrame:
        """One row per file: `id`, `product`, `timestep`, `path`, and `href`, which opens it.

        Example:
            >>> from landloom.query.example import example_corpus
            >>> frame = example_corpus().query(products="s2", period="2018-06").assets.to_dataframe()
            >>> frame.shape, frame.href[0].removeprefix("https://example.org/corpus/") == frame.path[0]
            ((4, 5), True)
        """
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame.assign(href=self.hrefs())
