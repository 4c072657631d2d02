"""Windows on a grid of their own: possible places, those side by side in a region, and one around each parcel."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from landloom.errors import InvalidInputError
from landloom.model.granules import granule_grid
from landloom.model.grid import SNAP, WGS84, Grid
from landloom.model.ids import GranuleId, WindowId, Zone
from landloom.model.sample import Sample
from landloom.model.shapes import middle_of, reproject
from landloom.sampling.windows import centred_window

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from landloom.labels.parcels import Parcels
    from landloom.samplers.windows.section import ParcelWindows, WindowGrid

MOST: Final = 9999
"""Largest number of rows, and of columns, in an id."""


def anchor_corner(anchor: str) -> tuple[Zone, float, float]:
    """Zone and north-west corner, in metres, of a window grid's anchor.

    Example:
        >>> anchor_corner("33N-499980E-5100000N")
        (Zone(number=33, north=True), 499980.0, 5100000.0)
    """
    zone = WindowId(anchor, 1, 1).zone
    if "-" in anchor:
        _, east, north = anchor.split("-")
        return zone, float(east[:-1]), float(north[:-1])
    grid = granule_grid(GranuleId.parse(anchor), 10)
    return zone, grid.west, grid.north


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowFrame:
    """The possible windows of a recipe: an anchor, and as many steps from it as the region needs."""

    anchor: str
    zone: Zone
    west: float
    """Of the anchor, metres."""
    north: float
    """Of the anchor, metres."""
    step: float
    """Metres from one row or column to the next."""
    side: float
    """Side of a window, metres."""
    rows: int
    columns: int

    @classmethod
    def of(cls, section: WindowGrid | ParcelWindows, region: BaseGeometry) -> WindowFrame:
        """The frame of a recipe's samples.

        Args:
            section: of the recipe.
            region: WGS84; its zone and corner are used if the recipe has no anchor.

        Example:
            >>> import shapely
            >>> from landloom.samplers.windows.section import WindowGrid
            >>> frame = WindowFrame.of(WindowGrid(draw="windows"), shapely.box(15.0, 45.0, 15.01, 45.01))
            >>> frame.anchor, frame.rows, frame.columns, frame.step
            ('33N-499980E-4984080N', 5, 4, 240.0)
        """
        side = section.size * section.resolution
        step = side if section.draw == "windows" else float(SNAP)
        anchor = section.anchor or _own_anchor(region, 0.0 if section.draw == "windows" else side)
        zone, west, north = anchor_corner(anchor)
        bounds = reproject(region, WGS84, zone.epsg).bounds
        rows = getattr(section, "rows", None) or max(ceil((north - bounds[1]) / step), 1)
        columns = getattr(section, "columns", None) or max(ceil((bounds[2] - west) / step), 1)
        if rows > MOST or columns > MOST:
            raise InvalidInputError(
                f"got {rows} rows and {columns} columns of windows from {anchor}, expected at most {MOST}: "
                "cut the region, or choose an anchor nearer to it"
            )
        return cls(anchor=anchor, zone=zone, west=west, north=north, step=step, side=side, rows=rows, columns=columns)

    @property
    def epsg(self) -> int:
        """EPSG code of all windows."""
        return self.zone.epsg

    def sample(self, row: int, column: int, year: int | None = None) -> Sample:
        """The window at a row and column, both counted from 0, of a label year if there are several."""
        left, top = self.west + column * self.step, self.north - row * self.step
        identity = WindowId(self.anchor, row + 1, column + 1, year)
        return Sample(id=identity, epsg=self.epsg, bounds=(left, top - self.side, left + self.side, top))

    def grid(self, resolution: float, margin: float = 0.0) -> Grid:
        """The pixels of all windows, on multiples of 60 m and of the resolution.

        Args:
            resolution: metres of a pixel.
            margin: metres added on every side.
        """
        step = SNAP if abs(SNAP / resolution - round(SNAP / resolution)) < 1e-9 else resolution
        west, north = floor((self.west - margin) / step) * step, ceil((self.north + margin) / step) * step
        east = self.west + (self.columns - 1) * self.step + self.side + margin
        south = self.north - (self.rows - 1) * self.step - self.side - margin
        width, height = ceil((east - west) / step - 1e-9), ceil((north - south) / step - 1e-9)
        bounds = (float(west), north - height * step, west + width * step, float(north))
        return Grid.of_bounds(self.epsg, bounds, resolution)

    def exact_grid(self, resolution: float) -> Grid:
        """Exactly the pixels of all windows; a window must be a whole number of pixels."""
        bounds = (self.west, self.north - self.rows * self.side, self.west + self.columns * self.side, self.north)
        return Grid.of_bounds(self.epsg, bounds, resolution)


def _own_anchor(region: BaseGeometry, margin: float) -> str:
    """The region's north-west corner on multiples of 60 m, moved outwards by the margin, in the zone of its middle."""
    zone = Zone.of(*middle_of(region))
    west, _, _, north = reproject(region, WGS84, zone.epsg).bounds
    return f"{zone}-{floor((west - margin) / SNAP) * SNAP}E-{ceil((north + margin) / SNAP) * SNAP}N"


def striding(
    frame: WindowFrame,
    region: BaseGeometry,
    labelled: NDArray[np.float32] | None = None,
    least: float = 0.0,
    year: int | None = None,
) -> tuple[Sample, ...]:
    """Windows side by side whose centre lies in the region.

    Args:
        frame: the possible windows.
        region: WGS84.
        labelled: (row, column) share of each window's pixels with a label, if windows are chosen by it.
        least: least such share of a window; a window without labelled pixels is always left out.
        year: of the labels, if there are several.
    """
    area = reproject(region, WGS84, frame.epsg)
    shapely.prepare(area)
    x = frame.west + (np.arange(frame.columns) + 0.5) * frame.step
    y = frame.north - (np.arange(frame.rows) + 0.5) * frame.step
    inside: NDArray[np.bool_] = np.asarray(shapely.contains_xy(area, *np.meshgrid(x, y)))
    if labelled is not None:
        inside &= (labelled > 0) & (labelled >= least)
    return tuple(frame.sample(row, column, year) for row, column in np.argwhere(inside).tolist())


@dataclass(frozen=True, slots=True, kw_only=True)
class Centred:
    """Windows around parcels."""

    samples: tuple[Sample, ...]
    """In id order."""
    parcel_of: dict[str, int]
    """Sample → id of its parcel."""
    whole: dict[str, bool]
    """Sample → whether the parcel lies wholly in the window."""
    left_out: tuple[tuple[int, str], ...]
    """Parcel and reason, for those without a window."""


def around_parcels(
    frame: WindowFrame, region: BaseGeometry, parcels: Parcels, *, whole: bool = False, year: int | None = None
) -> Centred:
    """A window around each parcel whose middle lies in the region.

    Its corners lie on multiples of 60 m from the anchor, so that bands of 10, 20 and 60 m nest; its middle is within
    30 m of the middle of the parcel's bounds. If two parcels would have the same window, that of the larger id
    moves to the nearest free place, so that ids stay distinct and still encode the place.

    Args:
        frame: the possible windows.
        region: WGS84.
        parcels: in the CRS of the frame, in id order.
        whole: leave out parcels that extend beyond their window.
        year: of the labels, if there are several.
    """
    area = reproject(region, WGS84, frame.epsg)
    bounds = shapely.bounds(parcels.geometries).reshape(-1, 4)
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    inside = shapely.contains_xy(area, middle[:, 0], middle[:, 1])
    shift = np.array([frame.west, frame.north - frame.side])
    corner = centred_window(bounds - np.tile(shift, 2), frame.side, frame.step)
    places = np.column_stack([-corner[:, 1], corner[:, 0]]) / frame.step
    taken: dict[tuple[int, int], int] = {}
    found: list[tuple[Sample, int, bool]] = []
    left_out: list[tuple[int, str]] = []
    for place in np.flatnonzero(inside).tolist():
        own = int(parcels.ids[place])
        row, column = _free(taken, *np.rint(places[place]).astype(int).tolist())
        if not (0 <= row < MOST and 0 <= column < MOST):
            left_out.append((own, "its window would lie beyond the anchor"))
            continue
        sample = frame.sample(row, column, year)
        west, south, east, north = bounds[place].tolist()
        box = sample.bounds
        fits = box[0] <= west and box[1] <= south and east <= box[2] and north <= box[3]
        if whole and not fits:
            left_out.append((own, f"extent of {max(east - west, north - south):.0f} m, beyond its window"))
            continue
        taken[row, column] = own
        found.append((sample, own, fits))
    left_out += [(int(own), "its middle lies outside the region") for own in parcels.ids[~inside]]
    found.sort(key=lambda entry: str(entry[0].id))
    return Centred(
        samples=tuple(sample for sample, _, _ in found),
        parcel_of={str(sample.id): own for sample, own, _ in found},
        whole={str(sample.id): fits for sample, _, fits in found},
        left_out=tuple(sorted(left_out)),
    )


def _free(taken: dict[tuple[int, int], int], row: int, column: int) -> tuple[int, int]:
    """The free place nearest to a given one; ties go north and west."""
    for reach in range(64):
        ring = [
            (down, along)
            for down in range(-reach, reach + 1)
            for along in range(-reach, reach + 1)
            if max(abs(down), abs(along)) == reach and (row + down, column + along) not in taken
        ]
        if ring:
            down, along = min(ring, key=lambda step: (step[0] ** 2 + step[1] ** 2, step))
            return row + down, column + along
    raise InvalidInputError("got thousands of parcels with the same middle, expected parcels side by side")


def resampled(geometry: BaseGeometry, count: int) -> NDArray[np.float64]:
    """Points evenly spaced along the outer ring of a parcel, or of its largest part.

    Args:
        geometry: polygon or multipolygon.
        count: number of points.

    Returns:
        (count, 2) x, y; clockwise from the northernmost vertex (the westernmost of several).

    Example:
        >>> import shapely
        >>> resampled(shapely.box(0, 0, 4, 4), 4).tolist()
        [[0.0, 4.0], [4.0, 4.0], [4.0, 0.0], [0.0, 0.0]]
    """
    part: Any = max(shapely.get_parts(geometry).tolist(), key=lambda one: (one.area, one.bounds))
    ring = shapely.get_coordinates(shapely.orient_polygons(part, exterior_cw=True).exterior)[:-1]
    start = min(range(len(ring)), key=lambda place: (-ring[place, 1], ring[place, 0]))
    line = shapely.LinearRing(np.roll(ring, -start, axis=0))
    points = shapely.line_interpolate_point(line, np.arange(count) / count, normalized=True)
    coordinates: NDArray[np.float64] = shapely.get_coordinates(points)
    return coordinates
