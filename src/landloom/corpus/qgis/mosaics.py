"""Mosaics: all chips of a tile, product and timestep as one raster that refers to them (GDAL's VRT).

A mosaic keeps names, colours, scale, unit and nodata of the bands, and the names and colours of classes. Its paths are
relative to it. Chips are opened when they are drawn, not when the mosaic is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

import numpy as np

from landloom.formats.chip_tags import COLOURS
from landloom.model.rendering.colour import rgb
from landloom.model.rendering.values import Categorical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.corpus.stac.items import TileContent
    from landloom.model.grid import Bounds, Grid
    from landloom.model.sensor import Band

FOLDER: Final = "qgis"
"""Folder of mosaics and styles in a corpus."""
TYPES: Final = {
    "uint8": "Byte",
    "int8": "Int8",
    "uint16": "UInt16",
    "int16": "Int16",
    "uint32": "UInt32",
    "int32": "Int32",
    "uint64": "UInt64",
    "int64": "Int64",
    "float32": "Float32",
    "float64": "Float64",
}
"""numpy's name of a type → GDAL's."""
_KNOWN_COLOURS: Final = frozenset({"Red", "Green", "Blue"})
"""What a band may show in the eyes of every version of GDAL."""
_NAMED: Final = 1024
"""Codes below this are named in the table of a mosaic, which has an entry for every number up to the largest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mosaic:
    """A mosaic of a tile."""

    key: str
    """Of its file in the corpus."""
    product: str
    """Key of the product."""
    timestep: str | None
    """Name of the timestep; None without time."""
    tile: str
    """`33N_16E-243N`."""
    epsg: int
    """EPSG code of its CRS."""
    bounds: Bounds
    """West, south, east, north in that CRS."""


def drawable(info: CorpusInfo) -> tuple[ProductInfo, ...]:
    """The products of a corpus whose chips are files that GDAL opens.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> [item.key for item in drawable(example_corpus().info)]
        ['pfsr', 'pfqa', 's2']
    """
    return tuple(
        item
        for item in info.products
        if item.product.bands
        and item.product.suffix == "tif"
        and item.product.resolution is not None
        and (item.product.kind == "raster-labels" or "chips" in info.layouts)
    )


def mosaic_key(info: CorpusInfo, content: TileContent, item: ProductInfo, timestep: str | None) -> str:
    """Key of a mosaic, `qgis/33N/16E-243N/s2_2018-01.vrt`: by product, for versions of labels share a prefix."""
    name = item.key if timestep is None else f"{item.key}_{timestep}"
    return f"{FOLDER}/{info.layout.tile_folder(content.tile)}/{name}.vrt"


def tile_mosaics(
    info: CorpusInfo, content: TileContent, between: Callable[[str, str], str], every: int = 1
) -> Iterator[tuple[Mosaic, bytes]]:
    """The mosaics of a tile, product by product in time order; none where there is no chip.

    Args:
        info: the corpus.
        content: the tile.
        between: key of a mosaic and key of a chip → what the mosaic calls the chip.
        every: the first of so many timesteps of a product is taken.
    """
    content = content.sorted()
    for item in drawable(info):
        there = content.exists.get(item.key)
        for position in range(0, item.slots if there is not None else 0, every):
            rows = [row for row, own in enumerate(there) if own[position]] if there is not None else []
            if rows:
                yield _mosaic(info, content, item, position, rows, between)


def _mosaic(
    info: CorpusInfo,
    content: TileContent,
    item: ProductInfo,
    position: int,
    rows: list[int],
    between: Callable[[str, str], str],
) -> tuple[Mosaic, bytes]:
    step = item.timesteps[position].name if item.timesteps else None
    key = mosaic_key(info, content, item, step)
    resolution = float(item.product.resolution or 0)
    grids = {row: content.samples[row].grid(resolution) for row in rows}
    wests, souths, easts, norths = zip(*(grid.bounds for grid in grids.values()), strict=True)
    bounds = (min(wests), min(souths), max(easts), max(norths))
    width, height = (round((bounds[end] - bounds[start]) / resolution) for start, end in ((0, 2), (1, 3)))
    lines = [
        f'<VRTDataset rasterXSize="{width}" rasterYSize="{height}">',
        f"<SRS>EPSG:{content.samples[rows[0]].epsg}</SRS>",
        f"<GeoTransform>{bounds[0]!r},{resolution!r},0.0,{bounds[3]!r},0.0,{-resolution!r}</GeoTransform>",
        f'<Metadata><MDI key="product">{escape(item.key)}</MDI></Metadata>',
    ]
    for number, band in enumerate(item.product.bands, 1):
        lines += _band_head(info, item, band, number)
        for row, grid in grids.items():
            path, own = _chip(info, item, content.samples[row].id, step, band, number)
            lines.append(_source(between(key, path), own, grid, bounds, item))
        lines.append("</VRTRasterBand>")
    lines += ["</VRTDataset>", ""]
    about = Mosaic(
        key=key,
        product=item.key,
        timestep=step,
        tile=str(content.tile),
        epsg=content.samples[rows[0]].epsg,
        bounds=bounds,
    )
    return about, "\n".join(lines).encode()


def _chip(
    info: CorpusInfo, item: ProductInfo, sample: Any, step: str | None, band: Band, number: int
) -> tuple[str, int]:
    """Key of the file with a band, and the band's number in it."""
    if item.product.kind == "raster-labels" and not item.timesteps:
        return info.layout.raster_label(sample, item.product.prefix, item.label_version), number
    if info.layout.patterns.band_asset is None:
        return info.layout.chip(sample, item.product, step), number
    return info.layout.chip(sample, item.product, step, band.name), 1


def _band_head(info: CorpusInfo, item: ProductInfo, band: Band, number: int) -> list[str]:
    """Everything of a band but its chips."""
    product = item.product
    shown = info.rendering(item, band.name)
    lines = [f'<VRTRasterBand dataType="{TYPES[product.dtype]}" band="{number}">']
    lines.append(f"<Description>{escape(band.name)}</Description>")
    if product.nodata is not None:
        lines.append(f"<NoDataValue>{product.nodata:g}</NoDataValue>")
    if product.scale is not None:
        lines += ["<Offset>0</Offset>", f"<Scale>{product.scale!r}</Scale>"]
    elif band.unit is not None:
        lines.append(f"<UnitType>{escape(band.unit)}</UnitType>")
    colour = COLOURS.get(band.common_name or "")
    codes = [one.code for one in shown.classes] if isinstance(shown, Categorical) else []
    if isinstance(shown, Categorical) and codes and 0 <= min(codes) <= max(codes) < _NAMED:
        lines += ["<ColorInterp>Palette</ColorInterp>", *_class_tables(shown)]
    elif colour in _KNOWN_COLOURS:
        lines.append(f"<ColorInterp>{colour}</ColorInterp>")
    return lines


def _class_tables(shown: Categorical) -> list[str]:
    """Names and colours of codes, those without a class transparent."""
    own = {one.code: one for one in shown.classes}
    names, colours = [], []
    for code in range(max(own) + 1):
        one = own.get(code)
        red, green, blue = (0, 0, 0) if one is None else rgb(one.colour)
        names.append(f"<Category>{'' if one is None else escape(one.name)}</Category>")
        colours.append(f'<Entry c1="{red}" c2="{green}" c3="{blue}" c4="{0 if one is None else 255}"/>')
    return ["<CategoryNames>", *names, "</CategoryNames>", "<ColorTable>", *colours, "</ColorTable>"]


def _source(path: str, number: int, grid: Grid, bounds: Bounds, item: ProductInfo) -> str:
    """A band of a chip; its properties are stated, so that it need not be opened before it is drawn."""
    height, width = grid.shape
    left, top = (round((a - b) / grid.pixel_width) for a, b in ((grid.west, bounds[0]), (bounds[3], grid.north)))
    kind = TYPES[item.product.dtype]
    rows = max(1, min(height, 2**20 // (width * np.dtype(item.product.dtype).itemsize)))
    relative = 0 if "://" in path or path.startswith("/") else 1
    return (
        f'<SimpleSource><SourceFilename relativeToVRT="{relative}">{escape(path)}</SourceFilename>'
        f"<SourceBand>{number}</SourceBand>"
        f'<SourceProperties RasterXSize="{width}" RasterYSize="{height}" DataType="{kind}" '
        f'BlockXSize="{width}" BlockYSize="{rows}"/>'
        f'<SrcRect xOff="0" yOff="0" xSize="{width}" ySize="{height}"/>'
        f'<DstRect xOff="{left}" yOff="{top}" xSize="{width}" ySize="{height}"/></SimpleSource>'
    )
