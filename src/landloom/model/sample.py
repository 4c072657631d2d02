"""A sample: a chosen cell, with its properties known before any pixel is read."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import ceil, floor, gcd
from typing import TYPE_CHECKING

from landloom.model.grid import Grid
from landloom.model.ids import CELL_SIZE, SampleId

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shapely.geometry.base import BaseGeometry

    from landloom.model.grid import Bounds
    from landloom.model.ids import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A chosen cell.

    Example:
        >>> from landloom.model.ids import SampleId
        >>> sample = Sample.of_utm24(SampleId.parse("33N_16E-243N_29_01"))
        >>> sample.tile, sample.grid(10).shape
        ('33N_16E-243N', (60, 60))
    """

    id: Identity
    """Its id, in one of the three schemes."""
    epsg: int
    """EPSG code of the CRS of its bounds."""
    bounds: Bounds
    """West, south, east, north in that CRS."""
    stratum: str | None = None
    """The stratum that it was allocated to: a country, a continent, …"""
    split: str | None = None
    """`train`, `validation`, `test` or None."""

    @classmethod
    def of_utm24(cls, identity: Identity, stratum: str | None = None, split: str | None = None) -> Sample:
        """The sample of a `utm24` id, with bounds derived from the id."""
        if not isinstance(identity, SampleId):
            raise TypeError(f"got {type(identity).__name__}, expected SampleId")
        grid = identity.grid(CELL_SIZE)
        return cls(id=identity, epsg=grid.epsg, bounds=grid.bounds, stratum=stratum, split=split)

    @property
    def tile(self) -> str:
        """Zone and tile name; samples of one tile are built together."""
        return f"{self.id.zone}_{self.id.tile_name}"

    @property
    def side(self) -> float:
        """Length of its west-east side in metres."""
        return self.bounds[2] - self.bounds[0]

    @property
    def footprint(self) -> BaseGeometry:
        """Outline in WGS84, longitude latitude, from the south-east corner counter-clockwise."""
        west, _, _, north = self.bounds
        height = north - self.bounds[1]
        return Grid(
            epsg=self.epsg, west=west, north=north, pixel_width=self.side, pixel_height=height, width=1, height=1
        ).footprint()

    def grid(self, resolution: float) -> Grid:
        """Its pixel grid at a resolution in metres.

        If pixels of that size do not fill the bounds exactly, it is the smallest block of native pixels (on multiples
        of the resolution) that covers them, of the same size for all samples of a window grid.

        Example:
            >>> from landloom.model.ids import WindowId
            >>> identity = WindowId.parse("33N-499980E-5100000N_0001_0002")
            >>> window = Sample(id=identity, epsg=32633, bounds=(500620, 5099360, 501260, 5100000))
            >>> window.grid(10).shape, window.grid(60).shape, window.grid(60).bounds
            ((64, 64), (12, 12), (500580.0, 5099280.0, 501300.0, 5100000.0))
        """
        west, south, east, north = self.bounds
        columns, rows = (east - west) / resolution, (north - south) / resolution
        if abs(columns - round(columns)) < 1e-6 and abs(rows - round(rows)) < 1e-6:
            side = float(resolution)
            return Grid(
                epsg=self.epsg,
                west=float(west),
                north=float(north),
                pixel_width=side,
                pixel_height=side,
                width=round(columns),
                height=round(rows),
            )
        left, width = _covering(west, east - west, resolution)
        top, height = _covering(-north, north - south, resolution)
        side = float(resolution)
        return Grid(
            epsg=self.epsg, west=left, north=-top, pixel_width=side, pixel_height=side, width=width, height=height
        )


def by_tile(samples: Iterable[Sample]) -> dict[str, tuple[Sample, ...]]:
    """Samples grouped by tile, both in id order."""
    ordered = sorted(samples, key=lambda sample: (sample.tile, sample.id))
    return {tile: tuple(group) for tile, group in groupby(ordered, key=lambda sample: sample.tile)}


def _covering(start: float, length: float, step: float) -> tuple[float, int]:
    """Start of the block of whole steps that covers an interval, and the number of steps that any such interval needs.

    Intervals of one window grid start at multiples of their common divisor with the step, plus a constant.
    """
    first = float(floor(start / step + 1e-9) * step)
    divisor = float(gcd(round(length * 1000), round(step * 1000))) / 1000
    return first, ceil((step - divisor + start % divisor + length) / step - 1e-9)
