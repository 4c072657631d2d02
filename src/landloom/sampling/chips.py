"""Chips inside a granule: on its own pixel grid, without overlap, away from the swath's edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.model.granules import granule_grid
from landloom.model.ids import ChipId
from landloom.model.sample import Sample

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from landloom.model.grid import Grid
    from landloom.model.ids import GranuleId

SIZE: Final = 256
"""Side of a chip in pixels."""
RESOLUTION: Final = 10
"""Metres of a pixel."""
_NEST: Final = 6
"""Pixels of 10 m per pixel of 60 m: chips start on multiples of it, so that native bands nest in them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lattice:
    """Possible places of chips: every `step` pixels from an offset. Arrays hold the first pixel of each place."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    size: int
    """Side of a chip in pixels."""
    extent: int
    """Side of the granule in pixels."""

    def spans(self, cells: int, starts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last + 1 of the coarse cells that places touch, out of `cells` along the granule's side."""
        return starts * cells // self.extent, -(-(starts + self.size) * cells // self.extent)

    def clear(self, valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(place,) True if every coarse cell that it touches is valid."""
        height, width = valid.shape
        holes = np.zeros((height + 1, width + 1), dtype=np.int32)
        np.cumsum(~valid, axis=0, out=holes[1:, 1:])
        np.cumsum(holes, axis=1, out=holes)
        top, bottom = self.spans(height, self.rows)
        left, right = self.spans(width, self.columns)
        found = holes[bottom, right] - holes[top, right] - holes[bottom, left] + holes[top, left]
        return np.asarray(found == 0)

    def main_class(self, classes: NDArray[np.int64]) -> NDArray[np.int64]:
        """(place,) the most frequent code among the cells that it touches; ties go to the lowest code."""
        height, width = classes.shape
        edges = zip(*self.spans(height, self.rows), *self.spans(width, self.columns), strict=True)
        found = np.empty(len(self.rows), dtype=np.int64)
        for at, (top, bottom, left, right) in enumerate(edges):
            codes, counts = np.unique(classes[top:bottom, left:right], return_counts=True)
            found[at] = codes[counts.argmax()]
        return found


def draw_chips(
    granule: GranuleId,
    count: int,
    seed: int,
    *,
    valid: ArrayLike | None = None,
    classes: ArrayLike | None = None,
    size: int = SIZE,
) -> tuple[Sample, ...]:
    """Choose chips of a granule at random, or as evenly over the classes of a reference map as possible.

    Chips lie on a lattice with a random offset, start on multiples of 60 m and do not overlap.

    Args:
        granule: granule of the chips.
        count: number of chips.
        seed: of offset and choice, which differ between granules.
        valid: (row, column) True where scenes have data; any resolution, spread evenly over the granule, row 0 north.
            It can also exclude places taken by a neighbouring granule. None: everywhere.
        classes: (row, column) class codes of a reference map, of any resolution. None: at random.
        size: side in pixels of 10 m.

    Returns:
        Samples numbered from 0 in the order of the draw; their stratum is the granule.

    Raises:
        InvalidInputError: fewer places without nodata than chips.

    Example:
        >>> from landloom.model.ids import GranuleId
        >>> chips = draw_chips(GranuleId.parse("37TDK"), 3, seed=1)
        >>> [str(chip.id) for chip in chips], chips[0].grid(10).shape
        (['37TDK_00', '37TDK_01', '37TDK_02'], (256, 256))
    """
    grid = granule_grid(granule, RESOLUTION)
    rng = np.random.default_rng([seed, *str(granule).encode()])
    lattice = _lattice(grid, size, rng)
    usable = np.ones(len(lattice.rows), dtype=np.bool_)
    if valid is not None:
        usable = lattice.clear(_raster(valid).astype(np.bool_))
    places = rng.permutation(np.flatnonzero(usable))
    if len(places) < count:
        raise InvalidInputError(f"{granule}: got {len(places)} places for chips without nodata, expected {count}")
    if classes is not None:
        places = places[_evenly(lattice.main_class(_raster(classes).astype(np.int64))[places])]
    return tuple(
        Sample(
            id=ChipId(granule, number),
            epsg=grid.epsg,
            bounds=grid.window(int(lattice.rows[place]), int(lattice.columns[place]), size, size).bounds,
            stratum=str(granule),
        )
        for number, place in enumerate(places[:count].tolist())
    )


def _raster(values: ArrayLike) -> NDArray[np.generic]:
    raster = np.asarray(values)
    if raster.ndim != 2 or not raster.size:
        raise InvalidValueError(f"got an array of shape {raster.shape}, expected (row, column)")
    return raster


def _lattice(grid: Grid, size: int, rng: np.random.Generator) -> _Lattice:
    if not 1 <= size <= grid.height:
        raise InvalidValueError(f"got chips of {size} pixels, expected 1 to {grid.height}")
    step = -(-size // _NEST) * _NEST
    room = grid.height - size
    axes = []
    for _ in range(2):
        spare = room % step // _NEST
        axes.append(np.arange(int(rng.integers(spare + 1)) * _NEST, room + 1, step))
    rows, columns = (v.ravel() for v in np.meshgrid(*axes, indexing="ij"))
    return _Lattice(rows=rows, columns=columns, size=size, extent=grid.height)


def _evenly(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices reordered so that classes alternate: the first of each, and so on."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], codes[order])
    turn = np.empty(len(codes), dtype=np.int64)
    turn[order] = np.arange(len(codes)) - starts
    return np.argsort(turn, kind="stable")
