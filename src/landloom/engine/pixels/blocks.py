"""Windows of a tile to read: blocks that contain samples, limited by memory."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from landloom.model.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landloom.model.sample import Sample

BLOCK_PIXELS: Final = 600
"""Side of a block in pixels of the product; blocks lie on multiples of it, so that neighbours share source tiles."""
BUDGET: Final = 512 * 2**20
"""Largest number of bytes for the observations of one block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A window to read, with the samples to cut from it."""

    grid: Grid
    """Tight around its samples."""
    samples: tuple[int, ...]
    """Indices in the tile's list of samples."""


def blocks(
    samples: Sequence[Sample], resolution: float, side: int = BLOCK_PIXELS, grids: Sequence[Grid] | None = None
) -> tuple[Block, ...]:
    """Group samples by the block that contains their centre; each block is tight around its samples.

    Args:
        samples: in one CRS.
        resolution: metres of a pixel.
        side: of a block, in pixels.
        grids: of the samples at that resolution, if known.

    Example:
        >>> from landloom.model.ids import TileId
        >>> from landloom.model.sample import Sample
        >>> cells = [Sample.of_utm24(cell) for cell in TileId.parse("33N_16E-243N").samples()]
        >>> len(blocks(cells, 10.0)), blocks(cells[:3], 10.0)[0].grid.shape
        (16, (60, 180))
    """
    extent = side * resolution
    grids = grids or [sample.grid(resolution) for sample in samples]

    def cell(position: int) -> tuple[int, int]:
        west, south, east, north = samples[position].bounds
        return -int(((south + north) / 2) // extent), int(((west + east) / 2) // extent)

    positions = sorted(range(len(samples)), key=lambda position: (cell(position), position))
    return tuple(
        Block(grid=_around([grids[p] for p in members], resolution), samples=members)
        for members in (tuple(group) for _, group in groupby(positions, key=cell))
    )


def _around(grids: Sequence[Grid], resolution: float) -> Grid:
    wests, souths, easts, norths = zip(*(grid.bounds for grid in grids), strict=True)
    return Grid.of_bounds(grids[0].epsg, (min(wests), min(souths), max(easts), max(norths)), resolution)


def strips(grid: Grid, observations: int, bands: int, budget: int = BUDGET) -> Iterator[tuple[int, Grid]]:
    """Split a grid into strips of whole 60 m rows, so that all observations of a strip fit into memory.

    Yields:
        The first row of each strip, and its grid.

    Example:
        >>> grid = Grid.of_bounds(32633, (0, 0, 6000, 6000), 10)
        >>> [strip.height for _, strip in strips(grid, 10, 12, budget=10 * 12 * 2 * 600 * 200)]
        [198, 198, 198, 6]
    """
    step = max(round(60 / grid.pixel_height), 1)
    rows = budget // max(observations * bands * 2 * grid.width, 1)
    height = max(int(rows) // step * step, step)
    for row in range(0, grid.height, height):
        yield row, grid.window(row, 0, min(height, grid.height - row), grid.width)
