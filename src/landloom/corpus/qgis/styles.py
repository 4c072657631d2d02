"""Styles of QGIS: natural colours with a stated stretch, classes in their colours, quantities by their ramps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from landloom.corpus.qgis.mosaics import FOLDER
from landloom.model.rendering.known import BRIGHTEST, GAMMA
from landloom.model.rendering.values import Categorical, Continuous, Rendering

if TYPE_CHECKING:
    from landloom.corpus.info import CorpusInfo, ProductInfo

VERSION: Final = "3.22.0"
"""Version of QGIS whose form these documents have; later ones read it."""
_COMMON: Final = ("red", "green", "blue")
_SMALLEST: Final = "<limits>None</limits><extent>WholeRaster</extent><statAccuracy>Estimated</statAccuracy>"


def style_key(item: ProductInfo) -> str:
    """Key of the style of a product: `qgis/s2.qml`."""
    return f"{FOLDER}/{item.key}.qml"


def style(info: CorpusInfo, item: ProductInfo) -> bytes:
    """The style of a product: natural colours, or else its first band."""
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        f'<qgis version="{VERSION}" styleCategories="AllStyleCategories">\n{pipe(info, item)}\n'
        "<blendMode>0</blendMode>\n</qgis>\n"
    ).encode()


def pipe(info: CorpusInfo, item: ProductInfo) -> str:
    """How a raster layer is drawn, the part that styles and projects have in common."""
    common = [band.common_name for band in item.product.bands]
    if all(name in common for name in _COMMON) and item.product.scale is not None:
        renderer, gamma = _natural([common.index(name) + 1 for name in _COMMON]), GAMMA
    else:
        shown = info.rendering(item, item.product.bands[0].name)
        renderer = _paletted(shown) if isinstance(shown, Categorical) else _ramp(shown, item)
        gamma = 1.0
    return (
        '<pipe><provider><resampling enabled="false" maxOversampling="2" zoomedInResamplingMethod="nearestNeighbour" '
        f'zoomedOutResamplingMethod="nearestNeighbour"/></provider>\n{renderer}\n'
        f'<brightnesscontrast brightness="0" contrast="0" gamma="{gamma:g}"/>'
        '<huesaturation saturation="0" grayscaleMode="0" colorizeOn="0"/><rasterresampler maxOversampling="2"/></pipe>'
    )


def _natural(bands: list[int]) -> str:
    """Red, green and blue between 0 and the reflectance that is white everywhere."""
    numbers = " ".join(
        f'{colour}Band="{number}"' for colour, number in zip(("red", "green", "blue"), bands, strict=True)
    )
    stretch = "".join(
        f"<{colour}ContrastEnhancement><minValue>0</minValue><maxValue>{BRIGHTEST}</maxValue>"
        f"<algorithm>StretchToMinimumMaximum</algorithm></{colour}ContrastEnhancement>"
        for colour in ("red", "green", "blue")
    )
    return (
        f'<rasterrenderer type="multibandcolor" opacity="1" alphaBand="-1" nodataColor="" {numbers}>'
        f"<rasterTransparency/><minMaxOrigin>{_SMALLEST}</minMaxOrigin>{stretch}</rasterrenderer>"
    )


def _paletted(shown: Categorical) -> str:
    entries = "".join(
        f'<paletteEntry value="{one.code}" color="{one.colour}" label={quoteattr(one.name)} alpha="255"/>'
        for one in shown.classes
    )
    return (
        '<rasterrenderer type="paletted" band="1" opacity="1" alphaBand="-1" nodataColor=""><rasterTransparency/>'
        f"<minMaxOrigin>{_SMALLEST}</minMaxOrigin><colorPalette>{entries}</colorPalette></rasterrenderer>"
    )


def _ramp(shown: Rendering, item: ProductInfo) -> str:
    """A quantity between its limits, or of the layer as QGIS finds them; names of things in turn."""
    if not isinstance(shown, Continuous):
        shown = Continuous(ramp="greys")
    low, high = shown.limits or _possible(item.product.dtype)
    unit = f" {shown.unit}" if shown.unit else ""
    items = "".join(
        f'<item value="{low + place * (high - low):.10g}" color="{colour}" alpha="255" '
        f'label="{escape(f"{low + place * (high - low):.6g}{unit}")}"/>'
        for place, colour in shown.stops
    )
    limits = "MinMax" if shown.limits is None else "None"
    origin = _SMALLEST.replace(">None<", f">{limits}<")
    return (
        f'<rasterrenderer type="singlebandpseudocolor" band="1" opacity="1" alphaBand="-1" nodataColor="" '
        f'classificationMin="{low:.10g}" classificationMax="{high:.10g}"><rasterTransparency/>'
        f"<minMaxOrigin>{origin}</minMaxOrigin><rastershader>"
        f'<colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" labelPrecision="6" '
        f'minimumValue="{low:.10g}" maximumValue="{high:.10g}">{items}</colorrampshader>'
        "</rastershader></rasterrenderer>"
    )


def _possible(dtype: str) -> tuple[float, float]:
    """Numbers from which a layer without declared limits starts, until QGIS is asked for those of the data."""
    if np.dtype(dtype).kind == "f":
        return 0.0, 1.0
    limits = np.iinfo(dtype)
    return float(max(limits.min, 0)), float(min(limits.max, 255))
