"""The engine's index: compact, memory-mapped arrays built from a corpus's interchange index.

Rows keep the order of the index. A *run* is a sequence of rows of one tile (and CRS); shared values are stored once per
run. For a `utm24` sample only its cell is stored, in two bytes; id, footprint and addresses follow from tile and cell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import NotFoundError
from landloom.query.index.corners import corners
from landloom.query.recent import Kept

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.query.index.packing import PackedColumns
    from landloom.query.index.sidecar_meta import SidecarMeta

    Rows = NDArray[np.int32]
    Postings = tuple[Rows, NDArray[np.int32]]
    Prefixes = tuple[dict[bytes, list[int]], list[int]]

_DENSE: Final = 12
"""Number of label columns kept with a value for every row: 2 MB each for 500,000 samples."""
_POSTINGS: Final = 24
"""Number of label columns kept as rows and values: 8 bytes for each row with the class."""


@cache
def _endings(cells: int) -> NDArray[np.void]:
    """(cell,) the last six bytes of the id of each cell of a tile, with a line feed: `29_01`."""
    numbers = range(1, cells + 1)
    text = b"".join(b"%02d_%02d\n" % (row, column) for row in numbers for column in numbers)
    return np.frombuffer(text, "V6")


@lru_cache(maxsize=16)
def _described(text: str) -> CorpusInfo:
    from landloom.corpus.documents import parse_corpus_json

    return parse_corpus_json(text.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """The arrays of one corpus, and values derived from them."""

    arrays: Mapping[str, NDArray[Any]] = field(repr=False)
    """Arrays by name; see `landloom.query.index.geoparquet.Draft` for their content."""
    meta: SidecarMeta = field(repr=False)
    """Description of the corpus, columns, vocabularies, source."""
    _dense: Kept[NDArray[np.int32]] = field(default_factory=lambda: Kept(_DENSE), repr=False, compare=False)
    _postings: Kept[Postings] = field(default_factory=lambda: Kept(_POSTINGS), repr=False, compare=False)
    _prefixes: Kept[Prefixes] = field(default_factory=lambda: Kept(1), repr=False, compare=False)

    def __len__(self) -> int:
        return int(self.run_starts[-1])

    @property
    def info(self) -> CorpusInfo:
        """The corpus, as described by its documents, without the recipe; read on first use."""
        return _described(self.meta.corpus)

    @property
    def scheme(self) -> str:
        """Identity scheme: `utm24`, `granule` or `window`."""
        return self.meta.scheme

    @property
    def decimals(self) -> int | None:
        """Decimals of published footprints; None if they are not rounded."""
        return self.meta.decimals

    @property
    def columns(self) -> tuple[str, ...]:
        """Label columns of the finest level, in index order."""
        return self.meta.columns

    @property
    def groups(self) -> Mapping[str, Sequence[str]]:
        """Label columns of coarser levels → the columns that they sum."""
        return self.meta.groups

    @property
    def run_starts(self) -> NDArray[np.int32]:
        """(run + 1,) first row of each run, and the number of rows."""
        return self.arrays["run_starts"]

    @property
    def run_bounds(self) -> NDArray[np.float64]:
        """(run, 4) west, south, east, north in degrees of the footprints of each run."""
        return self.arrays["run_bounds"]

    def run_of(self, rows: Rows) -> NDArray[np.int64]:
        """Run of each row."""
        return np.searchsorted(self.run_starts, rows, side="right") - 1

    def rows_of_runs(self, runs: NDArray[np.integer]) -> Rows:
        """Ascending rows of ascending runs."""
        if not len(runs):
            return np.empty(0, dtype=np.int32)
        starts, ends = self.run_starts[runs], self.run_starts[runs + 1]
        lengths = ends - starts
        shift = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        rows: Rows = (np.arange(len(shift)) + shift).astype(np.int32)
        return rows

    def directories(self, rows: Rows) -> NDArray[np.bytes_]:
        """`33N/16E-243N` of each row: its folder below `imagery/` and `labels/`."""
        directories: NDArray[np.bytes_] = self.arrays["run_directory"][self.run_of(rows)]
        return directories

    def ids(self, rows: Rows) -> NDArray[np.bytes_]:
        """Sample ids as ASCII bytes of one width."""
        tiles: NDArray[np.bytes_] = self.arrays["run_prefix"][self.run_of(rows)]
        if self.scheme != "utm24":
            return np.char.add(tiles, self.arrays["suffix"][rows])
        width = tiles.dtype.itemsize + 5
        lines = self._lines(rows).view(np.uint8).reshape(-1, width + 1)
        return np.ascontiguousarray(lines[:, :width]).view(f"S{width}").reshape(-1)

    def _lines(self, rows: Rows) -> NDArray[np.void]:
        """(n,) `utm24` ids, each with a line feed."""
        tiles, endings = self.arrays["run_prefix"], _endings(self._cells)
        width = tiles.dtype.itemsize
        lines = np.empty(len(rows), dtype=[("tile", f"V{width}"), ("cell", endings.dtype)])
        # Taking items of a few bytes is twice as fast as taking rows of a character matrix.
        lines["tile"] = tiles.view(f"V{width}").take(self.run_of(rows))
        lines["cell"] = endings.take(self.arrays["cell"].take(rows))
        return lines

    def texts(self, rows: Rows) -> tuple[str, ...]:
        """Sample ids."""
        if self.scheme != "utm24":
            return tuple(identity.decode("ascii") for identity in self.ids(rows).tolist())
        return tuple(self._lines(rows).tobytes().decode("ascii").split())

    def epsg(self, rows: Rows) -> NDArray[np.int32]:
        """CRS of each row's square."""
        epsg: NDArray[np.int32] = self.arrays["run_epsg"][self.run_of(rows)]
        return epsg

    def squares(self, rows: Rows) -> NDArray[np.float64]:
        """(n, 4) west, south, east, north of each row in its CRS."""
        if self.scheme != "utm24":
            bounds: NDArray[np.float64] = self.arrays["bounds"][rows]
            return bounds
        east, north = self.arrays["run_tile"][self.run_of(rows)].T
        row, column = np.divmod(self.arrays["cell"][rows].astype(np.int64), self._cells)
        tile, cell = self.meta.tile_size, self.meta.cell_size
        west, top = east * tile + column * cell, (north + 1) * tile - row * cell
        return np.column_stack([west, top - cell, west + cell, top]).astype(np.float64)

    def corners(self, rows: Rows, *, exact: bool = False) -> NDArray[np.float64]:
        """(n, 4, 2) corners of footprints in WGS84; for odd rows those of their square.

        Args:
            rows: the rows.
            exact: with the exact digits of PROJ, for decisions that depend on them.
        """
        return corners(self.epsg(rows), self.squares(rows), self.decimals, exact=exact and self.decimals is None)

    def middles(self, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Positions of samples of a `utm24` corpus to a few metres, by a few multiplications.

        Args:
            rows: the rows.

        Returns:
            (2, n) longitude and latitude of their centres, and (2, n) maximum distance of a corner from there in
            degrees.
        """
        table = self.arrays["run_middle"][self.run_of(rows)].T
        cells = self._cells
        row, column = np.divmod(self.arrays["cell"][rows], cells)
        u, v = (column + 0.5) / cells, (row + 0.5) / cells
        middle = table[:2] + table[2:4] * u + table[4:6] * v + table[6:8] * (u * v)
        middle[0] -= 360.0 * (middle[0] > 180)  # a tile across 180° goes on beyond it
        return middle, table[8:]

    @property
    def _cells(self) -> int:
        """Cells along a side of a tile."""
        return self.meta.cells

    def column(self, name: str) -> NDArray[np.int32]:
        """(row,) millionths of a label column of any level; read-only.

        Raises:
            NotFoundError: no such column.
        """
        return self._dense.get(name, lambda: self._unpacked(name))

    def _unpacked(self, name: str) -> NDArray[np.int32]:
        rows, values = self.postings(name)
        result = np.zeros(len(self), dtype=np.int32)
        result[rows] = values
        result.flags.writeable = False
        return result

    def postings(self, name: str) -> Postings:
        """Ascending rows in which a label column of any level is not 0, and its millionths there.

        Raises:
            NotFoundError: no such column.
        """
        return self._postings.get(name, lambda: self._found(name))

    def _found(self, name: str) -> Postings:
        packed = self.labels
        if name in self.groups:
            total = np.zeros(len(self), dtype=np.int32)
            for member in self.groups[name]:
                places, shares = packed.entries(self.columns.index(member))
                total[places] += shares
            rows: Rows = np.flatnonzero(total).astype(np.int32)
            values = total[rows]
        elif name in self.columns:
            places, shares = packed.entries(self.columns.index(name))
            order = np.argsort(places, kind="stable")
            rows, values = places[order], shares[order]
        else:
            raise NotFoundError.of("label column", name, (*self.columns, *self.groups))
        rows.flags.writeable = values.flags.writeable = False
        return rows, values

    @property
    def labels(self) -> PackedColumns:
        """The packed columns of the finest level, in the order of `columns`."""
        from landloom.query.index.packing import PackedColumns

        return PackedColumns(
            blob=self.arrays["label_blob"], starts=self.arrays["label_starts"], counts=self.arrays["label_counts"]
        )

    def rows_with(self, names: Sequence[str], most: int) -> Rows | None:
        """Ascending rows in which any of some label columns is not 0; None if there are more than `most`.

        Args:
            names: columns of any level.
            most: above this number, scanning every row is as fast.
        """
        packed = self.labels
        members = {member for name in names for member in self.groups.get(name, (name,))}
        if sum(packed.reach(self.columns.index(member)) for member in members) > most:
            return None
        pieces = [self.postings(name)[0] for name in names]
        if len(pieces) == 1:
            return pieces[0]
        return np.unique(np.concatenate(pieces)) if pieces else np.empty(0, dtype=np.int32)

    def shares(self, rows: Rows) -> NDArray[np.int32]:
        """(n, column) millionths of some rows, every column of the finest level."""
        place = np.full(len(self), -1, dtype=np.int32)
        place[rows] = np.arange(len(rows), dtype=np.int32)
        result = np.zeros((len(rows), len(self.columns)), dtype=np.int32)
        for number in range(len(self.columns)):
            places, values = self.labels.entries(number)
            chosen = place[places]
            result[chosen[chosen >= 0], number] = values[chosen >= 0]
        return result

    def vocabulary(self, name: str) -> list[str | None]:
        """Values of `stratum` or `split`; the first is None."""
        return [None, *self.meta.vocabularies[name]]

    def codes(self, name: str) -> NDArray[np.integer]:
        """(row,) index of each row's `stratum` or `split` in its vocabulary."""
        codes: NDArray[np.integer] = self.arrays[name]
        return codes

    def availability(self, product: str) -> tuple[NDArray[np.integer] | None, NDArray[np.bool_]]:
        """Existing files of a product.

        Returns:
            (row,) index of each row's pattern, or None if all rows have pattern 0; and (pattern, timestep) bool.
        """
        steps = self.info.product(product).slots
        packed = self.arrays[f"patterns_{product}"]
        patterns = np.unpackbits(packed, axis=1, count=steps, bitorder="little").astype(bool)
        return self.arrays.get(f"pattern_{product}"), patterns

    def has_availability(self, product: str) -> bool:
        """Whether the index records which files of a product exist; if not, all do."""
        return f"patterns_{product}" in self.arrays

    @property
    def odd_rows(self) -> NDArray[np.int32]:
        """Ascending rows whose published outline differs from that of their square."""
        return self.arrays["odd_rows"]

    def odd_outline(self, number: int) -> bytes:
        """WKB of the outline of `odd_rows[number]`."""
        start, end = self.arrays["odd_starts"][number : number + 2].tolist()
        return self.arrays["odd_wkb"][start:end].tobytes()

    def rows_of_ids(self, ids: Sequence[str]) -> Rows:
        """Rows of samples, −1 for unknown ids.

        Args:
            ids: sample ids of the corpus's scheme, in any order.
        """
        runs, lengths = self._prefixes.get("runs", self._runs_by_prefix)
        wanted = [text.encode("utf-8", "replace") for text in ids]
        asked: dict[int, list[int]] = {}
        for place, identity in enumerate(wanted):
            for length in lengths:
                for run in runs.get(identity[:length], ()):
                    asked.setdefault(run, []).append(place)
        result = np.full(len(ids), -1, dtype=np.int32)
        for run, places in asked.items():
            rows = np.arange(self.run_starts[run], self.run_starts[run + 1], dtype=np.int32)
            names = self.ids(rows)
            if len(places) == 1:
                first = int(np.argmax(names == wanted[places[0]]))
                if names[first] == wanted[places[0]]:
                    result[places[0]] = rows[first]
                continue
            own = dict(zip(names.tolist(), rows.tolist(), strict=True))
            for place in places:
                result[place] = own.get(wanted[place], result[place])
        return result

    def _runs_by_prefix(self) -> Prefixes:
        """Runs by what the ids of their rows begin with, and the lengths of these beginnings."""
        runs: dict[bytes, list[int]] = {}
        for run, prefix in enumerate(self.arrays["run_prefix"].tolist()):
            runs.setdefault(prefix, []).append(run)
        return runs, sorted({len(prefix) for prefix in runs})
