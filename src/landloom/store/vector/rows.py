"""Rows of a vector file as readers hand them on, block by block."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.model.crs_key import CrsKey
    from landloom.model.grid import Bounds

BLOCK: Final = 65_536
"""Rows of a block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a user says of a file that does not say it itself."""

    crs: CrsKey | None = None
    """CRS to assume where the file has none."""
    encoding: str | None = None
    """Of text, where the file does not say it, or lies: `cp1252`."""
    geometry: str | None = None
    """Column of geometry, of CSV and GeoParquet."""
    crs_column: str = "crs"
    """Column of a CSV in which rows say their CRS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Some rows of a file, in its order."""

    numbers: NDArray[np.int64]
    """(row,) what the rows are called: feature ids, or places in the file from 0."""
    columns: Mapping[str, Any]
    """Name → values: an Arrow array, or a list."""
    shapes: NDArray[Any]
    """(row,) shapely geometries; None where a row has none, or none that can be read."""
    unread: Mapping[int, str] = field(default_factory=dict)
    """Place among these rows → why its geometry cannot be read."""
    crs: Sequence[CrsKey | None] | None = None
    """(row,) CRS of each, where rows say theirs."""


class Layer(Protocol):
    """A table of features that can be read block by block."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the attributes, without the geometry."""
        ...

    @property
    def crs(self) -> CrsKey | None:
        """CRS of all rows; None where the file, or only its rows, say."""
        ...

    @property
    def is_stated(self) -> bool:
        """Whether the CRS is the file's own word, not what its format stands for."""
        ...

    @property
    def counted(self) -> Literal["feature", "row"]:
        """What rows are called by: ids that GIS tools show, or places."""
        ...

    def rows(self, columns: Sequence[str], bounds: Bounds | None = None, *, bare: bool = False) -> Iterator[Rows]:
        """The rows, block by block; those far from the bounds may be left out, but for rows without geometry."""
        ...

    def is_empty(self) -> bool:
        """Whether it holds no row at all."""
        ...


def shapes_of_wkb(values: Sequence[bytes | str | None]) -> tuple[NDArray[Any], dict[int, str]]:
    """Geometries in two dimensions, and the places of those that cannot be read.

    Example:
        >>> shapes, unread = shapes_of_wkb([shapely.Point(1, 2).wkb, None, b"no"])
        >>> shapes.tolist(), unread
        ([<POINT (1 2)>, None, None], {2: 'got geometry that is no WKB'})
    """
    return flat(shapely.from_wkb(np.array(values, dtype=object), on_invalid="ignore"), values, "WKB")


def flat(shapes: Any, values: Sequence[object], form: str) -> tuple[NDArray[Any], dict[int, str]]:
    """Without heights; what was written but is no geometry is named."""
    found = np.array(shapes, dtype=object)
    missing = np.flatnonzero(shapely.is_missing(found))
    unread = {int(position): f"got geometry that is no {form}" for position in missing.tolist() if values[position]}
    high = shapely.has_z(found) | shapely.has_m(found)
    if high.any():
        found[high] = shapely.force_2d(found[high])
    return found, unread
