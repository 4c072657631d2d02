"""A pixel grid: the same object is used for imagery and labels.

Geometries are brought into a grid's CRS (see `landloom.model.shapes`), never their bounding boxes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, floor
from typing import TYPE_CHECKING, Final, Self

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from affine import Affine
    from odc.geo.geobox import GeoBox
    from pyproj import CRS, Transformer
    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

    from landloom.model.crs_key import CrsKey

    Crs = CrsKey | CRS
    """A key of a CRS, or a pyproj CRS."""

Bounds = tuple[float, float, float, float]
"""West, south, east, north."""

WGS84: Final = 4326
"""EPSG code of WGS84; the axis order is always longitude, latitude."""
SNAP: Final = 60
"""Metres; origins on multiples of it let 10, 20 and 60 m pixels nest."""


@lru_cache(maxsize=256)
def transformer(source: Crs, target: Crs) -> Transformer:
    """A cached pyproj transformer between two CRSs, x before y on both sides."""
    from pyproj import Transformer

    return Transformer.from_crs(source, target, always_xy=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A north-up raster grid; row 0 is north.

    Example:
        >>> grid = Grid.of_bounds(32633, (500_000, 5_000_000, 500_600, 5_000_600), 10)
        >>> grid.shape, grid.transform, grid.at(60).shape
        ((60, 60), (10.0, 0.0, 500000.0, 0.0, -10.0, 5000600.0), (10, 10))
    """

    epsg: int
    """EPSG code of the CRS."""
    west: float
    """x of the west edge, in units of the CRS."""
    north: float
    """y of the north edge, in units of the CRS."""
    pixel_width: float
    """Size of a pixel along x, positive."""
    pixel_height: float
    """Size of a pixel along y, positive."""
    width: int
    """Columns."""
    height: int
    """Rows."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise InvalidValueError(f"got a grid of {self.height} x {self.width} pixels, expected at least 1 x 1")
        if not (self.pixel_width > 0 and self.pixel_height > 0):
            raise InvalidValueError(f"got pixels of {self.pixel_width} x {self.pixel_height}, expected positive sizes")

    @classmethod
    def of_bounds(cls, epsg: int, bounds: Bounds, resolution: float) -> Self:
        """The grid that fills bounds exactly.

        Args:
            epsg: code of the CRS of the bounds.
            bounds: west, south, east, north; whole multiples of the resolution apart.
            resolution: side of a pixel.

        Raises:
            InvalidValueError: the bounds are not a whole number of pixels apart.
        """
        west, south, east, north = (float(v) for v in bounds)
        width, height = round((east - west) / resolution), round((north - south) / resolution)
        if abs(width * resolution - (east - west)) > 1e-6 or abs(height * resolution - (north - south)) > 1e-6:
            raise InvalidValueError(f"got bounds {bounds}, expected whole multiples of {resolution} apart")
        return cls(
            epsg=epsg,
            west=west,
            north=north,
            pixel_width=float(resolution),
            pixel_height=float(resolution),
            width=width,
            height=height,
        )

    @classmethod
    def of_transform(cls, epsg: int, transform: tuple[float, ...] | Affine, shape: tuple[int, int]) -> Self:
        """The grid of a north-up affine transform (a, b, c, d, e, f, …) and a shape (rows, columns).

        Raises:
            InvalidValueError: the transform is rotated or south-up.
        """
        a, b, c, d, e, f = (float(v) for v in tuple(transform)[:6])
        if b or d or a <= 0 or e >= 0:
            raise InvalidValueError(f"got transform {(a, b, c, d, e, f)}, expected a north-up one")
        return cls(
            epsg=epsg,
            west=c,
            north=f,
            pixel_width=a,
            pixel_height=-e,
            width=int(shape[1]),
            height=int(shape[0]),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.height, self.width

    @property
    def resolution(self) -> float:
        """Size of a pixel along x."""
        return self.pixel_width

    @property
    def south(self) -> float:
        """Y of the south edge."""
        return self.north - self.height * self.pixel_height

    @property
    def east(self) -> float:
        """X of the east edge."""
        return self.west + self.width * self.pixel_width

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north."""
        return self.west, self.south, self.east, self.north

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """Affine coefficients a, b, c, d, e, f: x = a·column + b·row + c, y = d·column + e·row + f."""
        return self.pixel_width, 0.0, self.west, 0.0, -self.pixel_height, self.north

    @property
    def affine(self) -> Affine:
        """The transform as `affine.Affine`, as used by rasterio."""
        from affine import Affine

        return Affine(*self.transform)

    @property
    def geobox(self) -> GeoBox:
        """The same grid as odc-geo's `GeoBox`."""
        from odc.geo.geobox import GeoBox

        return GeoBox(self.shape, self.affine, f"EPSG:{self.epsg}")

    def at(self, resolution: float) -> Grid:
        """The same bounds at another resolution."""
        return Grid.of_bounds(self.epsg, self.bounds, resolution)

    def window(self, row: int, column: int, height: int, width: int) -> Grid:
        """The part that starts at a row and a column; it may extend outside the grid."""
        return replace(
            self,
            west=self.west + column * self.pixel_width,
            north=self.north - row * self.pixel_height,
            width=width,
            height=height,
        )

    def offset_in(self, outer: Grid) -> tuple[int, int]:
        """Row and column of this grid's first pixel in another grid of the same CRS and pixel size.

        Raises:
            InvalidValueError: the two grids do not share pixel edges.
        """
        row = (outer.north - self.north) / self.pixel_height
        column = (self.west - outer.west) / self.pixel_width
        aligned = abs(row - round(row)) < 1e-6 and abs(column - round(column)) < 1e-6
        same = (self.epsg, self.pixel_width, self.pixel_height) == (
            outer.epsg,
            outer.pixel_width,
            outer.pixel_height,
        )
        if not (same and aligned):
            raise InvalidValueError(f"got grids that do not share pixel edges: {self} and {outer}")
        return round(row), round(column)

    def snapped(self, step: float = SNAP) -> Grid:
        """The smallest grid that covers this one and starts and ends on multiples of `step`.

        Example:
            >>> Grid.of_bounds(32633, (10, 10, 50, 50), 10).snapped().bounds
            (0.0, 0.0, 60.0, 60.0)
        """
        west, south, east, north = self.bounds
        bounds = (
            floor(west / step) * step,
            floor(south / step) * step,
            ceil(east / step) * step,
            ceil(north / step) * step,
        )
        return Grid.of_bounds(self.epsg, bounds, self.resolution)

    def outline(self) -> Polygon:
        """The bounds as a polygon of the grid's own CRS, from the south-east corner counter-clockwise."""
        import shapely

        return shapely.box(*self.bounds)

    def footprint(self, densify: int = 1) -> BaseGeometry:
        """Outline in WGS84 (longitude latitude), split at 180° where it crosses that.

        Args:
            densify: segments per side; 1 keeps the four corners, enough for samples of some hundred metres.

        Example:
            >>> Grid.of_bounds(32660, (630000, 7434000, 630600, 7434600), 600).footprint().bounds[::2]
            (179.98..., 179.99...)
        """
        import numpy as np
        import shapely

        from landloom.model.antimeridian import split_antimeridian

        outline = self.outline()
        if densify > 1:
            longest = max(self.east - self.west, self.north - self.south)
            outline = shapely.segmentize(outline, longest / densify)
        change = transformer(self.epsg, WGS84)
        vertices = shapely.transform(outline, lambda xy: np.column_stack(change.transform(xy[:, 0], xy[:, 1])))
        return split_antimeridian(vertices)
