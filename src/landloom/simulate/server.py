"""A small archive server: products of a folder, searched and downloaded as from the Copernicus Data Space.

It implements the part of the OData service that landloom uses (`Products?$filter=…`, `Products(Id)`,
`Products(Id)/$value` with ranges and tokens) and behaves as a long-term archive: products can be offline, and come
online some time after they are ordered, with a limited number of orders at a time. It listens only on the loopback
interface and serves only the zip files of its folder, which must have new-style names.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import shapely
from shapely.errors import ShapelyError
from shapely.geometry import mapping

from landloom.errors import InvalidDocumentError, InvalidInputError
from landloom.formats.safe.safe_product import parse_product
from landloom.model.time import format_instant, parse_instant
from landloom.simulate.remote.loopback import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from landloom.formats.safe.safe_product import SafeProduct

_ROOT: Final = "/odata/v1"
_TOKENS: Final = "/token"
_TOKEN: Final = "simulated-token"  # noqa: S105 - no secret: the server is a simulation
_LONGEST_FORM: Final = 10_000
_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """Behaviour of the archive."""

    offline: float = 0.0
    """Share of the products that are offline at first, 0 to 1; the oldest ones."""
    restore: float = 1.0
    """Seconds from an order until its product is online."""
    orders: int = 1_000
    """Maximum number of concurrent orders; above it the server answers 403 with Retry-After."""
    retry_after: int = 1
    """Retry-After in seconds, for ordered products and over quota."""
    failures: int = 0
    """Number of products whose first download is cut in the middle."""
    user: str = "demo"
    """User name that gets a token."""
    password: str = "demo"  # noqa: S105 - no secret: the server is a simulation
    """Password of this user."""


@dataclass(slots=True, kw_only=True)
class _Held:
    """A product of the server."""

    path: Path
    entry: dict[str, Any]
    product: SafeProduct
    offline: bool = False
    online_at: float | None = None
    cut: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class ArchiveServer(LoopbackServer):
    """Serves the zipped products of a folder on 127.0.0.1, inside a `with` block.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from urllib.request import urlopen
        >>> with TemporaryDirectory() as folder, ArchiveServer(folder) as server:
        ...     with urlopen(server.catalogue + "/Products?$top=10") as answer:
        ...         json.load(answer)
        {'value': []}
    """

    def __init__(
        self,
        folder: str | Path,
        habits: Habits | None = None,
        *,
        port: int = 0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the folder.

        Args:
            folder: its `*.zip` files, each a SAFE product, as `simulate_safe_archive` writes them.
            habits: behaviour.
            port: port on the loopback interface; 0 for any free one.
            now: clock in seconds; another one for tests.

        Raises:
            InvalidInputError: a zip file without a product.
        """
        self._habits, self._now = habits or Habits(), now
        held = sorted((_held(path) for path in sorted(Path(folder).glob("*.zip"))), key=lambda one: one.product.time)
        for number, one in enumerate(held):
            one.offline = number < round(self._habits.offline * len(held))
            one.cut = number < self._habits.failures
        self._held = {one.entry["Id"]: one for one in held}
        self._orders = threading.Lock()
        super().__init__(type("Bound", (_Handler,), {"archive": self}), port)

    @property
    def catalogue(self) -> str:
        """Root of the search and of the downloads, for `landloom.archive.orders.odata.ODataService`."""
        return self.address + _ROOT

    @property
    def tokens(self) -> str:
        """Address of the token service, for `landloom.archive.orders.tokens.PasswordToken`."""
        return self.address + _TOKENS

    def is_password(self, form: str) -> bool:
        """Whether a token request has the right user name and password."""
        values = parse_qs(form)
        return (values.get("username"), values.get("password")) == ([self._habits.user], [self._habits.password])

    def page(self, wish: dict[str, list[str]]) -> dict[str, Any]:
        """One page of a search; raises `InvalidInputError` for an unsupported filter."""
        wanted = _wanted(wish.get("$filter", [""])[0])
        top, skip = int(wish.get("$top", ["20"])[0]), int(wish.get("$skip", ["0"])[0])
        found = [self.entry(key) for key, one in self._held.items() if wanted(one)]
        page: dict[str, Any] = {"value": found[skip : skip + top]}
        if skip + top < len(found):
            following = {key: values[0] for key, values in wish.items()} | {"$skip": str(skip + top)}
            page["@odata.nextLink"] = f"{self.catalogue}/Products?{urlencode(following, quote_via=quote)}"
        return page

    def entry(self, key: str) -> dict[str, Any]:
        """Catalogue entry of a product; raises `KeyError` for an unknown product."""
        return self._held[key].entry | {"Online": self.is_online(key)}

    def is_online(self, key: str) -> bool:
        """Whether a product is online."""
        one = self._held[key]
        return not one.offline or (one.online_at is not None and one.online_at <= self._now())

    def order(self, key: str) -> bool:
        """Order a product; False if over quota."""
        with self._orders:
            one = self._held[key]
            if one.online_at is None:
                now = self._now()
                waiting = sum(1 for o in self._held.values() if o.online_at is not None and o.online_at > now)
                if waiting >= self._habits.orders:
                    return False
                one.online_at = now + self._habits.restore
        return True

    def wait(self) -> str:
        """Value of Retry-After."""
        return str(self._habits.retry_after)

    def path(self, key: str) -> Path:
        """The file of a product."""
        return self._held[key].path

    def is_to_be_cut(self, key: str) -> bool:
        """Whether this download is to be cut in the middle; once per product."""
        one = self._held[key]
        with one.lock:
            cut, one.cut = one.cut, False
        return cut


class _Handler(BaseHTTPRequestHandler):
    """HTTP handler: parse, call the archive, respond."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    archive: ArchiveServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """No logging."""

    def do_GET(self) -> None:
        """Search, product, bytes."""
        parts = urlsplit(self.path)
        match = re.fullmatch(rf"{_ROOT}/Products\(([\w-]+)\)(/\$value)?", parts.path)
        try:
            if parts.path == f"{_ROOT}/Products":
                self._answer(200, self.archive.page(parse_qs(parts.query)))
            elif match is None:
                self._answer(404, {"detail": "Not found"})
            elif match[2] is None:
                self._answer(200, self.archive.entry(match[1]))
            else:
                self._value(match[1])
        except (InvalidInputError, ValueError) as error:
            self._answer(400, {"detail": str(error)})
        except KeyError:
            self._answer(404, {"detail": "Product not found"})

    def do_POST(self) -> None:
        """Tokens and orders."""
        length = int(self.headers.get("Content-Length") or 0)
        form = self.rfile.read(min(length, _LONGEST_FORM)).decode(errors="replace")
        match = re.fullmatch(rf"{_ROOT}/Products\(([\w-]+)\)/OData\.CSC\.Order", urlsplit(self.path).path)
        try:
            if self.path == _TOKENS and self.archive.is_password(form):
                self._answer(200, {"access_token": _TOKEN, "expires_in": 600})
            elif match is not None and self._is_signed():
                self.archive.entry(match[1])
                self._ordered(match[1])
            else:
                self._answer(401, {"detail": "Unauthorized"})
        except KeyError:
            self._answer(404, {"detail": "Product not found"})

    def _is_signed(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {_TOKEN}"

    def _ordered(self, key: str) -> None:
        status = 202 if self.archive.order(key) else 403
        self._answer(status, {"detail": "ordered" if status == 202 else "over quota"}, Retry_After=self.archive.wait())

    def _value(self, key: str) -> None:
        path = self.archive.path(key)
        if not self._is_signed():
            self._answer(401, {"detail": "Unauthorized"})
        elif not self.archive.is_online(key):
            self._ordered(key)
        else:
            self._serve(path, cut=self.headers.get("Range") != "bytes=0-0" and self.archive.is_to_be_cut(key))

    def _serve(self, path: Path, *, cut: bool) -> None:
        size = path.stat().st_size
        wish = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first = int(wish[1]) if wish else 0
        last = min(int(wish[2]), size - 1) if wish and wish[2] else size - 1
        if first > last:
            self._answer(416, {}, Content_Range=f"bytes */{size}")
            return
        self.send_response(206 if wish else 200)
        self.send_header("Content-Type", "application/zip")
        self.send_header("Content-Length", str(last - first + 1))
        if wish:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        left = (last - first + 1) // (2 if cut else 1)
        with path.open("rb") as file:
            file.seek(first)
            while left and (chunk := file.read(min(_CHUNK, left))):
                self.wfile.write(chunk)
                left -= len(chunk)
        self.close_connection = self.close_connection or cut

    def _answer(self, status: int, document: dict[str, Any], **headers: str) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


def _held(path: Path) -> _Held:
    try:
        with zipfile.ZipFile(path) as archive:
            root = archive.namelist()[0].split("/")[0] + "/"
            names = [name.removeprefix(root) for name in archive.namelist()]
            product = parse_product(names, lambda name: archive.read(root + name), where=path.name)
    except (InvalidDocumentError, zipfile.BadZipFile, IndexError) as error:
        raise InvalidInputError(f"{path}: no SAFE product in a zip file: {error}") from error
    data = path.read_bytes()
    attributes = [{"Name": "productType", "Value": f"S2MSI{product.level[1:]}"}]
    if product.cloud_cover is not None:
        attributes.append({"Name": "cloudCover", "Value": product.cloud_cover})  # type: ignore[dict-item]
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    start = format_instant(product.time)
    entry = {
        "Id": hashlib.sha256(product.name.encode()).hexdigest()[:32],
        "Name": f"{product.name}.SAFE",
        "ContentLength": len(data),
        "ContentDate": {"Start": start, "End": start},
        "PublicationDate": format_instant(product.generated or product.time),
        "Checksum": [{"Algorithm": "MD5", "Value": digest}],
        "GeoFootprint": mapping(product.footprint),
        "Attributes": attributes,
    }
    return _Held(path=path, entry=entry, product=product)


def _wanted(filters: str) -> Callable[[_Held], bool]:
    """Parse the filter written by `landloom.archive.orders.odata.query` into a test of products."""
    if not filters:
        return lambda _: True
    kind = re.search(r"Value eq 'S2MSI(1C|2A)'", filters)
    start, end = (re.search(rf"ContentDate/Start {word} (\S+)", filters) for word in ("ge", "lt"))
    area = re.search(r"Intersects\(area=geography'SRID=4326;([^']+)'\)", filters)
    if kind is None or start is None or end is None or area is None:
        raise InvalidInputError(f"got $filter={filters!r}, expected a product type, a period and an area")
    try:
        region = shapely.from_wkt(area[1])
    except ShapelyError as error:
        raise InvalidInputError(f"got an area that is not WKT: {error}") from error
    first, last = parse_instant(start[1]), parse_instant(end[1])

    def test(one: _Held) -> bool:
        product = one.product
        is_inside = first <= product.time < last and bool(shapely.intersects(product.footprint, region))
        return product.level == f"L{kind[1]}" and is_inside

    return test
