"""STAC documents of a corpus as a server gives them: what lies in the corpus, else what would lie there.

A corpus that holds its catalogue gives its own items. Where there is none, items are derived from the index as
`landloom.corpus` writes them; samples with the same files share everything but their place, so one document for each
pattern of files is cut at its slots, and an item is one join. Either way addresses become absolute: links lead to the
API, assets to the files.
"""

from __future__ import annotations

import posixpath
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.corpus.documents_items import TileContent, item_documents
from landloom.corpus.documents_links import JSON
from landloom.corpus.documents_stac import TileSummary, root_documents
from landloom.corpus.footprints import DECIMALS, boxes
from landloom.corpus.layout import STAC, TileKey
from landloom.errors import NotFoundError
from landloom.model.ids import parse_sample_id
from landloom.model.sample import Sample
from landloom.server.described import local_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.query.corpus import Corpus
    from landloom.server.shelves import ItemKey, Shelf

GEOJSON: Final = "application/geo+json"
_TEMPLATES: Final = 256
_SLOT: Final = re.compile(rb'"@@([A-Z]+)@@"|@@([A-Z]+)@@')
_OWN: Final = frozenset({"root", "parent", "self", "collection", "child", "item", "items"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where a client finds what documents point at."""

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


class Library:
    """STAC documents of one corpus.

    Args:
        corpus: the corpus.
        info: what it says of itself.
        shelves: its collections, by published id.
    """

    def __init__(self, corpus: Corpus, info: CorpusInfo, shelves: Mapping[str, Shelf]) -> None:
        self.corpus, self.info, self.shelves = corpus, info, shelves
        self.folder = local_folder(corpus)
        self._templates: OrderedDict[tuple[str, int | None, bytes], _Cut] = OrderedDict()
        self._derived: dict[str, bytes] | None = None

    def addresses(self, api: str) -> Addresses:
        """Addresses for clients that reach the API at some root; it ends with a slash."""
        return Addresses(api=api, files=self.corpus.base if self.folder is None else f"{api}files/")

    # Items ---------------------------------------------------------------------------------------------------

    def item(self, key: ItemKey, to: Addresses) -> bytes:
        """An item, as JSON."""
        own = self._item_key(key)
        stored = None if self.folder is None else self.folder / own
        if stored is not None and stored.is_file():
            document = orjson.loads(stored.read_bytes())
            return orjson.dumps(self._absolute(document, own, to))
        if self.corpus.sidecar.scheme != "utm24":
            return orjson.dumps(self._absolute(orjson.loads(self.derived_item(key)), own, to))
        return self._from_template(key, to)

    def derived_item(self, key: ItemKey) -> bytes:
        """An item as the corpus would hold it, with relative addresses."""
        shelf, row = self.shelves[key.collection], np.array([key.row], dtype=np.int32)
        sample = self._sample(row)
        exists = {item.key: self._exists(item.key, item.slots, key.row) for item in self.info.products}
        content = TileContent(tile=TileKey.of(sample.id), samples=(sample,), exists=exists)
        name = self.info.layout.stac_item(shelf.suffix, sample.id, self._step(key))
        return next(document for own, document in item_documents(self.info, content) if own == name)

    def _step(self, key: ItemKey) -> str | None:
        steps = self.shelves[key.collection].steps
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

    def _item_key(self, key: ItemKey) -> str:
        shelf, row = self.shelves[key.collection], np.array([key.row], dtype=np.int32)
        sidecar = self.corpus.sidecar
        directory, sample = sidecar.directories(row)[0].decode(), sidecar.texts(row)[0]
        return f"{STAC}/{shelf.id}/{directory}/{shelf.item_id(sample, key.step)}.json"

    def _from_template(self, key: ItemKey, to: Addresses) -> bytes:
        pattern = b"".join(self._exists(item.key, item.slots, key.row).tobytes() for item in self.info.products)
        kind = (key.collection, key.step, pattern)
        template = self._templates.get(kind)
        if template is None:
            template = self._templates[kind] = self._template(key)
            while len(self._templates) > _TEMPLATES:
                self._templates.popitem(last=False)
        row = np.array([key.row], dtype=np.int32)
        return template.fill(self._values(row, to))

    def _values(self, row: NDArray[np.int32], to: Addresses) -> dict[str, bytes]:
        sidecar = self.corpus.sidecar
        ring = np.round(sidecar.corners(row, exact=True)[0], sidecar.decimals or DECIMALS)
        ring = np.concatenate([ring, ring[:1]])
        plane = sidecar.squares(row)[0].tolist()
        return {
            "API": to.api.encode(),
            "FILES": to.files.encode(),
            "ID": sidecar.texts(row)[0].encode(),
            "DIRECTORY": sidecar.directories(row)[0],
            "RING": orjson.dumps([ring.tolist()]),
            "BOX": orjson.dumps(boxes(ring[None])[0].tolist()),
            "PLANE": orjson.dumps(plane),
            "WEST": orjson.dumps(plane[0]),
            "NORTH": orjson.dumps(plane[3]),
            "EPSG": b'"EPSG:%d"' % int(sidecar.epsg(row)[0]),
        }

    def _template(self, key: ItemKey) -> _Cut:
        """The document of an item with slots where samples differ."""
        row = np.array([key.row], dtype=np.int32)
        to = Addresses(api="@@API@@", files="@@FILES@@")
        document = self._absolute(orjson.loads(self.derived_item(key)), self._item_key(key), to)
        document["geometry"]["coordinates"] = "@@RING@@"
        document["bbox"] = "@@BOX@@"
        properties = document["properties"]
        properties |= {"proj:code": "@@EPSG@@", "proj:bbox": "@@PLANE@@"}
        if "proj:transform" in properties:
            properties["proj:transform"][2], properties["proj:transform"][5] = "@@WEST@@", "@@NORTH@@"
        text = orjson.dumps(document).replace(self.corpus.sidecar.texts(row)[0].encode(), b"@@ID@@")
        return _Cut.of(text.replace(self.corpus.sidecar.directories(row)[0], b"@@DIRECTORY@@"))

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
        return document

    # Collections ---------------------------------------------------------------------------------------------

    def collection(self, name: str, to: Addresses) -> dict[str, Any]:
        """A collection.

        Raises:
            NotFoundError: there is none by that name.
        """
        if name not in self.shelves:
            raise NotFoundError.of("collection", name, self.shelves)
        key = self.info.layout.stac_collection(self.shelves[name].suffix)
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
        return document

    def _collection(self, key: str) -> bytes:
        if self.folder is not None and (self.folder / key).is_file():
            return (self.folder / key).read_bytes()
        if self._derived is None:
            self._derived = dict(root_documents(self.info, self._tiles()))
        return self._derived[key]

    def _tiles(self) -> list[TileSummary]:
        sidecar = self.corpus.sidecar
        suffixes = tuple(shelf.suffix for shelf in self.shelves.values())
        found = []
        for directory, box in zip(sidecar.arrays["run_directory"].tolist(), sidecar.run_bounds.tolist(), strict=True):
            west, south, east, north = (round(number, DECIMALS) for number in box)
            tile = TileKey.parse(directory.decode().replace("/", "_"))
            found.append(TileSummary(tile=tile, box=(west, south, east, north), collections=suffixes))
        return found


@dataclass(frozen=True, slots=True)
class _Cut:
    """A JSON text cut at its slots.

    `"@@X@@"` stands for a whole value, `@@X@@` within a text for a part of it.
    """

    pieces: tuple[bytes, ...]
    slots: tuple[str, ...]

    @classmethod
    def of(cls, text: bytes) -> _Cut:
        cut = _SLOT.split(text)
        slots = tuple((whole or part).decode() for whole, part in zip(cut[1::3], cut[2::3], strict=True))
        return cls(tuple(cut[0::3]), slots)

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        out = [b""] * (2 * len(self.slots) + 1)
        out[0::2] = self.pieces
        out[1::2] = [values[slot] for slot in self.slots]
        return b"".join(out)


def _key(href: str, folder: str) -> str | None:
    """Key that a relative address means; None for an absolute one."""
    return None if "://" in href else posixpath.normpath(posixpath.join(folder, href))


def _file(href: str, folder: str, to: Addresses) -> str:
    key = _key(href, folder)
    return href if key is None else f"{to.files}{key}"


def _link(href: str, folder: str, to: Addresses) -> str:
    """Address of an item in the API, where a link leads to one."""
    _, found, inner = f"/{_key(href, folder) or href}".rpartition(f"/{STAC}/")
    if not found:
        return _file(href, folder, to)
    return to.item(inner.split("/", 1)[0], posixpath.basename(inner).removesuffix(".json"))
