"""Which sensor, level and platform an item is of: by its metadata and its product name, never by parts of an id."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from landloom.errors import InvalidValueError
from landloom.model.sensor import SENSORS, SENTINEL_2_L1C, SENTINEL_2_L2A, Sensor
from landloom.model.spellings import level_name, platform_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.formats.stac.item_values import ItemValues

_PRODUCT: Final = re.compile(
    r"(S2[A-D])_MSI(L1C|L2A)_\d{8}T\d{6}_N(\d{2})(\d{2})_R(\d{3})_T(\w{5})_\d{8}T\d{6}(?:_COG)?(?:\.SAFE)?", re.ASCII
)
_EARTH_SEARCH: Final = re.compile(r"(S2[A-D])_T?(\d{1,2}[A-Z]{3})_\d{8}(?:T\d{6})?_(?:\d+_)?(L1C|L2A)", re.ASCII)
_LANDSAT: Final = re.compile(r"L[COTEM](0[1-9])_(L\w{3})_\d{6}_\d{8}(?:_\d{8})?_\d{2}_\w{2}(?:_SR|_ST)?", re.ASCII)
_HLS: Final = re.compile(r"HLS\.([SL]30)\.T(\w{5})\.\d{7}T\d{6}\.v\d\.\d", re.ASCII)
_COLLECTION: Final = re.compile(r"sentinel-?(?:s-?)?2(?:-pre)?(?:-c\d)?-(l1c|l2a)(?:-cogs|-c\d)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductName:
    """What a product's name says, in the forms that agencies and Earth Search define."""

    platform: str
    level: str
    baseline: str | None = None
    orbit: int | None = None
    granule: str | None = None
    sensor: str | None = None
    """Name of the sensor, if the name says it whatever the platform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What made an item's files."""

    sensor: Sensor
    platform: str | None
    """One unit, `sentinel-2a`; None if only the constellation is known."""


def product_name(*names: object) -> ProductName | None:
    """What the first of some names says that is a product's name; it has to be one as a whole.

    Example:
        >>> product_name("S2A_MSIL1C_20160820T094549_N0204_R079_T33TWL_20160820T124817.SAFE").granule
        '33TWL'
        >>> product_name("my_L1_scene") is None
        True
    """
    for name in names:
        text = name if isinstance(name, str) else ""
        if match := _PRODUCT.fullmatch(text):
            return ProductName(
                platform=platform_name(match[1]),
                level=match[2],
                baseline=f"{match[3]}.{match[4]}",
                orbit=int(match[5]),
                granule=match[6],
            )
        if match := _EARTH_SEARCH.fullmatch(text):
            return ProductName(platform=platform_name(match[1]), level=match[3], granule=match[2])
        if match := _LANDSAT.fullmatch(text):
            return ProductName(platform=f"landsat-{int(match[1])}", level=match[2])
        if match := _HLS.fullmatch(text):
            return ProductName(platform="", level="L2", granule=match[2], sensor=f"hls-{match[1].lower()}")
    return None


def origin(
    values: ItemValues, product: ProductName | None, profile: Sensor, wanted: Sensor | None, *, classified: bool
) -> Origin:
    """The sensor of an item; that it is another one than wanted, or says two things, is a problem of the item.

    Args:
        values: of the item.
        product: what its product's name says.
        profile: the sensor of the provider's profile.
        wanted: the sensor that the archive is of; any of the profile's if None.
        classified: whether it has a classification.
    """
    platform = _platform(values, product)
    own = profile if wanted is None else wanted
    made = platform or ("" if product is None else product.platform)
    stated = None if product is None else product.sensor
    if stated is not None and stated != own.name:
        values.wrong("id", SENSORS[stated].title, f"{own.title}: if the archive is of another sensor, name it")
    elif stated is None and not _is_of(values, made, own):
        told = ", ".join(filter(None, (made, *values.texts("constellation"), *values.texts("instruments"))))
        values.wrong("properties.platform", told, f"{own.title}: if the archive is of another sensor, name it")
    sensor = _of_level(values, product, own, wanted, classified=classified)
    if wanted is not None and sensor is not wanted:
        values.wrong("level", sensor.level, f"{wanted.level} of {wanted.title}: name the archive's sensor")
    unit = made if re.search(r"\d[a-d]?$", made) and made != "sentinel-2" else None
    return Origin(sensor=sensor, platform=unit or None)


def _platform(values: ItemValues, product: ProductName | None) -> str:
    """The platform in its one spelling; where only the constellation is stated, the product's name tells the unit."""
    stated = platform_name(values.text("platform", "eo:platform"))
    named = "" if product is None else product.platform
    if named.startswith(stated or "\0"):
        return named
    if stated and named and stated != named:
        values.note(f"properties.platform: got {stated!r}, though the product's name says {named!r}")
    return stated


def _is_of(values: ItemValues, platform: str, sensor: Sensor) -> bool:
    """Whether platform, else constellation, else instruments are the sensor's; what says nothing is no objection."""
    if sensor.is_described:
        return True
    if platform:
        return platform.startswith(sensor.platforms)
    family = sensor.platforms[0].partition("-")[0]
    constellations = [platform_name(one) for one in values.texts("constellation")]
    if constellations:
        return any(one.startswith((*sensor.platforms, family)) for one in constellations)
    instruments = [one.lower() for one in values.texts("instruments")]
    return not instruments or sensor.instrument in instruments


def _of_level(
    values: ItemValues, product: ProductName | None, own: Sensor, wanted: Sensor | None, *, classified: bool
) -> Sensor:
    """The sensor of the level that the item states."""
    if own not in (SENTINEL_2_L2A, SENTINEL_2_L1C):
        stated = product.level if product is not None else values.text("landsat:correction") or own.level
        if not stated.startswith("L2") and not own.is_described:
            values.wrong("level", stated, f"{own.level} of {own.title}")
        return own
    levels = dict(_levels(values, product))
    if len(set(levels.values())) > 1:
        told = ", ".join(f"{level} ({where})" for where, level in levels.items())
        values.wrong("level", told, "one processing level")
    if levels:
        level = next(iter(levels.values()))
    else:
        level = SENTINEL_2_L2A.level if classified or wanted is None else wanted.level
    return next(sensor for sensor in SENSORS.values() if sensor.title == own.title and sensor.level == level)


def _levels(values: ItemValues, product: ProductName | None) -> Iterator[tuple[str, str]]:
    """Where a level is stated, and which."""
    for key in ("s2:product_type", "product:type", "processing:level", "s2:processing_level"):
        if text := values.text(key):
            try:
                yield f"properties.{key}", level_name(text)
            except InvalidValueError as error:
                values.note(f"properties.{key}: {error}; ignored")
    if product is not None and product.platform.startswith(SENTINEL_2_L2A.platforms):
        yield "product name", product.level
    collection = values.document.get("collection")
    if isinstance(collection, str) and (match := _COLLECTION.fullmatch(collection.lower())):
        yield "collection", match[1].upper()
