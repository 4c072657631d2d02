"""STAC documents of a corpus as served: those in the corpus, else those that would be there.

If a corpus has a catalogue, its own items are served. If not, items are derived from the index, as written by
`landloom.corpus`; samples with the same files differ only in position, so one document for each pattern of files is
split at its slots, and an item is one join. In both cases addresses become absolute: links lead to the API, assets to
the files.
"""

from __future__ import annotations

import posixpath
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.corpus.finished import scene_codes
from landloom.corpus.footprints import DECIMALS, geojson, json_boxes
from landloom.corpus.layout import STAC, TileKey
from landloom.corpus.stac.by_date import one_band_each, published
from landloom.corpus.stac.collections import TileSummary, root_documents
from landloom.corpus.stac.items import TileContent, item_documents, member_bytes
from landloom.corpus.stac.links import JSON
from landloom.corpus.stac.template import Template
from landloom.errors import NotFoundError
from landloom.model.ids import CELL_SIZE, parse_sample_id
from landloom.model.sample import Sample
from landloom.query.index.row_shares import RowShares
from landloom.query.recent import Kept
from landloom.server.stac.item_pictures import pictures
from landloom.server.stac.item_quality import ItemQuality

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.query.corpus import Corpus
    from landloom.query.index.sidecar import Sidecar
    from landloom.server.stac.item_index import ItemCollection, ItemKey

GEOJSON: Final = "application/geo+json"
_TEMPLATES: Final = 256
_ITEM_BYTES: Final = 64 << 20
"""Bytes of items that are kept as they were sent: neighbouring searches find the same ones."""
_WORDS: Final = ("stratum", "split")
_OWN: Final = frozenset({"root", "parent", "self", "collection", "child", "item", "items"})


_Kind = tuple[str, int | None, bytes]
"""Shared properties of the items of one template: collection, step, existing files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Addresses of documents and files for clients."""

    api: str
    """Root of the API; ends with a slash."""
    files: str
    """Root of the corpus's files; ends with a slash."""

    def collection(self, name: str) -> str:
        """A collection."""
        return f"{self.api}collections/{name}"

    def item(self, collection: str, name: str) -> str:
        """An item."""
        return f"{self.api}collections/{collection}/items/{name}"


class StacDocuments:
    """STAC documents of one corpus.

    Args:
        corpus: the corpus.
        info: its description.
        item_collections: its collections, by published id.
    """

    def __init__(self, corpus: Corpus, info: CorpusInfo, item_collections: Mapping[str, ItemCollection]) -> None:
        self.corpus, self.info, self.item_collections = corpus, info, item_collections
        self.folder = corpus.folder
        self._templates: OrderedDict[_Kind, bytes] = OrderedDict()
        self._cuts: OrderedDict[tuple[_Kind, Addresses], Template] = OrderedDict()
        self._written = Kept[bytes](_ITEM_BYTES, len)
        self._known_codes: OrderedDict[TileKey, Mapping[str, Mapping[str, str]]] = OrderedDict()
        self._derived: dict[str, bytes] | None = None
        self._quality = None if self.folder is None else ItemQuality(self.folder)
        self._pictured = self.folder is None or (self.folder / "imagery").is_dir()
        scheme = self.corpus.base.partition("://")[0] if "://" in self.corpus.base else ""
        self._scheme = scheme if self.folder is None else "http"
        self._stored = self.folder if self.folder is not None and (self.folder / STAC).is_dir() else None
        keys = (f"pattern_{item.key}" for item in info.products)
        sizes = {item.product.resolution for item in info.products}
        self._regular = corpus.sidecar.scheme == "utm24" and all(
            size is None or CELL_SIZE % size == 0 for size in sizes
        )
        self._varying = tuple(name.removeprefix("pattern_") for name in keys if name in corpus.sidecar.arrays)

    def addresses(self, api: str) -> Addresses:
        """Addresses for clients that use this root of the API; it ends with a slash."""
        return Addresses(api=api, files=self.corpus.base if self.folder is None else f"{api}files/")

    # Items ---------------------------------------------------------------------------------------------------

    def items(self, keys: Sequence[ItemKey], to: Addresses) -> list[bytes]:
        """Items, as JSON."""
        if not keys:
            return []
        page = _PageValues(self.corpus.sidecar, np.array([key.row for key in keys], dtype=np.int32))
        return [self._item(key, page, number, to) for number, key in enumerate(keys)]

    def _item(self, key: ItemKey, page: _PageValues, number: int, to: Addresses) -> bytes:
        if self._stored is not None:
            own = self._path(key, page, number)
            if (self._stored / own).is_file():
                return orjson.dumps(self._absolute(orjson.loads((self._stored / own).read_bytes()), own, to))
        name = f"{key.row} {key.step} {key.collection} {to.api}"
        return self._written.get(name, lambda: self._derive(key, page, number, to))

    def _path(self, key: ItemKey, page: _PageValues, number: int) -> str:
        """Where the document of an item is in a corpus with a catalogue."""
        collection = self.item_collections[key.collection]
        name = collection.item_id(page.samples[number], key.step)
        return f"{STAC}/{collection.id}/{page.directories[number]}/{name}.json"

    def _derive(self, key: ItemKey, page: _PageValues, number: int, to: Addresses) -> bytes:
        """An item that the corpus has no document of."""
        collection, own = self.item_collections[key.collection], self._path(key, page, number)
        facts = self._facts(key.row)
        if self._quality is not None and collection.by_date and key.step is not None:
            facts |= self._quality.of(collection, page.samples[number], key.step)
        if not self._regular:
            document = self._absolute(orjson.loads(self.derived_item(key)), own, to)
            document["properties"] |= facts
            return orjson.dumps(document)
        table = self._table(key, page.directories[number])
        kind = (key.collection, key.step, self._pattern(key.row) + (b"" if table is None else b"+codes"))
        cut = self._cuts.get((kind, to))
        if cut is None:
            text = self._templates.get(kind)
            if text is None:
                text = self._templates[kind] = self._template(key, own, page, number)
            text = text.replace(b"@@API@@", _inner(to.api)).replace(b"@@FILES@@", _inner(to.files))
            cut = self._cuts[kind, to] = Template.cut(text)
            for kept in (self._templates, self._cuts):
                while len(kept) > _TEMPLATES:
                    kept.popitem(last=False)
        return cut.fill(page.values(number) | {"CODES": table or b"", "P": member_bytes(facts)})

    def _facts(self, row: int) -> dict[str, Any]:
        """What the index says of a sample besides its position, under the names that filters know."""
        sidecar = self.corpus.sidecar
        places = {name: sidecar.vocabulary(name)[sidecar.codes(name)[row]] for name in _WORDS if name in sidecar.arrays}
        return {name: word for name, word in places.items() if word is not None} | self._shares.of_row(row)

    @cached_property
    def _shares(self) -> RowShares:
        return RowShares.of(self.corpus.sidecar)

    def derived_item(self, key: ItemKey) -> bytes:
        """An item as in the corpus, with relative addresses."""
        collection, row = self.item_collections[key.collection], np.array([key.row], dtype=np.int32)
        sample = self._sample(row)
        exists = {item.key: self._exists(item.key, item.slots, key.row) for item in self.info.products}
        tile = TileKey.of(sample.id)
        content = TileContent(tile=tile, samples=(sample,), exists=exists, codes=self._codes(tile))
        name = collection.layout.stac_item(collection.suffix, sample.id, self._step(key))
        return next(document for own, document in item_documents(collection.info, content) if own == name)

    def _codes(self, tile: TileKey) -> Mapping[str, Mapping[str, str]]:
        """What the codes of traceability layers stand for in a tile, of a corpus on this machine."""
        if self.folder is None:
            return {}
        if tile not in self._known_codes:
            self._known_codes[tile] = scene_codes(self.info, tile, self._own_file)
            while len(self._known_codes) > _TEMPLATES:
                self._known_codes.popitem(last=False)
        return self._known_codes[tile]

    def _own_file(self, key: str) -> bytes | None:
        path = None if self.folder is None else self.folder / key
        return path.read_bytes() if path is not None and path.is_file() else None

    def _table(self, key: ItemKey, directory: str) -> bytes | None:
        """The table of codes of an item of a tile, as JSON; None if it has none."""
        suffix = published(self.item_collections[key.collection].suffix)
        codes = self._codes(TileKey.parse(directory.replace("/", "_")))
        own = [codes[one.key] for one in self.info.products if one.key in codes and one.product.collection == suffix]
        return orjson.dumps(own[-1]) if own else None

    def _step(self, key: ItemKey) -> str | None:
        steps = self.item_collections[key.collection].steps
        return None if steps is None or key.step is None else steps[key.step].name

    def _sample(self, row: NDArray[np.int32]) -> Sample:
        sidecar = self.corpus.sidecar
        west, south, east, north = sidecar.squares(row)[0].tolist()
        identity = parse_sample_id(sidecar.scheme, sidecar.texts(row)[0])
        return Sample(id=identity, epsg=int(sidecar.epsg(row)[0]), bounds=(west, south, east, north))

    def _exists(self, product: str, slots: int, row: int) -> NDArray[np.bool_]:
        sidecar = self.corpus.sidecar
        if not sidecar.has_availability(product):
            return np.ones((1, slots), dtype=bool)
        codes, patterns = sidecar.availability(product)
        own: NDArray[np.bool_] = patterns[0 if codes is None else int(codes[row])]
        return own[None]

    def _pattern(self, row: int) -> bytes:
        """Existing files of a sample, as a key."""
        sidecar = self.corpus.sidecar
        if not self._varying:
            return b""
        return b"".join(sidecar.arrays[f"pattern_{key}"][row].tobytes() for key in self._varying)

    def _template(self, key: ItemKey, own: str, page: _PageValues, number: int) -> bytes:
        """The document of an item with slots for values that differ between samples."""
        to = Addresses(api="@@API@@", files="@@FILES@@")
        document = self._absolute(orjson.loads(self.derived_item(key)), own, to)
        document["geometry"] = "@@=SHAPE@@"
        document["bbox"] = "@@=BOX@@"
        properties = document["properties"]
        properties |= {"proj:code": "@@=EPSG@@", "proj:bbox": "@@=PLANE@@", "@@P@@": 0}
        if "proj:epsg" in properties:
            properties["proj:epsg"] = "@@=NUMBER@@"
        for fields in (properties, *document["assets"].values()):
            if "proj:transform" in fields:
                fields["proj:transform"][2], fields["proj:transform"][5] = "@@=WEST@@", "@@=NORTH@@"
        if "scene_codes" in properties:
            properties["scene_codes"] = "@@=CODES@@"
        text = orjson.dumps(document).replace(page.samples[number].encode(), b"@@ID@@")
        text = text.replace(page.directories[number].encode(), b"@@DIRECTORY@@")
        return text.replace(b"@@DIRECTORY@@/@@ID@@", b"@@FOLDER@@")

    def _absolute(self, document: dict[str, Any], key: str, to: Addresses) -> dict[str, Any]:
        """An item with absolute addresses."""
        folder, collection, name = posixpath.dirname(key), document["collection"], document["id"]
        links = [
            {"rel": "self", "href": to.item(collection, name), "type": GEOJSON},
            {"rel": "root", "href": to.api, "type": JSON},
            {"rel": "parent", "href": to.collection(collection), "type": JSON},
            {"rel": "collection", "href": to.collection(collection), "type": JSON},
        ]
        others = (link for link in document["links"] if link["rel"] not in _OWN)
        document["links"] = links + [{**link, "href": _link(link["href"], folder, to)} for link in others]
        for asset in document["assets"].values():
            asset["href"] = _file(asset["href"], folder, to)
        own = self.item_collections[collection]
        if own.by_date:
            document["assets"] = one_band_each(document["assets"], self._scheme)
        if self._pictured:
            document["assets"] |= pictures(own, document, to.api)
        return document

    # Collections ---------------------------------------------------------------------------------------------

    def collection(self, name: str, to: Addresses) -> dict[str, Any]:
        """A collection.

        Raises:
            NotFoundError: there is none with that name.
        """
        if name not in self.item_collections:
            raise NotFoundError.of("collection", name, self.item_collections)
        own = self.item_collections[name]
        key = own.layout.stac_collection(own.suffix)
        document: dict[str, Any] = orjson.loads(self._collection(key))
        folder = posixpath.dirname(key)
        links = [
            {"rel": "self", "href": to.collection(name), "type": JSON},
            {"rel": "root", "href": to.api, "type": JSON},
            {"rel": "parent", "href": to.api, "type": JSON},
            {"rel": "items", "href": f"{to.collection(name)}/items", "type": GEOJSON},
            {
                "rel": "http://www.opengis.net/def/rel/ogc/1.0/queryables",
                "href": f"{to.collection(name)}/queryables",
                "type": "application/schema+json",
            },
        ]
        links += [link for link in document["links"] if link["rel"] not in _OWN]
        document["links"] = links
        for asset in document.get("assets", {}).values():
            asset["href"] = _file(asset["href"], folder, to)
        if own.by_date and "item_assets" in document:
            document["item_assets"] = one_band_each(document["item_assets"])
        return document

    def _collection(self, key: str) -> bytes:
        if self.folder is not None and (self.folder / key).is_file():
            return (self.folder / key).read_bytes()
        if self._derived is None:
            self._derived = dict(root_documents(self.info, self._tiles()))
        return self._derived[key]

    def _tiles(self) -> list[TileSummary]:
        sidecar = self.corpus.sidecar
        suffixes = tuple(collection.suffix for collection in self.item_collections.values())
        found = []
        for directory, box in zip(sidecar.arrays["run_directory"].tolist(), sidecar.run_bounds.tolist(), strict=True):
            west, south, east, north = (round(number, DECIMALS) for number in box)
            tile = TileKey.parse(directory.decode().replace("/", "_"))
            found.append(TileSummary(tile=tile, box=(west, south, east, north), collections=suffixes))
        return found


class _PageValues:
    """Values that differ between samples of one template, computed for a whole page.

    Args:
        sidecar: the index.
        rows: samples, in any order.
    """

    def __init__(self, sidecar: Sidecar, rows: NDArray[np.int32]) -> None:
        self._decimals = DECIMALS if sidecar.decimals is None else sidecar.decimals
        self._sidecar, self._rows = sidecar, rows

    @cached_property
    def samples(self) -> tuple[str, ...]:
        """Id of each sample."""
        return self._sidecar.texts(self._rows)

    @cached_property
    def directories(self) -> list[str]:
        """Folder of the tile of each sample."""
        found: list[str] = self._sidecar.directories(self._rows).astype(str).tolist()
        return found

    @cached_property
    def _columns(self) -> tuple[Any, ...]:
        ring = np.round(self._sidecar.corners(self._rows, exact=True), self._decimals)
        ring = np.concatenate([ring, ring[:, :1]], axis=1)
        squares, epsg = self._sidecar.squares(self._rows), self._sidecar.epsg(self._rows)
        return geojson(ring), json_boxes(ring).tolist(), squares.tolist(), epsg.tolist()

    def values(self, number: int) -> dict[str, bytes]:
        """Values of the slots of one sample."""
        shape, box, plane, epsg = (column[number] for column in self._columns)
        return {
            "ID": self.samples[number].encode(),
            "DIRECTORY": self.directories[number].encode(),
            "FOLDER": f"{self.directories[number]}/{self.samples[number]}".encode(),
            "SHAPE": shape,
            "BOX": orjson.dumps(box),
            "PLANE": orjson.dumps(plane),
            "WEST": orjson.dumps(plane[0]),
            "NORTH": orjson.dumps(plane[3]),
            "EPSG": b'"EPSG:%d"' % epsg,
            "NUMBER": b"%d" % epsg,
        }


def _inner(text: str) -> bytes:
    """The form of a text inside a JSON string."""
    return orjson.dumps(text)[1:-1]


def _key(href: str, folder: str) -> str | None:
    """Key of a relative address; None for an absolute one."""
    return None if "://" in href else posixpath.normpath(posixpath.join(folder, href))


def _file(href: str, folder: str, to: Addresses) -> str:
    key = _key(href, folder)
    return href if key is None else f"{to.files}{key}"


def _link(href: str, folder: str, to: Addresses) -> str:
    """Address of an item in the API, if a link leads to one."""
    _, found, inner = f"/{_key(href, folder) or href}".rpartition(f"/{STAC}/")
    if not found:
        return _file(href, folder, to)
    return to.item(inner.split("/", 1)[0], posixpath.basename(inner).removesuffix(".json"))
