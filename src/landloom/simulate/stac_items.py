"""STAC documents of a simulated archive, in the form of Earth Search's `sentinel-2-l2a` v1."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from landloom.model.grid import WGS84, Grid
from landloom.model.sensor import SENTINEL2, Scl
from landloom.model.shapes import reproject
from landloom.model.time import format_instant
from landloom.simulate.sky import sun
from landloom.simulate.spec import BANDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

    from landloom.simulate.world import SceneSpec

COLLECTION: Final = "sentinel-2-l2a"
"""Id of the collection, and name of its folder."""
ASSET_KEYS: Final = {
    "B01": "coastal",
    "B02": "blue",
    "B03": "green",
    "B04": "red",
    "B05": "rededge1",
    "B06": "rededge2",
    "B07": "rededge3",
    "B08": "nir",
    "B8A": "nir08",
    "B09": "nir09",
    "B11": "swir16",
    "B12": "swir22",
    "SCL": "scl",
}
"""ESA's band name → Earth Search's asset key."""
_COG: Final = "image/tiff; application=geotiff; profile=cloud-optimized"
_EXTENSION: Final = "https://stac-extensions.github.io/{}/schema.json"
_LICENCE: Final = "https://sentinel.esa.int/documents/247904/690755/Sentinel_Data_Legal_Notice"
_COVERAGE: Final = {
    "s2:dark_features_percentage": Scl.DARK,
    "s2:cloud_shadow_percentage": Scl.CLOUD_SHADOW,
    "s2:vegetation_percentage": Scl.VEGETATION,
    "s2:not_vegetated_percentage": Scl.BARE,
    "s2:water_percentage": Scl.WATER,
    "s2:unclassified_percentage": Scl.UNCLASSIFIED,
    "s2:medium_proba_clouds_percentage": Scl.CLOUD_MEDIUM,
    "s2:high_proba_clouds_percentage": Scl.CLOUD_HIGH,
    "s2:thin_cirrus_percentage": Scl.CIRRUS,
    "s2:snow_ice_percentage": Scl.SNOW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """Facts of a file in an item."""

    size: int
    """Size in bytes."""
    checksum: str
    """Multihash: `1220` and the SHA-256."""


def scene_footprint(scene: SceneSpec) -> Polygon:
    """Outline of the valid data of a scene in WGS84: its window, limited by the swath."""
    outline: BaseGeometry = scene.grid.outline()
    if scene.swath is not None:
        x1, y1, x2, y2 = scene.swath
        # The half-plane left of the edge, extended beyond any window.
        dx, dy = x2 - x1, y2 - y1
        left = [(x1 - 9 * dx, y1 - 9 * dy), (x2 + 9 * dx, y2 + 9 * dy)]
        left += [(x - 9 * dy, y + 9 * dx) for x, y in reversed(left)]
        outline = outline.intersection(shapely.Polygon(left))
    longest = max(scene.grid.east - scene.grid.west, scene.grid.north - scene.grid.south)
    outline = reproject(shapely.segmentize(outline, longest / 4), scene.grid.epsg, WGS84, tolerance=inf)
    return shapely.Polygon(shapely.get_coordinates(shapely.orient_polygons(outline)))


def item_document(scene: SceneSpec, scl: NDArray[np.uint8], facts: Mapping[str, FileFacts]) -> dict[str, Any]:
    """The STAC item of a scene.

    Args:
        scene: the acquisition.
        scl: (y, x) its scene classification, from which the cover percentages are computed.
        facts: band name, or `SCL` → its file.

    Returns:
        A JSON-ready dictionary.
    """
    shape = scene_footprint(scene)
    code = float(scene.baseline) >= 5.0
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": [
            _EXTENSION.format(name)
            for name in (
                "eo/v1.1.0",
                "file/v2.1.0",
                "grid/v1.1.0",
                "processing/v1.1.0",
                "projection/v2.0.0" if code else "projection/v1.1.0",
                "raster/v1.1.0",
                "view/v1.0.0",
            )
        ],
        "id": scene.id,
        "collection": COLLECTION,
        "geometry": _mapping(shape),
        "bbox": [round(v, 9) for v in shape.bounds],
        "properties": _properties(scene, scl, code=code),
        "links": [
            {"rel": "root", "href": "../../catalog.json", "type": "application/json"},
            {"rel": "parent", "href": "../collection.json", "type": "application/json"},
            {"rel": "collection", "href": "../collection.json", "type": "application/json"},
            {"rel": "license", "href": _LICENCE},
        ],
        "assets": {ASSET_KEYS[band]: _asset(scene, band, facts[band]) for band in (*BANDS, "SCL")},
    }


def _mapping(shape: Polygon) -> dict[str, Any]:
    rings = [[[round(x, 9), round(y, 9)] for x, y in shape.exterior.coords]]
    return {"type": "Polygon", "coordinates": rings}


def generated(scene: SceneSpec) -> datetime:
    """Generation time of a product: some hours after sensing in its first processing, years later in the next."""
    if scene.baseline < "04":
        return scene.time.replace(microsecond=0) + timedelta(hours=5)
    return datetime(2023, 4, 1, tzinfo=UTC) + timedelta(days=scene.time.timetuple().tm_yday, hours=3)


def product_uri(scene: SceneSpec, level: str = "L2A") -> str:
    """ESA's product name.

    Example:
        >>> from landloom.simulate.schedule import plan_scenes
        >>> from landloom.simulate.spec import world_spec
        >>> product_uri(plan_scenes(world_spec("tiny"))[0])
        'S2B_MSIL2A_20180602T101220_N0207_R022_T32UPA_20180602T151220.SAFE'
    """
    processing = scene.baseline.replace(".", "")
    return (
        f"S2{scene.platform[-1].upper()}_MSI{level}_{scene.time:%Y%m%dT%H%M%S}_N{processing}_R{scene.orbit:03d}"
        f"_T{scene.granule}_{generated(scene):%Y%m%dT%H%M%S}.SAFE"
    )


def cloud_cover(scl: NDArray[np.uint8]) -> float:
    """Percent of clouds and cirrus among the pixels with data, 0 if there are none."""
    return round(sum(_percent(scl, code) for code in (Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.CIRRUS)), 6)


def _percent(scl: NDArray[np.uint8], code: int) -> float:
    seen = int(np.count_nonzero(scl))
    return round(100.0 * int(np.count_nonzero(scl == code)) / seen, 6) if seen else 0.0


def _properties(scene: SceneSpec, scl: NDArray[np.uint8], *, code: bool) -> dict[str, Any]:
    azimuth, elevation = sun(scene.time)
    created = format_instant(generated(scene))
    missing = round(100.0 * (1.0 - np.count_nonzero(scl) / scl.size), 6)
    projection = {"proj:code": f"EPSG:{scene.grid.epsg}"} if code else {"proj:epsg": scene.grid.epsg}
    cover = {} if "no-cloud-cover" in scene.flags else {"eo:cloud_cover": cloud_cover(scl)}
    return {
        "datetime": format_instant(scene.time),
        "created": created,
        "updated": created,
        "platform": scene.platform,
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        **cover,
        **projection,
        "mgrs:utm_zone": int(scene.granule[:2]),
        "mgrs:latitude_band": scene.granule[2],
        "mgrs:grid_square": scene.granule[3:],
        "grid:code": f"MGRS-{scene.granule}",
        "view:sun_azimuth": round(azimuth, 6),
        "view:sun_elevation": round(elevation, 6),
        "s2:product_type": "S2MSI2A",
        "s2:processing_baseline": scene.baseline,
        "s2:product_uri": product_uri(scene),
        "s2:generation_time": created,
        "s2:sequence": str(scene.sequence),
        "s2:nodata_pixel_percentage": missing,
        **{name: _percent(scl, value) for name, value in _COVERAGE.items()},
        "sat:relative_orbit": scene.orbit,
        "earthsearch:boa_offset_applied": scene.applied,
        "processing:software": {"landloom-simulate": "1"},
    }


def _asset(scene: SceneSpec, band: str, facts: FileFacts) -> dict[str, Any]:
    native = 20.0 if band == "SCL" else SENTINEL2[band].resolution
    grid: Grid = scene.grid.at(native)
    layer: dict[str, Any] = {
        "nodata": 0,
        "data_type": "uint8" if band == "SCL" else "uint16",
        "spatial_resolution": int(native),
    }
    asset: dict[str, Any] = {
        "href": f"./{band}.tif",
        "type": _COG,
        "title": "Scene classification map (SCL)"
        if band == "SCL"
        else f"{SENTINEL2[band].description} - {native:.0f}m",
        "proj:shape": list(grid.shape),
        "proj:transform": list(grid.transform),
        "file:size": facts.size,
        "file:checksum": facts.checksum,
        "roles": ["data", "reflectance"],
    }
    if band != "SCL":
        described = SENTINEL2[band]
        asset["gsd"] = int(native)
        asset["eo:bands"] = [
            {
                "name": ASSET_KEYS[band],
                "common_name": described.common_name,
                "description": described.description,
                "center_wavelength": described.wavelength,
                "full_width_half_max": described.width,
            }
        ]
        # Earth Search, from baseline 04.00 on, declares the offset even if it has been applied.
        layer |= {"bits_per_sample": 15, "scale": 0.0001, "offset": -0.1 if scene.baseline >= "04" else 0}
    asset["raster:bands"] = [layer]
    return asset


def collection_document(scenes: Sequence[tuple[SceneSpec, Sequence[float]]]) -> dict[str, Any]:
    """The STAC collection of scenes, each with its bounding box."""
    boxes = np.array([box for _, box in scenes])
    times = sorted(scene.time for scene, _ in scenes)
    whole = [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "stac_extensions": [],
        "id": COLLECTION,
        "title": "Sentinel-2 Level 2A, simulated",
        "description": "A simulated world, shaped as Sentinel-2 Level-2A; each covers a window of its granule.",
        "license": "proprietary",
        "extent": {
            "spatial": {"bbox": [whole]},
            "temporal": {"interval": [[format_instant(times[0]), format_instant(times[-1])]]},
        },
        "links": [
            {"rel": "root", "href": "../catalog.json", "type": "application/json"},
            {"rel": "parent", "href": "../catalog.json", "type": "application/json"},
            {"rel": "license", "href": _LICENCE},
            *(
                {"rel": "item", "href": f"./{scene.id}/{scene.id}.json", "type": "application/geo+json"}
                for scene, _ in scenes
            ),
        ],
    }


def catalog_document() -> dict[str, Any]:
    """The root catalogue."""
    return {
        "type": "Catalog",
        "stac_version": "1.0.0",
        "id": "simulated",
        "title": "A simulated archive",
        "description": "Scenes of a small simulated world; the truth behind them lies in truth/.",
        "links": [
            {"rel": "root", "href": "./catalog.json", "type": "application/json"},
            {"rel": "child", "href": f"./{COLLECTION}/collection.json", "type": "application/json"},
        ],
    }
