"""Products on disk in the SAFE layout, as folders, zip files or tar files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from landloom.archive.dedupe import resolve_duplicates
from landloom.archive.protocol import is_wanted
from landloom.archive.safe.packages import UNREADABLE, opened, product_paths
from landloom.errors import InvalidDocumentError, InvalidInputError, PermanentFaultError, Problem, TransientFaultError
from landloom.formats.safe.directions import scene_angles
from landloom.formats.safe.safe_product import manifest_checksums, parse_product
from landloom.model.antimeridian import split_antimeridian
from landloom.model.scene import Role, Scene, SceneFile
from landloom.model.sensor import REFLECTANCE_SCALE, SENTINEL_2_L1C, SENTINEL_2_L2A, Conversion

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from shapely.geometry.base import BaseGeometry

    from landloom.archive.safe.packages import Package
    from landloom.formats.safe.safe_product import SafeGranule, SafeProduct
    from landloom.model.time import Period

_MASKS: Final = (
    "MSK_CLOUDS_",
    "MSK_CLASSI_",
    "MSK_QUALIT_",
    "MSK_NODATA_",
    "MSK_DEFECT_",
    "MSK_SATURA_",
    "MSK_TECQUA_",
)
_MANIFEST: Final = "manifest.safe"
LEVELS: Final = ("L1C", "L2A")
"""Processing levels."""


class SafeArchive:
    """Scenes of the products below a folder, one per granule.

    A product is a folder that contains `MTD_MSIL1C.xml`, `MTD_MSIL2A.xml` or an old product's metadata, whatever its
    name; a zip or tar file with one or several in it; or a tile in the layout of AWS's buckets with its product.
    Bands are the images at their native resolution, with the offset from the product's metadata; Level-2A has `SCL`,
    Level-1C its masks (`MSK_CLOUDS_B00`, `MSK_CLASSI_B00`, `MSK_QUALIT_B04`, …; read by
    `landloom.archive.safe.masks`). Unreadable products are left out and listed in `problems`. The metadata of each
    product are read once, at the first search.
    """

    def __init__(self, folder: str | os.PathLike[str], *, level: str | None = None) -> None:
        """Set the folder; nothing is read yet.

        Args:
            folder: searched at any depth.
            level: `L1C` or `L2A`; by default both.

        Raises:
            InvalidInputError: another level.

        Example:
            >>> SafeArchive("/no/such/folder", level="L1B")
            Traceback (most recent call last):
            landloom.errors.InvalidInputError: got level 'L1B', expected L1C or L2A
        """
        if level is not None and level not in LEVELS:
            raise InvalidInputError(f"got level {level!r}, expected {' or '.join(LEVELS)}")
        self._folder, self._level = Path(folder).absolute(), level
        self._scenes: tuple[Scene, ...] | None = None
        self._problems: dict[Problem, None] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Problems of the products read so far: location and problem."""
        return tuple(self._problems)

    def search(self, footprint: BaseGeometry, period: Period) -> tuple[Scene, ...]:
        """See `landloom.archive.protocol.Archive`.

        Raises:
            PermanentFaultError: there is no such folder.
            TransientFaultError: a compressed tar file cannot be unpacked beside itself.
        """
        if self._scenes is None:
            self._scenes = self._read()
        return resolve_duplicates(scene for scene in self._scenes if is_wanted(scene, footprint, period))

    def _read(self) -> tuple[Scene, ...]:
        if not self._folder.is_dir():
            raise PermanentFaultError(f"{self._folder}: no such folder")
        found: dict[str, Scene] = {}
        for place in product_paths(self._folder, self._report):
            for scene in self._scenes_of(place):
                if scene.id in found:
                    self._report(str(place), f"id {scene.id!r} is taken by {found[scene.id].href}; left out")
                else:
                    found[scene.id] = scene
        return tuple(found.values())

    def _scenes_of(self, place: Path) -> Iterator[Scene]:
        try:
            with opened(place) as packages:
                if not packages and _looks_like_product(place):
                    self._report(str(place), "no MTD_MSIL1C.xml or MTD_MSIL2A.xml in it")
                for package in packages:
                    yield from self._scenes_in(package)
        except TransientFaultError:  # of this machine, such as a full disk
            raise
        except (*UNREADABLE, InvalidInputError) as error:
            self._report(str(place), f"cannot be read: {error}")

    def _scenes_in(self, package: Package) -> Iterator[Scene]:
        try:
            product = parse_product(package.sizes, package.read, where=package.href)
            checksums = manifest_checksums(package.read(_MANIFEST)) if _MANIFEST in package.sizes else {}
        except InvalidDocumentError as error:
            for problem in error.problems:
                self._report(package.href, str(problem))
            return
        except (*UNREADABLE, InvalidInputError, KeyError) as error:
            self._report(package.href, f"cannot be read: {error}")
            return
        for note in product.notes:
            self._report(package.href, note)
        if product.missing and package.whole:
            names = ", ".join(product.missing[:3]) + (", …" if len(product.missing) > 3 else "")
            self._report(package.href, f"{len(product.missing)} listed image(s) not there: {names}")
        for granule in product.granules:
            scene = _scene(product, granule, package, checksums)
            if not scene.bands:
                self._report(package.href, f"granule {granule.granule}: images of its bands are not there")
            elif self._level not in (None, scene.level):
                self._report(package.href, f"got level {scene.level}, expected {self._level}; left out")
            else:
                yield scene

    def _report(self, where: str, what: str) -> None:
        self._problems[Problem(where=where, what=what)] = None


def _scene(product: SafeProduct, granule: SafeGranule, package: Package, checksums: dict[str, str]) -> Scene:
    def asset(path: str, band: str | None = None) -> SceneFile:
        file = SceneFile(href=package.address(path), size=package.sizes[path], checksum=checksums.get(path))
        if band is None:
            return file
        offset, scale = product.offsets.get(band, 0), product.quantification
        if scale == REFLECTANCE_SCALE:
            return replace(file, offset=offset, scale_known=True, offset_known=True)
        return replace(file, conversion=Conversion(scale=1 / scale, offset=offset / scale))

    bands = {name: path for name in product.bands if (path := granule.native(name)) is not None}
    masks = {name: path for name, path in granule.masks.items() if name.startswith(_MASKS)}
    own = SENTINEL_2_L1C if product.level == SENTINEL_2_L1C.level else SENTINEL_2_L2A
    classes = None if own.classification is None else granule.native(own.classification.name)
    alone = package.whole and len(product.granules) == 1
    return Scene(
        id=product.name if f"_T{granule.granule}_" in product.name else f"{product.name}_T{granule.granule}",
        time=product.time,
        granule=granule.granule,
        epsg=granule.epsg,
        footprint=product.footprint if alone else _within(product.footprint, granule),
        bands={name: asset(path, name) for name, path in bands.items()},
        layers={} if classes is None else {Role.CLASSIFICATION: asset(classes)},
        masks={name: asset(path) for name, path in masks.items()} if own is SENTINEL_2_L1C else {},
        angles=scene_angles(granule.sun, granule.view, granule.grids),
        sensor=own.name,
        cloud_cover=product.cloud_cover if alone or granule.cloud_cover is None else granule.cloud_cover,
        nodata_share=granule.nodata_share,
        baseline=product.baseline,
        level=product.level,
        platform=product.platform,
        orbit=product.orbit,
        created=product.generated,
        datastrip=product.datastrip,
        href=package.href,
    )


def _within(footprint: BaseGeometry, granule: SafeGranule) -> BaseGeometry:
    """The part of a footprint of a product with many granules that lies in one of them."""
    grid = granule.grids[max(granule.grids)]
    return footprint.intersection(split_antimeridian(grid.footprint(densify=16)))


def _looks_like_product(place: Path) -> bool:
    """Whether a file is named like a product; others that hold none are somebody else's."""
    return place.name.upper().startswith("S2") or ".SAFE" in place.name.upper()
