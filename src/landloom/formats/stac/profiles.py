"""Conventions of providers' STAC items: one row per provider and sensor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from landloom.model.scene import Role
from landloom.model.sensor import HLS_L30, HLS_S30, LANDSAT_C2_L2, SENSORS, SENTINEL2, SENTINEL_2_L2A, Sensor
from landloom.model.spellings import platform_name

_ESA_LAYERS: Final = {"SCL": Role.CLASSIFICATION, "AOT": Role.AEROSOL, "WVP": Role.WATER_VAPOUR}
_NATIVE: Final = {name: f"{band.resolution:.0f}m" for name, band in SENTINEL2.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Conventions of one provider's items."""

    name: str
    """Its name in recipes: `earth-search`."""
    bands: Mapping[str, str]
    """The provider's asset key → the sensor's band name."""
    layers: Mapping[str, Role]
    """The provider's asset key → role of the file."""
    sensor: str = SENTINEL_2_L2A.name
    """Sensor of the items; their processing level may differ."""
    described: Sensor | None = None
    """Sensor of the items, if a recipe describes it."""
    unmodified: bool = False
    """Whether the files are ESA's unmodified ones, so that the baseline gives the offset if the item declares none."""

    alternate: str | None = None
    """Alternate address of a file that is read instead of its own, where an asset has it (STAC's alternate assets)."""

    def address(self, asset: Mapping[str, Any]) -> object:
        """Where the file of an asset is read, as the item says it.

        Example:
            >>> LANDSAT.address({"href": "https://landsatlook.usgs.gov/data/B4.TIF", "alternate": {"s3": {"href": "s3://b"}}})
            's3://b'
        """
        others = asset.get("alternate")
        other = others.get(self.alternate) if isinstance(others, Mapping) and self.alternate else None
        return other.get("href") if isinstance(other, Mapping) else asset.get("href")

    @property
    def made_by(self) -> Sensor:
        """Sensor of the items."""
        return SENSORS[self.sensor] if self.described is None else self.described

    def names(self, key: str) -> list[str | Role]:
        """Name or role of each band of an asset; of an asset that holds several, the recipe tells their numbers.

        Example:
            >>> EARTH_SEARCH.names("red"), EARTH_SEARCH.names("thumbnail")
            (['B04'], [])
        """
        if self.described is None:
            known: Mapping[str, str | Role] = {**self.layers, **self.bands}
            return [known[key]] if key in known else []
        layer = self.described.classification
        found: dict[int, str | Role] = {}
        for name, (asset, number) in self.described.stored.items():
            if asset == key:
                found[number or 1] = Role.CLASSIFICATION if layer is not None and name == layer.name else name
        return [found.get(number, "") for number in range(1, max(found, default=0) + 1)]


EARTH_SEARCH: Final = Profile(
    name="earth-search",
    bands={
        "coastal": "B01",
        "blue": "B02",
        "green": "B03",
        "red": "B04",
        "rededge1": "B05",
        "rededge2": "B06",
        "rededge3": "B07",
        "nir": "B08",
        "nir08": "B8A",
        "nir09": "B09",
        "cirrus": "B10",
        "swir16": "B11",
        "swir22": "B12",
    },
    layers={"scl": Role.CLASSIFICATION, "aot": Role.AEROSOL, "wvp": Role.WATER_VAPOUR},
)
"""Earth Search v1, `sentinel-2-l2a` and `sentinel-2-c1-l2a`. Its `*-jp2` assets are other files (requester pays, offset
not applied) and are left out."""
PLANETARY_COMPUTER: Final = Profile(
    name="planetary-computer",
    bands={name: name for name in SENTINEL2},
    layers=_ESA_LAYERS,
    unmodified=True,
)
"""Planetary Computer, `sentinel-2-l2a`."""
COPERNICUS: Final = Profile(
    name="copernicus-data-space",
    bands={f"{name}_{size}": name for name, size in _NATIVE.items()} | {name: name for name in SENTINEL2},
    layers={f"{name}_20m": role for name, role in _ESA_LAYERS.items()},
    unmodified=True,
)
"""Copernicus Data Space, `sentinel-2-l2a` (`B02_10m`) and `sentinel-2-l1c` (`B02`); each band at its native size."""
GENERIC: Final = Profile(name="generic", bands={name: name for name in SENTINEL2}, layers=_ESA_LAYERS)
"""Asset keys are ESA's band names; an offset only if the item declares it. A file with several bands is read by the
names in `eo:bands` or `bands`."""
LANDSAT: Final = Profile(
    name="landsat",
    bands={
        "coastal": "B1",
        "blue": "B2",
        "green": "B3",
        "red": "B4",
        "nir08": "B5",
        "swir16": "B6",
        "swir22": "B7",
    },
    layers={"qa_pixel": Role.CLASSIFICATION, "qa_aerosol": Role.AEROSOL},
    sensor=LANDSAT_C2_L2.name,
    alternate="s3",
)
"""Collection 2 Level 2 of USGS, whose own addresses ask for a login, of Planetary Computer and of Earth Search."""
_FMASK: Final = {"Fmask": Role.CLASSIFICATION}
HLS_SENTINEL: Final = Profile(
    name="hls-s30", bands={name: name for name in HLS_S30.bands}, layers=_FMASK, sensor=HLS_S30.name
)
"""HLS S30 of LP DAAC and Planetary Computer; angles and thermal bands are left out."""
HLS_LANDSAT: Final = Profile(
    name="hls-l30", bands={name: name for name in HLS_L30.bands}, layers=_FMASK, sensor=HLS_L30.name
)
"""HLS L30 of LP DAAC and Planetary Computer."""
PROFILES: Final = {
    profile.name: profile
    for profile in (EARTH_SEARCH, PLANETARY_COMPUTER, COPERNICUS, GENERIC, LANDSAT, HLS_SENTINEL, HLS_LANDSAT)
}
"""Name → profile."""


def profile_of(sensor: Sensor) -> Profile:
    """The profile of items of a sensor that a recipe describes."""
    layer = sensor.classification
    assets = {name: asset for name, (asset, _) in sensor.stored.items()}
    mask = {} if layer is None else {assets.pop(layer.name): Role.CLASSIFICATION}
    bands = {asset: name for name, asset in assets.items()}
    return Profile(name=sensor.name, bands=bands, layers=mask, sensor=sensor.name, described=sensor)


def detect_profile(item: Mapping[str, Any]) -> Profile:
    """The profile that an item follows, by its platform and asset keys.

    Planetary Computer's keys are also ESA's names, so the host of its files distinguishes it from `generic`. HLS has
    the same asset keys for different bands of its two sensors, so the item's id distinguishes them, or else its bands.

    Example:
        >>> detect_profile({"assets": {"blue": {}, "scl": {}}}).name
        'earth-search'
        >>> detect_profile({"assets": {"B02": {"href": "https://sentinel2l2a01.blob.core.windows.net/B02.tif"}}}).name
        'planetary-computer'
    """
    assets = item.get("assets")
    assets = assets if isinstance(assets, Mapping) else {}
    if "Fmask" in assets:
        return _hls(item, assets)
    hosts = {_host(asset.get("href")) for asset in assets.values() if isinstance(asset, Mapping)}
    if any(host.startswith("sentinel2l2a01.blob.") for host in hosts):
        return PLANETARY_COMPUTER
    properties = item.get("properties")
    stated = properties.get("platform") if isinstance(properties, Mapping) else None
    platform = platform_name(stated) if isinstance(stated, str) else ""
    candidates = (GENERIC, EARTH_SEARCH, COPERNICUS, LANDSAT)
    own = [one for one in candidates if platform and platform.startswith(SENSORS[one.sensor].platforms)]
    return max(own or candidates, key=lambda one: sum(key in one.bands or key in one.layers for key in assets))


def _hls(item: Mapping[str, Any], assets: Mapping[str, Any]) -> Profile:
    """The profile of an item of HLS; only S30 has a band 8."""
    for text in (str(item.get("id", "")), str(item.get("collection", ""))):
        found = re.search(r"(?i)hls2?[.-]?([ls])30", text)
        if found is not None:
            return HLS_SENTINEL if found[1] in "sS" else HLS_LANDSAT
    return HLS_SENTINEL if {"B08", "B8A"} & set(assets) else HLS_LANDSAT


def _host(href: object) -> str:
    try:
        return urlsplit(str(href)).netloc
    except ValueError:
        return ""
