"""Observations of one sensor over a window, on the grid of a product or in the sensor's own, coarser pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sightings:
    """Observations of one sensor.

    Example:
        >>> from landloom.imagery.fusion.fuse import fuse
        >>> stack = np.full((3, 1, 8, 8), 1_000, np.uint16)
        >>> clear = np.ones((3, 8, 8), bool)
        >>> seen = Sightings(days=np.array([0.0, 5.0, 10.0]), stack=stack, valid=clear)
        >>> fuse(seen, np.array([0.0, 5.0, 10.0])).series[:, 0, 0, 0].tolist()
        [1000, 1000, 1000]
    """

    days: NDArray[np.float64]
    """(time) ascending."""
    stack: NDArray[np.uint16]
    """(time, band, y, x) 10,000 × reflectance."""
    valid: NDArray[np.bool_]
    """(time, y, x) True = clear in all bands."""
    footprint: int = 1
    """Pixels of the grid along a side of the sensor's own pixel."""
    rows: NDArray[np.int64] | None = None
    """Row of the stack for each row of the grid, ascending, of a sensor in its own pixels; None for one on the grid."""
    columns: NDArray[np.int64] | None = None
    """Column of the stack for each column of the grid, likewise."""

    def __post_init__(self) -> None:
        shape = self.stack.shape
        if self.stack.dtype != np.uint16 or self.stack.ndim != 4 or self.valid.shape != (shape[0], *shape[2:]):
            raise InvalidValueError(
                f"got a stack of {self.stack.dtype} {shape} and validity of {self.valid.shape}, "
                "expected uint16 (time, band, y, x) and (time, y, x)"
            )
        if self.days.shape != shape[:1] or (np.diff(self.days) < 0).any():
            raise InvalidValueError(f"got days {self.days} for {shape[0]} times, expected as many, ascending")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        height, width = self.stack.shape[2:]
        return height if self.rows is None else self.rows.size, width if self.columns is None else self.columns.size

    def clear(self, part: tuple[slice, slice]) -> NDArray[np.bool_]:
        """(time, y, x) clear pixels of a part of the grid, given as rows and columns."""
        if self.rows is None or self.columns is None:
            return np.ascontiguousarray(self.valid[..., *part])
        return self.valid[:, self.rows[part[0]]][..., self.columns[part[1]]]

    def cut(self, part: tuple[slice, slice]) -> Sightings:
        """Those of a part of the grid, given as rows and columns."""
        (rows, own_rows), (columns, own_columns) = _own(self.rows, part[0]), _own(self.columns, part[1])
        return replace(
            self,
            stack=np.ascontiguousarray(self.stack[..., rows, columns]),
            valid=np.ascontiguousarray(self.valid[..., rows, columns]),
            rows=own_rows,
            columns=own_columns,
        )


def _own(places: NDArray[np.int64] | None, part: slice) -> tuple[slice, NDArray[np.int64] | None]:
    """A part of a sensor's own rows or columns, and where each of the grid's lies in it."""
    if places is None:
        return part, None
    some = places[part]
    return slice(int(some[0]), int(some[-1]) + 1), some - some[0]
