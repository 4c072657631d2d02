"""Published STAC items of a selection, as pystac reads them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from landloom.corpus.layout import ANY_SAMPLE
from landloom.query.address_lists import filled
from landloom.query.assets import slots_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pystac

    from landloom.corpus.info import CorpusInfo
    from landloom.query.assets import Asset


def item_collection(selection: Any) -> pystac.ItemCollection:
    """The published items of a selection's products; addresses are absolute.

    Args:
        selection: assets of other periods and bands than its own are left out.

    Returns:
        Sample by sample, in index order, one item per collection (and per date, where the corpus has such items).

    Raises:
        MissingKeyError: the corpus has no STAC documents.
    """
    import pystac

    from landloom.store.open import open_store

    store = open_store(selection.base.rstrip("/"))
    info: CorpusInfo = selection.sidecar.info
    possible = [slot.template for slot in slots_of(info, [item.key for item in info.products])]
    items = []
    for row in (selection.rows[place : place + 1] for place in range(len(selection))):
        directory, identity = selection.sidecar.directories(row)[0].decode(), selection.sidecar.ids(row)[0].decode()
        chosen = tuple(replace(selection, rows=row.copy()).assets)
        unwanted = {f"{selection.base}{filled(text, directory, identity)}" for text in possible}
        unwanted -= {asset.href for asset in chosen}
        for template in dict.fromkeys(_documents(info, selection.products, chosen)):
            path = filled(template, directory, identity)
            items.append(_item(json.loads(store.get(path)), f"{selection.base}{path}", unwanted))
    return pystac.ItemCollection([item for item in items if item.assets])


def _documents(info: CorpusInfo, keys: Iterable[str], chosen: Iterable[Asset]) -> Iterator[str]:
    """Templates of the documents of a sample: those of its files, and of arrays that hold many samples."""
    dated = info.layout.patterns.dated_item is not None
    for asset in chosen:
        yield info.layout.stac_item(
            info.product(asset.product).product.collection, ANY_SAMPLE, asset.timestep if dated else None
        )
    if "chips" not in info.layouts and not dated:
        for key in keys:
            yield info.layout.stac_item(info.product(key).product.collection, ANY_SAMPLE)


def _item(document: dict[str, Any], href: str, unwanted: set[str]) -> pystac.Item:
    import pystac

    item = pystac.Item.from_dict(document, href=href, preserve_dict=False)
    item.make_asset_hrefs_absolute()
    item.assets = {key: asset for key, asset in item.assets.items() if asset.href not in unwanted}
    return item
