"""Sun and view angles of a granule: 5 km grids; the view grids per band and detector are merged to one per band."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.formats.safe.xml import SafeXml, child_text, texts
from landloom.model.sensor import SENTINEL2

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

NODES: Final = 23
"""Rows and columns of nodes: a granule of 109.8 km in steps of 5 km, both ends included."""
BAND_IDS: Final = tuple(SENTINEL2)
"""`bandId` → band name: bands are numbered in ESA's order."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AngleGrid:
    """Directions at nodes of a granule; node (0, 0) is its north-west corner."""

    zenith: NDArray[np.float64]
    """(y, x) zenith angle in degrees; NaN outside the swath."""
    azimuth: NDArray[np.float64]
    """(y, x) azimuth in degrees clockwise from north, 0 to 360; NaN outside the swath."""
    step: float
    """Spacing of the nodes in metres, along x and y."""


def sun_angles(document: SafeXml) -> AngleGrid | None:
    """Sun angles over a granule, from its metadata; None if the metadata has none."""
    found = document.all("Sun_Angles_Grid")
    return _grid(document, found[0], "Sun_Angles_Grid") if found else None


def view_angles(document: SafeXml) -> dict[str, AngleGrid]:
    """View angles over a granule: band → grid, with the detectors merged.

    Neighbouring detectors overlap by one or two kilometres, and nodes there have an angle from each. Zenith is the mean
    of the values that are not NaN, azimuth the direction of the sum of their unit vectors (a plain mean would turn 359°
    and 1° into 180°).
    """
    grids: dict[str, list[AngleGrid]] = {}
    for element in document.all("Viewing_Incidence_Angles_Grids"):
        number = element.get("bandId", "")
        if not re.fullmatch(r"[0-9]{1,3}", number) or int(number) >= len(BAND_IDS):
            document.wrong(f"Viewing_Incidence_Angles_Grids: got bandId {number!r}, expected 0 to {len(BAND_IDS) - 1}")
            continue
        band = BAND_IDS[int(number)]
        grid = _grid(document, element, f"Viewing_Incidence_Angles_Grids {band}")
        if grid is not None:
            grids.setdefault(band, []).append(grid)
    return {band: merged(grids[band]) for band in BAND_IDS if band in grids}


def merged(grids: Sequence[AngleGrid]) -> AngleGrid:
    """Merge the grids of several detectors into one; see `view_angles`.

    Example:
        >>> def node(zenith: float, azimuth: float) -> AngleGrid:
        ...     return AngleGrid(zenith=np.array([[zenith]]), azimuth=np.array([[azimuth]]), step=5000.0)
        >>> both = merged([node(4.0, 359.0), node(5.0, 3.0), node(np.nan, np.nan)])
        >>> both.zenith.item(), round(both.azimuth.item(), 6)
        (4.5, 1.0)
    """
    zenith = np.stack([grid.zenith for grid in grids])
    azimuth = np.radians(np.stack([grid.azimuth for grid in grids]))
    seen = np.isfinite(zenith)
    count = seen.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(seen, zenith, 0.0).sum(axis=0) / np.where(count, count, np.nan)
    known = np.isfinite(azimuth)
    east, north = (np.where(known, turn(azimuth), 0.0).sum(axis=0) for turn in (np.sin, np.cos))
    direction = np.where(known.any(axis=0), np.degrees(np.arctan2(east, north)) % 360.0, np.nan)
    return AngleGrid(zenith=mean, azimuth=direction, step=grids[0].step)


def _grid(document: SafeXml, element: Element, what: str) -> AngleGrid | None:
    parts = []
    for name in ("Zenith", "Azimuth"):
        part = element.find(f"{{*}}{name}")
        values = None if part is None else _values(part)
        if part is None or values is None:
            document.wrong(f"{what}: {name} is not a grid of numbers")
            return None
        parts.append((values, child_text(part, "COL_STEP"), child_text(part, "ROW_STEP")))
    (zenith, *steps), (azimuth, *others) = parts
    if zenith.shape != azimuth.shape or len({*steps, *others}) != 1:
        document.wrong(f"{what}: Zenith and Azimuth differ in shape or step")
        return None
    step = document.finite(f"{what} COL_STEP", steps[0], 1.0, 1e6)
    return None if step is None else AngleGrid(zenith=zenith, azimuth=azimuth, step=step)


def _values(part: Element) -> NDArray[np.float64] | None:
    rows = [line.split() for line in texts(part.findall(".//{*}VALUES"))]
    if not rows or len({len(row) for row in rows}) != 1:
        return None
    try:
        return np.array(rows, dtype=np.float64)
    except ValueError:
        return None
