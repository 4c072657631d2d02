"""STAC items of satellite archives → scenes, with the asset names of different providers.

**The processing offset** (DESIGN section 3) is read from the item alone, never from a date: reprocessed scenes of 2016
have it and scenes of early 2022 may not. In this order:

1. `earthsearch:boa_offset_applied: true`: the offset is already applied, so 0 remains. Earth Search still keeps
   `raster:bands[].offset = -0.1` in such items (Element84/earth-search issues 66 and 71); applying it again would give
   negative reflectance.
2. A processing baseline below 04.00: 0. ESA introduced BOA_ADD_OFFSET (Level-1C: RADIO_ADD_OFFSET) with that baseline.
3. An offset that the item declares for the asset (`raster:bands[].offset`, `raster:offset`, or the same in `bands`),
   divided by its scale: −0.1 / 0.0001 = −1000. Earth Search and the Copernicus Data Space declare it.
4. Nothing declared: −1000 if the profile says that the provider serves ESA's unmodified files (Planetary Computer,
   microsoft/PlanetaryComputer issue 134; Copernicus Data Space), else 0. An item of such a provider without a baseline
   is an error, because the offset is then unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from shapely import box, force_2d, make_valid
from shapely.errors import ShapelyError
from shapely.geometry import shape

from landloom.errors import ForeignAddressError, InvalidDocumentError, InvalidIdentityError, InvalidValueError, Problem
from landloom.formats.antimeridian import split_antimeridian
from landloom.formats.stac.profiles import GENERIC
from landloom.model.address import resolve
from landloom.model.grid import Grid
from landloom.model.ids import GranuleId
from landloom.model.scene import Role, Scene, SceneFile
from landloom.model.sensor import REFLECTANCE_SCALE, SENSORS, SENTINEL_2_L1C, SENTINEL_2_L2A, Sensor
from landloom.model.time import parse_instant

if TYPE_CHECKING:
    from datetime import datetime

    from shapely.geometry.base import BaseGeometry

    from landloom.formats.stac.profiles import Profile

_PRODUCT: Final = re.compile(r"S2[A-D]_MSI(L1C|L2A)_\d{8}T\d{6}_N(\d{2})(\d{2})_R(\d{3})_T(\w{5})_")


def parse_scene(item: Mapping[str, Any], base_href: str, profile: Profile) -> Scene:
    """Parse a STAC item as a scene.

    Args:
        item: the parsed JSON of the item, STAC 1.0 or 1.1.
        base_href: path or URL of the item's document; relative hrefs are resolved against it.
        profile: naming conventions of its provider.

    Raises:
        InvalidDocumentError: lists every problem with its location in the item.

    Example:
        >>> from landloom.formats.stac.profiles import EARTH_SEARCH
        >>> scene = parse_scene(
        ...     {
        ...         "id": "S2B_33TWL_20230820_0_L2A",
        ...         "geometry": {"type": "Polygon", "coordinates": [[[15, 45], [16, 45], [16, 46], [15, 45]]]},
        ...         "properties": {"datetime": "2023-08-20T09:58:11Z", "grid:code": "MGRS-33TWL", "proj:epsg": 32633},
        ...         "assets": {"blue": {"href": "B02.tif", "raster:bands": [{"scale": 0.0001, "offset": -0.1}]}},
        ...     },
        ...     "/archive/item.json",
        ...     EARTH_SEARCH,
        ... )
        >>> scene.granule, scene.bands["B02"].href, scene.bands["B02"].offset
        ('33TWL', '/archive/B02.tif', -1000)
    """
    reader = _Item(item, base_href, profile)
    scene = reader.scene()
    if reader.problems or scene is None:
        raise InvalidDocumentError(f"STAC item {item.get('id', base_href)!r}", reader.problems)
    return scene


@dataclass(slots=True)
class _Item:
    """Parser of one item; collects its problems."""

    document: Mapping[str, Any]
    base: str
    profile: Profile
    problems: list[Problem] = field(default_factory=list)
    properties: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.properties = self._mapping("properties")

    def scene(self) -> Scene | None:
        """The scene, or None if a required field is missing; the problems name it."""
        name, product = self.document.get("id"), self._product()
        if not isinstance(name, str) or not name:
            self._wrong("id", name, "a text")
        time, footprint = self._instant("datetime", "start_datetime"), self._footprint()
        if time is None and not any(problem.where.endswith("datetime") for problem in self.problems):
            self._wrong("properties.datetime", None, "an ISO instant, there or in start_datetime")
        epsg, level = self._epsg(), self._level(product)
        sensor = self._sensor(level)
        bands, layers = self._assets(epsg, sensor)
        optional: dict[str, Any] = {
            "bands": bands,
            "layers": layers,
            "sensor": sensor.name,
            "granule": self._granule(product),
            "epsg": epsg,
            "cloud_cover": self._percent("eo:cloud_cover"),
            "nodata_share": self._percent("s2:nodata_pixel_percentage"),
            "baseline": self._baseline(product),
            "level": level,
            "platform": self._text("platform").lower() or None,
            "orbit": self._orbit(product),
            "created": self._instant("s2:generation_time", "processing:datetime", "created"),
            "size": self._size(self._mapping("assets").get("Product"), "assets.Product"),
        }
        if time is None or footprint is None:
            return None
        return Scene(id=str(name), time=time, footprint=footprint, href=self.base, **optional)

    def _wrong(self, where: str, got: object, wanted: str) -> None:
        self.problems.append(Problem(where=where, what=f"got {got!r}, expected {wanted}"))

    def _mapping(self, key: str) -> Mapping[str, Any]:
        value = self.document.get(key)
        if isinstance(value, Mapping):
            return value
        if not any(problem.where == key for problem in self.problems):
            self._wrong(key, value, "an object")
        return {}

    def _text(self, *keys: str) -> str:
        values = (self.properties.get(key) for key in keys)
        return next((value for value in values if isinstance(value, str) and value), "")

    def _product(self) -> re.Match[str] | None:
        """ESA's product name (Sentinel-2 Products Specification Document), a fallback for missing properties."""
        for name in (self._text("s2:product_uri"), str(self.document.get("id", ""))):
            if match := _PRODUCT.match(name):
                return match
        return None

    def _instant(self, *keys: str) -> datetime | None:
        for key in keys:
            if (value := self.properties.get(key)) is None:
                continue
            try:
                return parse_instant(value)
            except (InvalidValueError, TypeError):
                self._wrong(f"properties.{key}", value, "an ISO instant")
        return None

    def _percent(self, key: str) -> float | None:
        value = self.properties.get(key)
        if value is None and isinstance(statistics := self.properties.get("statistics"), Mapping):
            value = statistics.get({"s2:nodata_pixel_percentage": "nodata"}.get(key, ""))
        if _absent(value):
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
            self._wrong(f"properties.{key}", value, "a percentage from 0 to 100")
            return None
        return float(value)

    def _granule(self, product: re.Match[str] | None) -> str | None:
        text = self._text("grid:code")
        name = text.removeprefix("MGRS-") if text.startswith("MGRS-") else self._text("s2:mgrs_tile")
        for prefix in ("mgrs", "sentinel"):
            parts = [self.properties.get(f"{prefix}:{key}") for key in ("utm_zone", "latitude_band", "grid_square")]
            if not name and None not in parts:
                name = "".join(str(part) for part in parts)
        name = name or (product[5] if product else "")
        if not name:
            return None
        try:
            return str(GranuleId.parse(name))
        except InvalidIdentityError as error:
            self.problems.append(Problem(where="properties.grid:code", what=str(error)))
            return None

    def _epsg(self) -> int | None:
        assets = self._mapping("assets")
        mapped = [assets[key] for key in self.profile.bands if isinstance(assets.get(key), Mapping)]
        for holder in (self.properties, *mapped):
            code = holder.get("proj:epsg")
            if code is None and isinstance(text := holder.get("proj:code"), str):
                code = text.removeprefix("EPSG:")
            if code is not None:
                if str(code).removesuffix(".0").isdigit():
                    return int(float(code))
                self._wrong("properties.proj:epsg", code, "an EPSG code")
                return None
        return None

    def _baseline(self, product: re.Match[str] | None) -> str | None:
        text = self._text("s2:processing_baseline", "processing:version", "sentinel:processing_baseline")
        if re.fullmatch(r"\d+(\.\d+)?", text):
            whole, _, part = text.partition(".")
            return f"{int(whole):02d}.{part:0<2}"
        if text:
            self._wrong("properties.s2:processing_baseline", text, "a baseline such as 05.09")
        return f"{product[2]}.{product[3]}" if product else None

    def _level(self, product: re.Match[str] | None) -> str:
        kind = self._text("s2:product_type", "product:type", "processing:level") + str(self.document.get("id", ""))
        levels = {"S2MSI1C": "L1C", "S2MSI2A": "L2A", "L1": "L1C", "L2": "L2A"}
        return product[1] if product else next((level for key, level in levels.items() if key in kind), "L2A")

    def _orbit(self, product: re.Match[str] | None) -> int | None:
        value = self.properties.get("sat:relative_orbit")
        if isinstance(value, int | float) and math.isfinite(value):
            return int(value)
        return int(product[4]) if product else None

    def _footprint(self) -> BaseGeometry | None:
        outline, bbox = self.document.get("geometry"), self.document.get("bbox")
        try:
            if isinstance(outline, Mapping):
                return make_valid(split_antimeridian(force_2d(shape(dict(outline)))))
            if isinstance(bbox, Sequence) and len(bbox) in (4, 6):
                west, south, east, north = (bbox[0], bbox[1], *bbox[-3:-1]) if len(bbox) == 6 else tuple(bbox)
                east, north = (bbox[3], bbox[4]) if len(bbox) == 6 else (east, north)
                return split_antimeridian(box(west, south, east + 360 if east < west else east, north))
        except (ShapelyError, InvalidValueError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            self.problems.append(Problem(where="geometry", what=f"expected a polygon: {error}"))
            return None
        self._wrong("geometry", outline, "a GeoJSON polygon, or a bbox")
        return None

    def _sensor(self, level: str) -> Sensor:
        own = SENSORS[self.profile.sensor]
        return SENTINEL_2_L1C if own is SENTINEL_2_L2A and level == SENTINEL_2_L1C.level else own

    def _assets(self, epsg: int | None, sensor: Sensor) -> tuple[dict[str, SceneFile], dict[Role, SceneFile]]:
        """Bands and other layers."""
        bands: dict[str, SceneFile] = {}
        layers: dict[Role, SceneFile] = {}
        for key, asset in self._mapping("assets").items():
            if not isinstance(asset, Mapping):
                self._wrong(f"assets.{key}", asset, "an object")
                continue
            for number, name in enumerate(self._names(key, asset), start=1):
                if isinstance(name, Role):
                    layers.setdefault(name, self._asset(key, asset, number, epsg))
                elif name in sensor.bands and name not in bands:
                    bands[name] = self._asset(key, asset, number, epsg, sensor)
        if not bands and not layers:
            got = sorted(self._mapping("assets"))
            self._wrong("assets", got, f"files named like {', '.join(list(self.profile.bands)[:3])}, …")
        return bands, layers

    def _names(self, key: str, asset: Mapping[str, Any]) -> list[str | Role]:
        """The band name or role of each band of a file."""
        if key in self.profile.bands:
            return [self.profile.bands[key]]
        if key in self.profile.layers:
            return [self.profile.layers[key]]
        bands = asset.get("bands") or asset.get("eo:bands")
        if self.profile is not GENERIC or not isinstance(bands, Sequence):
            return []
        names = [str(band.get("name", "")) if isinstance(band, Mapping) else "" for band in bands]
        return [self.profile.layers.get(name, name) for name in names]

    def _asset(
        self, key: str, asset: Mapping[str, Any], number: int, epsg: int | None, sensor: Sensor | None = None
    ) -> SceneFile:
        """One band of a file; spectral bands get the sensor's conversion."""
        where, href = f"assets.{key}", asset.get("href")
        if not isinstance(href, str) or not href:
            self._wrong(f"{where}.href", href, "a path or URL")
            href = ""
        checksum = asset.get("file:checksum")
        return SceneFile(
            href=self._resolved(where, href),
            band=number,
            offset=self._offset(where, asset, number, sensor) if sensor is not None and sensor.offset else 0,
            conversion=None if sensor is None else sensor.conversion,
            grid=_stated_grid(asset, epsg),
            size=self._size(asset, where),
            checksum=checksum if isinstance(checksum, str) and checksum else None,
        )

    def _resolved(self, where: str, href: str) -> str:
        try:
            return resolve(href, document=self.base)
        except ForeignAddressError as error:
            self.problems.append(Problem(where=f"{where}.href", what=str(error)))
            return ""

    def _size(self, asset: object, where: str) -> int | None:
        value = asset.get("file:size") if isinstance(asset, Mapping) else None
        if _absent(value):
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or int(value) != value:
            self._wrong(f"{where}.file:size", value, "a number of bytes")
            return None
        return int(value)

    def _offset(self, where: str, asset: Mapping[str, Any], number: int, sensor: Sensor) -> int:
        if any(self.properties.get(f"{prefix}:boa_offset_applied") is True for prefix in ("earthsearch", "sentinel")):
            return 0
        baseline = self._baseline(self._product())
        rule = sensor.offset
        if rule is None or (baseline is not None and float(baseline) < rule.baseline):
            return 0
        offset, scale = _declared(asset, number)
        if offset is not None:
            return self._numbers(where, offset, scale)
        if not self.profile.unmodified:
            return 0
        if baseline is None:
            missing = Problem(where="properties.s2:processing_baseline", what="missing: nothing tells the offset")
            self.problems += [] if missing in self.problems else [missing]
        return rule.value

    def _numbers(self, where: str, offset: object, scale: object) -> int:
        if scale is None and isinstance(offset, int | float):
            scale = 1 / REFLECTANCE_SCALE if abs(offset) < 1 else 1
        if not isinstance(offset, int | float) or not isinstance(scale, int | float) or not scale:
            self._wrong(f"{where}.raster:bands", (offset, scale), "a number as offset and as scale")
            return 0
        stored = offset / scale
        if not math.isfinite(stored) or abs(stored - round(stored)) > 1e-6:
            self._wrong(f"{where}.raster:bands", (offset, scale), "an offset that is a whole number of steps")
            return 0
        return round(stored)


def _absent(value: object) -> bool:
    """Whether a value is missing; tables have NaN where JSON has no key."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _declared(asset: Mapping[str, Any], number: int) -> tuple[Any, Any]:
    """Offset and scale that an asset declares for one of its bands; None, None if it declares none."""
    holders: list[Any] = []
    for key in ("raster:bands", "bands"):
        bands = asset.get(key)
        if isinstance(bands, Sequence) and len(bands) >= number:
            holders.append(bands[number - 1])
    for holder in (*holders, asset):
        for prefix in ("", "raster:"):
            if isinstance(holder, Mapping) and holder.get(f"{prefix}offset") is not None:
                return holder[f"{prefix}offset"], holder.get(f"{prefix}scale")
    return None, None


def _stated_grid(asset: Mapping[str, Any], epsg: int | None) -> Grid | None:
    """Grid of a file as stated by its item; None if that cannot be used, and the file's own grid decides."""
    shape, transform = asset.get("proj:shape"), asset.get("proj:transform")
    if epsg is None or not isinstance(shape, Sequence) or not isinstance(transform, Sequence):
        return None
    try:
        return Grid.of_transform(epsg, tuple(float(v) for v in transform), (int(shape[0]), int(shape[1])))
    except (InvalidValueError, TypeError, ValueError, IndexError):
        return None
