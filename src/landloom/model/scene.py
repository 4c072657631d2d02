"""A scene: one acquisition on one granule, as an archive lists it, its files, and directions of sun and view."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from landloom.model.sensor import SENTINEL_2_L2A, sensor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from landloom.model.grid import Grid
    from landloom.model.sensor import Conversion, Sensor


class Role(StrEnum):
    """The role of a scene's file that is not a spectral band."""

    CLASSIFICATION = "classification"
    """Marks usable pixels: Sen2Cor's SCL, Landsat's QA_PIXEL."""
    AEROSOL = "aerosol"
    WATER_VAPOUR = "water vapour"
    PRODUCT = "product"
    """The whole product in one file."""


class AddressSigning(Protocol):
    """Signs addresses when files are opened; a value that travels to workers."""

    def signed(self, href: str) -> str:
        """The address under which a file is opened just now; never kept, printed or published.

        Raises:
            TransientFaultError: it cannot be signed just now.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFile:
    """One file of a scene. Its identity is href + checksum, else ETag + size; never a modification time."""

    href: str
    """Path or URL; absolute."""
    band: int = 1
    """Which band of the file, from 1."""
    offset: int = 0
    """Number to add to stored values: −1000 if BOA_ADD_OFFSET is still to be applied, 0 if it is already applied."""
    conversion: Conversion | None = None
    """Conversion to reflectance; None if stored numbers are 10,000 × reflectance apart from the offset."""
    scale_known: bool = False
    """Whether the archive states that they are; else the scale that the file declares counts."""
    offset_known: bool = False
    """Whether the archive settles the offset; else the one that the file declares counts."""
    nodata: float | None = None
    """Number that stands for nothing, if the archive declares one; that of the file counts as well."""
    size: int | None = None
    """Size in bytes, if the archive gives it."""
    grid: Grid | None = None
    """Position of the file according to the archive, for files without georeferencing."""
    checksum: str | None = None
    """Multihash, if the archive gives it (STAC file extension)."""
    etag: str | None = None
    """ETag, if the store gives it."""
    signing: AddressSigning | None = field(default=None, compare=False, repr=False)
    """How its address is signed, where it has to be."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Direction:
    """Directions at nodes; node (0, 0) is the north-west one."""

    zenith: NDArray[np.floating]
    """(y, x) zenith angle in degrees; NaN where it is not known."""
    azimuth: NDArray[np.floating]
    """(y, x) azimuth in degrees clockwise from north, from the ground; NaN where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Angles:
    """Directions over a scene, all at the same nodes."""

    west: float
    """x of the westernmost nodes, in the CRS of the scene's files."""
    north: float
    """y of the northernmost nodes."""
    step: float
    """Metres from node to node."""
    sun: Direction
    view: Mapping[str, Direction]
    """Band → view; a band without angles is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One acquisition on one granule."""

    id: str
    """The archive's id; unique within the archive."""
    time: datetime
    """Start of sensing, UTC."""
    granule: str | None
    """MGRS square such as `33TWL`; None if the archive does not give it."""
    epsg: int | None
    """CRS of the files; None if only the files give it."""
    footprint: BaseGeometry = field(compare=False)
    """Outline of valid data in WGS84; multipolygon across the antimeridian."""
    bands: Mapping[str, SceneFile] = field(compare=False)
    """Band (`B04`) → file, with the sensor's band names, not the archive's."""
    layers: Mapping[Role, SceneFile] = field(default_factory=dict, compare=False)
    """Files other than bands."""
    masks: Mapping[str, SceneFile] = field(default_factory=dict, compare=False)
    """Name → mask that is part of the product, if any (`MSK_CLOUDS_B00` of Sentinel-2 Level-1C)."""
    angles: Angles | None = field(default=None, compare=False, repr=False)
    """Directions of sun and view, if the archive gives them without opening a further file."""
    angles_at: SceneFile | None = field(default=None, compare=False)
    """Document that has them, `MTD_TL.xml` of Sentinel-2, if the archive gives it."""
    sensor: str = SENTINEL_2_L2A.name
    """Its sensor, a row of `landloom.model.sensor`, or one that the recipe describes."""
    described: Sensor | None = field(default=None, compare=False, repr=False)
    """Its sensor, if the recipe describes it."""
    cloud_cover: float | None = None
    """Percent, 0 to 100."""
    nodata_share: float | None = None
    """Percent of the granule without data, 0 to 100."""
    baseline: str | None = None
    """Processing baseline such as `05.09`."""
    level: str = "L2A"
    """Processing level: `L1C` or `L2A`."""
    platform: str | None = None
    """`sentinel-2a`, …"""
    orbit: int | None = None
    """Relative orbit."""
    created: datetime | None = None
    """Generation time of the product; at equal baselines, newer replaces older."""
    updated: datetime | None = field(default=None, compare=False)
    """When the archive last changed its document of the scene, or one of the files, if it says so."""
    size: int | None = None
    """Size of the whole product in bytes, if the archive gives it."""
    datastrip: str | None = None
    """Identifier of the datastrip, where the archive gives it."""
    product: str | None = None
    """The agency's name of the product, where the archive has an id of its own."""
    collection: str | None = None
    """Collection that the archive's document belongs to."""
    href: str | None = None
    """Address of the archive's document of the scene."""
    found_at: str | None = field(default=None, compare=False)
    """Address that the document was read from, where `href` is what it says of itself."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What of its metadata was converted, or ignored because nothing needs it."""

    @property
    def files(self) -> tuple[SceneFile, ...]:
        """All of its files; several may be bands of one."""
        further = () if self.angles_at is None else (self.angles_at,)
        return (*self.bands.values(), *self.layers.values(), *self.masks.values(), *further)

    @property
    def stated(self) -> str | None:
        """What the archive states that changes when a file does, as a short digest; None if it states nothing.

        That is when it was last updated, else the checksums or ETags of all files.

        Example:
            >>> from dataclasses import replace
            >>> from shapely import box
            >>> from landloom.model.time import parse_instant
            >>> time = parse_instant("2018-05-01T10:00:00")
            >>> bands = {"B04": SceneFile(href="https://example.org/B04.tif")}
            >>> scene = Scene(id="a", time=time, granule=None, epsg=None, footprint=box(0, 0, 1, 1), bands=bands)
            >>> scene.stated, len(replace(scene, updated=time).stated)
            (None, 16)
        """
        if self.updated is not None:
            said = self.updated.isoformat()
        else:
            marks = [file.checksum or file.etag for file in self.files]
            if None in marks:
                return None
            said = " ".join(sorted(map(str, marks)))
        return hashlib.sha256(f"{self.collection} {self.id} {said}".encode()).hexdigest()[:16]

    @property
    def made_by(self) -> Sensor:
        """Its sensor.

        Raises:
            NotFoundError: there is no such sensor, and the recipe does not describe it.
        """
        return sensor(self.sensor) if self.described is None else self.described
