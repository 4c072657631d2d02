"""The STAC catalogue: the root, and for each product a collection with child collections per zone and per tile.

STAC 1.0.0, structured as in the published RapidAI4EO corpus (documentation, section 5). Items are in
`landloom.corpus.stac.items`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import orjson

from landloom.corpus.citation import citation, doi
from landloom.corpus.documents import PRETTY
from landloom.corpus.footprints import DECIMALS, joint_box, json_boxes
from landloom.corpus.stac.by_date import published, views
from landloom.corpus.stac.collection_assets import item_assets, resource_assets, tile_assets
from landloom.corpus.stac.items import (
    EXTENSIONS,
    STAC_VERSION,
    TileContent,
    interval,
    is_label,
    item_documents,
    item_names,
)
from landloom.corpus.stac.links import GEOJSON, Hrefs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.corpus.layout import TileKey
    from landloom.corpus.manifest import FileEntry
    from landloom.model.grid import Bounds
    from landloom.model.ids import Zone


DATED: Final = " The same files as in the collection without `_by_date`, an item for each sample and date."
"""End of the description of a collection by date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileSummary:
    """Summary of a tile for the collections above it."""

    tile: TileKey
    """The tile."""
    box: Bounds
    """West, south, east, north of the footprints of its samples, degrees."""
    collections: tuple[str, ...]
    """Suffixes of the collections with items in this tile."""

    @classmethod
    def of(cls, info: CorpusInfo, content: TileContent) -> Self:
        """Summarise a tile."""
        return cls(tile=content.tile, box=_box(content), collections=tuple(_counts(info, content)))


def tile_documents(
    info: CorpusInfo, content: TileContent, base_url: str | None = None, *, items: bool = True
) -> Iterator[tuple[str, bytes]]:
    """Key and bytes of the STAC documents of a tile: its items, then one collection per product.

    Args:
        info: the corpus.
        content: the tile.
        base_url: public address of the corpus; None for relative hrefs.
        items: False for only the collections (without links to items).
    """
    hrefs = Hrefs(base_url=base_url)
    if items:
        yield from item_documents(info, content, hrefs)
    content = content.sorted()
    for collection in _counts(info, content):
        yield _tile_collection(info, content, collection, hrefs, items=items)


def root_documents(
    info: CorpusInfo,
    tiles: Sequence[TileSummary],
    base_url: str | None = None,
    files: Mapping[str, FileEntry] | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Key and bytes of the documents above the tiles: zones, products, and the root catalogue last.

    Args:
        info: the corpus.
        tiles: every tile, in any order.
        base_url: public address of the corpus; None for relative hrefs.
        files: sizes and digests of the resource files and of tables of items.
    """
    hrefs = Hrefs(base_url=base_url)
    tiles = sorted(tiles, key=lambda summary: summary.tile)
    for view in _listed(info, files):
        for collection in view.collections:
            own = [summary for summary in tiles if published(collection) in summary.collections]
            zones = sorted({summary.tile.zone for summary in own}) if view is info else []
            for zone in zones:
                yield _zone_collection(info, collection, zone, own, hrefs)
            if own:
                yield _product_collection(view, collection, own, hrefs, files or {})
    yield _catalog(info, tiles, hrefs, files)


def _listed(info: CorpusInfo, files: Mapping[str, FileEntry] | None) -> tuple[CorpusInfo, ...]:
    """The views of a corpus with documents: a collection by date has none where its items are not written."""
    tables = [view.layout.stac_items_table(collection) for view in views(info)[1:] for collection in view.collections]
    return views(info) if files is None or any(table in files for table in tables) else (info,)


def _box(content: TileContent) -> Bounds:
    west, south, east, north = np.round(joint_box(json_boxes(content.outlines())), DECIMALS).tolist()
    return west, south, east, north


def _counts(info: CorpusInfo, content: TileContent) -> dict[str, int]:
    """Collections with items in a tile → number of samples with an item."""
    counts = {}
    for collection, members in info.collections.items():
        there = [content.exists[item.key].any(axis=1) for item in members if item.key in content.exists]
        count = int(np.any(there, axis=0).sum()) if there else 0
        if count:
            counts[collection] = count
    return counts


def _union(tiles: Sequence[TileSummary]) -> list[float]:
    return list(joint_box([summary.box for summary in tiles]))


def _title(members: tuple[ProductInfo, ...]) -> str:
    return members[0].product.title


def _licence(members: tuple[ProductInfo, ...]) -> str:
    """The licence of a collection: `various` if products differ, and a link for each."""
    found = {item.terms.licence for item in members}
    return found.pop() if len(found) == 1 else "various"


def _terms(members: tuple[ProductInfo, ...]) -> list[dict[str, str]]:
    """Links to the terms and sources of the products, each once."""
    links: list[dict[str, str]] = []
    for item in members:
        terms = item.terms
        if terms.licence_url is not None:
            links.append(
                {"rel": "license", "href": terms.licence_url, "title": f"{item.product.title}: {terms.licence}"}
            )
        if terms.source is not None:
            links.append({"rel": "via", "href": terms.source, "title": f"Source of {item.product.title}"})
    return [link for position, link in enumerate(links) if link not in links[:position]]


def _collection(
    info: CorpusInfo, collection: str, box: Sequence[float], links: list[dict[str, str]], **more: Any
) -> dict[str, Any]:
    """The fields shared by collections of all levels."""
    members = info.collections[collection]
    providers = [provider.model_dump(mode="json", exclude_none=True) for provider in info.providers(members)]
    attributions = list(dict.fromkeys(item.terms.attribution for item in members))
    document: dict[str, Any] = {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "stac_extensions": [],
        "license": _licence(members),
        "attribution": "; ".join(attributions),
        "extent": {
            "spatial": {"bbox": [list(box)]},
            "temporal": {"interval": [list(interval(info.period_of(members)))]},
        },
        "links": [*links, *_terms(members)],
    }
    if providers:
        document["providers"] = providers
    document |= more
    names = _extensions(document)
    document["stac_extensions"] = [EXTENSIONS[name] for name in sorted(names)]
    return document


def _extensions(document: Mapping[str, Any]) -> set[str]:
    """Extensions whose fields a collection uses."""
    described = [*document.get("assets", {}).values(), *document.get("item_assets", {}).values()]
    described += [band for fields in described for band in fields.get("raster:bands", ())]
    prefixes = {field.partition(":")[0] for fields in described for field in fields if ":" in field}
    return (prefixes & {"classification", "eo", "file", "raster"}) | (
        {"scientific"} if "sci:citation" in document else set()
    )


def _tile_collection(
    info: CorpusInfo, content: TileContent, collection: str, hrefs: Hrefs, *, items: bool
) -> tuple[str, bytes]:
    layout, members, tile = info.layout, info.collections[collection], content.tile
    key = layout.stac_collection(collection, tile=tile)
    links = hrefs.frame(key, layout.stac_collection(collection, zone=tile.zone), layout.stac_root)
    for row, sample in enumerate(content.samples if items else ()):
        there = {product: rows[row] for product, rows in content.exists.items()}
        for step in item_names(info, collection, there):
            steps = next((item.timesteps for item in members if item.timesteps), ())
            name = None if step is None else steps[step].name
            links.append(hrefs.link("item", key, layout.stac_item(collection, sample.id, name), GEOJSON))
    assets = tile_assets(info, content, members, key, hrefs)
    document = _collection(
        info,
        collection,
        _box(content),
        links,
        id=layout.collection_id(collection, tile=tile),
        title=f"{_title(members)}, tile {tile}",
        description=f"{_title(members)} of the samples in tile {tile.tile_name} of UTM zone {tile.zone}.",
        **({"assets": assets} if assets else {}),
    )
    return key, orjson.dumps(document)


def _zone_collection(
    info: CorpusInfo, collection: str, zone: Zone, tiles: Sequence[TileSummary], hrefs: Hrefs
) -> tuple[str, bytes]:
    layout, members = info.layout, info.collections[collection]
    own = [summary for summary in tiles if summary.tile.zone == zone]
    key = layout.stac_collection(collection, zone=zone)
    links = hrefs.frame(key, layout.stac_collection(collection), layout.stac_root)
    for summary in own:
        target = layout.stac_collection(collection, tile=summary.tile)
        links.append(hrefs.link("child", key, target, title=layout.collection_id(collection, tile=summary.tile)))
    document = _collection(
        info,
        collection,
        _union(own),
        links,
        id=layout.collection_id(collection, zone=zone),
        title=f"{_title(members)}, UTM zone {zone}",
        description=f"{_title(members)} of the samples in UTM zone {zone}, one collection for each tile.",
    )
    return key, orjson.dumps(document)


def _product_collection(
    info: CorpusInfo, collection: str, tiles: Sequence[TileSummary], hrefs: Hrefs, files: Mapping[str, FileEntry]
) -> tuple[str, bytes]:
    layout, members, publication = info.layout, info.collections[collection], info.publication
    key = layout.stac_collection(collection)
    links = hrefs.frame(key, layout.stac_root, layout.stac_root)
    for zone in [] if layout.patterns.by_date else sorted({summary.tile.zone for summary in tiles}):
        target = layout.stac_collection(collection, zone=zone)
        links.append(hrefs.link("child", key, target, title=layout.collection_id(collection, zone=zone)))
    more: dict[str, Any] = {
        "id": layout.collection_id(collection),
        "title": f"{publication.title}: {_title(members)}" + (", by date" if layout.patterns.by_date else ""),
        "description": f"{'. '.join(item.product.title for item in members)}. Part of: {publication.description}"
        + (DATED if layout.patterns.by_date else ""),
        "assets": resource_assets(info, members, key, hrefs, files),
        "sci:citation": citation(info),
    }
    if publication.keywords:
        more["keywords"] = list(publication.keywords)
    if doi(info) is not None:
        more["sci:doi"] = doi(info)
        links.append({"rel": "cite-as", "href": f"https://doi.org/{doi(info)}"})
    definitions = item_assets(info, members)
    if definitions:
        more["item_assets"] = definitions
    if is_label(members) and any(item.taxonomy for item in members):
        more["landloom:classes"] = _class_list(members)
    return key, orjson.dumps(_collection(info, collection, _union(tiles), links, **more))


def _class_list(members: tuple[ProductInfo, ...]) -> list[dict[str, str]]:
    return [
        {"name": item.taxonomy.column(entry.code), "description": entry.name}
        for item in members
        if item.taxonomy is not None
        for entry in item.taxonomy.classes
    ]


def _catalog(
    info: CorpusInfo, tiles: Sequence[TileSummary], hrefs: Hrefs, files: Mapping[str, FileEntry] | None
) -> tuple[str, bytes]:
    layout = info.layout
    key = layout.stac_root
    links = hrefs.frame(key, key, key)
    there = {collection for summary in tiles for collection in summary.collections}
    for view in _listed(info, files):
        for collection in view.collections:
            if published(collection) in there:
                target = layout.stac_collection(collection)
                links.append(hrefs.link("child", key, target, title=layout.collection_id(collection)))
    about = (("Documentation", info.publication.documentation), ("Tutorial", info.publication.tutorial))
    links += [{"rel": "about", "href": address, "title": name} for name, address in about if address]
    document = {
        "type": "Catalog",
        "stac_version": STAC_VERSION,
        "id": layout.stac_id,
        "title": info.publication.title,
        "description": info.publication.description,
        "links": links,
    }
    return key, orjson.dumps(document, option=PRETTY)
