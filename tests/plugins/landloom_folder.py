"""A package of somebody else: an archive of plain GeoTIFFs in a folder, and a taxonomy of three classes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import rasterio

from landloom.archive.open import ArchiveKind, Opening
from landloom.archive.protocol import in_order, is_wanted
from landloom.model.grid import Grid
from landloom.model.scene import Role, Scene, SceneFile
from landloom.model.taxonomy import LandClass, Taxonomy
from landloom.model.time import parse_instant

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from landloom.errors import Problem
    from landloom.model.time import Period

CLASSES: Final = {"1": "Land", "2": "Water", "0": "No label"}
COVER: Final = Taxonomy(
    name="cover",
    prefix="cov",
    classes=tuple(LandClass(code=code, name=name, parents=()) for code, name in CLASSES.items()),
    nodata="0",
)


class FolderArchive:
    """`2018-06-03.tif` holds B04 and B08 of a day, `2018-06-03.scl.tif` its classes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def problems(self) -> tuple[Problem, ...]:
        return ()

    def search(self, footprint: BaseGeometry, period: Period) -> tuple[Scene, ...]:
        names = sorted(path.stem for path in self._folder.glob("????-??-??.tif"))
        return in_order(scene for scene in map(self._scene, names) if is_wanted(scene, footprint, period))

    def _scene(self, day: str) -> Scene:
        path = str(self._folder / f"{day}.tif")
        with rasterio.open(path) as file:
            grid = Grid.of_bounds(file.crs.to_epsg(), tuple(file.bounds), 10)
        return Scene(
            id=day,
            time=parse_instant(f"{day}T10:00:00Z"),
            granule=None,
            epsg=grid.epsg,
            footprint=grid.footprint(),
            bands={"B04": SceneFile(href=path, band=1), "B08": SceneFile(href=path, band=2)},
            layers={Role.CLASSIFICATION: SceneFile(href=str(self._folder / f"{day}.scl.tif"))},
        )


def _open(opening: Opening) -> FolderArchive:
    return FolderArchive(Path(str(opening.href)))


KIND: Final = ArchiveKind(name="folder", open=_open, wants=frozenset({"href"}))
