"""A static STAC directory: catalogs, collections and items as JSON files that link to each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from landloom.archive.dedupe import resolve_duplicates
from landloom.archive.search import Documents, is_wanted
from landloom.errors import ForeignAddressError, InvalidDocumentError, MissingKeyError, PermanentFaultError, Problem
from landloom.formats.antimeridian import split_antimeridian
from landloom.formats.stac.items import detect_profile, parse_scene
from landloom.model.address import resolve
from landloom.model.time import parse_instant

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from landloom.formats.stac.items import Profile
    from landloom.model.scene import Scene
    from landloom.model.time import Period

_DOWN: Final = ("child", "item", "items")
_KINDS: Final = ("Catalog", "Collection", "Feature", "FeatureCollection")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """What is kept of one document."""

    targets: tuple[str, ...] = ()
    extent: Mapping[str, Any] | None = None
    scenes: tuple[Scene, ...] = ()


class StaticArchive:
    """Scenes of a static STAC directory.

    Links that lead nowhere and items that cannot be read are left out and listed in `problems`. Each document is read
    once. A catalog or collection whose extent misses the search is not opened any further.
    """

    def __init__(self, href: str, documents: Documents, profile: Profile | None = None) -> None:
        """Name the directory; nothing is read yet.

        Args:
            href: path or URL of `catalog.json`, `collection.json` or a single item.
            documents: reads files.
            profile: how the provider names assets; found from each item when None.
        """
        self._href = resolve(href, document="")
        self._documents = documents
        self._profile = profile
        self._nodes: dict[str, _Node | None] = {}
        self._problems: dict[Problem, None] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong with documents met so far: the file, and what it is."""
        return tuple(self._problems)

    def search(self, footprint: BaseGeometry, period: Period) -> tuple[Scene, ...]:
        """See `landloom.archive.search.Archive`.

        Raises:
            PermanentFaultError: the entry document itself is missing or no STAC.
        """
        if self._node(self._href, linked_from=None) is None:
            raise PermanentFaultError("; ".join(str(p) for p in self._problems if p.where == self._href))
        found: dict[str, Scene] = {}
        for scene in self._walk(footprint, period):
            if scene.id in found:
                self._report(str(scene.href), f"id {scene.id!r} is taken by {found[scene.id].href}; left out")
            elif is_wanted(scene, footprint, period):
                found[scene.id] = scene
        return resolve_duplicates(found.values())

    def _walk(self, footprint: BaseGeometry, period: Period) -> Iterator[Scene]:
        waiting, seen = [(self._href, "")], {self._href}
        while waiting:
            href, parent = waiting.pop()
            node = self._node(href, parent)
            if node is None or not self._may_hold(node, footprint, period, href):
                continue
            yield from node.scenes
            for target in node.targets:
                if target not in seen:
                    seen.add(target)
                    waiting.append((target, href))

    def _node(self, href: str, linked_from: str | None) -> _Node | None:
        if href not in self._nodes:
            document = self._document(href, linked_from)
            self._nodes[href] = None if document is None else self._digested(document, href)
        return self._nodes[href]

    def _document(self, href: str, linked_from: str | None) -> Mapping[str, Any] | None:
        import orjson

        try:
            document = orjson.loads(self._documents.read(href))
        except (MissingKeyError, PermanentFaultError) as error:
            origin = f", linked from {linked_from}" if linked_from else f" ({error})"
            self._report(href, f"no such document{origin}")
            return None
        except orjson.JSONDecodeError as error:
            self._report(href, f"wanted JSON: {error}")
            return None
        kind = document.get("type") if isinstance(document, dict) else type(document).__name__
        if kind not in _KINDS:
            self._report(href, f"got type {kind!r}, wanted {', '.join(_KINDS)}")
            return None
        return dict(document)

    def _digested(self, document: Mapping[str, Any], href: str) -> _Node:
        """What is kept of a document: a thousand items as they stand would fill memory."""
        if document["type"] == "Feature":
            return _Node(scenes=self._scenes([(href, document)], href))
        if document["type"] == "FeatureCollection":
            features = document.get("features")
            named = enumerate(features if isinstance(features, list) else [])
            return _Node(scenes=self._scenes([(f"{href}#/features/{n}", feature) for n, feature in named], href))
        extent = document.get("extent") if document["type"] == "Collection" else None
        return _Node(targets=tuple(self._links(document, href)), extent=extent if isinstance(extent, dict) else None)

    def _scenes(self, items: Sequence[tuple[str, object]], href: str) -> tuple[Scene, ...]:
        scenes = []
        for where, item in items:
            if not isinstance(item, Mapping):
                self._report(where, f"got {type(item).__name__}, wanted a Feature")
                continue
            try:
                scenes.append(parse_scene(item, href, self._profile or detect_profile(item)))
            except InvalidDocumentError as error:
                for problem in error.problems:
                    self._report(where, str(problem))
        return tuple(scenes)

    def _links(self, node: Mapping[str, Any], href: str) -> Iterator[str]:
        """Where a catalog or collection leads down to, last first."""
        links = node.get("links", [])
        for number, link in enumerate(reversed(links) if isinstance(links, list) else []):
            if not isinstance(link, Mapping) or not isinstance(link.get("href"), str):
                self._report(href, f"links[{len(links) - 1 - number}]: got {link!r}, wanted rel and href")
                continue
            relation = link.get("rel")
            # A collection, too, may name the one above it by `collection`.
            if relation in _DOWN or (relation == "collection" and node.get("type") == "Catalog"):
                try:
                    yield resolve(link["href"], document=href)
                except ForeignAddressError as error:
                    self._report(href, f"links[{len(links) - 1 - number}]: {error}")

    def _may_hold(self, node: _Node, footprint: BaseGeometry, period: Period, href: str) -> bool:
        """Whether a collection's extent meets the search; the first box is the whole (STAC), later ones refine it."""
        if node.extent is None:
            return True
        try:
            boxes, intervals = node.extent["spatial"]["bbox"], node.extent["temporal"]["interval"]
            return _meets_box(boxes[0], footprint) and _meets_interval(intervals[0], period)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            self._report(href, f"extent: cannot be read ({error!r}); the collection is opened all the same")
            return True

    def _report(self, where: str, what: str) -> None:
        self._problems[Problem(where=where, what=what)] = None


def _meets_box(bbox: Sequence[float], footprint: BaseGeometry) -> bool:
    from shapely import box

    half = len(bbox) // 2
    west, south, east, north = bbox[0], bbox[1], bbox[half], bbox[half + 1]
    if east - west >= 360:
        return bool(south <= footprint.bounds[3] and footprint.bounds[1] <= north)
    return bool(split_antimeridian(box(west, south, east + 360 if east < west else east, north)).intersects(footprint))


def _meets_interval(interval: Sequence[str | None], period: Period) -> bool:
    start, end = (None if text is None else parse_instant(text) for text in interval)
    return (start is None or start < period.end) and (end is None or end >= period.start)
