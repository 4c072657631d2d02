"""Sentinel-2 products in the SAFE layout: parsing of their metadata.

Level-1C and Level-2A, both naming conventions (`S2A_OPER_PRD_MSIL1C_PDMC_…` with several granules, and `S2A_MSIL2A_…`
with one). This module does no input or output: the caller passes the names of the product's files and a function that
reads one. Follows ESA's Sentinel-2 Products Specification Document, issues 13 and 14.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from landloom.errors import InvalidDocumentError, InvalidIdentityError, InvalidValueError, Problem
from landloom.formats.safe.angles import BAND_IDS, AngleGrid, sun_angles, view_angles
from landloom.formats.safe.names import (
    SCL_RESOLUTION,
    image_name,
    level_in,
    mask_name,
    product_metadata,
    tile_metadata,
)
from landloom.formats.safe.outline import parse_outline
from landloom.formats.safe.xml import SafeXml, child_text, texts
from landloom.model.grid import Grid
from landloom.model.ids import GranuleId
from landloom.model.sensor import SENTINEL2
from landloom.model.spellings import baseline_name, percentage, platform_name
from landloom.model.time import parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from shapely.geometry.base import BaseGeometry

OFFSET_BASELINE: Final = 4.0
"""First processing baseline with an offset in the stored values."""
L1C_BANDS: Final = tuple(SENTINEL2)
"""The 13 bands of Level-1C."""
L2A_BANDS: Final = tuple(band for band in SENTINEL2 if band != "B10")
"""The 12 bands of Level-2A: the cirrus band does not observe the ground."""
_HASHES: Final = {"MD5": ("d50110", 32), "SHA3-256": ("1620", 64)}
_RESOLUTIONS: Final = (10, 20, 60)
_UTM: Final = re.compile(r"EPSG:(32[67]\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SafeGranule:
    """One granule of a product."""

    id: str
    """Full id of the tile, with processing centre and time."""
    folder: str
    """Its folder under GRANULE."""
    granule: str
    """MGRS square such as `33TWL`."""
    time: datetime | None
    """Sensing time of this granule, UTC."""
    epsg: int
    """CRS of the images."""
    grids: Mapping[int, Grid]
    """Resolution in metres → grid as stated in the metadata."""
    images: Mapping[str, Mapping[int, str]]
    """Band, `SCL`, `AOT`, `WVP` or `TCI` → resolution in metres → path within the product; existing files only."""
    masks: Mapping[str, str]
    """`MSK_CLOUDS_B00`, `MSK_CLASSI_B00`, `MSK_QUALIT_B04`, … → path within the product."""
    sun: AngleGrid | None
    """Sun angles."""
    view: Mapping[str, AngleGrid]
    """Band → view angles, detectors merged; no entry for a band without angles."""
    cloud_cover: float | None
    """Cloud cover in percent, if the granule's metadata gives it."""
    nodata_share: float | None
    """Percent of the granule without data, if the metadata gives it."""
    notes: tuple[str, ...] = ()
    """What of its metadata was ignored because nothing needs it."""

    def native(self, layer: str) -> str | None:
        """Path of a layer's image at its native resolution; None if there is no such file.

        Level-2A repeats bands at coarser resolutions, and since baseline 04.00 also B01 at a finer one, which adds no
        information. The native resolution of SCL is 20 m.
        """
        native = int(SENTINEL2[layer].resolution) if layer in SENTINEL2 else SCL_RESOLUTION
        return self.images.get(layer, {}).get(native)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SafeProduct:
    """One product, as its metadata describes it."""

    name: str
    """ESA's product name, without `.SAFE`."""
    level: str
    """`L1C` or `L2A`."""
    baseline: str
    """Processing baseline such as `04.00`."""
    time: datetime
    """Start of sensing, UTC."""
    generated: datetime | None
    """Generation time, UTC."""
    datatake: str | None
    """Identifier of the datatake."""
    orbit: int
    """Relative orbit, 1 to 143."""
    platform: str
    """`sentinel-2a`, …"""
    offsets: Mapping[str, int]
    """Band → number to add to stored values: RADIO_ADD_OFFSET or BOA_ADD_OFFSET; 0 if there is none."""
    quantification: float
    """Stored value of a reflectance of 1."""
    cloud_cover: float | None
    """Percent, 0 to 100."""
    footprint: BaseGeometry
    """Outline of valid data in WGS84; multipolygon across the antimeridian."""
    granules: tuple[SafeGranule, ...]
    """One since 2016, before that those of the datatake."""
    missing: tuple[str, ...]
    """Images listed in the metadata without a file."""
    datastrip: str | None = None
    """Identifier of the datastrip; None for products of several."""
    notes: tuple[str, ...] = ()
    """What of the metadata was ignored because nothing needs it."""

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands of this processing level."""
        return L1C_BANDS if self.level == "L1C" else L2A_BANDS


def parse_product(names: Collection[str], read: Callable[[str], bytes], *, where: str = "") -> SafeProduct:
    """Parse a product's metadata.

    Args:
        names: its files, as paths relative to its root (`GRANULE/…/MTD_TL.xml`), with forward slashes.
        read: returns the bytes of one of them.
        where: name of the product in messages.

    Raises:
        InvalidDocumentError: lists every problem.

    Example:
        >>> parse_product(["manifest.safe"], lambda name: b"", where="S2A_X.SAFE")
        Traceback (most recent call last):
        landloom.errors.InvalidDocumentError: S2A_X.SAFE: 1 problem
          - no MTD_MSIL1C.xml or MTD_MSIL2A.xml
    """
    entry, tiles = _entry(names, read), tile_metadata(names)
    if entry is None:
        raise InvalidDocumentError(where, [Problem(where="", what="no MTD_MSIL1C.xml or MTD_MSIL2A.xml")])
    problems: list[Problem] = []
    if not tiles:
        problems.append(Problem(where="GRANULE", what="no granule with metadata"))
    document = _document(entry[0], read, problems)
    granules = [_granule(tile, names, read, problems) for tile in tiles]
    product = None if document is None else _product(document, entry[1], names, [g for g in granules if g], problems)
    if product is None or problems:
        raise InvalidDocumentError(where or entry[0], problems)
    return product


def _entry(names: Collection[str], read: Callable[[str], bytes]) -> tuple[str, str] | None:
    """Path and level of the product's metadata; AWS's layout states the level only in the file."""
    found = product_metadata(names)
    if found is not None or "metadata.xml" not in names:
        return found
    level = level_in(read("metadata.xml"))
    return None if level is None else ("metadata.xml", level)


def manifest_checksums(data: bytes) -> dict[str, str]:
    """Checksums stated in a `manifest.safe`, as multihashes: path → MD5 or SHA3-256; others are left out.

    Raises:
        InvalidDocumentError: not XML.

    Example:
        >>> digest = b"d41d8cd98f00b204e9800998ecf8427e"
        >>> manifest_checksums(
        ...     b'<a><byteStream><fileLocation href="./a"/><checksum checksumName="MD5">'
        ...     + digest
        ...     + b"</checksum></byteStream></a>"
        ... )
        {'a': 'd50110d41d8cd98f00b204e9800998ecf8427e'}
    """
    found = {}
    for stream in SafeXml("manifest.safe", data, []).all("byteStream"):
        place, stated = stream.find("{*}fileLocation"), stream.find("{*}checksum")
        if place is None or stated is None:
            continue
        prefix, digits = _HASHES.get(stated.get("checksumName", "").upper(), ("", 0))
        text = (stated.text or "").strip().lower()
        if prefix and re.fullmatch(rf"[0-9a-f]{{{digits}}}", text):
            found[place.get("href", "").removeprefix("./")] = prefix + text
    return found


def _document(name: str, read: Callable[[str], bytes], problems: list[Problem]) -> SafeXml | None:
    try:
        return SafeXml(name, read(name), problems)
    except InvalidDocumentError as error:
        problems += error.problems
        return None


def _product(
    document: SafeXml, level: str, names: Collection[str], granules: list[SafeGranule], problems: list[Problem]
) -> SafeProduct | None:
    baseline = _baseline(document)
    time = document.instant("PRODUCT_START_TIME", "DATATAKE_SENSING_START")
    orbit = document.whole("SENSING_ORBIT_NUMBER", low=1, high=143)
    platform = _platform(document)
    quantity = "BOA" if level == "L2A" else "TOA"
    tags = ["QUANTIFICATION_VALUE"] if level == "L1C" else ["BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE"]
    quantification = document.number(*tags, low=1, high=1e6)
    notes: list[str] = []
    cloud = document.optional(percentage, "Cloud_Coverage_Assessment", notes=notes)
    outlines = texts(document.all("EXT_POS_LIST"))
    footprint = parse_outline(document, outlines)
    offsets = _offsets(document, f"{'RADIO' if quantity == 'TOA' else quantity}_ADD_OFFSET", baseline)
    name = document.text("PRODUCT_URI", "PRODUCT_URI_2A", "PRODUCT_URI_1C")
    generated = document.optional(parse_instant, "GENERATION_TIME", notes=notes)
    takes = document.all("Datatake")
    if problems or time is None or orbit is None or quantification is None or footprint is None:
        return None
    return SafeProduct(
        name=str(name).removesuffix(".SAFE"),
        level=level,
        baseline=str(baseline),
        time=time,
        generated=generated,
        datatake=takes[0].get("datatakeIdentifier") if takes else None,
        orbit=orbit,
        platform=str(platform),
        offsets=offsets,
        quantification=quantification,
        cloud_cover=cloud,
        footprint=footprint,
        granules=tuple(granules),
        missing=_missing(document, names),
        datastrip=_datastrip(document),
        notes=(*notes, *(note for granule in granules for note in granule.notes)),
    )


def _datastrip(document: SafeXml) -> str | None:
    """The only datastrip of a product."""
    stated = {element.get("datastripIdentifier") for element in document.all("Granules", "Granule")}
    return stated.pop() if len(stated) == 1 else None


def _baseline(document: SafeXml) -> str | None:
    text = document.text("PROCESSING_BASELINE")
    try:
        return None if text is None else baseline_name(text)
    except InvalidValueError as error:
        document.wrong(f"PROCESSING_BASELINE: {error}")
        return None


def _platform(document: SafeXml) -> str | None:
    text = document.text("SPACECRAFT_NAME")
    platform = None if text is None else platform_name(text)
    if platform is not None and not re.fullmatch(r"sentinel-2[a-d]", platform):
        document.wrong(f"SPACECRAFT_NAME: got {text!r}, expected one such as Sentinel-2A")
        return None
    return platform


def _offsets(document: SafeXml, tag: str, baseline: str | None) -> dict[str, int]:
    """Offsets by band: stated for all 13 bands or for none; missing offsets are an error from baseline 04.00 on."""
    found: dict[str, int] = {}
    for element in document.all(tag):
        number, value = element.get("band_id", ""), document.finite(tag, element.text)
        if not re.fullmatch(r"[0-9]{1,3}", number) or int(number) >= len(BAND_IDS):
            document.wrong(f"{tag}: got band_id {number!r}, expected 0 to {len(BAND_IDS) - 1}")
        elif value is not None and value != int(value):
            document.wrong(f"{tag}: got {value}, expected a whole number")
        elif value is not None:
            found[BAND_IDS[int(number)]] = int(value)
    if found and len(found) < len(BAND_IDS):
        absent = ", ".join(band for band in BAND_IDS if band not in found)
        document.wrong(f"{tag}: none for {absent}")
    if not found and baseline is not None and float(baseline) >= OFFSET_BASELINE:
        document.wrong(f"no {tag}, though the baseline is {baseline}: nothing tells the offset")
    return found or dict.fromkeys(BAND_IDS, 0)


def _missing(document: SafeXml, names: Iterable[str]) -> tuple[str, ...]:
    """Listed images without a file; old products list bare names, new ones paths, both without extension."""
    there = {name.rpartition("/")[2].rpartition(".")[0] for name in names}
    listed = texts(document.all("IMAGE_FILE", "IMAGE_FILE_2A", "IMAGE_ID", "IMAGE_ID_2A"))
    return tuple(one for one in listed if one.rpartition("/")[2].removesuffix(".jp2") not in there)


def _granule(
    path: str, names: Collection[str], read: Callable[[str], bytes], problems: list[Problem]
) -> SafeGranule | None:
    document = _document(path, read, problems)
    if document is None:
        return None
    before = len(problems)
    identity = document.text("TILE_ID", "TILE_ID_2A")
    granule = None if identity is None else _square(document, identity)
    epsg = _epsg(document)
    grids = {} if epsg is None else _grids(document, epsg)
    folder = path.split("/")[1]
    sun, view = sun_angles(document), view_angles(document)
    notes: list[str] = []
    cloud = document.optional(percentage, "CLOUDY_PIXEL_PERCENTAGE", notes=notes)
    nodata = document.optional(percentage, "NODATA_PIXEL_PERCENTAGE", notes=notes)
    time = document.optional(parse_instant, "SENSING_TIME", notes=notes)
    if len(problems) > before or identity is None or granule is None or epsg is None:
        return None
    images, masks = _files(names, folder)
    return SafeGranule(
        id=identity,
        folder=folder,
        granule=granule,
        time=time,
        epsg=epsg,
        grids=grids,
        images=images,
        masks=masks,
        sun=sun,
        view=view,
        cloud_cover=cloud,
        nodata_share=nodata,
        notes=tuple(notes),
    )


def _square(document: SafeXml, identity: str) -> str | None:
    match = re.search(r"_T(\d{2}[A-Z]{3})(?:_|$)", identity)
    try:
        return str(GranuleId.parse(match[1] if match else identity))
    except InvalidIdentityError as error:
        document.wrong(f"TILE_ID: {error}")
        return None


def _epsg(document: SafeXml) -> int | None:
    text = document.text("HORIZONTAL_CS_CODE")
    match = _UTM.fullmatch((text or "").upper())
    if text is not None and match is None:
        document.wrong(f"HORIZONTAL_CS_CODE: got {text!r}, expected WGS84 / UTM such as EPSG:32633")
    return int(match[1]) if match else None


def _grids(document: SafeXml, epsg: int) -> dict[int, Grid]:
    grids = {}
    sizes = {element.get("resolution"): element for element in document.all("Size")}
    places = {element.get("resolution"): element for element in document.all("Geoposition")}
    for metres in _RESOLUTIONS:
        numbers = []
        for holder, tags in ((sizes.get(str(metres)), ("NROWS", "NCOLS")), (places.get(str(metres)), ("ULX", "ULY"))):
            for tag in tags:
                text = None if holder is None else child_text(holder, tag)
                low = 1.0 if tag.startswith("N") else -1e8
                numbers.append(document.finite(f"{tag} at {metres} m", text, low, 1e8))
        rows, columns, west, north = numbers
        if rows is None or columns is None or west is None or north is None:
            continue
        grids[metres] = Grid(
            epsg=epsg,
            west=west,
            north=north,
            pixel_width=float(metres),
            pixel_height=float(metres),
            width=int(columns),
            height=int(rows),
        )
    return grids


def _files(names: Iterable[str], folder: str) -> tuple[dict[str, dict[int, str]], dict[str, str]]:
    images: dict[str, dict[int, str]] = {}
    masks: dict[str, str] = {}
    for name in sorted(names):
        image, mask = image_name(name), mask_name(name)
        if image is not None and image.folder == folder:
            images.setdefault(image.layer, {})[image.resolution] = name
        elif mask is not None and mask[0] == folder:
            masks[mask[1]] = name
    return images, masks
