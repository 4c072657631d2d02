"""Sensors: properties of an instrument's products known without opening a file. A new sensor is a new row.

Centre wavelengths and widths of Sentinel-2 are those of Sentinel-2A (ESA, Sentinel-2 Products Specification Document);
those of Landsat 8 are the centres of its bands (USGS, Landsat 8 Data Users Handbook). A recipe can describe further
sensors (`landloom.model.recipe.sensors`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from landloom.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from landloom.model.rendering.values import Rendering


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One spectral band, or one layer of a non-spectral raster."""

    name: str
    """`B04`, or the name of the layer."""
    description: str
    """Short description."""
    resolution: float
    """Native pixel size in metres."""
    common_name: str | None = None
    """Name in the STAC EO extension."""
    wavelength: float | None = None
    """Centre wavelength in micrometres."""
    width: float | None = None
    """Full width at half maximum in micrometres."""
    unit: str | None = None
    """Of the numbers of a layer that is not reflectance: `t/ha`."""
    rendering: Rendering | None = None
    """How its numbers are shown; None where the product, its taxonomy or its class mapping says enough."""


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

REFLECTANCE_SCALE: Final = 10_000
"""Stored value of a reflectance of 1."""
NODATA: Final = 0
"""Stored value of pixels without an observation."""
SATURATED: Final = 65_535
"""Stored value of saturated pixels; invalid."""


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


SCL_WORDS: Final = {int(one): one.name.lower().replace("_", "-") for one in Scl}
"""Class → word."""
LANDCOVERNET_CLEAR: Final = (2, 4, 5, 6, 7, 11)
"""Classes that LandCoverNet uses: neither clouds, shadows and cirrus, nor saturated or defective pixels."""
CLEAR: Final = frozenset({Scl.VEGETATION, Scl.BARE, Scl.WATER, Scl.UNCLASSIFIED, Scl.SNOW})
"""Classes that count as usable by default."""


SEEN: Final = 1 << 16
"""Bit that reading sets in the values of layers in which 0 is a value, so that 0 means no data in all layers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """A layer of a scene that marks usable pixels."""

    name: str
    """Its name in documents and masks: `SCL`."""
    resolution: float
    """Pixel size in metres."""
    clear: frozenset[int] = frozenset()
    """Classes that count as usable by default; empty if the values are bit fields."""
    blocked: int = 0
    """Bits that mark a pixel as unusable; 0 if the values are classes."""
    nodata: int | None = 0
    """Value of pixels without data; None if there is none."""
    words: Mapping[int, str] = field(default_factory=dict)
    """Class, or number of the bit → what it means. A class without a word is unknown, unless none has any."""
    zero: bool = False
    """Whether 0 is a value like any other; else it means no data."""

    @property
    def is_sen2cor(self) -> bool:
        """Whether the values are the classes of Sen2Cor."""
        return self.words == SCL_WORDS

    def codes(self, words: Iterable[int | str]) -> frozenset[int]:
        """Classes, or bits, by their numbers or words.

        Raises:
            NotFoundError: names a word or number that the layer does not have.

        Example:
            >>> sorted(SENTINEL_2_L2A.classification.codes(["water", 4]))
            [4, 6]
        """
        found: set[int] = set()
        for one in words:
            own = {code for code, word in self.words.items() if one in (code, word)}
            if not self.words and isinstance(one, int):
                own = {one}
            if not own:
                known = [f"{word} ({number})" for number, word in self.words.items()]
                raise NotFoundError.of(f"value of {self.name}", str(one), known)
            found |= own
        return frozenset(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineOffset:
    """An offset that has to be added to stored values from a processing baseline on."""

    baseline: float
    """First baseline with the offset."""
    value: int
    """Number to add to stored values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Conversion of stored numbers to reflectance: `scale * number + offset`."""

    scale: float
    offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """An instrument's products of one processing level.

    Example:
        >>> sensor("sentinel-2-l2a").bands["B04"].resolution
        10
    """

    name: str
    """`sentinel-2-l2a`: its name in recipes, and of its STAC collection."""
    title: str
    """Display name: `Sentinel-2`."""
    platforms: tuple[str, ...]
    """What platform names start with, in their one spelling (`landloom.model.spellings`): `sentinel-2`."""
    instrument: str
    """Name of the instrument in metadata: `msi`."""
    level: str
    """Processing level: `L1C`, `L2A`, `L2SP`."""
    bands: Mapping[str, Band]
    """Name → band, in the provider's order."""
    classification: Classification | None = None
    """Layer that marks usable pixels; None if the product's masks, or nodata alone, do."""
    offset: BaselineOffset | None = None
    """Offset of stored values by baseline, for items that do not declare it."""
    conversion: Conversion | None = None
    """Conversion to reflectance; None if stored values are already 10,000 × reflectance."""
    nodata: float = 0
    """Stored value of pixels without an observation."""
    saturated: int | None = SATURATED
    """Stored value of saturated pixels; None if there is none."""
    nadir: bool = False
    """Whether its reflectance is already that of a nadir view: HLS is normalised by the c-factor method itself."""
    stored: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    """Band or layer → its name in files, cubes and items, and its number in a file of several, if that is stated; of
    described sensors."""

    @property
    def is_described(self) -> bool:
        """Whether a recipe describes it."""
        return bool(self.stored)

    @property
    def name_of_level(self) -> str:
        """Display name with the level, where that is not surface reflectance: `Sentinel-2 Level-1C`."""
        return f"{self.title} Level-{self.level[1:]}" if self.level.startswith("L1") else self.title


_ESA_OFFSET: Final = BaselineOffset(baseline=4.0, value=-1000)


_OLI: Final = (
    ("1", "Coastal aerosol", "coastal", 0.443, 0.016),
    ("2", "Blue", "blue", 0.482, 0.060),
    ("3", "Green", "green", 0.561, 0.057),
    ("4", "Red", "red", 0.655, 0.037),
    ("5", "Near infrared", "nir08", 0.865, 0.028),
    ("6", "Shortwave infrared 1", "swir16", 1.609, 0.085),
    ("7", "Shortwave infrared 2", "swir22", 2.201, 0.187),
)


def _oli(prefix: str) -> dict[str, Band]:
    """Reflective bands of the Operational Land Imager at 30 m."""
    return {
        f"{prefix}{number}": _band(f"{prefix}{number}", text, 30, common, wavelength, width)
        for number, text, common, wavelength, width in _OLI
    }


SENTINEL_2_L2A: Final = Sensor(
    name="sentinel-2-l2a",
    title="Sentinel-2",
    platforms=("sentinel-2",),
    instrument="msi",
    level="L2A",
    bands=SENTINEL2,
    classification=Classification(
        name="SCL", resolution=20, clear=frozenset(int(one) for one in CLEAR), words=SCL_WORDS
    ),
    offset=_ESA_OFFSET,
)
"""Sentinel-2 Level-2A: surface reflectance with the scene classification of Sen2Cor."""
SENTINEL_2_L1C: Final = Sensor(
    name="sentinel-2-l1c",
    title="Sentinel-2",
    platforms=("sentinel-2",),
    instrument="msi",
    level="L1C",
    bands=SENTINEL2,
    offset=_ESA_OFFSET,
)
"""Sentinel-2 Level-1C: top-of-atmosphere reflectance with the product's masks."""
LANDSAT_C2_L2: Final = Sensor(
    name="landsat-c2-l2",
    title="Landsat 8/9",
    platforms=("landsat-8", "landsat-9"),
    instrument="oli",
    level="L2SP",
    bands=_oli("B"),
    classification=Classification(
        name="QA_PIXEL",
        resolution=30,
        blocked=0b11111,
        nodata=1,
        words=dict(enumerate(("fill", "dilated-cloud", "cirrus", "cloud", "cloud-shadow", "snow", "clear", "water"))),
    ),
    conversion=Conversion(scale=0.0000275, offset=-0.2),
    saturated=None,
)
"""Landsat 8 and 9 Collection 2 Level 2 (USGS, Landsat 8-9 Collection 2 Level 2 Science Product Guide): QA_PIXEL bits 0
to 4 are fill, dilated cloud, cirrus, cloud and cloud shadow."""
_FMASK: Final = Classification(
    name="Fmask",
    resolution=30,
    blocked=0b1110,
    nodata=255,
    words=dict(enumerate(("cirrus", "cloud", "adjacent", "cloud-shadow", "snow", "water"))),
    zero=True,
)
HLS_S30: Final = Sensor(
    name="hls-s30",
    title="HLS S30",
    platforms=("sentinel-2",),
    instrument="msi",
    level="L2",
    bands={name: replace(band, resolution=30.0) for name, band in SENTINEL2.items() if name not in {"B09", "B10"}},
    classification=_FMASK,
    conversion=Conversion(scale=0.0001),
    nodata=-9999,
    saturated=None,
    nadir=True,
)
"""Harmonized Landsat Sentinel-2, the part of Sentinel-2 at 30 m (NASA, HLS Product User Guide v2.0): Fmask bits 1 to 3
are cloud, next to cloud or shadow, and cloud shadow."""
HLS_L30: Final = Sensor(
    name="hls-l30",
    title="HLS L30",
    platforms=("landsat-8", "landsat-9"),
    instrument="oli",
    level="L2",
    bands=_oli("B0"),
    classification=_FMASK,
    conversion=Conversion(scale=0.0001),
    nodata=-9999,
    saturated=None,
    nadir=True,
)
"""Harmonized Landsat Sentinel-2, the part of Landsat 8 and 9, on the granules of Sentinel-2."""
SENSORS: Final = {row.name: row for row in (SENTINEL_2_L2A, SENTINEL_2_L1C, LANDSAT_C2_L2, HLS_S30, HLS_L30)}
"""Name → sensor."""


def sensor(name: str) -> Sensor:
    """Get a sensor by its name.

    Raises:
        NotFoundError: no such sensor.
    """
    if name not in SENSORS:
        raise NotFoundError.of("sensor", name, SENSORS)
    return SENSORS[name]
