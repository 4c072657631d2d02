"""File names inside a SAFE product: old ones (until 2016) and new ones, Level-1C and Level-2A."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from landloom.model.sensor import SENTINEL2

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_PRODUCT_METADATA: Final = re.compile(
    r"MTD_MSIL(1C|2A)\.xml|S2[A-D]_(?:OPER|USER)_MTD_SAFL(1C|2A)_\w+\.xml", re.ASCII | re.IGNORECASE
)
_TILE_METADATA: Final = re.compile(
    r"GRANULE/[^/]+/(?:MTD_TL|metadata|S2[A-D]_(?:OPER|USER)_MTD_L(?:1C|2A)_TL_[\w.]+)\.xml", re.ASCII | re.IGNORECASE
)
_IMAGE: Final = re.compile(r"GRANULE/([^/]+)/IMG_DATA/(?:.*/)?([^/]+)\.(?:jp2|tif)", re.IGNORECASE)
_MASK: Final = re.compile(r"GRANULE/([^/]+)/QI_DATA/([^/]+)\.(?:jp2|tif|gml)", re.IGNORECASE)
_AWS: Final = "metadata.xml"
"""Name of the product's metadata in AWS's layout; its level stands in it."""
_ROOT: Final = re.compile(rb"<(?:\w+:)?Level-(1C|2A)_User_Product\b")
_LAYERS: Final = (*SENTINEL2, "SCL", "AOT", "WVP", "TCI")
_MASKS: Final = (
    "CLASSI",
    "QUALIT",
    "DETFOO",
    "CLOUDS",
    "DEFECT",
    "NODATA",
    "SATURA",
    "TECQUA",
    "CLDPRB",
    "SNWPRB",
    "CLOLOW",
)
SCL_RESOLUTION: Final = 20
"""Native pixel size in metres of the Level-2A scene classification."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ImageName:
    """Content of an image file, parsed from its name."""

    folder: str
    """Folder of the granule, under GRANULE."""
    layer: str
    """Band name, `SCL`, `AOT`, `WVP` or `TCI`."""
    resolution: int
    """Metres."""


def product_metadata(names: Iterable[str]) -> tuple[str, str] | None:
    """Path of the product's metadata file, and the level in its name.

    Example:
        >>> product_metadata(["manifest.safe", "MTD_MSIL2A.xml"])
        ('MTD_MSIL2A.xml', 'L2A')
    """
    for name in sorted(names):
        if match := _PRODUCT_METADATA.fullmatch(name):
            return name, f"L{match[1] or match[2]}".upper()
    return None


def is_product_root(names: Collection[str]) -> bool:
    """Whether a folder with these files is a product's, in ESA's layout or in AWS's.

    Example:
        >>> is_product_root(["metadata.xml", "productInfo.json"]), is_product_root(["metadata.xml"])
        (True, False)
    """
    aws = _AWS in names and ("productInfo.json" in names or "manifest.safe" in names)
    return product_metadata(names) is not None or aws


def level_in(metadata: bytes) -> str | None:
    """Level of a product by the root element of its metadata; None if it is no product's.

    Example:
        >>> level_in(b'<?xml version="1.0"?><n1:Level-2A_User_Product>')
        'L2A'
    """
    match = _ROOT.search(metadata[:8192])
    return None if match is None else f"L{match[1].decode()}"


def tile_metadata(names: Iterable[str]) -> tuple[str, ...]:
    """Paths of the granules' metadata files, sorted; products until 2016 can hold several granules.

    Example:
        >>> tile_metadata(["GRANULE/L1C_T33TWL_A1_2/MTD_TL.xml", "GRANULE/L1C_T33TWL_A1_2/QI_DATA/GENERAL.xml"])
        ('GRANULE/L1C_T33TWL_A1_2/MTD_TL.xml',)
    """
    return tuple(sorted(name for name in names if _TILE_METADATA.fullmatch(name)))


def image_name(path: str) -> ImageName | None:
    """Parse the path of an image; None for any other file.

    The resolution comes from the name (`…_B04_10m`), else from the folder (`R10m`), else it is the band's native one.

    Example:
        >>> image_name("GRANULE/L2A_T33TWL_A1_2/IMG_DATA/R20m/T33TWL_20220101T100031_B04_20m.jp2")
        ImageName(folder='L2A_T33TWL_A1_2', layer='B04', resolution=20)
        >>> image_name("GRANULE/G/IMG_DATA/S2A_OPER_MSI_L1C_TL_MTI__20151206T064112_A002384_T46QFE_B8A.jp2").resolution
        20
        >>> image_name("GRANULE/G/IMG_DATA/S2A_USER_SCL_L2A_TL_SGS__20151206T064112_A002384_T46QFE_20m.jp2").layer
        'SCL'
    """
    match = _IMAGE.fullmatch(path)
    if match is None:
        return None
    words = match[2].upper().split("_")
    layer = next((word for word in reversed(words) if word in _LAYERS), None)
    if layer is None:
        return None
    stated = re.search(r"(?i)_(10|20|60)m$", match[2]) or re.search(r"(?i)/R(10|20|60)m/", path)
    native = int(SENTINEL2[layer].resolution) if layer in SENTINEL2 else {"SCL": SCL_RESOLUTION}.get(layer, 10)
    return ImageName(folder=match[1], layer=layer, resolution=int(stated[1]) if stated else native)


def mask_name(path: str) -> tuple[str, str] | None:
    """Folder of the granule and canonical name of a mask; None for any other file.

    Example:
        >>> mask_name("GRANULE/G/QI_DATA/MSK_QUALIT_B04.jp2")
        ('G', 'MSK_QUALIT_B04')
        >>> mask_name("GRANULE/G/QI_DATA/S2A_OPER_MSK_CLOUDS_MTI__20151206T064112_A002384_T46QFE_B00_MSIL1C.gml")
        ('G', 'MSK_CLOUDS_B00')
    """
    match = _MASK.fullmatch(path)
    words = match[2].upper().split("_") if match else []
    if match is None or "MSK" not in words[:3]:
        return None
    kind = next((word for word in words if word in _MASKS), None)
    part = next((word for word in reversed(words) if re.fullmatch(r"B\d[\dA]|[26]0M", word)), "B00")
    part = part.replace("0M", "0m")
    return None if kind is None else (match[1], f"MSK_{kind}_{part}")
