"""Metadata of simulated products, with the elements that readers of real products use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import md5
from math import isnan
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

import numpy as np

from landloom.model.sensor import REFLECTANCE_SCALE, SENTINEL2
from landloom.model.time import format_instant
from landloom.simulate.sky import sun
from landloom.simulate.stac_items import cloud_cover, generated, scene_footprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.simulate.safe.product_names import SafeNames
    from landloom.simulate.world import SceneSpec

_NODES: Final = 23
_STEP: Final = 5_000.0
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_PSD: Final = "https://psd-14.sentinel2.eo.esa.int/PSD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Percentages of a scene, from its classification."""

    cloud: float | None
    """Cloud cover; None to omit it from the metadata."""
    nodata: float
    """Percent of the window without data."""


def shares_of(scene: SceneSpec, scl: NDArray[np.uint8]) -> Shares:
    """Content of a product as described in its metadata."""
    nodata = round(100.0 * (1.0 - np.count_nonzero(scl) / scl.size), 6)
    return Shares(cloud=None if "no-cloud-cover" in scene.flags else cloud_cover(scl), nodata=nodata)


def product_document(names: SafeNames, images: Sequence[str], shares: Shares) -> bytes:
    """`MTD_MSIL1C.xml` or `MTD_MSIL2A.xml`.

    Args:
        names: names of the product.
        images: paths of its images.
        shares: percentages of its content.
    """
    scene, level = names.scene, names.level
    suffix = "_2A" if names.old and level == "L2A" else ""
    ring = [(round(y, 9), round(x, 9)) for x, y in scene_footprint(scene).exterior.coords]
    outline = " ".join(f"{y} {x}" for y, x in ring)
    cloud = "" if shares.cloud is None else _tag("Cloud_Coverage_Assessment", f"{shares.cloud:.6f}")
    nodata = _tag("NODATA_PIXEL_PERCENTAGE", f"{shares.nodata:.6f}") if level == "L2A" else ""
    body = "".join(
        (
            _tag("n1:General_Info", _product_info(names, images, suffix) + _characteristics(names)),
            _tag("n1:Geometric_Info", _nest("Product_Footprint/Global_Footprint/EXT_POS_LIST", outline)),
            _tag("n1:Quality_Indicators_Info", cloud + _tag("Image_Content_QI", nodata)),
        )
    )
    return _root(f"Level-{level[1:]}_User_Product", f"User_Product_Level-{level[1:]}", body)


def _product_info(names: SafeNames, images: Sequence[str], suffix: str) -> str:
    scene, level = names.scene, names.level
    start, mission = format_milliseconds(scene.time), names.mission
    take = f"G{mission}_{scene.time:%Y%m%dT%H%M%S}_{names.absolute_orbit:06d}_N{scene.baseline}"
    datatake = "".join(
        (
            _tag("SPACECRAFT_NAME", f"Sentinel-2{mission[-1]}"),
            _tag("DATATAKE_SENSING_START", start),
            _tag("SENSING_ORBIT_NUMBER", str(scene.orbit)),
            _tag("SENSING_ORBIT_DIRECTION", "DESCENDING"),
        )
    )
    info = "".join(
        (
            _tag("PRODUCT_START_TIME", start),
            _tag("PRODUCT_STOP_TIME", start),
            _tag(f"PRODUCT_URI{suffix}", names.product),
            _tag("PROCESSING_LEVEL", f"Level-{level[1:]}"),
            _tag("PRODUCT_TYPE", f"S2MSI{level[1:]}"),
            _tag("PROCESSING_BASELINE", scene.baseline),
            _tag("GENERATION_TIME", format_milliseconds(generated(scene))),
            _tag("Datatake", datatake, datatakeIdentifier=take),
            _tag("Product_Organisation", _tag("Granule_List", _listed(names, images, suffix))),
        )
    )
    return _tag(f"{'L2A_' if suffix else ''}Product_Info", info)


def _listed(names: SafeNames, images: Sequence[str], suffix: str) -> str:
    """Old products list names in `Granules`, new ones paths in `Granule`; neither has a file extension."""
    if names.old:
        tag, listed = f"IMAGE_ID{suffix}", [path.rpartition("/")[2] for path in images]
    else:
        tag, listed = "IMAGE_FILE", list(images)
    inside = "".join(_tag(tag, one.removesuffix(".jp2")) for one in listed)
    attributes = {"granuleIdentifier": names.tile, "datastripIdentifier": names.datastrip, "imageFormat": "JPEG2000"}
    return _tag("Granules" if names.old else "Granule", inside, **attributes)


def _characteristics(names: SafeNames) -> str:
    level, offset = names.level, names.scene.offset
    special = "".join(
        _tag("Special_Values", _tag("SPECIAL_VALUE_TEXT", text) + _tag("SPECIAL_VALUE_INDEX", value))
        for text, value in (("NODATA", "0"), ("SATURATED", "65535"))
    )
    if level == "L1C":
        scale, tag = _tag("QUANTIFICATION_VALUE", str(REFLECTANCE_SCALE), unit="none"), "RADIO_ADD_OFFSET"
        holder = "Radiometric_Offset_List"
    else:
        name = "L2A_BOA_QUANTIFICATION_VALUE" if names.old else "BOA_QUANTIFICATION_VALUE"
        scale = _tag("QUANTIFICATION_VALUES_LIST", _tag(name, str(REFLECTANCE_SCALE), unit="none"))
        holder, tag = "BOA_ADD_OFFSET_VALUES_LIST", "BOA_ADD_OFFSET"
    offsets = "".join(_tag(tag, str(-offset), band_id=str(number)) for number in range(len(SENTINEL2)))
    bands = "".join(
        _tag(
            "Spectral_Information",
            _tag("RESOLUTION", f"{band.resolution:.0f}"),
            bandId=str(number),
            physicalBand=band.name.replace("B0", "B"),
        )
        for number, band in enumerate(SENTINEL2.values())
    )
    listed = _tag(holder, offsets) if offset else ""
    return _tag("Product_Image_Characteristics", special + scale + listed + _tag("Spectral_Information_List", bands))


def tile_document(names: SafeNames, masks: Mapping[str, str], shares: Shares) -> bytes:
    """`MTD_TL.xml`: the grid, the angles and the masks of the granule.

    Size and position are those of the scene's window, like the images.

    Args:
        names: names of the product.
        masks: `MSK_CLOUDS_B00` → path.
        shares: percentages of its content.
    """
    scene, suffix = names.scene, "_2A" if names.old and names.level == "L2A" else ""
    general = _tag(f"TILE_ID{suffix}", names.tile) + _tag("SENSING_TIME", format_milliseconds(scene.time))
    sizes = places = ""
    for metres in (10, 20, 60):
        grid = scene.grid.at(metres)
        sizes += _tag("Size", _tag("NROWS", str(grid.height)) + _tag("NCOLS", str(grid.width)), resolution=str(metres))
        corner = _tag("ULX", f"{grid.west:.0f}") + _tag("ULY", f"{grid.north:.0f}")
        pixel = _tag("XDIM", str(metres)) + _tag("YDIM", str(-metres))
        places += _tag("Geoposition", corner + pixel, resolution=str(metres))
    zone = f"WGS84 / UTM zone {scene.granule[:2]}{'N' if scene.granule[2] >= 'N' else 'S'}"
    geocoding = _tag("HORIZONTAL_CS_NAME", zone) + _tag("HORIZONTAL_CS_CODE", f"EPSG:{scene.grid.epsg}")
    geometry = _tag("Tile_Geocoding", geocoding + sizes + places) + _tag("Tile_Angles", _angles(scene))
    cloud = "" if shares.cloud is None else _tag("CLOUDY_PIXEL_PERCENTAGE", f"{shares.cloud:.6f}")
    content = cloud + _tag("NODATA_PIXEL_PERCENTAGE", f"{shares.nodata:.6f}")
    listed = "".join(_tag("MASK_FILENAME", path, type=name.rpartition("_")[0]) for name, path in masks.items())
    quality = _tag("Image_Content_QI", content) + _tag("Pixel_Level_QI", listed)
    body = (
        _tag("n1:General_Info", general)
        + _tag("n1:Geometric_Info", geometry)
        + _tag("n1:Quality_Indicators_Info", quality)
    )
    return _root(f"Level-{names.level[1:]}_Tile_ID", f"S2_PDI_Level-{names.level[1:]}_Tile_Metadata", body)


def view_nodes(scene: SceneSpec, band: str, detector: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Zenith and azimuth, (23, 23), of one detector at the nodes of a granule.

    Two detectors share the granule: one covers the part west of the centre and one node more, the other the part east
    of it; they look in opposite directions along the track, like real neighbouring detectors.
    """
    column = np.broadcast_to(np.arange(_NODES), (_NODES, _NODES))
    middle = _NODES // 2
    seen = column <= middle if detector == 0 else column >= middle
    shift = 0.05 * tuple(SENTINEL2).index(band)
    zenith = np.where(seen, 2.0 + np.abs(column - middle) * 0.25 + shift, np.nan)
    azimuth = np.where(seen, (104.0 if scene.orbit % 2 else 284.0) + (6.0 if detector else -6.0), np.nan)
    return zenith, azimuth


def _angles(scene: SceneSpec) -> str:
    azimuth, elevation = sun(scene.time)
    row, column = np.indices((_NODES, _NODES))
    sunny = 90.0 - elevation + (row + column * 0.2) * _STEP / 111_000.0
    text = _tag("Sun_Angles_Grid", _angle_grid(sunny, azimuth + column * 0.05))
    text += _tag(
        "Mean_Sun_Angle", _tag("ZENITH_ANGLE", f"{sunny.mean():.6f}") + _tag("AZIMUTH_ANGLE", f"{azimuth:.6f}")
    )
    for number, band in enumerate(SENTINEL2):
        for detector in (0, 1):
            grid = _angle_grid(*view_nodes(scene, band, detector))
            text += _tag("Viewing_Incidence_Angles_Grids", grid, bandId=str(number), detectorId=str(detector + 6))
    return text


def _angle_grid(zenith: NDArray[np.floating], azimuth: NDArray[np.floating]) -> str:
    text = ""
    for name, values in (("Zenith", zenith), ("Azimuth", azimuth)):
        rows = "".join(_tag("VALUES", _row(np.ascontiguousarray(row).tobytes())) for row in values)
        steps = _tag("COL_STEP", f"{_STEP:.0f}", unit="m") + _tag("ROW_STEP", f"{_STEP:.0f}", unit="m")
        text += _tag(name, steps + _tag("Values_List", rows))
    return text


@lru_cache(maxsize=256)
def _row(row: bytes) -> str:
    # All rows of nodes of a detector are equal, because formatting the numbers takes longer than rendering a scene.
    return " ".join("NaN" if isnan(value) else f"{value:.4f}" for value in np.frombuffer(row))


def clouds_document(names: SafeNames, polygons: Iterable[tuple[str, list[list[tuple[float, float]]]]]) -> bytes:
    """`MSK_CLOUDS_B00.gml`: a polygon with its type for every cloud."""
    features = ""
    for number, (kind, rings) in enumerate(polygons):
        sides = ""
        for position, ring in enumerate(rings):
            points = " ".join(f"{x:.0f} {y:.0f}" for x, y in ring)
            line = _nest("gml:LinearRing", _tag("gml:posList", points, srsDimension="2"))
            sides += _tag("gml:exterior" if position == 0 else "gml:interior", line)
        extent = _tag("eop:extentOf", _tag("gml:Polygon", sides, gml__id=f"{kind}.{number}_Polygon"))
        features += _tag("eop:MaskFeature", _tag("eop:maskType", kind) + extent, gml__id=f"{kind}.{number}")
    crs = f"urn:ogc:def:crs:EPSG:8.7.1:{names.scene.grid.epsg}"
    bounds = _tag("gml:boundedBy", _tag("gml:Envelope", "", srsName=crs))
    spaces = 'xmlns:eop="http://www.opengis.net/eop/2.0" xmlns:gml="http://www.opengis.net/gml/3.2"'
    members = _tag("eop:maskMembers", features) if features else ""
    return f"{_HEAD}<eop:Mask {spaces}>{bounds}{members}</eop:Mask>\n".encode()


def manifest_document(files: Sequence[tuple[str, bytes]]) -> bytes:
    """`manifest.safe`: every file with size and checksum."""
    objects = ""
    for number, (path, data) in enumerate(files):
        where = _tag("fileLocation", "", locatorType="URL", href=f"./{path}")
        digest = _tag("checksum", md5(data, usedforsecurity=False).hexdigest(), checksumName="MD5")
        stream = _tag("byteStream", where + digest, mimeType="application/octet-stream", size=str(len(data)))
        objects += _tag("dataObject", stream, ID=f"file_{number}")
    body = _tag("dataObjectSection", objects)
    return f'{_HEAD}<xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1">{body}</xfdu:XFDU>\n'.encode()


def datastrip_document(names: SafeNames) -> bytes:
    """`MTD_DS.xml`, which contains little more than its name here."""
    body = _tag("n1:General_Info", _tag("DATASTRIP_ID", names.datastrip))
    return _root(f"Level-{names.level[1:]}_DataStrip_ID", f"S2_PDI_Level-{names.level[1:]}_Datastrip_Metadata", body)


def format_milliseconds(instant: datetime) -> str:
    """Times in ESA's format: `2018-01-03T10:32:12.024Z`.

    Example:
        >>> from landloom.model.time import parse_instant
        >>> format_milliseconds(parse_instant("2018-01-03T10:32:12"))
        '2018-01-03T10:32:12.000Z'
    """
    return format_instant(instant.replace(microsecond=0)).removesuffix("Z") + f".{instant.microsecond // 1000:03d}Z"


def _root(name: str, schema: str, body: str) -> bytes:
    return f'{_HEAD}<n1:{name} xmlns:n1="{_PSD}/{schema}.xsd">{body}</n1:{name}>\n'.encode()


def _tag(tag_name: str, tag_body: str, **attributes: str) -> str:
    """An XML element. A body with elements is used unchanged, any other is escaped."""
    body = tag_body if "<" in tag_body else escape(tag_body)
    given = "".join(f' {key.replace("__", ":")}="{escape(value)}"' for key, value in attributes.items())
    return f"<{tag_name}{given}>{body}</{tag_name}>\n" if body else f"<{tag_name}{given}/>\n"


def _nest(path: str, body: str) -> str:
    for name in reversed(path.split("/")):
        body = _tag(name, body)
    return body
