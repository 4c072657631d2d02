"""Slim stac-geoparquet, of corpora without JSON items: one table, with the assets as a template in its metadata.

Hundreds of thousands of items with hundreds of assets each are too large for most readers, and repeat the index. So a
row has only what differs between items, and the metadata `landloom` has the assets, with `{zone}`, `{tile}` and
`{sample}` in their hrefs (relative to the corpus, or absolute) and the bit that tells whether a row has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from landloom.corpus.index import METADATA, available
from landloom.corpus.stac.items import EXTENSIONS, STAC_VERSION, dated, interval, is_label
from landloom.corpus.stac.links import CSV, GEOJSON, GEOTIFF
from landloom.formats.parquet import encode_geoparquet
from landloom.model.ids import Zone
from landloom.model.time import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.corpus.info import CorpusInfo, ProductInfo

GEOPARQUET_ITEMS: Final = "1.0.0"
"""Version of the stac-geoparquet specification."""


def items_tables(info: CorpusInfo, index: pa.Table, base_url: str | None = None) -> Iterator[tuple[str, bytes]]:
    """Key and bytes of the slim items of every collection with one item per sample.

    Args:
        info: the corpus.
        index: its index.
        base_url: public address of the corpus; None for hrefs relative to the corpus.
    """
    for collection in info.collections:
        if not dated(info, collection):
            table = items_table(info, index, collection, base_url)
            if len(table):
                yield info.layout.stac_items_table(collection), encode_geoparquet(table)


def items_table(info: CorpusInfo, index: pa.Table, collection: str, base_url: str | None = None) -> pa.Table:
    """The items of one collection, in index order.

    Args:
        info: the corpus.
        index: its index.
        collection: suffix.
        base_url: as in `items_tables`.

    Returns:
        One row per item: id, collection, sample_id, title, start_datetime, end_datetime, proj:code, an availability
        bitmap per product, bbox, geometry.
    """
    members = info.collections[collection]
    there = None
    for item in members:
        empty = bytes(-(-item.slots // 8))
        some = pc.not_equal(index.column(available(item.key)), pa.scalar(empty, pa.binary()))
        there = some if there is None else pc.or_(there, some)
    rows = index.filter(there)
    start, end = (pa.scalar(text).cast(pa.timestamp("us", tz="UTC")) for text in interval(info.period_of(members)))
    count = len(rows)
    ids = pc.binary_join_element_wise(info.layout.item_id(collection, ""), rows.column("id"), "")
    columns = {
        "type": _same("Feature", count),
        "stac_version": _same(STAC_VERSION, count),
        "id": ids,
        "collection": _same(info.layout.collection_id(collection), count),
        "sample_id": rows.column("id"),
        "title": pc.binary_join_element_wise(f"{members[0].product.title} at ", rows.column("id"), ""),
        "datetime": pa.nulls(count, pa.timestamp("us", tz="UTC")),
        "start_datetime": pa.repeat(start, count),
        "end_datetime": pa.repeat(end, count),
        "proj:code": pc.binary_join_element_wise("EPSG:", rows.column("epsg").cast(pa.string()), ""),
        **{available(item.key): rows.column(available(item.key)) for item in members},
        "bbox": rows.column("bbox"),
        "geometry": rows.column("geometry"),
    }
    described = {
        "collection": info.layout.collection_id(collection),
        "assets": asset_templates(info, collection, base_url),
    }
    metadata = {
        b"stac-geoparquet": orjson.dumps({"version": GEOPARQUET_ITEMS, "stac_extensions": [EXTENSIONS["projection"]]}),
        METADATA: orjson.dumps(described),
    }
    return pa.table(columns).replace_schema_metadata(metadata)


def asset_templates(info: CorpusInfo, collection: str, base_url: str | None = None) -> dict[str, dict[str, Any]]:
    """Asset key → its fields; `product` and `bit` refer to the bit of the row's bitmap that tells whether it exists.

    Args:
        info: the corpus.
        collection: suffix.
        base_url: as in `items_tables`.
    """
    start = "" if base_url is None else f"{base_url.rstrip('/')}/"
    sample = _Field()
    templates: dict[str, dict[str, Any]] = {}
    members = info.collections[collection]
    for bit in range(max(item.slots for item in members)):
        for item in members:
            if bit < item.slots and ("chips" in info.layouts or is_label(members)):
                templates |= _templates(info, item, bit, start, sample)
    return templates


def _templates(info: CorpusInfo, item: ProductInfo, bit: int, start: str, sample: _Field) -> dict[str, dict[str, Any]]:
    product, layout = item.product, info.layout
    own = {"product": item.key, "bit": bit}
    if product.kind == "labels":
        fields = {"href": start + layout.label(sample, product.prefix), "type": GEOJSON}
        return {product.prefix: {**fields, "roles": ["labels", "labels-vector"], **own}}
    if product.kind == "raster-labels" and not item.timesteps:
        path = layout.raster_label(sample, product.prefix, item.label_version, product.suffix)
        roles, media = (["metadata"], CSV) if product.suffix == "csv" else (["labels", "labels-raster"], GEOTIFF)
        return {product.prefix: {"href": start + path, "type": media, "roles": roles, **own}}
    step = item.timesteps[bit] if item.timesteps else None
    stamp = {} if step is None else {"datetime": format_instant(step.stamp)}
    name = None if step is None else step.name
    path = layout.chip(sample, product, name)
    return {product.asset_key(name): {"href": start + path, "type": GEOTIFF, **stamp, "roles": [product.role], **own}}


class _Field:
    """Placeholder for any sample: its parts are fields of a format string."""

    @property
    def zone(self) -> Zone:
        return _ZONE

    @property
    def tile_name(self) -> str:
        return "{tile}"

    def __str__(self) -> str:
        return "{sample}"


class _AnyZone(Zone):
    """Formats itself as a field."""

    __slots__ = ()

    def __str__(self) -> str:
        return "{zone}"


_ZONE: Final = _AnyZone(1)


def _same(value: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), count), pa.array([value]))
