"""The project of QGIS, `corpus.qgz`: outlines of the samples, and mosaics of some tiles in groups by product."""

from __future__ import annotations

import io
import math
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self
from xml.sax.saxutils import escape, quoteattr

from landloom.corpus.footprints import joint_box, json_boxes
from landloom.corpus.qgis.mosaics import drawable, tile_mosaics
from landloom.corpus.qgis.styles import VERSION, pipe, style, style_key
from landloom.corpus.stac.links import Hrefs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.corpus.qgis.mosaics import Mosaic
    from landloom.corpus.stac.items import TileContent

PROJECT: Final = "corpus.qgz"
"""Key of the project."""
MOST: Final = 96
"""Mosaics in a project, roughly: QGIS reads the style of each when it opens the project."""
_EARTH: Final = 6_378_137.0
"""Radius of the sphere of Web Mercator, metres."""
_WEB: Final = "EPSG:3857"
_PROPERTIES: Final = (
    '<Paths><Absolute type="bool">false</Absolute></Paths>'
    '<SpatialRefSys><ProjectionsEnabled type="int">1</ProjectionsEnabled></SpatialRefSys>'
    '<Gui><CanvasColorRedPart type="int">222</CanvasColorRedPart><CanvasColorGreenPart type="int">222'
    '</CanvasColorGreenPart><CanvasColorBluePart type="int">222</CanvasColorBluePart></Gui>'
)
"""Relative paths, and the grey of nodata behind the layers: clouds are white."""
_SAMPLES: Final = "sample_outlines"
"""Id of the layer of footprints; QGIS takes ids of up to ten characters for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a corpus has mosaics of: everything of a small one, else some tiles, and some of their timesteps."""

    tiles: tuple[str, ...]
    """Names of the tiles, evenly spread in their order."""
    every: int
    """The first of so many timesteps of a product is shown."""

    @classmethod
    def of(cls, info: CorpusInfo, tiles: Sequence[str]) -> Self:
        """Choose.

        Args:
            info: the corpus.
            tiles: names of all its tiles, in any order.

        Example:
            >>> from landloom.query.example import example_corpus
            >>> Shown.of(example_corpus().info, ["33N_16E-243N", "33N_17E-243N"])
            Shown(tiles=('33N_16E-243N',), every=4)
        """
        named = sorted(tiles)
        each = sum(-(-item.slots // len(named)) if item.acquired else item.slots for item in drawable(info))
        count = min(len(named), max(1, MOST // max(each, 1))) if each else 0
        return cls(
            tiles=tuple(named[place * len(named) // count] for place in range(count)), every=max(1, -(-each // MOST))
        )


@dataclass(slots=True, kw_only=True)
class QgisDocuments:
    """Collects what a project shows while tiles are published one after the other."""

    info: CorpusInfo
    """The corpus."""
    shown: Shown
    """What has mosaics."""
    mosaics: list[Mosaic] = field(default_factory=list)
    """So far."""
    view: tuple[float, float, float, float] | None = None
    """West, south, east, north of the first tile shown, degrees."""

    def of_tile(self, content: TileContent) -> Iterator[tuple[str, bytes]]:
        """Key and bytes of the mosaics of a tile, if it is one of those shown."""
        if str(content.tile) not in self.shown.tiles:
            return
        for mosaic, data in tile_mosaics(self.info, content, Hrefs().between, self.shown.every):
            self.mosaics.append(mosaic)
            yield mosaic.key, data
        if self.view is None:
            west, south, east, north = joint_box(json_boxes(content.outlines()))
            self.view = (west, south, east, north)

    def last(self) -> Iterator[tuple[str, bytes]]:
        """Key and bytes of the styles and of the project."""
        for item in drawable(self.info):
            yield style_key(item), style(self.info, item)
        yield PROJECT, project(self.info, self.mosaics, self.view)


def project(info: CorpusInfo, mosaics: Sequence[Mosaic], view: tuple[float, ...] | None) -> bytes:
    """The project; the same arguments give the same bytes.

    Args:
        info: the corpus.
        mosaics: its raster layers.
        view: west, south, east, north of what is in view, degrees; None for nothing in particular.
    """
    text = _document(info, mosaics, view).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        one = zipfile.ZipInfo("corpus.qgs")  # dated 1980: no clock in published bytes
        one.compress_type, one.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        archive.writestr(one, text, compresslevel=9)
    return buffer.getvalue()


def _document(info: CorpusInfo, mosaics: Sequence[Mosaic], view: tuple[float, ...] | None) -> str:
    outlines = f"/vsigzip/./{info.layout.resource('geometries')}"
    title = escape(info.publication.title)
    entries = [_tree_layer(_SAMPLES, "Samples", outlines, "ogr", checked=True)]
    layers, order = [_outlines(outlines)], [_SAMPLES]
    seen = _in_view(info, mosaics)
    for item in drawable(info):
        own = [one for one in mosaics if one.product == item.key]
        if not own:
            continue
        rows = [_tree_layer(_id(one), _name(one), f"./{one.key}", "gdal", checked=one in seen) for one in own]
        shown = any(one in seen for one in own)
        entries.append(_group(f"{item.product.title} ({item.key})", rows, checked=shown, expanded=shown))
        layers += [_raster(info, item, one) for one in own]
        order += [_id(one) for one in own]
    tree = "\n".join(entries)
    canvas = f"<units>meters</units>{_extent(view)}<rotation>0</rotation><destinationsrs>{_crs(_WEB)}</destinationsrs>"
    listed = "".join(f'<layer id="{name}"/>' for name in order)
    return "\n".join(
        [
            "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>",
            f'<qgis version="{VERSION}" projectname={quoteattr(info.publication.title)}>',
            f"<title>{title}</title>",
            f"<projectCrs>{_crs(_WEB)}</projectCrs>",
            f"<layer-tree-group>\n{tree}\n</layer-tree-group>",
            f'<mapcanvas name="theMapCanvas">{canvas}</mapcanvas>',
            "<projectlayers>",
            *layers,
            "</projectlayers>",
            f"<layerorder>{listed}</layerorder>",
            f"<properties>{_PROPERTIES}</properties>",
            _view_settings(view),
            "</qgis>",
            "",
        ]
    )


def _in_view(info: CorpusInfo, mosaics: Sequence[Mosaic]) -> set[Mosaic]:
    """What is drawn at first: the middle timestep of the first imagery, or else of the first product."""
    kinds = {item.key: item.product.kind for item in info.products}
    first = next((one.product for one in mosaics if kinds[one.product] == "imagery"), None)
    own = [one for one in mosaics if one.product == (first or mosaics[0].product)] if mosaics else []
    steps = sorted({one.timestep or "" for one in own})
    return {one for one in own if (one.timestep or "") == steps[len(steps) // 2]}


def _id(mosaic: Mosaic) -> str:
    return "_".join(part for part in ("mosaic", mosaic.product, mosaic.timestep, mosaic.tile) if part)


def _name(mosaic: Mosaic) -> str:
    return " ".join(part for part in (mosaic.timestep, mosaic.tile) if part)


def _crs(name: str) -> str:
    """A CRS by its EPSG code; QGIS believes it only beside a number of its own."""
    return f"<spatialrefsys><srsid>{name.partition(':')[2]}</srsid><authid>{name}</authid></spatialrefsys>"


def _tree_layer(identity: str, name: str, source: str, provider: str, *, checked: bool) -> str:
    state = "Qt::Checked" if checked else "Qt::Unchecked"
    return (
        f'<layer-tree-layer id="{identity}" name={quoteattr(name)} source={quoteattr(source)} '
        f'providerKey="{provider}" checked="{state}" expanded="0"/>'
    )


def _group(name: str, rows: Sequence[str], *, checked: bool, expanded: bool) -> str:
    state = "Qt::Checked" if checked else "Qt::Unchecked"
    inner = "\n".join(rows)
    return (
        f'<layer-tree-group name={quoteattr(name)} checked="{state}" expanded="{int(expanded)}">\n{inner}\n'
        "</layer-tree-group>"
    )


def _raster(info: CorpusInfo, item: ProductInfo, mosaic: Mosaic) -> str:
    return (
        f'<maplayer type="raster"><id>{_id(mosaic)}</id><datasource>./{mosaic.key}</datasource>'
        f"<layername>{escape(_name(mosaic))}</layername><srs>{_crs(f'EPSG:{mosaic.epsg}')}</srs>"
        f"<provider>gdal</provider>\n{pipe(info, item)}\n<blendMode>0</blendMode></maplayer>"
    )


def _outlines(source: str) -> str:
    """Footprints of all samples: an outline that is seen on dark and bright ground."""
    strokes = "".join(
        f'<layer class="SimpleFill" enabled="1" pass="0" locked="0"><prop k="style" v="no"/>'
        f'<prop k="outline_style" v="solid"/><prop k="outline_color" v="{colour}"/>'
        f'<prop k="outline_width" v="{width}"/><prop k="outline_width_unit" v="MM"/></layer>'
        for colour, width in (("255,255,255,255", 0.5), ("29,42,48,255", 0.2))
    )
    return (
        f'<maplayer type="vector" geometry="Polygon" wkbType="Polygon"><id>{_SAMPLES}</id>'
        f"<datasource>{escape(source)}</datasource>"
        f"<layername>Samples</layername><srs>{_crs('EPSG:4326')}</srs>"
        '<provider encoding="UTF-8">ogr</provider>'
        '<renderer-v2 type="singleSymbol" forceraster="0" symbollevels="0" enableorderby="0"><symbols>'
        f'<symbol type="fill" name="0" alpha="1" clip_to_extent="1">{strokes}</symbol></symbols></renderer-v2>'
        "<blendMode>0</blendMode></maplayer>"
    )


def _web(longitude: float, latitude: float) -> tuple[float, float]:
    """Web Mercator of a place (EPSG:3857)."""
    bounded = math.radians(max(-85.0, min(85.0, latitude)))
    return _EARTH * math.radians(longitude), _EARTH * math.log(math.tan(math.pi / 4 + bounded / 2))


def _corners(view: tuple[float, ...] | None) -> dict[str, Any]:
    west, south, east, north = view or (-180.0, -60.0, 180.0, 75.0)
    (left, bottom), (right, top) = _web(west, south), _web(east, north)
    return {"xmin": f"{left:.1f}", "ymin": f"{bottom:.1f}", "xmax": f"{right:.1f}", "ymax": f"{top:.1f}"}


def _extent(view: tuple[float, ...] | None) -> str:
    return "<extent>" + "".join(f"<{name}>{value}</{name}>" for name, value in _corners(view).items()) + "</extent>"


def _view_settings(view: tuple[float, ...] | None) -> str:
    sides = " ".join(f'{name}="{value}"' for name, value in _corners(view).items())
    return (
        f'<ProjectViewSettings UseProjectScales="0"><Scales/><DefaultViewExtent {sides}>{_crs(_WEB)}'
        "</DefaultViewExtent></ProjectViewSettings>"
    )
