"""A land-cover map in any taxonomy, resampled to a grid in LandCoverNet's classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.engine.pixels.reading import source_window
from landloom.errors import InvalidInputError
from landloom.imagery.resample import to_grid
from landloom.labels.raster_codes import as_codes
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
            window = source_window(file.grid, grid, margin=1)
            if window is None:
                return np.zeros(grid.shape, dtype=np.uint8)
            nothing = int(walk.source.nodata)
            fill = nothing if file.nodata is None or not np.isfinite(file.nodata) else file.nodata
            codes, declared = as_codes(file.read(window, fill=fill), file.nodata)
        stored = nothing if declared is None else declared
        moved = to_grid(codes, window, grid, nodata=stored).astype(np.int64)
        if stored != nothing:
            moved[moved == stored] = nothing
        try:
            return walk.apply(moved)
        except InvalidInputError as error:
            raise InvalidInputError(f"{self.path}: {error}") from error


def class_map(project: Project, source: ClassMapSource) -> ClassMap:
    """The map of a recipe.

    Raises:
        NotFoundError: there is no crosswalk from its taxonomy.
    """
    found = ClassMap(path=project.path(source.file), taxonomy=source.taxonomy, overrides=source.crosswalk)
    _ = found.walk
    return found
