"""Searching a static STAC, ours or another's, by reading its documents: concurrently, and not where nothing can be.

Collections whose extents miss the region or the period are not entered; every other document is read once. Items are
kept if their footprint meets the region, in the order in which a walk along the links would find them. Assets are kept
by time (half-open, as in queries) and role. `related` links, and the `source` links that labels have to their imagery,
are followed from each item itself.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from landloom.errors import InvalidInputError, PermanentFaultError
from landloom.model.address import resolve
from landloom.model.time import Period, parse_instant
from landloom.query.catalog.registry import stac_root
from landloom.query.region import resolve_region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from shapely.geometry.base import BaseGeometry

    from landloom.query.transfer.destination import Wanted

WORKERS: Final = 32
"""Documents read at once."""
_CHILD: Final = "child"
_ITEM: Final = "item"
_RELATED: Final = ("related", "source")
_MOST: Final = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundItem:
    """An item that meets the search."""

    href: str
    """Where its document lies."""
    id: str
    """Its id."""
    collection: str | None
    """Id of its collection."""
    assets: Mapping[str, Mapping[str, Any]]
    """Key → asset, of those that meet the search; `href` is absolute."""
    document: Mapping[str, Any] = field(repr=False, compare=False)
    """The whole document."""

    def hrefs(self) -> list[str]:
        """Absolute addresses of its chosen assets."""
        return [str(asset["href"]) for asset in self.assets.values()]


class DocumentReader:
    """Reads JSON documents by address: local paths, and whatever `open_store` opens; stores are kept by server."""

    def __init__(self) -> None:
        self._stores: dict[str, Any] = {}

    def __call__(self, href: str) -> dict[str, Any]:
        """One document.

        Raises:
            MissingKeyError: there is none.
            TransientFaultError: it cannot be had just now.
            PermanentFaultError: it is no JSON object.
        """
        data = self._bytes(href)
        try:
            document = json.loads(data)
        except ValueError as error:
            raise PermanentFaultError(f"{href}: got no JSON: {error}") from error
        if not isinstance(document, dict):
            raise PermanentFaultError(f"{href}: got no JSON object")
        return document

    def _bytes(self, href: str) -> bytes:
        from landloom.store.local import LocalStore
        from landloom.store.open import open_store

        parts = urlsplit(href)
        if parts.scheme in ("", "file"):
            path = Path(parts.path if parts.scheme else href).absolute()
            return LocalStore(path.parent).get(path.name)
        origin = f"{parts.scheme}://{parts.netloc}"
        store = self._stores.setdefault(origin, open_store(origin))
        data: bytes = store.get(parts.path.lstrip("/"))
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    shape: BaseGeometry | None
    period: Period | None
    roles: frozenset[str] | None
    collections: frozenset[str] | None

    def enters(self, document: Mapping[str, Any]) -> bool:
        """Whether anything below a catalogue or collection can meet the search."""
        extent = document.get("extent")
        if not isinstance(extent, dict):
            return True
        boxes = extent.get("spatial", {}).get("bbox") or []
        intervals = extent.get("temporal", {}).get("interval") or []
        near = self.shape is None or not boxes or any(_box(box).intersects(self.shape) for box in boxes)
        if not near or self.period is None or not intervals:
            return near
        return any(_overlaps(start, end, self.period) for start, end in intervals)

    def keeps(self, document: Mapping[str, Any]) -> bool:
        """Whether an item's footprint meets the region."""
        if self.shape is None:
            return True
        import shapely.geometry

        geometry = document.get("geometry")
        return geometry is not None and bool(shapely.geometry.shape(geometry).intersects(self.shape))

    def assets(self, document: Mapping[str, Any], href: str) -> dict[str, dict[str, Any]]:
        """Assets of an item by time and role."""
        own = document.get("properties") or {}
        chosen = {}
        for key, asset in (document.get("assets") or {}).items():
            if self.roles is not None and self.roles.isdisjoint(asset.get("roles") or ()):
                continue
            if self.period is None or _in_time(asset, own, self.period):
                chosen[key] = {**asset, "href": resolve(asset["href"], document=href)}
        return chosen


def _box(bbox: Sequence[float]) -> BaseGeometry:
    import shapely

    half = len(bbox) // 2
    west, south, east, north = bbox[0], bbox[1], bbox[half], bbox[half + 1]
    if west <= east:
        return shapely.box(west, south, east, north)
    return shapely.union_all([shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)])


def _instant(value: object) -> datetime | None:
    return parse_instant(value) if isinstance(value, str) else None


def _overlaps(start: object, end: object, period: Period) -> bool:
    first, last = _instant(start), _instant(end)
    return (first is None or first < period.end) and (last is None or last >= period.start)


def _in_time(asset: Mapping[str, Any], item: Mapping[str, Any], period: Period) -> bool:
    """By the asset's own time, else by the item's; what says no time is kept."""
    for source in (asset, item):
        instant = _instant(source.get("datetime"))
        if instant is not None:
            return instant in period
        if source.get("start_datetime") or source.get("end_datetime"):
            return _overlaps(source.get("start_datetime"), source.get("end_datetime"), period)
    return True


@dataclass(slots=True)
class _Node:
    """A document yet to be read, and where a walk would come to it."""

    order: tuple[int, ...]
    href: str
    kind: str


def _links(document: Mapping[str, Any], href: str, relation: str) -> list[str]:
    found = document.get("links") or []
    return [resolve(link["href"], document=href) for link in found if link.get("rel") == relation and "href" in link]


def stac_search(
    root: str,
    *,
    region: Any = None,
    period: Period | tuple[Any, Any] | None = None,
    roles: str | Iterable[str] | None = None,
    collections: str | Iterable[str] | None = None,
    related: str | Iterable[str] = (),
    workers: int = WORKERS,
    read: Callable[[str], dict[str, Any]] | None = None,
) -> list[FoundItem]:
    """Items of a static STAC, and the assets of them that meet a search.

    Args:
        root: path or URL of a catalogue or collection, or the registered name of a corpus.
        region: whatever `landloom.query.region` takes; items whose footprint intersects it.
        period: half-open; assets whose time lies in it, by the item's where they say none.
        roles: assets that have any of these.
        collections: enter only these children of the root, by id.
        related: ids of collections; of each item its own `related` and `source` items in these follow it.
        workers: documents read at once.
        read: address → document; the default reads local disk, the web and object stores.

    Raises:
        MissingKeyError: a link leads nowhere.
        TransientFaultError: a document cannot be had just now.
        PermanentFaultError: a document is no JSON object.
        ForeignAddressError: a remote document names a file on this machine.
    """
    search = _Search(
        shape=None if region is None else resolve_region(region).shape,
        period=period if period is None or isinstance(period, Period) else Period.parse(*period),
        roles=_names(roles),
        collections=_names(collections),
    )
    reader = read or DocumentReader()
    if search.shape is not None:
        import shapely

        shapely.prepare(search.shape)
    with ThreadPoolExecutor(workers) as pool:
        items = _walk(stac_root(root), search, reader, pool)
        wanted = _names(related)
        return items if not wanted else _with_related(items, wanted, search, reader, pool)


def found_files(items: Iterable[FoundItem], base: str, *, documents: bool = False) -> list[Wanted]:
    """Files of items, for `landloom.query.transfer.destination.plan_download`; each once, in order.

    Args:
        items: from `stac_search`.
        base: address of the folder that holds them all; paths are relative to it.
        documents: also the items' own documents.

    Raises:
        InvalidInputError: a file lies elsewhere.
    """
    from landloom.query.transfer.destination import Wanted

    root = base.rstrip("/") + "/"
    hrefs = dict.fromkeys(href for item in items for href in (*item.hrefs(), *((item.href,) if documents else ())))
    for href in hrefs:
        if not href.startswith(root):
            raise InvalidInputError(f"got {href}, wanted files below {root}")
    return [Wanted(path=unquote(href.removeprefix(root))) for href in hrefs]


def _names(value: str | Iterable[str] | None) -> frozenset[str] | None:
    return None if value is None else frozenset([value] if isinstance(value, str) else value)


def _walk(
    root: str, search: _Search, read: Callable[[str], dict[str, Any]], pool: ThreadPoolExecutor
) -> list[FoundItem]:
    found: list[tuple[tuple[int, ...], FoundItem]] = []
    seen = {root}
    level = [_Node((), root, _CHILD)]
    while level:
        if len(seen) > _MOST:
            raise InvalidInputError(f"{root}: got more than {_MOST} documents")
        following: list[_Node] = []
        for node, document in zip(level, pool.map(lambda node: read(node.href), level), strict=True):
            if node.kind == _ITEM:
                if search.keeps(document):
                    found.append((node.order, _item(document, node.href, search)))
            elif search.enters(document) and _chosen(node, document, search):
                following += _below(node, document, seen)
        level = following
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]


def _chosen(node: _Node, document: Mapping[str, Any], search: _Search) -> bool:
    top = len(node.order) == 2
    return not top or search.collections is None or document.get("id") in search.collections


def _below(node: _Node, document: Mapping[str, Any], seen: set[str]) -> list[_Node]:
    """Items come before children, as a walk would take them; a document that was met before is left out."""
    nodes = []
    for rank, kind in enumerate((_ITEM, _CHILD)):
        for place, href in enumerate(_links(document, node.href, kind)):
            if href not in seen:
                seen.add(href)
                nodes.append(_Node((*node.order, rank, place), href, kind))
    return nodes


def _item(document: Mapping[str, Any], href: str, search: _Search) -> FoundItem:
    return FoundItem(
        href=href,
        id=str(document.get("id")),
        collection=document.get("collection"),
        assets=search.assets(document, href),
        document=document,
    )


def _with_related(
    items: list[FoundItem],
    collections: frozenset[str],
    search: _Search,
    read: Callable[[str], dict[str, Any]],
    pool: ThreadPoolExecutor,
) -> list[FoundItem]:
    """Each item followed by its own related items."""
    links = [[href for kind in _RELATED for href in _links(item.document, item.href, kind)] for item in items]
    flat = [href for own in links for href in own]
    documents = dict(zip(flat, pool.map(read, flat), strict=True))
    result: list[FoundItem] = []
    for item, own in zip(items, links, strict=True):
        result.append(item)
        result += [
            _item(documents[href], href, search) for href in own if documents[href].get("collection") in collections
        ]
    return result
