"""Assets of STAC collections, and their description of the assets of items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landloom.corpus.stac.bands import full_bands
from landloom.corpus.stac.items import dated, is_label
from landloom.corpus.stac.links import CSV, GEOTIFF, GZIP, JSON, PARQUET, ZARR, Hrefs, file_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.corpus.layout import ResourceKind
    from landloom.corpus.manifest import FileEntry
    from landloom.corpus.stac.items import TileContent


def tile_assets(
    info: CorpusInfo, content: TileContent, members: tuple[ProductInfo, ...], key: str, hrefs: Hrefs
) -> dict[str, Any]:
    """Assets of a tile's collection: lineage of the composites, and cubes if there are any."""
    assets: dict[str, Any] = {}
    traced = [item for item in members if item.key in content.lineage]
    for item in traced:
        path = info.layout.lineage(content.tile, item.product)
        name = "traceability" if item is traced[0] else f"traceability_{item.key}"
        assets[name] = {
            "href": hrefs.between(key, path),
            "type": JSON,
            "title": f"Scenes behind every timestep of {item.product.title}",
            "roles": ["metadata"],
            **file_fields(content.files, path),
        }
    for item in members if "cubes" in info.layouts else ():
        if item.product.folder is not None:
            path = info.layout.cube(content.tile, item.product)
            assets[f"{item.product.prefix}_cube"] = {
                "href": hrefs.between(key, path),
                "type": ZARR,
                "title": f"{item.product.title}, all samples of the tile",
                "roles": [item.product.role],
            }
    return assets


def resource_assets(
    info: CorpusInfo, members: tuple[ProductInfo, ...], key: str, hrefs: Hrefs, files: Mapping[str, FileEntry]
) -> dict[str, Any]:
    """Assets of a product's collection: its items, footprints for imagery, class mapping and list for labels."""
    layout = info.layout
    table = layout.stac_items_table(members[0].product.collection)
    items = {
        "href": hrefs.between(key, table),
        "type": PARQUET,
        "title": "All items as stac-geoparquet",
        "roles": ["collection-mirror"],
        **file_fields(files, table),
    }
    found = {"geoparquet-items": items} if table in files else {}
    rows: list[tuple[str, ResourceKind, str, str]] = []
    labels = [item.key for item in members if item.product.kind == "labels" and item.taxonomy is not None]
    further = labels[0] if labels and labels[0] != info.labels[0].key else None
    if not is_label(members):
        rows = [("geometries", "geometries", GZIP, "Footprints of all samples, gzipped GeoJSON")]
    elif labels:
        rows = [
            ("label_mappings", "mappings", CSV, "Classes of the labels and the levels above them"),
            ("labels", "labels", GZIP, "Class shares of all samples, gzipped CSV"),
        ]
    return found | {
        name: {
            "href": hrefs.between(key, layout.resource(kind, further)),
            "type": media,
            "title": title,
            "roles": ["metadata"],
            **file_fields(files, layout.resource(kind, further)),
        }
        for name, kind, media, title in rows
    }


def item_assets(info: CorpusInfo, members: tuple[ProductInfo, ...]) -> dict[str, Any]:
    """The image assets of items: type, roles and bands, stated once for the whole collection."""
    if "chips" not in info.layouts:
        return {}
    dated_items = dated(info, members[0].product.collection)
    pattern = info.layout.patterns.band_asset
    definitions: dict[str, Any] = {}
    for item in members:
        product = item.product
        if not product.bands or product.kind == "labels":
            continue
        if product.kind == "raster-labels" and not item.timesteps:
            definitions[product.prefix] = {"type": GEOTIFF, "roles": ["labels", "labels-raster"]} | full_bands(
                item, product.bands
            )
            continue
        fields = {"type": GEOTIFF, "roles": [product.role]}
        if pattern is not None:
            for band in product.bands:
                name = pattern.format(prefix=product.prefix, timestep="", band=band.name)
                definitions[name] = fields | full_bands(item, (band,))
            continue
        names = [product.prefix] if dated_items else [product.asset_key(step.name) for step in item.timesteps]
        definitions |= {name: fields | full_bands(item, product.bands) for name in names}
    return definitions
