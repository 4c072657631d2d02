"""Search a static STAC, ours or another one, by reading its documents concurrently and skipping collections outside.

Collections whose extents are outside the region or the period are skipped; every other document is read once. Items are
kept if their footprint intersects the region, in the order of a walk along the links. Assets are selected by time
(half-open, as in queries) and role. `related` links, and `source` links from labels to their imagery, are followed from
each item.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from shapely.errors import ShapelyError

from landloom.errors import (
    FaultError,
    InvalidInputError,
    InvalidValueError,
    LandloomError,
    MissingKeyError,
    PermanentFaultError,
    TransientFaultError,
)
from landloom.formats.stac.walk import StaticStac, links, overlaps, stac_document
from landloom.model.address import resolve, shown
from landloom.model.time import parse_instant
from landloom.query.arguments import period_of
from landloom.query.catalog.corpora import stac_root
from landloom.query.region import resolve_region
from landloom.store.credentials import keep
from landloom.store.href_documents import HrefDocuments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from shapely.geometry.base import BaseGeometry

    from landloom.formats.stac.walk import Node, Read, Report
    from landloom.model.time import Period
    from landloom.query.transfer.destination import Wanted

WORKERS: Final = 32
"""Number of documents read concurrently."""
_RELATED: Final = ("related", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundItem:
    """An item that matches the search."""

    href: str
    """Address of its document."""
    id: str
    """Its id."""
    collection: str | None
    """Id of its collection."""
    assets: Mapping[str, Mapping[str, Any]]
    """Key → asset, for matching assets; `href` is absolute."""
    document: Mapping[str, Any] = field(repr=False, compare=False)
    """The whole document."""

    def hrefs(self) -> list[str]:
        """Absolute addresses of its selected assets."""
        return [str(asset["href"]) for asset in self.assets.values()]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    shape: BaseGeometry | None
    period: Period | None
    roles: frozenset[str] | None
    collections: frozenset[str] | None
    report: Report = field(compare=False)

    def enters(self, node: Node[FoundItem], depth: int) -> bool:
        """Whether a catalogue or collection can contain matches."""
        return depth != 1 or self.collections is None or bool(node.found) or node.id in self.collections

    def items(self, document: Mapping[str, Any], where: str, href: str) -> Iterator[FoundItem]:
        """The item, if it matches the search; one that cannot be read is reported."""
        try:
            if self.keeps(document):
                yield _item(document, href, self)
        except FaultError as error:
            self.report(where, str(error), error)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError, ShapelyError) as error:
            what = str(error) if isinstance(error, LandloomError) else f"cannot be read as an item ({error!r})"
            self.report(where, what, PermanentFaultError(f"{shown(where)}: {what}"))

    def keeps(self, document: Mapping[str, Any]) -> bool:
        """Whether the footprint of an item intersects the region."""
        if self.shape is None:
            return True
        import shapely.geometry

        from landloom.model.antimeridian import split_shape

        geometry = document.get("geometry")
        if geometry is None:
            return False
        shape = shapely.geometry.shape(geometry)
        with suppress(InvalidValueError):  # around a pole: as it is written
            shape = split_shape(shape)
        return bool(shape.intersects(self.shape))

    def assets(self, document: Mapping[str, Any], href: str) -> dict[str, dict[str, Any]]:
        """Assets of an item by time and role; one without an address, or with a foreign one, is reported."""
        own = document.get("properties") or {}
        chosen = {}
        for key, asset in (document.get("assets") or {}).items():
            if not isinstance(asset, Mapping) or not isinstance(asset.get("href"), str):
                what = f"assets.{key}: got no href, expected an address"
                self.report(href, what, PermanentFaultError(f"{shown(href)}: {what}"))
                continue
            if self.roles is not None and self.roles.isdisjoint(asset.get("roles") or ()):
                continue
            if self.period is None or _in_time(asset, own, self.period):
                try:
                    chosen[key] = {**asset, "href": resolve(asset["href"], document=href)}
                except FaultError as error:
                    self.report(href, f"assets.{key}: {error}", error)
        return chosen


def _in_time(asset: Mapping[str, Any], item: Mapping[str, Any], period: Period) -> bool:
    """By the time of the asset, else of the item; assets without time are kept."""
    for source in (asset, item):
        instant = source.get("datetime")
        if isinstance(instant, str):
            return parse_instant(instant) in period
        if source.get("start_datetime") or source.get("end_datetime"):
            return overlaps(source.get("start_datetime"), source.get("end_datetime"), period)
    return True


def stac_search(  # noqa: PLR0913 - every one is a question of its own, and all are optional
    root: str,
    *,
    region: Any = None,
    period: Period | str | tuple[Any, Any] | None = None,
    roles: str | Iterable[str] | None = None,
    collections: str | Iterable[str] | None = None,
    related: str | Iterable[str] = (),
    workers: int = WORKERS,
    read: Callable[[str], bytes] | None = None,
    report: Report | None = None,
) -> list[FoundItem]:
    """Items of a static STAC, with their assets that match a search.

    Args:
        root: path or URL of a catalogue or collection, or the registered name of a corpus.
        region: any form accepted by `landloom.query.region`; selects items whose footprint intersects it.
        period: half-open; selects assets by their time, or by that of the item if they have none.
        roles: selects assets with any of these roles.
        collections: restrict the search to these children of the root, by id.
        related: ids of collections; each item is followed by its `related` and `source` items in these.
        workers: number of documents read concurrently.
        read: address → bytes of a document; the default reads local disk, the web and object stores.
        report: told of each document, link, item and asset that cannot be used (address, reason, error), while the
            rest is searched; by default the first of them is raised.

    Raises:
        MissingKeyError: the target of a link does not exist.
        TransientFaultError: a document is temporarily unavailable.
        PermanentFaultError: a document is not a JSON object.
        ForeignAddressError: a remote document names a file on this machine.
    """
    search = _Search(
        shape=None if region is None else resolve_region(region).shape,
        period=period_of(period),
        roles=_names(roles),
        collections=_names(collections),
        report=report or _strict,
    )
    reader = HrefDocuments().read if read is None else _of_user(read)
    reader = reader if report is None else _lenient(reader)
    if search.shape is not None:
        import shapely

        shapely.prepare(search.shape)
    with ThreadPoolExecutor(workers) as pool:
        stac = StaticStac(keep(stac_root(root)), reader, search.items, search.report, pool.map)
        items = list(stac.walk(search.shape, search.period, search.enters))
        wanted = _names(related)
        return items if not wanted else _with_related(items, wanted, search, reader, pool)


def found_files(items: Iterable[FoundItem], base: str, *, documents: bool = False) -> list[Wanted]:
    """Files of items, for `landloom.query.transfer.destination.plan_download`; each once, in order.

    Args:
        items: from `stac_search`.
        base: address of the folder of all files; paths are relative to it.
        documents: include the documents of the items.

    Raises:
        InvalidInputError: a file is elsewhere.
    """
    from landloom.query.transfer.destination import Wanted

    root = base.rstrip("/") + "/"
    hrefs = dict.fromkeys(href for item in items for href in (*item.hrefs(), *((item.href,) if documents else ())))
    for href in hrefs:
        if not href.startswith(root):
            raise InvalidInputError(f"got {href}, expected files below {root}")
    return [Wanted(path=unquote(href.removeprefix(root))) for href in hrefs]


def _names(value: str | Iterable[str] | None) -> frozenset[str] | None:
    return None if value is None else frozenset([value] if isinstance(value, str) else value)


def _of_user(read: Callable[[str], bytes]) -> Read:
    return lambda href, _: read(href)


def _lenient(read: Read) -> Read:
    """A document that cannot be had just now leaves out itself, where problems are collected."""

    def reader(href: str, document: str) -> bytes:
        try:
            return read(href, document)
        except TransientFaultError as error:
            raise PermanentFaultError(str(error)) from error

    return reader


def _strict(_: str, __: str, error: Exception) -> None:
    raise error


def _item(document: Mapping[str, Any], href: str, search: _Search) -> FoundItem:
    return FoundItem(
        href=href,
        id=str(document.get("id")),
        collection=document.get("collection"),
        assets=search.assets(document, href),
        document=document,
    )


def _related(item: FoundItem, report: Report) -> list[str]:
    """Addresses of the items related to an item, `related` links first."""
    written = list(links(item.document, item.href, report))
    return [
        resolve(target, document=item.href) for kind in _RELATED for _, relation, target in written if relation == kind
    ]


def _with_related(
    items: list[FoundItem],
    collections: frozenset[str],
    search: _Search,
    read: Read,
    pool: ThreadPoolExecutor,
) -> list[FoundItem]:
    """Each item followed by its related items."""
    led = [_related(item, search.report) for item in items]
    origin = {href: item.href for item, own in zip(items, led, strict=True) for href in own}

    def document(href: str) -> Mapping[str, Any]:
        try:
            return stac_document(read(href, origin[href]), href)
        except (MissingKeyError, PermanentFaultError) as error:
            search.report(href, str(error), error)
            return {}

    documents = dict(zip(origin, pool.map(document, origin), strict=True))
    result: list[FoundItem] = []
    for item, own in zip(items, led, strict=True):
        result.append(item)
        result += [
            _item(documents[href], href, search) for href in own if documents[href].get("collection") in collections
        ]
    return result
