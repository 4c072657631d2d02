"""Windows of a file's pixels that cover a target grid."""

from __future__ import annotations

from math import ceil, floor, inf
from typing import Final

import shapely

from landloom.model.crs import crs_of, world_span
from landloom.model.grid import Grid
from landloom.model.shapes import reach, reproject

SEGMENTS: Final = 8
"""Segments per side for reprojecting an outline: enough for blocks of some kilometres."""
_TINY: Final = 1e-6
"""Tolerance in pixels."""


def source_window(source: Grid, target: Grid, margin: int = 0) -> Grid | None:
    """The smallest window of a source's pixels that covers a target.

    Args:
        source: grid of the file.
        target: any grid; in another CRS its outline is reprojected vertex by vertex.
        margin: pixels added on every side.

    Returns:
        The window, which may extend outside the source; None if the two are disjoint.

    Example:
        >>> source = Grid.of_bounds(32633, (0, 0, 6000, 6000), 20)
        >>> source_window(source, Grid.of_bounds(32633, (600, 600, 1200, 1200), 10)).shape
        (30, 30)
    """
    if source.epsg == target.epsg:
        west, south, east, north = target.bounds
    else:
        margin += 1
        longest = max(target.east - target.west, target.north - target.south)
        outline = shapely.segmentize(target.outline(), longest / SEGMENTS)
        west, south, east, north = reproject(outline, target.epsg, source.epsg, tolerance=inf).bounds
    top = floor((source.north - north) / source.pixel_height + _TINY) - margin
    bottom = ceil((source.north - south) / source.pixel_height - _TINY) + margin
    left = floor((west - source.west) / source.pixel_width + _TINY) - margin
    right = ceil((east - source.west) / source.pixel_width - _TINY) + margin
    if bottom <= 0 or right <= 0 or top >= source.height or left >= source.width:
        return None
    return source.window(top, left, bottom - top, right - left)


def nests(target: Grid, source: Grid) -> bool:
    """Whether every pixel of a target lies within one pixel of a source, or beyond it.

    Args:
        target: any grid.
        source: grid of a file.

    Example:
        >>> source = Grid.of_bounds(32633, (0, 0, 6000, 6000), 30)
        >>> nests(Grid.of_bounds(32633, (10, 0, 610, 600), 10), source)
        True
        >>> nests(Grid.of_bounds(32633, (15, 0, 615, 600), 10), source)
        False
    """
    if source.epsg != target.epsg:
        return False
    width, height = target.pixel_width, target.pixel_height
    steps = (
        source.pixel_width / width,
        source.pixel_height / height,
        (target.west - source.west) / width,
        (source.north - target.north) / height,
    )
    return min(steps[:2]) > 1 - _TINY and all(abs(step - round(step)) < _TINY for step in steps)


def source_windows(source: Grid, target: Grid, margin: int = 0) -> list[Grid]:
    """The windows of a source's pixels that together cover a target: two on a map of the world cut at 180°.

    Args:
        source: as of `source_window`.
        target: as of `source_window`.
        margin: as of `source_window`.

    Example:
        >>> world = Grid.of_bounds(4326, (-180, -90, 180, 90), 0.1)
        >>> across = Grid.of_bounds(32660, (628200, 7434000, 634200, 7440000), 60)
        >>> [(window.width, round(window.west, 1)) for window in source_windows(world, across)]
        [(3, 179.8), (3, -180.1)]
    """
    boxes = () if world_span(crs_of(source.epsg)) is None else reach(target.bounds, target.epsg, source.epsg)
    if len(boxes) < 2:
        whole = source_window(source, target, margin)
        return [] if whole is None else [whole]
    sides = (
        Grid.of_transform(source.epsg, (east - west, 0.0, west, 0.0, south - north, north), (1, 1))
        for west, south, east, north in boxes
    )
    return [window for side in sides if (window := source_window(source, side, margin + 1)) is not None]
