"""A scene: one acquisition on one granule, as an archive lists it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from shapely.geometry.base import BaseGeometry

    from landloom.model.grid import Grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file of a scene. Its identity is href + checksum, else ETag + size; never a modification time."""

    href: str
    """Path or URL; absolute."""
    band: int = 1
    """Which band of the file, from 1."""
    offset: int = 0
    """Number to add to stored values: −1000 where BOA_ADD_OFFSET is still to be applied, 0 where it is in them."""
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
    assets: Mapping[str, Asset] = field(compare=False)
    """Band name (`B04`, `SCL`) → file. Names are ESA's whatever the archive calls them."""
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
