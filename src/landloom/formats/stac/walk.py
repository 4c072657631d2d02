"""Walking a static STAC (STAC 1.0): catalogs, collections and items as JSON files that link to each other.

Documents are read level by level, with the concurrency that the caller sets, and results come in the order of a
depth-first walk along the links. Each document is read once, however many links lead to it.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import orjson
from shapely import box

from landloom.errors import FaultError, InvalidInputError, MissingKeyError, PermanentFaultError, TransientFaultError
from landloom.model.address import is_remote, resolve, shown
from landloom.model.antimeridian import split_antimeridian
from landloom.model.time import parse_instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from landloom.model.time import Period

KINDS: Final = ("Catalog", "Collection", "Feature", "FeatureCollection")
"""Allowed values of `type`."""
_DOWN: Final = {"item": 0, "items": 0, "child": 1, "collection": 1}
"""Relation of downward links → rank: the walk takes items before children."""
_MARK: Final = b"\xef\xbb\xbf"
_MOST: Final = 10_000_000

T = TypeVar("T")
Read = Callable[[str, str], bytes]
"""Returns the bytes of a document; arguments: its address, that of the document that links to it, empty for the root.
Raises MissingKeyError, TransientFaultError or PermanentFaultError."""
Take = Callable[[Mapping[str, Any], str, str], Iterable[T]]
"""Returns the part of an item to keep; arguments: document, location (a path into a file of several), file."""
Report = Callable[[str, str, Exception], None]
"""Handles a problem; arguments: file, description, error. Raises the error, or returns to continue without the file."""


@dataclass(frozen=True, slots=True)
class Node(Generic[T]):
    """The parts of a document that are kept: thousands of whole documents would fill the memory."""

    id: str | None
    extent: Mapping[str, Any] | None = None
    """Of a collection."""
    targets: tuple[tuple[int, str], ...] = ()
    """Rank and address of each document below."""
    found: tuple[T, ...] = ()
    """Kept parts of items."""

    def may_hold(self, shape: BaseGeometry | None, period: Period | None) -> bool:
        """Whether anything below can intersect a region and a period, in any box of the extent.

        Raises:
            PermanentFaultError: the extent cannot be read.
        """
        if self.extent is None:
            return True
        try:
            boxes = self.extent.get("spatial", {}).get("bbox") or []
            intervals = self.extent.get("temporal", {}).get("interval") or []
            near = shape is None or not boxes or any(meets_box(box, shape) for box in boxes)
            return near and (
                period is None or not intervals or any(overlaps(one[0], one[1], period) for one in intervals)
            )
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise PermanentFaultError(f"extent: cannot be read ({error!r})") from error


class StaticStac(Generic[T]):
    """The documents of a static STAC; documents read once are cached for later walks.

    Args:
        root: path or URL of a catalog, a collection or an item.
        read: reads documents.
        take: returns the part of an item to keep.
        report: handles problems.
        at_once: like `map`; an executor's `map` reads several documents concurrently.

    Example:
        >>> files = {
        ...     "/c.json": b'{"type": "Catalog", "id": "c", "links": [{"rel": "item", "href": "a/i.json"}]}',
        ...     "/a/i.json": b'{"type": "Feature", "id": "i"}',
        ... }
        >>> def fail(where, what, error):
        ...     raise error
        >>> stac = StaticStac("/c.json", lambda href, _: files[href], lambda item, where, href: [item["id"]], fail)
        >>> list(stac.walk())
        ['i']
    """

    def __init__(
        self, root: str, read: Read, take: Take[T], report: Report, at_once: Callable[..., Iterable[Any]] = map
    ) -> None:
        self.root = resolve(root, document="")
        self._read, self._take, self._report, self._at_once = read, take, report, at_once
        self._nodes: dict[str, Node[T] | None] = {}

    @property
    def reached(self) -> bool:
        """Whether the root could be read."""
        return self._nodes.get(self.root) is not None

    def walk(
        self,
        shape: BaseGeometry | None = None,
        period: Period | None = None,
        enters: Callable[[Node[T], int], bool] = lambda node, depth: True,  # noqa: ARG005
    ) -> Iterator[T]:
        """The kept parts of all items below the root, without collections whose extent is outside the search.

        Args:
            shape: region in WGS84.
            period: half-open.
            enters: whether to enter a catalog or collection, given its depth from 0.
        """
        found: list[tuple[tuple[int, ...], tuple[T, ...]]] = []
        level: list[tuple[tuple[int, ...], str]] = [((), self.root)]
        seen, origin = {self.root}, {self.root: ""}
        while level:
            self._learn([href for _, href in level], origin)
            following: list[tuple[tuple[int, ...], str]] = []
            for order, href in level:
                node = self._nodes[href]
                if node is None or not (self._may_hold(node, href, shape, period) and enters(node, len(order) // 2)):
                    continue
                found.append((order, node.found))
                for place, (rank, target) in enumerate(node.targets):
                    if target not in seen:
                        seen.add(target)
                        origin[target] = href
                        following.append(((*order, rank, place), target))
            if len(seen) > _MOST:
                raise InvalidInputError(f"{self.root}: got more than {_MOST} documents")
            level = following
        for _, items in sorted(found, key=lambda pair: pair[0]):
            yield from items

    def _learn(self, hrefs: Sequence[str], origin: Mapping[str, str]) -> None:
        """Read the documents that are not cached yet."""
        unknown = [href for href in hrefs if href not in self._nodes]
        for href, got in zip(
            unknown, self._at_once(lambda one: self._document(one, origin[one]), unknown), strict=True
        ):
            if isinstance(got, Exception):
                linked = origin[href]
                told = f"no such document, linked from {linked}" if linked else f"no such document ({got})"
                self._report(href, told if isinstance(got, MissingKeyError) else str(got), got)
                self._nodes[href] = None
            else:
                self._nodes[href] = self._digested(got, href)

    def _document(self, href: str, origin: str) -> Mapping[str, Any] | Exception:
        try:
            return stac_document(self._read(href, origin), href)
        except (MissingKeyError, PermanentFaultError) as error:
            return error

    def _digested(self, document: Mapping[str, Any], href: str) -> Node[T]:
        name, kind = document.get("id"), document["type"]
        own = name if isinstance(name, str) else None
        if kind == "Feature":
            return Node(own, found=tuple(self._take(document, href, href)))
        if kind == "FeatureCollection":
            features = document.get("features")
            named = enumerate(features if isinstance(features, list) else [])
            items = [(f"{href}#/features/{number}", feature) for number, feature in named]
            return Node(own, found=tuple(one for where, item in items for one in self._feature(item, where, href)))
        extent = document.get("extent") if kind == "Collection" else None
        return Node(own, extent if isinstance(extent, dict) else None, tuple(self._targets(document, href)))

    def _feature(self, item: object, where: str, href: str) -> Iterable[T]:
        if isinstance(item, Mapping):
            return self._take(item, where, href)
        what = f"got {type(item).__name__}, expected a Feature"
        self._report(where, what, PermanentFaultError(f"{where}: {what}"))
        return ()

    def _targets(self, document: Mapping[str, Any], href: str) -> Iterator[tuple[int, str]]:
        """Downward targets of a catalog or collection."""
        for number, relation, target in links(document, href, self._report):
            if relation in _DOWN and (relation != "collection" or document.get("type") == "Catalog"):
                try:
                    yield _DOWN[relation], resolve(target, document=href)
                except FaultError as error:
                    self._report(href, f"links[{number}]: {error}", error)

    def _may_hold(self, node: Node[T], href: str, shape: BaseGeometry | None, period: Period | None) -> bool:
        try:
            return node.may_hold(shape, period)
        except PermanentFaultError as error:
            self._report(href, f"{error}; the collection is opened all the same", error)
            return True


def stac_document(content: bytes, href: str) -> Mapping[str, Any]:
    """Parse a STAC document.

    Raises:
        PermanentFaultError: not JSON, or without a type among `KINDS`.
        TransientFaultError: a remote document is not JSON: it was cut, or something else was answered in its place.

    Example:
        >>> stac_document(b'{"type": "Catalog"}', "catalog.json")
        {'type': 'Catalog'}
    """
    content = content.removeprefix(_MARK)
    try:
        document = orjson.loads(content.removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as error:
        document = _lines(content)
        if document is not None:
            return document
        fault = TransientFaultError if is_remote(href) else PermanentFaultError
        raise fault(f"{shown(href)}: expected JSON: {error}") from error
    if isinstance(document, list) and document and all(map(_is_feature, document)):
        return {"type": "FeatureCollection", "features": document}
    kind = document.get("type") if isinstance(document, dict) else type(document).__name__
    if kind not in KINDS:
        raise PermanentFaultError(f"{href}: got type {kind!r}, expected {', '.join(KINDS)}")
    return dict(document)


def _is_feature(value: object) -> bool:
    return isinstance(value, dict) and value.get("type") == "Feature"


def _lines(content: bytes) -> Mapping[str, Any] | None:
    """Items one a line (newline-delimited JSON) as a FeatureCollection; None for anything else."""
    lines = [line for line in content.splitlines() if line.strip()]
    try:
        features = [orjson.loads(line) for line in lines]
    except orjson.JSONDecodeError:
        return None
    whole = len(features) > 1 and all(map(_is_feature, features))
    return {"type": "FeatureCollection", "features": features} if whole else None


def links(document: Mapping[str, Any], href: str, report: Report) -> Iterator[tuple[int, str, str]]:
    """Index, relation and target (unresolved) of each link of a document.

    Args:
        document: any.
        href: its address.
        report: handles links without relation or target.
    """
    written = document.get("links", [])
    for number, link in enumerate(written if isinstance(written, list) else []):
        if isinstance(link, Mapping) and isinstance(link.get("href"), str):
            yield number, str(link.get("rel")), link["href"]
        else:
            what = f"links[{number}]: got {link!r}, expected rel and href"
            report(href, what, PermanentFaultError(f"{href}: {what}"))


def meets_box(bbox: Sequence[float], shape: BaseGeometry) -> bool:
    """Whether a STAC box (two or three dimensions, possibly across 180°) intersects a region in WGS84.

    Example:
        >>> from shapely import box
        >>> meets_box([170, -20, -170, -10], box(-176, -16, -174, -14))
        True
    """
    half = len(bbox) // 2
    west, south, east, north = bbox[0], bbox[1], bbox[half], bbox[half + 1]
    if east - west >= 360:
        return bool(south <= shape.bounds[3] and shape.bounds[1] <= north)
    return bool(split_antimeridian(box(west, south, east + 360 if east < west else east, north)).intersects(shape))


def overlaps(start: object, end: object, period: Period) -> bool:
    """Whether a STAC interval, possibly open at either end, overlaps a period.

    Example:
        >>> from landloom.model.time import Period
        >>> overlaps("2018-12-31T00:00:00Z", None, Period.year(2018)), overlaps("2019-01-01", None, Period.year(2018))
        (True, False)
    """
    first, last = (parse_instant(one) if isinstance(one, str) else None for one in (start, end))
    return (first is None or first < period.end) and (last is None or last >= period.start)
