"""A land-cover map in any taxonomy, resampled to a grid in LandCoverNet's classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.engine.pixels.windows import source_windows
from landloom.errors import InvalidInputError
from landloom.formats.raster_codes import code_numbers
from landloom.imagery.resample import to_grid
from landloom.model.crosswalk import Crosswalk, crosswalk
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from landloom.engine.project import Project
    from landloom.model.grid import Grid
    from landloom.model.recipe import ClassMapSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMap:
    """A raster of codes, and their translation."""

    path: str
    taxonomy: str
    overrides: Mapping[str, str]
    """Code → LandCoverNet class, instead of the crosswalk's."""

    @property
    def walk(self) -> Crosswalk:
        """The crosswalk from its codes to LandCoverNet's."""
        walk = crosswalk(f"{self.taxonomy}_landcovernet")
        return walk.override(self.overrides) if self.overrides else walk

    def identity(self, file: str) -> list[Any]:
        """Identity of the map.

        Args:
            file: identity of its file.
        """
        return [file, self.taxonomy, sorted(self.overrides.items())]

    def on(self, grid: Grid) -> NDArray[np.uint8]:
        """LandCoverNet classes (y, x) on a grid, by nearest neighbour; 0 where the map has no data.

        Raises:
            InvalidInputError: codes outside its taxonomy; the message lists all of them.
        """
        walk = self.walk
        with open_raster(self.path) as file:
            windows = source_windows(file.grid, grid, margin=1)
            if not windows:
                return np.zeros(grid.shape, dtype=np.uint8)
            nothing = int(walk.source.nodata)
            nodata, whole = file.nodata, file.grid
            parts = [(window, file.read(window, fill=0)) for window in windows]
        try:
            moved = np.full(grid.shape, nothing, np.int64)
            for window, numbers in parts:  # several on both sides of 180°
                codes = code_numbers(numbers, nodata, nothing)
                codes[_outside(window, whole)] = nothing
                moved = np.where(moved == nothing, to_grid(codes, window, grid, nodata=nothing), moved)
            return walk.apply(moved)
        except InvalidInputError as error:
            raise InvalidInputError(f"{self.path}: {error}") from error


def _outside(window: Grid, whole: Grid) -> NDArray[np.bool_]:
    """Pixels of a window that lie outside a file."""
    row, column = window.offset_in(whole)
    rows, columns = np.arange(row, row + window.height), np.arange(column, column + window.width)
    beside: NDArray[np.bool_] = (columns < 0) | (columns >= whole.width)
    return beside | ((rows < 0) | (rows >= whole.height))[:, None]


def class_map(project: Project, source: ClassMapSource) -> ClassMap:
    """The map of a recipe.

    Raises:
        NotFoundError: there is no crosswalk from its taxonomy.
    """
    found = ClassMap(path=project.path(source.file), taxonomy=source.taxonomy, overrides=source.crosswalk)
    _ = found.walk
    return found
