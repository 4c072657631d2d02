"""STAC items of a tile, as bytes.

The samples of a tile differ only in their id, outline and file facts. So one document is built for each pattern of
existing files, dumped, and split at its slots; an item is then one join of byte strings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.corpus.footprints import DECIMALS, geojson, json_boxes, rings
from landloom.corpus.layout import SampleGap
from landloom.corpus.stac.assets import ItemAssets, is_filled, raster_grid
from landloom.corpus.stac.links import GEOJSON, Hrefs
from landloom.corpus.stac.template import Template
from landloom.errors import InvalidValueError
from landloom.model.apportion import MILLION
from landloom.model.time import Period, Timestep, format_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.corpus.layout import TileKey
    from landloom.corpus.manifest import FileEntry
    from landloom.model.sample import Sample

STAC_VERSION: Final = "1.0.0"
EXTENSIONS: Final = {
    name: f"https://stac-extensions.github.io/{name}/v{version}/schema.json"
    for name, version in {
        "classification": "1.1.0",
        "eo": "1.1.0",
        "file": "2.1.0",
        "label": "1.0.1",
        "projection": "2.0.0",
        "raster": "1.1.0",
        "scientific": "1.0.0",
    }.items()
}
"""Extension → address of its schema in documents."""
BOTH_CRS: Final = "https://stac-extensions.github.io/projection/v1.2.0/schema.json"
"""The version of the projection extension that knows `proj:epsg` and `proj:code`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileContent:
    """Content of a tile: n samples, and which of their files exist."""

    tile: TileKey
    """The tile."""
    samples: tuple[Sample, ...]
    """In any order; documents list them by id."""
    exists: Mapping[str, NDArray[np.bool_]]
    """Product → (n, timesteps), or (n, 1) without time. An absent product has no files here."""
    files: Mapping[str, FileEntry] = field(default_factory=dict)
    """Key → size and digest, for the file extension; may be empty."""
    lineage: tuple[str, ...] = ()
    """Products with a lineage file."""
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Product with traceability → code → ids of the scenes behind it."""
    shares: Mapping[str, NDArray[np.integer]] = field(default_factory=dict)
    """Column of the index → (n,) millionths of the area; may be empty."""

    def __post_init__(self) -> None:
        for key, there in self.exists.items():
            if there.ndim != 2 or len(there) != len(self.samples):
                raise InvalidValueError(
                    f"got existence of {key} of shape {there.shape}, expected ({len(self.samples)}, timesteps)"
                )

    def sorted(self) -> TileContent:
        """The same with samples in id order."""
        order = sorted(range(len(self.samples)), key=lambda row: str(self.samples[row].id))
        return TileContent(
            tile=self.tile,
            samples=tuple(self.samples[row] for row in order),
            exists={key: there[order] for key, there in self.exists.items()},
            files=self.files,
            lineage=self.lineage,
            codes=self.codes,
            shares={name: values[order] for name, values in self.shares.items()},
        )

    def outlines(self) -> NDArray[np.float64]:
        """(n, 5, 2) outlines in WGS84."""
        epsg = np.array([sample.epsg for sample in self.samples], np.int32)
        return rings(epsg, np.array([sample.bounds for sample in self.samples], np.float64).reshape(-1, 4))


def item_documents(info: CorpusInfo, content: TileContent, hrefs: Hrefs | None = None) -> Iterator[tuple[str, bytes]]:
    """Key and bytes of every item of a tile, collection by collection, in id order.

    Args:
        info: the corpus.
        content: the tile.
        hrefs: how hrefs are written; by default relative.
    """
    content = content.sorted()
    writer = ItemWriter(info, content, hrefs or Hrefs())
    for collection in info.collections:
        yield from writer.items(collection)


def item_names(info: CorpusInfo, collection: str, exists: Mapping[str, NDArray[np.bool_]]) -> list[int | None]:
    """The items of one sample in a collection.

    Args:
        info: the corpus.
        collection: suffix.
        exists: product → (timesteps,) of that sample.

    Returns:
        Empty without items, None for the one item with all timesteps, or the indices of the timesteps with an item
        each.
    """
    members = info.collections[collection]
    there = [exists[item.key] for item in members if item.key in exists]
    if not any(row.any() for row in there):
        return []
    if not dated(info, collection):
        return [None]
    slots = max(len(row) for row in there)
    return [step for step in range(slots) if any(step < len(row) and row[step] for row in there)]


def dated(info: CorpusInfo, collection: str) -> bool:
    """Whether a collection has one item per timestep."""
    has_time = any(item.timesteps for item in info.collections[collection])
    return has_time and info.layout.patterns.dated_item is not None


def is_label(members: tuple[ProductInfo, ...]) -> bool:
    """Whether a collection contains labels."""
    return all(item.product.kind in ("labels", "raster-labels") for item in members)


def interval(period: Period) -> tuple[str, str]:
    """A half-open period in STAC form, which includes the last second.

    Example:
        >>> interval(Period.year(2018))
        ('2018-01-01T00:00:00Z', '2018-12-31T23:59:59Z')
    """
    return format_instant(period.start), format_instant(period.end - timedelta(seconds=1))


class ItemWriter:
    """Writes the items of one tile; keeps a template for each pattern of existing files."""

    def __init__(self, info: CorpusInfo, content: TileContent, hrefs: Hrefs) -> None:
        self.info, self.content, self.hrefs, self.layout = info, content, hrefs, info.layout
        self.slot = SampleGap(zone=content.tile.zone, tile_name=content.tile.tile_name, gap="@@ID@@")
        self.assets = ItemAssets(info=info, tile=content.tile, slot=self.slot, hrefs=hrefs)
        self.facts = sample_facts(content)
        self.templates: dict[tuple[str, bytes], list[tuple[str, Template]]] = {}
        self.patterns = self._patterns()
        self.names = [str(sample.id) for sample in content.samples]
        self.values = self._values() if content.samples else []

    def _patterns(self) -> list[bytes]:
        """What samples of one template have in common: the same files, and rasters that fill them."""
        joined = [self.content.exists[key] for key in sorted(self.content.exists)]
        if not joined:
            return [b""] * len(self.content.samples)
        rows = [row.tobytes() for row in np.concatenate(joined, axis=1)]
        samples, sizes = self.content.samples, {item.product.resolution for item in self.info.products}
        if all(is_filled(samples[0], size) for size in sizes if size is not None):
            return rows
        return [row + str(sample.id).encode() for row, sample in zip(rows, samples, strict=True)]

    def _values(self) -> list[dict[str, bytes]]:
        """Slot values of each sample, without file facts."""
        outlines = np.round(self.content.outlines(), DECIMALS)
        bounds = np.array([sample.bounds for sample in self.content.samples], np.float64)
        shape = geojson(outlines)
        box = _dump(json_boxes(outlines), b"],[")
        plane = _dump(bounds, b"],[")
        return [
            {
                "ID": own.encode(),
                "SHAPE": shape[row],
                "BOX": b"[" + box[row] + b"]",
                "PLANE": b"[" + plane[row] + b"]",
                "WEST": repr(float(bounds[row, 0])).encode(),
                "NORTH": repr(float(bounds[row, 3])).encode(),
                "P": self.facts[row],
            }
            for row, own in enumerate(self.names)
        ]

    def items(self, collection: str) -> Iterator[tuple[str, bytes]]:
        """Key and bytes of every item of a collection."""
        for row, pattern in enumerate(self.patterns):
            templates = self.templates.get((collection, pattern))
            if templates is None:
                templates = self.templates[collection, pattern] = self._templates(row, collection)
            own = self.names[row]
            for key, template in templates:
                yield key.replace("@@ID@@", own), template.fill(self._facts(row, template))

    def _templates(self, row: int, collection: str) -> list[tuple[str, Template]]:
        """Key, with a slot for the id, and template of each item of a sample."""
        there = {key: rows[row] for key, rows in self.content.exists.items()}
        found = []
        for step in item_names(self.info, collection, there):
            name = None if step is None else self.timestep(collection, step).name
            key = self.layout.stac_item(collection, self.slot, name)
            found.append((key, self._template(row, collection, step, there)))
        return found

    def grid_of(self, row: int) -> Callable[[float], dict[str, Any]]:
        """Shape and transform of a sample's rasters, by resolution; the edges are slots."""
        return partial(raster_grid, self.content.samples[row])

    def _facts(self, row: int, template: Template) -> Mapping[str, bytes]:
        values = self.values[row]
        if not self.content.files:
            return values
        files, own, values = self.content.files, self.names[row], dict(values)
        for slot, path in template.paths.items():
            entry = files.get(path.replace("@@ID@@", own))
            if entry is not None:
                values[slot] = b',"file:size":%d,"file:checksum":"%s"' % (entry.size, entry.multihash.encode())
        return values

    def timestep(self, collection: str, step: int) -> Timestep:
        """A timestep of a collection."""
        return next(item.timesteps[step] for item in self.info.collections[collection] if step < len(item.timesteps))

    def _template(
        self, row: int, collection: str, step: int | None, there: Mapping[str, NDArray[np.bool_]]
    ) -> Template:
        document, paths = self.document(row, collection, step, there)
        return Template.of(document, paths=paths)

    def document(
        self, row: int, collection: str, step: int | None, there: Mapping[str, NDArray[np.bool_]]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """An item with slots for what differs between samples with the same files; and the path of each slot of files.

        Args:
            row: any of those samples.
            collection: suffix.
            step: index of its timestep; None for all of them.
            there: product → (timesteps,) existing files.
        """
        members = self.info.collections[collection]
        timestep = None if step is None else self.timestep(collection, step)
        name = None if timestep is None else timestep.name
        key = self.layout.stac_item(collection, self.slot, name)
        paths: dict[str, str] = {}
        assets: dict[str, dict[str, Any]] = {}
        for asset, path, fields in self.assets.of(members, key, step, there, self.grid_of(row)):
            assets[asset] = fields
            if self.content.files:
                slot = f"F{len(paths)}"
                paths[slot] = path
                assets[asset] = fields | {f"@@{slot}@@": 0}
        document = {
            "type": "Feature",
            "stac_version": STAC_VERSION,
            "stac_extensions": self._extensions(members, assets, single=step is not None),
            "id": self.layout.item_id(collection, self.slot, name),
            "geometry": "@@=SHAPE@@",
            "bbox": "@@=BOX@@",
            "properties": self._properties(row, members, timestep),
            "links": self.links(key, collection, step, there),
            "assets": assets,
            "collection": self.layout.collection_id(collection),
        }
        return document, paths

    def _extensions(
        self, members: tuple[ProductInfo, ...], assets: Mapping[str, Mapping[str, Any]], *, single: bool
    ) -> list[str]:
        """Extensions of an item.

        Readers that look up a band by its name, such as odc-stac, take the first asset that has it: in an item of
        several timesteps that would be the first of them, in silence. So the names are there for people, but such an
        item does not declare the extension by which they would be looked up.
        """
        used = {name.partition(":")[0] for fields in assets.values() for name in fields}
        names = {"projection"} | used & ({"raster", "eo"} if single else {"raster"})
        if any(item.product.kind == "labels" for item in members):
            names.add("label")
        if self.content.files:
            names.add("file")
        both = {"projection": BOTH_CRS} if self.layout.patterns.by_date else {}
        return [both.get(name, EXTENSIONS[name]) for name in sorted(names)]

    def _properties(self, row: int, members: tuple[ProductInfo, ...], timestep: Timestep | None) -> dict[str, Any]:
        period = self.info.period_of(members) if timestep is None else timestep.period
        start, end = interval(period)
        sample = self.content.samples[row]
        properties: dict[str, Any] = {
            "title": f"{members[0].product.title} at @@ID@@",
            "sample_id": "@@ID@@",
            "datetime": None if timestep is None else format_instant(timestep.stamp),
            "start_datetime": start,
            "end_datetime": end,
            "proj:code": f"EPSG:{sample.epsg}",
            "proj:bbox": "@@=PLANE@@",
            "@@P@@": 0,
        }
        if self.layout.patterns.by_date:
            properties["proj:epsg"] = sample.epsg
        sizes = {item.product.resolution for item in members if item.product.resolution is not None}
        if len(sizes) == 1:
            properties |= raster_grid(sample, *sizes)
        for item in members:
            if item.key in self.content.codes:
                properties["scene_codes"] = dict(self.content.codes[item.key])
            if item.product.kind == "labels" and item.taxonomy is not None:
                properties |= {
                    "label:type": "vector",
                    "label:tasks": ["regression"],
                    "label:properties": list(item.taxonomy.columns()),
                    "label:description": f"Share of the area that each class of {item.taxonomy.name} covers",
                }
        return properties

    def links(
        self, key: str, collection: str, step: int | None, there: Mapping[str, NDArray[np.bool_]]
    ) -> list[dict[str, str]]:
        """Links of an item to the documents around it; items by date have no documents of their own."""
        if self.layout.patterns.by_date:
            return self.hrefs.above(key, self.layout.stac_collection(collection), self.layout.stac_root)
        parent = self.layout.stac_collection(collection, tile=self.content.tile)
        links = self.hrefs.frame(key, parent, self.layout.stac_root)
        links.append(self.hrefs.link("collection", key, self.layout.stac_collection(collection)))
        own_label = is_label(self.info.collections[collection])
        for other in sorted(self.info.collections):
            if other == collection:
                continue
            relation = self.layout.patterns.label_link
            if not own_label or is_label(self.info.collections[other]):
                relation = "related"
            for partner in item_names(self.info, other, there):
                if None not in (step, partner) and partner != step:
                    continue
                name = None if partner is None else self.timestep(other, partner).name
                target = self.layout.stac_item(other, self.slot, name)
                links.append(self.hrefs.link(relation, key, target, GEOJSON))
        return links


def _dump(values: NDArray[np.float64], between: bytes) -> list[bytes]:
    """Rows of an array as JSON without their outer brackets."""
    depth = values.ndim
    text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    return text[depth:-depth].split(between)


def sample_facts(content: TileContent) -> list[bytes]:
    """What items say of their samples besides position: split, stratum and shares of classes, as members of an object.

    They have the names that filters know. Classes that do not occur are left out.

    Args:
        content: the tile.
    """
    names = list(content.shares)
    table = np.array([content.shares[name] for name in names], np.int64).reshape(len(names), len(content.samples))
    found = []
    for row, sample in enumerate(content.samples):
        words = {"stratum": sample.stratum, "split": sample.split}
        facts: dict[str, Any] = {name: word for name, word in words.items() if word is not None}
        facts |= {names[place]: int(table[place, row]) / MILLION for place in np.flatnonzero(table[:, row]).tolist()}
        found.append(member_bytes(facts))
    return found


def member_bytes(fields: Mapping[str, Any]) -> bytes:
    """Fields as further members of a dumped object.

    Example:
        >>> member_bytes({"split": "train"}), member_bytes({})
        (b',"split":"train"', b'')
    """
    return b"," + orjson.dumps(fields)[1:-1] if fields else b""
