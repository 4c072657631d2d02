"""GeoTIFF encoding and decoding.

Chips are written by landloom's own encoder (docs/decisions/0003): band-sequential strips, horizontal predictor, deflate
by libdeflate; the bytes depend on the arguments alone. Cloud-Optimised GeoTIFFs (`landloom.formats.tiles`) too.
Georeferencing follows OGC GeoTIFF 1.1 (19-008r4); band names, scale and nodata use GDAL's tags.
"""

from __future__ import annotations

import html
import math
import re
import struct
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.formats import strips, tiff, tiles
from landloom.model.grid import Grid
from landloom.model.rendering.colour import rgb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.model.rendering.values import Categorical

MOST_BANDS: Final = 4096
"""Bands of a GeoTIFF at most; GDAL's time to open one grows with their square."""
LARGEST: Final = 2**28
"""Bytes of a decoded raster at most, where its encoding sets no bound."""
_PALETTED: Final = 2
"""Bands of a raster with a colour table at most, for GDAL."""
_BROKEN: Final = (
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    ArithmeticError,
    MemoryError,
    RuntimeError,  # of imagecodecs
    struct.error,
)
"""What decoding damaged tags may raise."""
_PROJECTED, _GEOGRAPHIC = 1, 2
_USER_DEFINED: Final = 32767
_MODEL_KEY, _RASTER_KEY, _GEOGRAPHIC_KEY, _PROJECTED_KEY = 1024, 1025, 2048, 3072
_END: Final = b"</GDALMetadata>\n\0"
_ITEM: Final = re.compile(r'<Item name="[^"]*" sample="(\d+)" role="(\w+)">([^<]*)</Item>')


@dataclass(frozen=True, slots=True, kw_only=True)
class GeotiffInfo:
    """Metadata of a GeoTIFF other than pixels and grid."""

    nodata: float | None
    """Value of pixels without data."""
    bands: tuple[str, ...]
    """A description per band, empty if there is none."""
    scaling: tuple[float, float]
    """Scale and offset of the first band: physical value = number · scale + offset."""
    unit: str = ""
    """Of the first band; empty if there is none."""


def encode_geotiff(  # noqa: PLR0913 - every one is a question of its own, and most are optional
    array: NDArray[Any],
    grid: Grid,
    *,
    nodata: float | None = None,
    bands: Sequence[str] = (),
    scaling: tuple[float, float] | None = None,
    unit: str | None = None,
    colours: Sequence[str | None] = (),
    tags: Mapping[str, str] | None = None,
    classes: Sequence[Categorical | None] = (),
    compression: strips.Compression = "deflate",
    level: int = 6,
    predictor: bool = True,
) -> bytes:
    """Encode a chip as GeoTIFF; the same arguments give the same bytes.

    Args:
        array: (band, y, x), row 0 north; integers of 8 to 64 bits, float32 or float64.
        grid: its pixels.
        nodata: value of pixels without data; the type must be able to hold it.
        bands: a description per band, or none at all.
        scaling: scale and offset for every band: physical value = number · scale + offset.
        unit: of every band.
        colours: what each band shows, by GDAL's names: `red`, `nir`; None for others.
        tags: further metadata, name → value.
        classes: of each band; None for those that are not codes. Their names are metadata of the band (`class_4`),
            those of the first band the colour table of a uint8 raster of one or two bands.
        compression: `deflate` or `none`.
        level: of deflate, 1 (fast) to 12 (small).
        predictor: whether to store differences along x, which compress better.

    Raises:
        InvalidValueError: shape, type, nodata or descriptions do not match.

    Example:
        >>> grid = Grid.of_bounds(32633, (500_000, 5_000_000, 500_600, 5_000_600), 10)
        >>> data = encode_geotiff(np.full((2, 60, 60), 7, np.uint16), grid, nodata=0, bands=["B02", "B03"])
        >>> pixels, same, info = decode_geotiff(data)
        >>> bool((pixels == 7).all()), same == grid, info.bands, info.nodata
        (True, True, ('B02', 'B03'), 0.0)
    """
    array = _checked(array, grid, nodata, bands)
    squeeze = predictor and compression == "deflate"
    rows = max(1, min(grid.height, strips.STRIP_BYTES // (grid.width * array.itemsize)))
    own = strips.layout(array.shape, array.dtype, strips.SCHEMES[compression], squeeze=squeeze) | _georeference(grid)
    own[tiff.ROWS_PER_STRIP] = (rows,)
    if nodata is not None:
        own[tiff.GDAL_NODATA] = _nodata_text(nodata)
    if classes and classes[0] is not None and array.dtype == np.uint8 and len(array) <= _PALETTED:
        own |= {tiff.PHOTOMETRIC: strips.PALETTE, tiff.COLOUR_MAP: _colour_map(classes[0])}
    if bands or scaling or unit or colours or tags or any(classes):
        text = _metadata_text(len(array), tuple(bands), scaling, unit, tuple(colours))
        own[tiff.GDAL_METADATA] = text.replace(_END, _tag_text(tags or {}) + _class_text(tuple(classes)) + _END)
    parts = strips.strips(array, rows, squeeze=squeeze)
    return tiff.write_tiff(own, [strips.encode_strip(part, compression, level) for part in parts])


def _checked(array: NDArray[Any], grid: Grid, nodata: float | None, bands: Sequence[str]) -> NDArray[Any]:
    """The array, little-endian and contiguous, if the arguments are consistent."""
    if array.ndim != 3 or array.shape[0] < 1 or array.shape[1:] != grid.shape:
        raise InvalidValueError(f"got an array of shape {array.shape}, expected (bands, {grid.height}, {grid.width})")
    dtype = array.dtype.newbyteorder("<")
    if dtype not in strips.DTYPES:
        raise InvalidValueError(
            f"got numbers of type {array.dtype}, expected integers of 8 to 64 bits, float32 or float64"
        )
    if bands and len(bands) != array.shape[0]:
        raise InvalidValueError(f"got {len(bands)} band descriptions, expected {array.shape[0]}")
    if nodata is not None and dtype.kind != "f":
        limits = np.iinfo(dtype)
        if not (float(nodata).is_integer() and limits.min <= nodata <= limits.max):
            raise InvalidValueError(f"got nodata {nodata}, expected a number that {dtype} can hold")
    return np.ascontiguousarray(array, dtype)


def _nodata_text(nodata: float) -> bytes:
    whole = math.isfinite(nodata) and float(nodata).is_integer()
    return f"{int(nodata) if whole else float(nodata)!r}\0".encode("ascii")


def _escaped(text: str) -> str:
    return html.escape(text, quote=False).replace('"', "&quot;")


def _tag_text(tags: Mapping[str, str]) -> bytes:
    lines = [f'  <Item name="{_escaped(name)}">{_escaped(value)}</Item>\n' for name, value in tags.items()]
    return "".join(lines).encode()


@lru_cache(maxsize=64)
def _class_text(classes: tuple[Categorical | None, ...]) -> bytes:
    lines = [
        f'  <Item name="class_{one.code}" sample="{sample}">{_escaped(one.name)}</Item>\n'
        for sample, own in enumerate(classes)
        if own is not None
        for one in own.classes
    ]
    return "".join(lines).encode()


@lru_cache(maxsize=64)
def _colour_map(own: Categorical) -> tuple[int, ...]:
    """Red of all codes, then green, then blue, 0 to 65,535."""
    table = np.zeros((256, 3), np.int64)
    for one in own.classes:
        if 0 <= one.code < len(table):
            table[one.code] = rgb(one.colour)
    return tuple((table.T.ravel() * 257).tolist())


@lru_cache(maxsize=256)
def _metadata_text(
    count: int,
    bands: tuple[str, ...],
    scaling: tuple[float, float] | None,
    unit: str | None = None,
    colours: tuple[str | None, ...] = (),
) -> bytes:
    """GDAL's metadata XML, in which descriptions are escaped twice."""
    items = []
    for sample in range(count):
        if bands and bands[sample]:
            items.append(("DESCRIPTION", sample, "description", _escaped(_escaped(bands[sample]))))
        if scaling:
            items.append(("SCALE", sample, "scale", repr(float(scaling[0]))))
            items.append(("OFFSET", sample, "offset", repr(float(scaling[1]))))
        if colours and colours[sample]:
            items.append(("COLORINTERP", sample, "colorinterp", colours[sample] or ""))
        if unit:
            items.append(("UNITTYPE", sample, "unittype", _escaped(_escaped(unit))))
    lines = [f'  <Item name="{name}" sample="{n}" role="{role}">{text}</Item>\n' for name, n, role, text in items]
    return "".join(["<GDALMetadata>\n", *lines]).encode() + _END


@lru_cache(maxsize=64)
def _model(epsg: int) -> int:
    """GeoTIFF model type of a CRS, projected or geographic; UTM needs no look-up."""
    if 32601 <= epsg <= 32760:
        return _PROJECTED
    from pyproj import CRS  # noqa: PLC0415 - most files are of UTM

    crs = CRS.from_epsg(epsg)
    if crs.is_projected:
        return _PROJECTED
    if crs.is_geographic:
        return _GEOGRAPHIC
    raise InvalidValueError(f"got EPSG:{epsg}, expected a projected or geographic CRS")


def _georeference(grid: Grid) -> dict[int, tiff.Value]:
    model = _model(grid.epsg)
    crs_key = _PROJECTED_KEY if model == _PROJECTED else _GEOGRAPHIC_KEY
    keys = (1, 1, 0, 3, _MODEL_KEY, 0, 1, model, _RASTER_KEY, 0, 1, 1, crs_key, 0, 1, grid.epsg)
    return {
        tiff.PIXEL_SCALE: (grid.pixel_width, grid.pixel_height, 0.0),
        tiff.TIEPOINT: (0.0, 0.0, 0.0, grid.west, grid.north, 0.0),
        tiff.GEO_KEYS: keys,
    }


def decode_geotiff(data: bytes) -> tuple[NDArray[Any], Grid, GeotiffInfo]:
    """Decode a GeoTIFF: files from `encode_geotiff` by a fast path, others through GDAL.

    Returns:
        Array (band, y, x), its grid, and the other metadata.

    Raises:
        InvalidInputError: not readable, or without a north-up grid in a CRS with an EPSG code.
    """
    tags, bands = tiff.read_tags(data), tiff.band_count(data)
    if bands > MOST_BANDS:
        raise InvalidInputError(f"got a GeoTIFF of {bands} bands, expected at most {MOST_BANDS}")
    try:
        if tags is None or not _is_ours(tags):
            return _decode_by_gdal(data)
        return strips.decode_pixels(data, tags), _grid(tags), _info(tags)
    except InvalidInputError:
        raise
    except _BROKEN as error:
        raise InvalidInputError(f"a GeoTIFF of {len(data)} bytes is broken: {error}") from error


def _is_ours(tags: dict[int, tiff.Value]) -> bool:
    """Whether every tag is one that `encode_geotiff` writes, with the value that it writes for such pixels."""
    rest = strips.other_tags(tags)
    if rest is None:
        return False
    texts = [rest.pop(tag) for tag in (tiff.GDAL_NODATA, tiff.GDAL_METADATA) if tag in rest]
    keys, tie, scale = (rest.get(tag, ()) for tag in (tiff.GEO_KEYS, tiff.TIEPOINT, tiff.PIXEL_SCALE))
    return (
        all(isinstance(text, bytes) for text in texts)
        and len(rest) == 3
        and (len(keys), len(tie), len(scale)) == (16, 6, 3)
        and tuple(keys[:7]) == (1, 1, 0, 3, _MODEL_KEY, 0, 1)
        and (keys[7], keys[12]) in {(_PROJECTED, _PROJECTED_KEY), (_GEOGRAPHIC, _GEOGRAPHIC_KEY)}
        and tuple(keys[8:12]) == (_RASTER_KEY, 0, 1, 1)
        and tuple(keys[13:15]) == (0, 1)
        and 0 < keys[15] < _USER_DEFINED
        and not any(tie[:3])
    )


def _grid(tags: dict[int, tiff.Value]) -> Grid:
    return Grid(
        epsg=int(tags[tiff.GEO_KEYS][15]),
        west=float(tags[tiff.TIEPOINT][3]),
        north=float(tags[tiff.TIEPOINT][4]),
        pixel_width=float(tags[tiff.PIXEL_SCALE][0]),
        pixel_height=float(tags[tiff.PIXEL_SCALE][1]),
        width=int(tags[tiff.WIDTH][0]),
        height=int(tags[tiff.LENGTH][0]),
    )


def _info(tags: dict[int, tiff.Value]) -> GeotiffInfo:
    texts: dict[tuple[int, str], str] = {}
    metadata = tags.get(tiff.GDAL_METADATA, b"")
    if isinstance(metadata, bytes):
        for sample, role, text in _ITEM.findall(metadata.decode()):
            texts[int(sample), role] = html.unescape(html.unescape(text))
    nodata = tags.get(tiff.GDAL_NODATA)
    return GeotiffInfo(
        nodata=float(nodata.rstrip(b"\0")) if isinstance(nodata, bytes) else None,
        bands=tuple(texts.get((sample, "description"), "") for sample in range(int(tags[tiff.SAMPLES][0]))),
        scaling=(float(texts.get((0, "scale"), 1)), float(texts.get((0, "offset"), 0))),
        unit=texts.get((0, "unittype"), ""),
    )


def _decode_by_gdal(data: bytes) -> tuple[NDArray[Any], Grid, GeotiffInfo]:
    from rasterio.errors import NotGeoreferencedWarning, RasterioError
    from rasterio.io import MemoryFile

    try:
        with MemoryFile(data) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with file.open(driver="GTiff") as dataset:
                return _read_dataset(dataset)
    except RasterioError as error:
        raise InvalidInputError(f"{len(data)} bytes cannot be read as a raster: {error}") from error


def _read_dataset(dataset: Any) -> tuple[NDArray[Any], Grid, GeotiffInfo]:
    epsg = None if dataset.crs is None else dataset.crs.to_epsg()
    if epsg is None:
        raise InvalidInputError(f"got the CRS {dataset.crs}, expected one with an EPSG code")
    size = dataset.count * dataset.height * dataset.width * np.dtype(dataset.dtypes[0]).itemsize
    if size > LARGEST:
        raise InvalidInputError(f"got a raster of {size:,} bytes, expected at most {LARGEST:,}")
    info = GeotiffInfo(
        nodata=dataset.nodata,
        bands=tuple(text or "" for text in dataset.descriptions),
        scaling=(dataset.scales[0], dataset.offsets[0]),
        unit=dataset.units[0] or "",
    )
    return dataset.read(), Grid.of_transform(epsg, dataset.transform, dataset.shape), info


def encode_cog(
    array: NDArray[Any],
    grid: Grid,
    *,
    nodata: float | None = None,
    bands: Sequence[str] = (),
    block: int = 512,
    overviews: bool = True,
    level: int = 6,
) -> bytes:
    """Encode a raster as Cloud-Optimised GeoTIFF with deflate and predictor.

    Args:
        array: (band, y, x) or (y, x), row 0 north.
        grid: its pixels.
        nodata: value of pixels without data.
        bands: a description per band, or none at all.
        block: side of a block in pixels, a multiple of 16.
        overviews: whether to add overviews (nearest neighbour) if the raster is larger than a block.
        level: of deflate, 1 (fast) to 12 (small).

    Raises:
        InvalidValueError: shape, type, nodata, descriptions or block do not match.

    Example:
        >>> grid = Grid.of_bounds(32633, (500_000, 5_000_000, 506_000, 5_006_000), 10)
        >>> data = encode_cog(np.full((600, 600), 7, np.uint16), grid, nodata=0)
        >>> decode_geotiff(data)[0].shape
        (1, 600, 600)
    """
    stack = _checked(array[None] if array.ndim == 2 else array, grid, nodata, bands)
    lasting = {} if nodata is None else {tiff.GDAL_NODATA: _nodata_text(nodata)}
    tags = _georeference(grid)
    if bands:
        tags[tiff.GDAL_METADATA] = _metadata_text(len(stack), tuple(bands), None)
    return tiles.write_cog(stack, tags, lasting, block=block, level=level, overviews=overviews)


def cog_head(
    grid: Grid, dtype: np.dtype[Any], counts: Sequence[int], *, nodata: float, block: int
) -> tuple[bytes, tuple[int, ...]]:
    """What stands before the tiles of a file of one band without overviews, as `encode_cog` writes it.

    Args:
        grid: its pixels.
        dtype: of them.
        counts: bytes of each tile, encoded, row by row.
        nodata: value of pixels without data.
        block: side of a tile in pixels, a multiple of 16.

    Returns:
        The bytes, and the first byte of each tile; between tiles there is what `landloom.formats.tiff.framed_block`
        puts around them.

    Example:
        >>> grid = Grid.of_bounds(32633, (500_000, 5_000_000, 506_000, 5_006_000), 10)
        >>> zeros = np.zeros((512, 512, 1), "<u2")
        >>> data = tiff.framed_block(tiles.encode_tile(zeros, 6))
        >>> head, offsets = cog_head(grid, np.dtype("<u2"), [len(data) - 8] * 4, nodata=0, block=512)
        >>> head + 4 * data == encode_cog(np.zeros(grid.shape, "u2"), grid, nodata=0, overviews=False)
        True
    """
    tags = strips.layout((1, *grid.shape), dtype, strips.SCHEMES["deflate"], squeeze=True) | _georeference(grid)
    tags |= {tiff.GDAL_NODATA: _nodata_text(nodata)} | tiles.tags_of_tiles(block)
    return tiff.tiled_head(tags, counts, tiles.NOTE)
