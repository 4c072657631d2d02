"""Rows of frames that were read from vector files: what they are called, and those that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

UNREAD: Final = "unread"
"""Key of a frame's `attrs`: label of a row → why the geometry that it has cannot be read."""
_LISTED: Final = 20


def row_names(frame: GeoDataFrame) -> list[str]:
    """What people call the rows of a frame that was read `numbered`.

    Returns:
        `feature 7`, by the ids that GIS tools show, where the format has them; else `row 7`, counted from 0.

    Example:
        >>> import geopandas
        >>> row_names(geopandas.GeoDataFrame(geometry=[None], index=[7]))
        ['row 7']
    """
    kind = "feature" if frame.index.name == "fid" else "row"
    return [f"{kind} {number}" for number in frame.index.tolist()]


def refuse_unread(frame: GeoDataFrame, name: str) -> None:
    """Refuse a frame, read `numbered`, of which rows have geometry that cannot be read: where it lies nobody knows.

    Raises:
        InvalidInputError: rows that do; they are named.

    Example:
        >>> import geopandas
        >>> frame = geopandas.GeoDataFrame(geometry=[None], index=[7])
        >>> frame.attrs[UNREAD] = {7: "got geometry that is no WKT"}
        >>> refuse_unread(frame, "a.csv")
        Traceback (most recent call last):
        landloom.errors.InvalidInputError: a.csv: row 7 got geometry that is no WKT
    """
    named = dict(zip(frame.index.tolist(), row_names(frame), strict=True))
    bad = [f"{named[label]} {why}" for label, why in frame.attrs.get(UNREAD, {}).items()]
    if bad:
        more = f" and {len(bad) - _LISTED} more" if len(bad) > _LISTED else ""
        raise InvalidInputError(f"{name}: {'; '.join(bad[:_LISTED])}{more}")
