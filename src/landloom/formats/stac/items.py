"""STAC items of satellite archives → scenes, with the asset names of different providers.

**The processing offset** (DESIGN section 3) is read from the item alone, never from a date: reprocessed scenes of 2016
have it and scenes of early 2022 may not. In this order:

1. `earthsearch:boa_offset_applied: true`, also as text or number: the offset is already applied, so 0 remains. Earth
   Search still keeps `raster:bands[].offset = -0.1` in such items (Element84/earth-search issues 66 and 71); applying
   it again would give negative reflectance.
2. A processing baseline below 04.00: 0. ESA introduced BOA_ADD_OFFSET (Level-1C: RADIO_ADD_OFFSET) with that baseline.
3. An offset that the item declares for the asset (`raster:bands[].offset`, `raster:offset`, or the same in `bands`),
   divided by its scale: −0.1 / 0.0001 = −1000. Earth Search and the Copernicus Data Space declare it.
4. Nothing declared: −1000 if the profile says that the provider serves ESA's unmodified files (Planetary Computer,
   microsoft/PlanetaryComputer issue 134; Copernicus Data Space), else 0. An item of such a provider without a baseline
   is an error, because the offset is then unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shapely import Polygon, box, force_2d, is_empty, make_valid, union_all
from shapely.errors import ShapelyError
from shapely.geometry import shape

from landloom.errors import (
    ForeignAddressError,
    InvalidDocumentError,
    InvalidIdentityError,
    InvalidValueError,
    Problem,
)
from landloom.formats.stac.item_values import ItemValues, last_update
from landloom.formats.stac.origin import ProductName, origin, product_name
from landloom.formats.stac.profiles import GENERIC
from landloom.formats.stac.stored_numbers import stated_numbers
from landloom.model.address import resolve
from landloom.model.antimeridian import split_antimeridian
from landloom.model.grid import Grid
from landloom.model.ids import GranuleId
from landloom.model.scene import Role, Scene, SceneFile
from landloom.model.spellings import baseline_name, epsg_code, is_absent, percentage, whole_number
from landloom.model.time import parse_instant

if TYPE_CHECKING:
    from datetime import datetime

    from shapely.geometry.base import BaseGeometry

    from landloom.formats.stac.profiles import Profile
    from landloom.model.sensor import Sensor

_ORBITS = range(1, 1000)
_GRANULE_METADATA = ("granule_metadata", "granule-metadata")
"""Asset keys of `MTD_TL.xml` at Earth Search and the Copernicus Data Space, and at Planetary Computer."""


def parse_scene(item: Mapping[str, Any], base_href: str, profile: Profile, sensor: Sensor | None = None) -> Scene:
    """Parse a STAC item as a scene: the one gate through which items come in.

    What nothing needs (a cloud cover that is no percentage, a thumbnail without address) never costs a scene; the scene
    has a note of it. A file that cannot be used costs itself alone.

    Args:
        item: the parsed JSON of the item, STAC 1.0 or 1.1.
        base_href: path or URL of the item's document; relative hrefs are resolved against it.
        profile: naming conventions of its provider.
        sensor: that the archive is of; scenes of another sensor or level are problems. Any if None.

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
    reader = _Item(ItemValues(item), base_href, profile, sensor)
    scene = reader.scene()
    if reader.values.problems or scene is None:
        raise InvalidDocumentError(f"STAC item {item.get('id', base_href)!r}", reader.values.problems)
    return scene


@dataclass(slots=True)
class _Item:
    """Parser of one item."""

    values: ItemValues
    base: str
    profile: Profile
    wanted: Sensor | None

    def scene(self) -> Scene | None:
        """The scene, or None if a required field is missing; the problems name it."""
        values = self.values
        name = values.document.get("id")
        if not isinstance(name, str) or not name:
            values.wrong("id", name, "a text")
        agency = [values.text(key) for key in ("s2:product_uri", "landsat:product_id")]
        product = product_name(agency[0], name, agency[1])
        time, footprint = self._time(), self._footprint()
        epsg, classified = self._epsg(), self._is_classified()
        made = origin(values, product, self.profile.made_by, self.wanted, classified=classified)
        baseline = None if made.sensor.offset is None else self._baseline(product)
        bands, layers = self._assets(epsg, made.sensor, baseline)
        if values.problems or time is None or footprint is None:
            return None
        strip, collection = values.text("s2:datastrip_id"), values.document.get("collection")
        return Scene(
            id=str(name),
            time=time,
            granule=self._granule(product),
            epsg=epsg,
            footprint=footprint,
            bands=bands,
            layers=layers,
            angles_at=self._angles_at(),
            sensor=made.sensor.name,
            described=made.sensor if made.sensor.is_described else None,
            cloud_cover=values.optional(percentage, "eo:cloud_cover"),
            nodata_share=self._nodata_share(),
            baseline=baseline,
            level=made.sensor.level,
            platform=made.platform,
            orbit=values.optional(_orbit, "sat:relative_orbit") or (product.orbit if product else None),
            created=values.optional(_instant, "s2:generation_time", "processing:datetime", "created"),
            updated=last_update(values),
            size=self._size(values.mapping("assets").get("Product"), "assets.Product"),
            datastrip=strip or None,
            product=next((text for text in agency if text and text != name), None),
            collection=collection if isinstance(collection, str) else None,
            href=self.base,
            notes=tuple(values.notes),
        )

    def _time(self) -> datetime | None:
        time = self.values.optional(_instant, "datetime", "start_datetime")
        if time is None:
            stated = self.values.properties.get("datetime")
            self.values.wrong("properties.datetime", stated, "an ISO instant, there or in start_datetime")
        return time

    def _nodata_share(self) -> float | None:
        share = self.values.optional(percentage, "s2:nodata_pixel_percentage")
        statistics = self.values.properties.get("statistics")
        if share is None and isinstance(statistics, Mapping):
            return ItemValues({"properties": statistics}, notes=self.values.notes).optional(percentage, "nodata")
        return share

    def _baseline(self, product: ProductName | None) -> str | None:
        stated = self.values.optional(
            baseline_name, "s2:processing_baseline", "processing:version", "sentinel:processing_baseline"
        )
        return stated or (product.baseline if product else None)

    def _granule(self, product: ProductName | None) -> str | None:
        """The MGRS square: the first of what may state it that is one."""
        values, stated = self.values, []
        text = values.text("grid:code")
        if not text or text.upper().startswith("MGRS-"):
            stated.append(text[len("MGRS-") :])
        stated.append(values.text("s2:mgrs_tile"))
        for prefix in ("mgrs", "sentinel"):
            parts = [values.text(f"{prefix}:{key}") for key in ("utm_zone", "latitude_band", "grid_square")]
            stated.append("".join(parts) if all(parts) else "")
        stated.append(product.granule or "" if product else "")
        for name in filter(None, stated):
            try:
                return str(GranuleId.parse(name.upper()))
            except InvalidIdentityError as error:
                values.note(f"properties.grid:code: {error}; ignored")
        return None

    def _epsg(self) -> int | None:
        """CRS of the files; what cannot be read is left to the files themselves."""
        assets = self.values.mapping("assets")
        mapped = [assets[key] for key in self.profile.bands if isinstance(assets.get(key), Mapping)]
        for holder in (self.values.properties, *mapped):
            own = ItemValues({"properties": holder}, notes=self.values.notes)
            if (code := own.optional(epsg_code, "proj:epsg", "proj:code")) is not None:
                return code
        return None

    def _footprint(self) -> BaseGeometry | None:
        """Outline by the geometry, else by the bounding box."""
        outline, told = self.values.document.get("geometry"), ""
        if isinstance(outline, Mapping):
            try:
                return make_valid(split_antimeridian(_polygons(shape(dict(outline)))))
            except (
                ShapelyError,
                InvalidValueError,
                KeyError,
                TypeError,
                ValueError,
                IndexError,
                AttributeError,
                RecursionError,
            ) as error:
                told = f"expected a polygon: {str(error)[:120]}"
        elif outline is not None:
            told = f"got {type(outline).__name__}, expected a polygon"
        bbox = self.values.document.get("bbox")
        found = None if bbox is None else _box(bbox)
        if found is None:
            told = told or f"got {outline!r}, expected a GeoJSON polygon, or a bbox"
            self.values.problems.append(Problem(where="geometry", what=told))
        elif told:
            self.values.note(f"geometry: {told}; the bbox is used")
        return found

    def _is_classified(self) -> bool:
        assets = self.values.mapping("assets")
        return any(self.profile.layers.get(key) is Role.CLASSIFICATION for key in assets)

    def _assets(
        self, epsg: int | None, sensor: Sensor, baseline: str | None
    ) -> tuple[dict[str, SceneFile], dict[Role, SceneFile]]:
        """Bands and other layers; a file that cannot be used is left out with a note."""
        bands: dict[str, SceneFile] = {}
        layers: dict[Role, SceneFile] = {}
        odd = []
        for key, asset in self.values.mapping("assets").items():
            for number, name in enumerate(self._names(key, asset), start=1):
                if not isinstance(name, Role) and (name not in sensor.bands or name in bands):
                    continue
                try:
                    file = self._asset(asset, number, epsg)
                    if isinstance(name, Role):
                        layers.setdefault(name, file)
                    else:
                        stated = self._numbers(asset, number, sensor, baseline)
                        bands[name] = replace(file, **stated)
                except (InvalidValueError, ForeignAddressError) as error:
                    odd.append(Problem(where=f"assets.{key}", what=str(error)))
        if bands or (layers and not odd):
            for problem in odd:
                self.values.note(f"{problem}; left out")
        else:
            got = sorted(str(key) for key in self.values.mapping("assets"))[:20]
            wanted = f"files named like {', '.join(list(self.profile.bands)[:3])}, …"
            self.values.problems += odd or [Problem(where="assets", what=f"got {got}, expected {wanted}")]
        return bands, layers

    def _angles_at(self) -> SceneFile | None:
        """The metadata of the granule, which has directions of sun and view."""
        assets = self.values.mapping("assets")
        asset = next((assets[key] for key in _GRANULE_METADATA if key in assets), None)
        try:
            return None if asset is None else self._asset(asset, 1, None)
        except (InvalidValueError, ForeignAddressError) as error:
            self.values.note(f"metadata of the granule: {error}; left out")
            return None

    def _numbers(self, asset: Mapping[str, Any], number: int, sensor: Sensor, baseline: str | None) -> dict[str, Any]:
        return stated_numbers(
            self.values, asset, number, sensor=sensor, baseline=baseline, unmodified=self.profile.unmodified
        ).fields()

    def _names(self, key: str, asset: object) -> list[str | Role]:
        """The band name or role of each band of a file."""
        if names := self.profile.names(key):
            return names
        bands = (asset.get("bands") or asset.get("eo:bands")) if isinstance(asset, Mapping) else None
        if self.profile is not GENERIC or not isinstance(bands, Sequence):
            return []
        names = [str(band.get("name", "")) if isinstance(band, Mapping) else "" for band in bands]
        return [self.profile.layers.get(name, name) for name in names]

    def _asset(self, asset: object, number: int, epsg: int | None) -> SceneFile:
        """One band of a file, as it is stored.

        Raises:
            InvalidValueError: it has no address.
            ForeignAddressError: a remote document names a file of this machine.
        """
        if not isinstance(asset, Mapping):
            raise InvalidValueError(f"got {str(asset)[:80]!r}, expected an object")
        href, checksum = self.profile.address(asset), asset.get("file:checksum")
        if not isinstance(href, str) or not href.strip() or "\0" in href:
            raise InvalidValueError(f"href: got {href!r}, expected a path or URL")
        return SceneFile(
            href=resolve(href, document=self.base),
            band=number,
            grid=_stated_grid(asset, epsg),
            size=self._size(asset, "assets"),
            checksum=checksum if isinstance(checksum, str) and checksum else None,
        )

    def _size(self, asset: object, where: str) -> int | None:
        """Bytes of a file; a size that is none is ignored with a note."""
        value = asset.get("file:size") if isinstance(asset, Mapping) else None
        if is_absent(value):
            return None
        try:
            size = whole_number(value)
        except InvalidValueError:
            size = -1
        if size < 0:
            self.values.note(f"{where}: file:size: got {value!r}, expected a number of bytes; ignored")
            return None
        return size


def _instant(value: Any) -> datetime:
    return parse_instant(value)


def _orbit(value: Any) -> int:
    orbit = whole_number(value)
    if orbit not in _ORBITS:
        raise InvalidValueError(f"got {value!r}, expected a relative orbit")
    return orbit


def _polygons(geometry: BaseGeometry) -> BaseGeometry:
    """The polygons of a geometry, in two dimensions.

    Raises:
        InvalidValueError: it has none.
    """
    flat = force_2d(geometry)
    parts = [part for part in getattr(flat, "geoms", ()) if isinstance(part, Polygon)]
    flat = union_all(parts) if flat.geom_type == "GeometryCollection" and parts else flat
    if is_empty(flat):
        raise InvalidValueError("got an empty geometry")
    return flat


def _box(bbox: object) -> BaseGeometry | None:
    """A bounding box of two or three dimensions as an outline; None where it is none."""
    if not isinstance(bbox, Sequence) or isinstance(bbox, str) or len(bbox) not in (4, 6):
        return None
    half = len(bbox) // 2
    try:
        west, south, east, north = (float(bbox[at]) for at in (0, 1, half, half + 1))
        if not (-360 <= west <= 360 and -360 <= east <= 360 and -90 <= south < north <= 90):
            return None
        return split_antimeridian(box(west, south, east + 360 if east < west else east, north))
    except (ShapelyError, InvalidValueError, TypeError, ValueError):
        return None


def _stated_grid(asset: Mapping[str, Any], epsg: int | None) -> Grid | None:
    """Grid of a file as stated by its item; None if that cannot be used, and the file's own grid decides."""
    shape, transform = asset.get("proj:shape"), asset.get("proj:transform")
    if epsg is None or not isinstance(shape, Sequence) or not isinstance(transform, Sequence):
        return None
    try:
        return Grid.of_transform(epsg, tuple(float(v) for v in transform), (int(shape[0]), int(shape[1])))
    except (InvalidValueError, TypeError, ValueError, IndexError, OverflowError):
        return None
