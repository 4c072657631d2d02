"""A scene: one acquisition on one granule, as an archive lists it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from landloom.model.sensor import SENTINEL_2_L2A

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from shapely.geometry.base import BaseGeometry

    from landloom.model.grid import Grid
    from landloom.model.sensor import Conversion


class Role(StrEnum):
    """What a file of a scene is that is no spectral band."""

    CLASSIFICATION = "classification"
    """Tells usable pixels: Sen2Cor's SCL, Landsat's QA_PIXEL."""
    AEROSOL = "aerosol"
    WATER_VAPOUR = "water vapour"
    PRODUCT = "product"
    """The whole product in one file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFile:
    """One file of a scene. Its identity is href + checksum, else ETag + size; never a modification time."""

    href: str
    """Path or URL; absolute."""
    band: int = 1
    """Which band of the file, from 1."""
    offset: int = 0
    """Number to add to stored values: −1000 where BOA_ADD_OFFSET is still to be applied, 0 where it is in them."""
    conversion: Conversion | None = None
    """To reflectance; None where stored numbers are 10,000 × reflectance but for the offset."""
    size: int | None = None
    """Bytes, where the archive says."""
    grid: Grid | None = None
    """Where the archive says that the file lies, for files that do not say it themselves."""
    checksum: str | None = None
    """Multihash, where the archive says (STAC file extension)."""
    etag: str | None = None
    """ETag, where the store says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One acquisition on one granule."""

    id: str
    """The archive's id; unique within the archive."""
    time: datetime
    """Start of sensing, UTC."""
    granule: str | None
    """MGRS square such as `33TWL`; None where the archive does not say."""
    epsg: int | None
    """CRS of the files; None where only the files say."""
    footprint: BaseGeometry = field(compare=False)
    """Outline of valid data in WGS84; multipolygon across the antimeridian."""
    bands: Mapping[str, SceneFile] = field(compare=False)
    """Band (`B04`) → file. Names are those of the sensor, whatever the archive calls them."""
    layers: Mapping[Role, SceneFile] = field(default_factory=dict, compare=False)
    """Files that are no band."""
    masks: Mapping[str, SceneFile] = field(default_factory=dict, compare=False)
    """Name → mask of the product's own, where it has such (`MSK_CLOUDS_B00` of Sentinel-2 Level-1C)."""
    sensor: str = SENTINEL_2_L2A.name
    """Row of `landloom.model.sensor`."""
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
    """When this product was generated; newer replaces older at equal baselines."""
    size: int | None = None
    """Bytes of the whole product, where the archive says."""
    href: str | None = None
    """Where the archive's own document of it lies."""
