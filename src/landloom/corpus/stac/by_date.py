"""Collections by date: the same files as items of one date each, for readers that make a time axis of items.

odc-stac, stackstac and others take time from items and bands from assets. The published items, one per sample with the
files of all timesteps, suit them badly; so beside each collection with a time axis there is another, with an item for
each sample and timestep. Its CRS is also stated as a number (`proj:epsg`), which stackstac needs.

Where bands are files, an asset is one band. Where a file has all bands, the asset has them in order (`bands`,
`eo:bands`, `raster:bands`); with absolute addresses each band also becomes an asset of its own, by GDAL's `vrt://`
connection, which selects a band of a file. Relative paths cannot be written so. A corpus without GeoTIFFs has no
collections by date: no reader of assets opens its cubes.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

from landloom.corpus.layout import NamesByDate
from landloom.corpus.stac.links import GEOTIFF

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.corpus.info import CorpusInfo

SUFFIX: Final = "by_date"
"""End of the names of these collections."""
_DATED_ITEM: Final = "{collection}_{sample}_{date}"
_SCHEMES: Final = {"http": "/vsicurl/http", "https": "/vsicurl/https", "s3": "/vsis3", "gs": "/vsigs", "": ""}
"""Scheme of an address → what GDAL reads it by."""
_OF_BANDS: Final = ("bands", "eo:bands", "raster:bands")


def by_date(info: CorpusInfo) -> CorpusInfo | None:
    """The view of a corpus in which every collection is by date; None if none can be.

    Args:
        info: the corpus.
    """
    products = tuple(
        replace(item, product=replace(item.product, collection=f"{item.product.collection}_{SUFFIX}"))
        for item in info.products
        if item.timesteps and item.product.kind != "labels"
    )
    if not products or "chips" not in info.layouts:
        return None
    own = asdict(info.layout.patterns)
    band = own["band_asset"]
    if band is not None and "{timestep}" in band:  # readers make one band of assets of one name
        band = "{band}_{prefix}" if "{prefix}" in band else "{band}"
    names = NamesByDate(**own | {"dated_item": own["dated_item"] or _DATED_ITEM, "band_asset": band})
    return replace(info, products=products, names=names)


def views(info: CorpusInfo) -> tuple[CorpusInfo, ...]:
    """A corpus as published, and by date where it can be."""
    dated = by_date(info)
    return (info,) if dated is None else (info, dated)


def published(collection: str) -> str:
    """The collection that one by date is a view of.

    Example:
        >>> published("source_s2_by_date")
        'source_s2'
    """
    return collection.removesuffix(f"_{SUFFIX}")


def one_band_each(assets: Mapping[str, Mapping[str, Any]], scheme: str | None = None) -> dict[str, dict[str, Any]]:
    """Assets with several bands as one asset per band; others as they are.

    Args:
        assets: of one item, or of `item_assets` of a collection, which have no addresses.
        scheme: of the addresses, `https`, or empty for paths of this machine; by default what they begin with.

    Example:
        >>> image = {"href": "https://example.org/a.tif", "type": GEOTIFF, "bands": [{"name": "B03"}, {"name": "B04"}]}
        >>> found = one_band_each({"s2": image})
        >>> found["B04"]["href"], found["B04"]["bands"]
        ('vrt:///vsicurl/https://example.org/a.tif?bands=2', [{'name': 'B04'}])
    """
    names = [band["name"] for fields in assets.values() for band in _bands(fields)]
    found: dict[str, dict[str, Any]] = {}
    for key, fields in assets.items():
        bands = _bands(fields)
        if not str(fields.get("type")).startswith(GEOTIFF) or len(bands) < 2 or not _is_readable(fields, scheme):
            found[key] = dict(fields)
            continue
        for number, band in enumerate(bands):
            own = {name: value for name, value in fields.items() if not name.startswith(("file:", "@@F"))}
            own |= {name: [fields[name][number]] for name in _OF_BANDS if name in fields}
            if "href" in fields:
                own["href"] = f"vrt://{_for_gdal(fields['href'], scheme)}?bands={number + 1}"
            if "title" in fields:
                own["title"] = f"{fields['title']}, {band['name']}"
            found[band["name"] if names.count(band["name"]) == 1 else f"{key}_{band['name']}"] = own
    return found


def _bands(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    return next((fields[name] for name in _OF_BANDS[:2] if name in fields), [])


def _scheme(href: str) -> str:
    return href.partition("://")[0] if "://" in href else ""


def _is_readable(fields: Mapping[str, Any], scheme: str | None) -> bool:
    href = fields.get("href")
    if href is None or scheme is not None:
        return scheme is None or scheme in _SCHEMES
    return _scheme(href) in _SCHEMES and ("://" in href or href.startswith("/"))


def _for_gdal(href: str, scheme: str | None) -> str:
    own = _scheme(href) if scheme is None else scheme
    lead = _SCHEMES[own]
    if own in ("http", "https"):
        return f"/vsicurl/{href}"
    return lead + (href.partition(":/")[2] if own else href)
