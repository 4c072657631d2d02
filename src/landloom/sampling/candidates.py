"""Candidate cells: all 600 m cells of a region, as columns of small integers, so that a continent fits in memory.

Only tiles on a border are tested cell by cell; a tile wholly inside the region, one zone and one country is taken
as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from landloom.errors import InvalidValueError
from landloom.model.apportion import MILLION
from landloom.model.ids import CELL_SIZE, CELLS_PER_TILE, TILE_SIZE, SampleId, TileId, Zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_array

CELLS: Final = CELLS_PER_TILE**2
"""Number of cells in a tile."""
NOWHERE: Final = -1
"""Country index of a cell outside all countries."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Cells that samples may be chosen from, in id order. All arrays have one entry per cell.

    Example:
        >>> cells = Candidates.of_ids([SampleId.parse("33N_16E-243N_29_01"), SampleId.parse("32S_01E-300N_01_02")])
        >>> [str(cell) for cell in cells.ids()], cells.countries
        (['32S_01E-300N_01_02', '33N_16E-243N_29_01'], ('',))
    """

    countries: tuple[str, ...]
    """Names that `country` indexes."""
    zone: NDArray[np.int8]
    """UTM zone number, 1 to 60."""
    north: NDArray[np.bool_]
    """True for the northern hemisphere."""
    tile_east: NDArray[np.int8]
    """Easting of the tile, in tiles."""
    tile_north: NDArray[np.int16]
    """Northing of the tile, in tiles."""
    row: NDArray[np.int8]
    """Southward within the tile, from 1."""
    column: NDArray[np.int8]
    """Eastward within the tile, from 1."""
    country: NDArray[np.int16]
    """Index of the country that contains the cell's centre."""
    fractions: csr_array | None = None
    """(cell, class) uint32 millionths of the cell's area; None before labels are known."""

    def __post_init__(self) -> None:
        key = self.key()
        if len(key) > 1 and not (np.diff(key) > 0).all():
            raise InvalidValueError("got cells out of id order or twice, expected each once, in id order")
        if self.fractions is not None and self.fractions.shape[0] != len(self):
            raise InvalidValueError(f"got fractions of {self.fractions.shape[0]} cells, expected {len(self)}")

    @classmethod
    def of_ids(cls, ids: Iterable[SampleId], country: Sequence[str] | None = None) -> Self:
        """The cells with the given ids, in id order.

        Args:
            ids: each once.
            country: the country of each; by default one nameless country.
        """
        listed = list(ids)
        names = [""] * len(listed) if country is None else list(country)
        known = tuple(dict.fromkeys(names))
        pairs = sorted(zip(listed, names, strict=True))
        table = np.array(
            [
                (i.zone.number, i.zone.north, i.tile.east, i.tile.north, i.row, i.column, known.index(name))
                for i, name in pairs
            ],
            dtype=np.int64,
        ).reshape(-1, 7)
        return cls(
            countries=known,
            zone=table[:, 0].astype(np.int8),
            north=table[:, 1].astype(np.bool_),
            tile_east=table[:, 2].astype(np.int8),
            tile_north=table[:, 3].astype(np.int16),
            row=table[:, 4].astype(np.int8),
            column=table[:, 5].astype(np.int8),
            country=table[:, 6].astype(np.int16),
        )

    def __len__(self) -> int:
        return len(self.zone)

    def labelled(self) -> csr_array:
        """The class fractions.

        Raises:
            InvalidValueError: they are not known yet.
        """
        if self.fractions is None:
            raise InvalidValueError("got candidates without class fractions, expected them labelled first")
        return self.fractions

    def tile_index(self) -> NDArray[np.int32]:
        """(cell,) number of the cell's tile among the tiles with candidates, in id order, from 0."""
        key = self.tile_key()
        new = np.ones(len(self), dtype=np.bool_)
        new[1:] = key[1:] != key[:-1]
        return (np.cumsum(new, dtype=np.int32) - 1).astype(np.int32)

    def tile_key(self) -> NDArray[np.int64]:
        """One number per tile; sorts like tile ids."""
        zone = self.zone.astype(np.int64) * 2 + ~self.north
        return (zone * 128 + self.tile_east) * 1024 + self.tile_north

    def key(self) -> NDArray[np.int64]:
        """One number per cell; sorts like sample ids."""
        return (self.tile_key() * 64 + self.row) * 64 + self.column

    def ids(self, indices: ArrayLike | None = None) -> Iterator[SampleId]:
        """The ids of some cells (all if None), created one by one."""
        chosen = range(len(self)) if indices is None else np.asarray(indices).tolist()
        tile: TileId | None = None
        for i in chosen:
            zone = Zone(int(self.zone[i]), bool(self.north[i]))
            here = (zone, int(self.tile_east[i]), int(self.tile_north[i]))
            if tile is None or (tile.zone, tile.east, tile.north) != here:
                tile = TileId(*here)
            yield SampleId(tile, int(self.row[i]), int(self.column[i]))

    def corners(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """X of the west edges and y of the south edges, in metres of each cell's own zone."""
        west = self.tile_east.astype(np.int32) * TILE_SIZE + (self.column - 1).astype(np.int32) * CELL_SIZE
        south = self.tile_north.astype(np.int32) * TILE_SIZE
        return west, south + (CELLS_PER_TILE - self.row).astype(np.int32) * CELL_SIZE

    def take(self, indices: ArrayLike) -> Self:
        """The cells at ascending indices, or where a mask is True."""
        chosen = np.asarray(indices)
        columns = [f.name for f in fields(self) if f.name not in ("countries", "fractions")]
        part = {name: getattr(self, name)[chosen] for name in columns}
        return replace(self, **part, fractions=None if self.fractions is None else self.fractions[chosen])

    def with_fractions(self, fractions: csr_array) -> Self:
        """The same cells with class fractions.

        Args:
            fractions: (cell, class) millionths, each row summing to 1,000,000.

        Raises:
            InvalidValueError: a row sums to something else.
        """
        wrong = np.flatnonzero(fractions.sum(axis=1) != MILLION)
        if len(wrong):
            first = next(self.ids(wrong[:1]))
            raise InvalidValueError(
                f"got fractions of {len(wrong)} cells ({first} first), expected sums of {MILLION:,}"
            )
        if not fractions.data.all():  # a stored zero would count as an occurrence of the class
            fractions = fractions.copy()
            fractions.eliminate_zeros()
        return replace(self, fractions=fractions)


def concatenate(parts: Sequence[Candidates], countries: tuple[str, ...]) -> Candidates:
    """Concatenate cells of several zones, given in id order."""
    columns = [f.name for f in fields(Candidates) if f.name not in ("countries", "fractions")]
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in columns}
    return Candidates(countries=countries, **joined)
