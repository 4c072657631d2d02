"""The Copernicus Data Space's OData service: product search, and a product provider.

Follows its documentation ("OData", documentation.dataspace.copernicus.eu/APIs/OData.html): products have an
`Id`, `Name`, `ContentLength`, `Checksum` (MD5 among them), `Online` and attributes; `Products(Id)/$value` serves the
bytes to requests with a token. Requesting the download of an offline product orders it (202 with Retry-After);
services with ESA's long-term-archive interface have a separate action for orders (`order_action`).
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import requests
import urllib3

from landloom.archive.dedupe import resolve_duplicates
from landloom.archive.orders.odata_products import DOWNLOAD, parse_product, sensing_start
from landloom.archive.orders.provider import CredentialsError, OfflineError, OrderAnswer, QuotaError, Stream
from landloom.archive.protocol import is_wanted
from landloom.errors import (
    FaultError,
    InvalidDocumentError,
    PermanentFaultError,
    Problem,
    TransientFaultError,
)
from landloom.model.time import format_instant
from landloom.store.faults import http_fault
from landloom.store.hosts import led_by
from landloom.store.http import new_session
from landloom.store.patience import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from shapely.geometry.base import BaseGeometry

    from landloom.archive.orders.states import Order
    from landloom.model.scene import Scene
    from landloom.model.time import Period
    from landloom.store.patience import Patience

CATALOGUE: Final = "https://catalogue.dataspace.copernicus.eu/odata/v1"
"""URL of the search."""

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ODataService:
    """The addresses of a service."""

    catalogue: str = CATALOGUE
    """Root URL of the search."""
    download: str = DOWNLOAD
    """Root URL of the downloads."""
    order_action: str | None = None
    """Action for orders by POST (`OData.CSC.Order`); None if a download request for an offline product orders it."""


class ODataProducts:
    """Searches products, orders them and serves them; a `landloom.archive.orders.provider.ProductProvider`."""

    def __init__(
        self,
        service: ODataService | None = None,
        *,
        token: Callable[[], str] | None = None,
        page: int = 1000,
        patience: Patience | None = None,
    ) -> None:
        """Set the service; nothing is requested yet.

        Args:
            service: addresses; by default the Copernicus Data Space.
            token: returns a valid access token; only needed to order and download.
            page: products per page of a search; the service allows 1,000 at most.
            patience: retry policy of single requests.
        """
        self._page = page
        self._service = service or ODataService()
        self._token = token
        self._session = new_session(patience)
        self._problems: dict[Problem, None] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Products that could not be read, each listed once."""
        return tuple(self._problems)

    def search(self, footprint: BaseGeometry, period: Period, level: str = "L2A") -> tuple[Scene, ...]:
        """Sentinel-2 products as scenes whose only asset is the whole product (`SAFE`); see `Archive.search`.

        Args:
            footprint: outline in WGS84.
            period: half-open.
            level: `L1C` or `L2A`.
        """
        found: dict[str, Scene] = {}
        for product in self._products(footprint, period, level):
            try:
                scene = parse_product(product, self._service.download)
            except InvalidDocumentError as error:
                self._problems |= {Problem(where=str(product.get("Name")), what=str(p)): None for p in error.problems}
                continue
            if is_wanted(scene, footprint, period):
                found[scene.id] = scene
        return resolve_duplicates(found.values())

    def is_online(self, order: Order) -> bool:
        """See `Provider`."""
        answer = self._json(self._catalogued(order))
        return bool(answer.get("Online", True))

    def order(self, order: Order) -> OrderAnswer:
        """See `Provider`."""
        if self._service.order_action is None:
            with self._answer("GET", order.href, stream=True, headers={"Range": "bytes=0-0"}) as response:
                wait, online = _wait(response), response.status_code in (200, 206)
        else:
            url = order.href.removesuffix("/$value") + "/" + self._service.order_action
            with self._answer("POST", url) as response:
                wait, online = _wait(response), False
        return OrderAnswer(online=online, retry_after=wait)

    @contextmanager
    def read(self, order: Order, start: int) -> Iterator[Stream]:
        """See `Provider`."""
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        with self._answer("GET", order.href, stream=True, headers=headers, accept=416) as response:
            if response.status_code == 202:
                raise OfflineError(f"{order.href}: not online")
            first, total = _extent(response, start)
            chunks = iter(()) if response.status_code == 416 else _chunks(response, order.href)
            yield Stream(start=first, total=total, chunks=chunks)

    def _catalogued(self, order: Order) -> str:
        product = order.href.removesuffix("/$value").rpartition("/")[2]
        return f"{self._service.catalogue}/{product}"

    def _products(self, footprint: BaseGeometry, period: Period, level: str) -> Iterator[Mapping[str, Any]]:
        """Yield every product, page by page.

        The service skips 10,000 products at most and then gives no next link; if a full page ends that way, the
        search restarts from the last product's time.

        Raises:
            PermanentFaultError: all products of a page have the same time, so that the search cannot continue.
        """
        seen: set[str] = set()
        while True:
            last, count = None, 0
            for product in self._pages(query(footprint, period, level)):
                last, count = product, count + 1
                if str(product.get("Id")) not in seen:
                    seen.add(str(product.get("Id")))
                    yield product
            if last is None or count % self._page:
                return
            following = sensing_start(last, [])
            if following is None or not period.start < following < period.end:
                what = f"more than {self._page} products at {period.start}; search a smaller region"
                raise PermanentFaultError(f"{self._service.catalogue}: {what}")
            period = replace(period, start=following)

    def _pages(self, filters: str) -> Iterator[Mapping[str, Any]]:
        url: str | None = f"{self._service.catalogue}/Products"
        parameters: dict[str, str] | None = {
            "$filter": filters,
            "$orderby": "ContentDate/Start asc",
            "$expand": "Attributes",
            "$top": str(self._page),
        }
        while url:
            page = self._json(url, parameters)
            yield from page.get("value", [])
            url, parameters = page.get("@odata.nextLink"), None

    def _json(self, url: str, parameters: dict[str, str] | None = None) -> Mapping[str, Any]:
        try:
            with led_by(self._service.catalogue), self._answer("GET", url, params=parameters, signed=False) as response:
                answer = response.json()
        except (requests.RequestException, ValueError, RecursionError) as error:  # JSON too deep, or of huge numbers
            raise TransientFaultError(f"{url}: {error}") from error
        if not isinstance(answer, dict):
            raise TransientFaultError(f"{url}: got {type(answer).__name__}, expected an object")
        return answer

    @contextmanager
    def _answer(
        self, method: str, url: str, *, signed: bool = True, accept: int = 0, **options: Any
    ) -> Iterator[requests.Response]:
        headers = dict(options.pop("headers", {}))
        if signed and self._token is not None:
            headers["Authorization"] = f"Bearer {self._token()}"
        try:
            response = self._session.request(method, url, headers=headers, **options)
        except requests.RequestException as error:
            raise TransientFaultError(f"{url}: {error}") from error
        with response:
            if not response.ok and response.status_code != accept:
                raise _fault(response, url)
            yield response


class ODataArchive:
    """The products of one level as an `Archive`; repeated searches are cached."""

    def __init__(self, products: ODataProducts, *, level: str = "L2A") -> None:
        """Set the service and the level, `L1C` or `L2A`."""
        self._products, self._level = products, level
        self._known: dict[tuple[bytes, Period], tuple[Scene, ...]] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """See `landloom.archive.protocol.Archive`."""
        return self._products.problems

    def search(self, footprint: BaseGeometry, period: Period) -> tuple[Scene, ...]:
        """See `landloom.archive.protocol.Archive`; the only asset of a scene is its whole product."""
        key = (footprint.wkb, period)
        if key not in self._known:
            self._known[key] = self._products.search(footprint, period, self._level)
        return self._known[key]


def _fault(response: requests.Response, url: str) -> FaultError:
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        return CredentialsError(f"{url}: HTTP 401: the token is not accepted: has the account's password changed?")
    if response.status_code in (403, 429):
        return QuotaError(f"{url}: HTTP {response.status_code}", _wait(response))
    return http_fault(response.status_code, url)


def _wait(response: requests.Response) -> float | None:
    return retry_after(response.headers.get("Retry-After"))


def _extent(response: requests.Response, wanted: int) -> tuple[int, int | None]:
    """First byte and total length that a response states."""
    stated = response.headers.get("Content-Range", "").strip()
    if response.status_code == 206 and (match := re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", stated)):
        return int(match[1]), None if match[2] == "*" else int(match[2])
    if response.status_code == 416:  # nothing beyond this byte: the file is complete, or is not this product
        match = re.fullmatch(r"bytes \*/(\d+)", stated)
        total = int(match[1]) if match else None
        return (wanted, total) if total == wanted else (0, total if total is not None else 1)
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _chunks(response: requests.Response, url: str) -> Iterator[bytes]:
    """Yield the body as it arrives, including the bytes before a dropped connection."""
    raw: Any = response.raw
    try:
        while chunk := raw.read1(_CHUNK):
            yield chunk
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise TransientFaultError(f"{url}: {error}") from error


def query(footprint: BaseGeometry, period: Period, level: str) -> str:
    r"""The `$filter` of a search for Sentinel-2 products.

    Args:
        footprint: outline in WGS84.
        period: half-open.
        level: `L1C` or `L2A`.

    Example:
        >>> from shapely import box
        >>> from landloom.model.time import Period
        >>> print(query(box(0, 0, 1, 1), Period.year(2018), "L2A").replace(" and ", "\n"))
        Collection/Name eq 'SENTINEL-2'
        Attributes/OData.CSC.StringAttribute/any(a:a/Name eq 'productType'
        a/OData.CSC.StringAttribute/Value eq 'S2MSI2A')
        ContentDate/Start ge 2018-01-01T00:00:00Z
        ContentDate/Start lt 2019-01-01T00:00:00Z
        OData.CSC.Intersects(area=geography'SRID=4326;POLYGON ((1 0, 1 1, 0 1, 0 0, 1 0))')
    """
    kind = f"S2MSI{level.removeprefix('L')}"
    attribute = "OData.CSC.StringAttribute"
    return " and ".join(
        (
            "Collection/Name eq 'SENTINEL-2'",
            f"Attributes/{attribute}/any(a:a/Name eq 'productType' and a/{attribute}/Value eq '{kind}')",
            f"ContentDate/Start ge {format_instant(period.start)}",
            f"ContentDate/Start lt {format_instant(period.end)}",
            f"OData.CSC.Intersects(area=geography'SRID=4326;{footprint.wkt}')",
        )
    )
