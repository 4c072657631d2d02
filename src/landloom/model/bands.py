"""Spectral bands of Sentinel-2's MultiSpectral Instrument and the classes of its scene classification.

Centre wavelengths and widths are those of Sentinel-2A (ESA, Sentinel-2 Products Specification Document).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One spectral channel, or one layer of a raster that is no spectrum."""

    name: str
    """`B04`; a layer's own name elsewhere."""
    description: str
    """What it is, in words."""
    resolution: float
    """Native pixel size in metres."""
    common_name: str | None = None
    """Name in the STAC EO extension."""
    wavelength: float | None = None
    """Centre wavelength in micrometres."""
    width: float | None = None
    """Full width at half maximum in micrometres."""


def _band(name: str, text: str, resolution: float, common: str, wavelength: float, width: float) -> Band:
    return Band(
        name=name,
        description=text,
        resolution=resolution,
        common_name=common,
        wavelength=wavelength,
        width=width,
    )


SENTINEL2: Final[dict[str, Band]] = {
    band.name: band
    for band in (
        _band("B01", "Coastal aerosol", 60, "coastal", 0.4427, 0.021),
        _band("B02", "Blue", 10, "blue", 0.4924, 0.066),
        _band("B03", "Green", 10, "green", 0.5598, 0.036),
        _band("B04", "Red", 10, "red", 0.6646, 0.031),
        _band("B05", "Red edge 1", 20, "rededge", 0.7041, 0.015),
        _band("B06", "Red edge 2", 20, "rededge", 0.7405, 0.015),
        _band("B07", "Red edge 3", 20, "rededge", 0.7828, 0.020),
        _band("B08", "Near infrared", 10, "nir", 0.8328, 0.106),
        _band("B8A", "Narrow near infrared", 20, "nir08", 0.8647, 0.021),
        _band("B09", "Water vapour", 60, "nir09", 0.9451, 0.020),
        _band("B10", "Cirrus", 60, "cirrus", 1.3735, 0.031),
        _band("B11", "Shortwave infrared 1", 20, "swir16", 1.6137, 0.091),
        _band("B12", "Shortwave infrared 2", 20, "swir22", 2.2024, 0.175),
    )
}
"""Band name → band, in ESA's order."""

RAPIDAI4EO_BANDS: Final = ("B02", "B03", "B04", "B08", "B05", "B06", "B07", "B8A", "B11", "B12", "B01", "B09")
"""Band order of the published monthly composites (RapidAI4EO documentation, appendix 1)."""

REFLECTANCE_SCALE: Final = 10_000
"""Stored number of a reflectance of 1."""
NODATA: Final = 0
"""Stored number where nothing was observed."""
SATURATED: Final = 65_535
"""Stored number of a saturated detector; invalid."""


class Scl(IntEnum):
    """Classes of Sen2Cor's scene classification layer (Level-2A Algorithm Theoretical Basis Document)."""

    NO_DATA = 0
    DEFECTIVE = 1
    DARK = 2
    CLOUD_SHADOW = 3
    VEGETATION = 4
    BARE = 5
    WATER = 6
    UNCLASSIFIED = 7
    CLOUD_MEDIUM = 8
    CLOUD_HIGH = 9
    CIRRUS = 10
    SNOW = 11


CLEAR: Final = frozenset({Scl.VEGETATION, Scl.BARE, Scl.WATER, Scl.UNCLASSIFIED, Scl.SNOW})
"""Classes that count as usable unless a recipe says otherwise."""
