"""The catalogue: schemas, links, assets, ids."""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.corpus.footprints import DECIMALS, json_boxes, json_geometry
from landloom.corpus.layout import STAC
from landloom.errors import MissingKeyError, Problem, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from landloom.corpus.audit.schemas import Schemas
    from landloom.corpus.info import CorpusInfo
    from landloom.corpus.published_files import CorpusStore, PublishedFiles

INSIDE: Final = {"root", "parent", "child", "item", "collection", "related", "source", "self"}
"""Relations that point to documents of the same catalogue."""


CLOSE: Final = 1e-6
"""Tolerance in degrees between an outline in JSON (seven decimals) and the index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """What was found in some STAC documents."""

    found: tuple[tuple[str, str | None, tuple[Problem, ...]], ...]
    """Key, id and problems of each; without an id, one that cannot be read."""
    reached: frozenset[str]
    """Keys that they link to as children or items."""


class StacAudit:
    """Checks every STAC document listed in the manifests."""

    def __init__(
        self,
        store: CorpusStore,
        info: CorpusInfo,
        published: PublishedFiles,
        schemas: Schemas,
        outlines: Mapping[str, NDArray[np.float64]] | None,
        sound: set[bytes] | None = None,
    ) -> None:
        self.store, self.info, self.published, self.schemas = store, info, published, schemas
        self.outlines = outlines
        self.documents = 0
        self.sound: set[bytes] = set() if sound is None else sound

    @cached_property
    def base_url(self) -> str | None:
        """The prefix of absolute hrefs, from the root catalogue's link to itself."""
        root = self.info.layout.stac_root
        try:
            links = orjson.loads(self.store.get(root)).get("links", ())
        except (orjson.JSONDecodeError, MissingKeyError):
            return None
        own = next((link["href"] for link in links if link.get("rel") == "self"), None)
        return str(own).removesuffix(root) if own else None

    def problems(self, tiles: Mapping[str, Documents] | None = None) -> Iterator[Problem]:
        """All problems of the catalogue.

        Args:
            tiles: tile → what `tile` has found, if it is known.
        """
        root = self.info.layout.stac_root
        if root not in self.published:
            yield Problem(where=root, what="missing")
            return
        known = {} if tiles is None else tiles
        parts = (known[tile] if tile in known else self.tile(tile) for tile in self.published.tiles)
        ids: dict[str, str] = {}
        reached = {root}
        keys: list[str] = []
        for part in (*parts, self._checked(self.published.loose)):
            reached |= part.reached
            for key, identity, problems in part.found:
                keys.append(key)
                yield from problems
                if identity is None:
                    continue
                self.documents += 1
                other = ids.setdefault(identity, key)
                if other != key:
                    yield Problem(where=key, what=f"has the id {identity!r} of {other}")
        for key in keys:
            if key not in reached:
                yield Problem(where=key, what="no catalogue or collection links to it")

    def tile(self, tile: str) -> Documents:
        """Check the documents of a tile."""
        return self._checked(self.published.entries(tile))

    def _checked(self, paths: Iterable[str]) -> Documents:
        found: list[tuple[str, str | None, tuple[Problem, ...]]] = []
        reached: set[str] = set()
        for key in paths:
            if not key.startswith(f"{STAC}/") or not key.endswith(".json"):
                continue
            try:
                content = self.store.get(key)
            except MissingKeyError:
                found.append((key, None, ()))  # reported by the check of the manifests
                continue
            try:
                document = orjson.loads(content)
            except orjson.JSONDecodeError as error:
                found.append((key, None, (Problem(where=key, what=f"is not JSON: {error}"),)))
                continue
            problems = [
                *self._schema(key, content, document),
                *self._targets(key, document, reached),
                *self._outline_problems(key, document),
            ]
            found.append((key, str(document.get("id")), tuple(problems)))
        return Documents(found=tuple(found), reached=frozenset(reached))

    def unchecked(self) -> tuple[str, ...]:
        """Documents without an available schema."""
        return tuple(
            f"no schema {address} available{self._why(address)}: {counted(count, 'document')} not checked against it"
            for address, count in sorted(self.schemas.unchecked.items())
        )

    def _why(self, address: str) -> str:
        return f" ({self.schemas.failures[address]})" if address in self.schemas.failures else ""

    def _targets(self, key: str, document: Mapping[str, Any], reached: set[str]) -> Iterator[Problem]:
        for link in document.get("links", ()):
            if link.get("rel") not in INSIDE:
                continue
            target = self._key(key, str(link.get("href")))
            if target is None or target not in self.published:
                yield Problem(where=key, what=f"link {link.get('rel')} to {link.get('href')} resolves to nothing")
            elif link["rel"] in ("child", "item"):
                reached.add(target)
        for name, asset in document.get("assets", {}).items():
            target = self._key(key, str(asset.get("href")))
            entry = None if target is None else self.published.get(target)
            if entry is None and target not in self.published.cubes:
                yield Problem(where=key, what=f"asset {name} at {asset.get('href')} resolves to nothing")
            elif entry is not None and asset.get("file:size", entry.size) != entry.size:
                yield Problem(where=key, what=f"asset {name}: got {asset['file:size']} bytes, expected {entry.size}")
            elif entry is not None and asset.get("file:checksum", entry.multihash) != entry.multihash:
                yield Problem(where=key, what=f"asset {name}: its checksum is not the file's")

    def _key(self, source: str, href: str) -> str | None:
        """Key that an href refers to; None outside the corpus."""
        if self.base_url is not None and href.startswith(self.base_url):
            return href.removeprefix(self.base_url)
        if "://" in href:
            return None
        return posixpath.normpath(posixpath.join(posixpath.dirname(source), href))

    def _schema(self, key: str, content: bytes, document: Mapping[str, Any]) -> Iterator[Problem]:
        """Check a document, unless a similar one was checked.

        Millions of items differ only in ids, numbers and digests, which schemas do not restrict: coordinates and sizes
        are compared with the index and the manifests instead.
        """
        shape = _shape(key, content, document)
        if shape in self.sound:
            self.schemas.skip(document)
            return
        problems = list(self.schemas.check(key, document))
        if not problems:
            self.sound.add(shape)
        yield from problems

    def _outline_problems(self, key: str, document: Mapping[str, Any]) -> Iterator[Problem]:
        """Outline and box of an item must be those of its sample."""
        if document.get("type") != "Feature" or self.outlines is None:
            return
        outline = self.outlines.get(str(document.get("properties", {}).get("sample_id")))
        if outline is None:
            yield Problem(where=key, what="properties.sample_id: is not a sample of the index")
            return
        if not _is_outline(document["geometry"], outline):
            yield Problem(where=key, what="geometry: is not the footprint of its sample")
        box = json_boxes(outline[None])[0]
        if np.abs(np.array(document.get("bbox", [0, 0, 0, 0])) - box).max() > CLOSE:
            yield Problem(where=key, what="bbox: is not that of its sample's footprint")


def _is_outline(geometry: Mapping[str, Any], outline: NDArray[np.float64]) -> bool:
    """Whether a GeoJSON geometry is a sample's outline, to the digits that JSON keeps."""
    if geometry["type"] == "Polygon":
        ring = np.array(geometry["coordinates"][0], np.float64)
        return ring.shape == outline.shape and bool(np.abs(ring - outline).max() <= CLOSE)
    own = json_geometry(np.round(outline, DECIMALS))
    return own["type"] == geometry["type"] and bool(own["coordinates"] == geometry["coordinates"])


def _shape(key: str, content: bytes, document: Mapping[str, Any]) -> bytes:
    """A document without its individual values: ids of sample and tile, numbers, digests, and shares of classes."""
    if document.get("type") == "Feature":
        own = str(document.get("properties", {}).get("sample_id"))
        zone, tile = [*key.split("/"), "", ""][2:4]
        for text in (own, f"{zone}_{tile}", f"{zone}/{tile}"):
            content = content.replace(text.encode(), b"")
        content = _SHARE.sub(b"", _NUMBER.sub(b",0", _DIGEST.sub(b"", content)))
    return hashlib.sha256(content).digest()


_NUMBER: Final = re.compile(rb"[\[,:]-?\d[\d.eE+-]*(?=[\],}])")
"""A number with what stands before it: a pattern that begins with a lookbehind takes three times as long."""
_SHARE: Final = re.compile(rb'"[a-z][a-z0-9]*_[0-9]+",0,')
"""The share of a class: each sample lists those that it has, and a schema that restricts one is not known."""
_DIGEST: Final = re.compile(rb"1220[0-9a-f]{64}")
