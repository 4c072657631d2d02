"""Directions of sun and view of a granule, with their place: from its parsed metadata, or from `MTD_TL.xml` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from landloom.errors import InvalidInputError, Problem
from landloom.formats.safe.angles import AngleGrid, sun_angles, view_angles
from landloom.formats.safe.xml import SafeXml, child_text
from landloom.model.scene import Angles, Direction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.model.grid import Grid


def scene_angles(sun: AngleGrid | None, view: Mapping[str, AngleGrid], grids: Mapping[int, Grid]) -> Angles | None:
    """Angles of a granule; None if it has none of the sun, or of no band.

    Args:
        sun: of the granule.
        view: band → view angles.
        grids: resolution → grid of the granule, all with the same north-west corner.
    """
    if not grids:
        return None
    corner = grids[min(grids)]
    return _angles(sun, view, corner.west, corner.north)


def parse_angles(where: str, data: bytes) -> Angles | None:
    """Angles out of the metadata of a granule; None if it has none of the sun, or of no band.

    Args:
        where: name of the document, for problems.
        data: its bytes.

    Raises:
        InvalidDocumentError: it is no XML.
        InvalidInputError: its corner or its angles cannot be read.

    Example:
        >>> parse_angles("MTD_TL.xml", b"<a/>")
        Traceback (most recent call last):
        landloom.errors.InvalidInputError: MTD_TL.xml: got no corner of the granule, expected ULX and ULY
    """
    problems: list[Problem] = []
    document = SafeXml(where, data, problems)
    corners = [(child_text(one, "ULX"), child_text(one, "ULY")) for one in document.all("Geoposition")]
    west, north = (_finite(text) for text in (corners[0] if corners else (None, None)))
    if west is None or north is None:
        raise InvalidInputError(f"{where}: got no corner of the granule, expected ULX and ULY")
    sun, view = sun_angles(document), view_angles(document)
    if problems:
        raise InvalidInputError("; ".join(str(problem) for problem in problems[:3]))
    return _angles(sun, view, west, north)


def _finite(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if abs(value) < 1e9 else None


def _angles(sun: AngleGrid | None, view: Mapping[str, AngleGrid], west: float, north: float) -> Angles | None:
    """All at the nodes of the sun; views at other nodes are left out."""
    if sun is None:
        return None
    alike = {
        band: _direction(one)
        for band, one in view.items()
        if (one.zenith.shape, one.step) == (sun.zenith.shape, sun.step)
    }
    return Angles(west=west, north=north, step=sun.step, sun=_direction(sun), view=alike) if alike else None


def _direction(grid: AngleGrid) -> Direction:
    """In single precision: every scene of an archive holds its angles."""
    return Direction(zenith=grid.zenith.astype(np.float32), azimuth=grid.azimuth.astype(np.float32))
