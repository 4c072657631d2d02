"""The map that a guess learns from, brought onto a granule's grid in LandCoverNet's classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.engine.reading import source_window
from landloom.engine.sources.cells import file_identity
from landloom.errors import InvalidInputError
from landloom.imagery.resample import to_grid
from landloom.model.taxonomy import Crosswalk, crosswalk
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from landloom.engine.project import Project
    from landloom.model.grid import Grid


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetMap:
    """A raster of codes, and how they translate."""

    path: str
    taxonomy: str
    overrides: Mapping[str, str]
    """Code → LandCoverNet class, instead of the crosswalk's."""

    @property
    def walk(self) -> Crosswalk:
        """From its codes to LandCoverNet's."""
        walk = crosswalk(f"{self.taxonomy}_landcovernet")
        return walk.override(self.overrides) if self.overrides else walk

    def identity(self) -> list[Any]:
        """What makes it the same map."""
        return [file_identity(self.path), self.taxonomy, sorted(self.overrides.items())]

    def on(self, grid: Grid) -> NDArray[np.uint8]:
        """LandCoverNet classes (y, x) on a grid, by nearest neighbour; 0 where the map has nothing.

        Raises:
            InvalidInputError: codes that its taxonomy does not know, all of them named.
        """
        walk = self.walk
        with open_raster(self.path) as file:
            window = source_window(file.grid, grid, margin=1)
            if window is None:
                return np.zeros(grid.shape, dtype=np.uint8)
            nothing = int(walk.source.nodata)
            stored = nothing if file.nodata is None else int(file.nodata)
            codes = file.read(window, fill=stored)
        moved = to_grid(codes, window, grid, nodata=stored).astype(np.int64)
        if stored != nothing:
            moved[moved == stored] = nothing
        try:
            return walk.apply(moved)
        except InvalidInputError as error:
            raise InvalidInputError(f"{self.path}: {error}") from error


def target_of(project: Project) -> TargetMap:
    """The map of a recipe's guess.

    Raises:
        InvalidInputError: the recipe has no guess.
        NotFoundError: there is no crosswalk from its taxonomy.
    """
    section = project.recipe.guess
    if section is None:
        raise InvalidInputError("guess: missing, wanted the map that chips are spread over, or learned from")
    target = TargetMap(path=project.path(section.file), taxonomy=section.taxonomy, overrides=section.crosswalk)
    _ = target.walk
    return target
