"""Downloads products, over days if necessary: carries out what `landloom.archive.orders.states` decides."""

from __future__ import annotations

import fcntl
import hashlib
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from landloom.archive.orders import states as machine
from landloom.archive.orders.provider import CredentialsError, OfflineError, QuotaError
from landloom.archive.orders.states import ActionKind, Order, Rules, State, next_action
from landloom.errors import InvalidInputError, PermanentFaultError, StoreError, TransientFaultError
from landloom.model.time import format_instant, parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from landloom.archive.orders.provider import ProductProvider, Stream

LOCK: Final = ".landloom.lock"
"""Lock file in the folder of products, held during writing."""
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_MULTIHASH: Final = {"d50110": "md5", "1114": "sha1", "1220": "sha256", "1340": "sha512", "1620": "sha3_256"}


class Clock(Protocol):
    """The time, and waiting; tests replace the system's clock."""

    def now(self) -> datetime:
        """The time, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time, UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class OrderBook(Protocol):
    """Stores orders across restarts, for example in a build's journal."""

    def load(self) -> Mapping[str, Order]:
        """Every known order, by id."""
        ...

    def save(self, order: Order) -> None:
        """Store an order's state; it must be safely on disk when this returns."""
        ...


def order_document(order: Order) -> dict[str, Any]:
    """An order as JSON values.

    Example:
        >>> order_of(order_document(Order(id="a", href="h"))) == Order(id="a", href="h")
        True
    """
    values = {field.name: getattr(order, field.name) for field in fields(Order)}
    return {name: format_instant(value) if isinstance(value, datetime) else value for name, value in values.items()}


def order_of(row: Mapping[str, Any]) -> Order:
    """Read the output of `order_document`.

    Raises:
        KeyError: it is not an order.
        TypeError: likewise.
        ValueError: likewise.
    """
    times = ("due", "online_since", "ordered_at", "refused_since", "requested_at", "refused_until")
    values: dict[str, Any] = {name: parse_instant(v) if name in times and v else v for name, v in row.items()}
    return Order(**values | {"state": State(row["state"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchReport:
    """The result of a run."""

    paths: Mapping[str, Path]
    """Product → its file, verified."""
    failed: Mapping[str, str]
    """Product → why it is missing."""
    gone: frozenset[str]
    """The failed products that are permanently unavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastRate:
    """The minimum speed of a connection."""

    bytes_per_second: float = 1024.0
    """Below it, a connection is closed and resumed later."""
    window: timedelta = timedelta(seconds=60)
    """Time over which it is measured."""


def fetch_products(
    wanted: Iterable[Order],
    provider: ProductProvider,
    book: OrderBook,
    folder: Path,
    *,
    rules: Rules | None = None,
    clock: Clock | None = None,
    rate: LeastRate | None = None,
    report: Callable[[Order], None] | None = None,
) -> FetchReport:
    """Order, wait, download and verify until every product is present or has failed.

    The run may be killed at any time and restarted: orders are stored in the book, partial files next to the finished
    ones (`NAME.part`), and nothing is ordered or downloaded twice. Products that failed in an earlier run are retried.

    Args:
        wanted: products to fetch, in order of priority.
        provider: orders and serves them.
        book: stores the orders.
        folder: target of the files, `NAME.zip`.
        rules: the provider's rate limits and our retry limits.
        clock: the time, and waiting.
        rate: the minimum speed of a connection.
        report: called at every change of a product's state.

    Raises:
        InvalidInputError: a product's name is not a valid file name.
        CredentialsError: the account is not accepted (any more); start again once this is fixed.
        StoreError: the disk is full or not writable; start again once this is fixed.
    """
    run = _FetchRun(provider, book, folder, rules or Rules(), clock or SystemClock(), rate or LeastRate(), report)
    run.begin(wanted)
    while (action := next_action(run.orders, run.rules, run.clock.now())).kind is not ActionKind.STOP:
        if action.until is not None:
            run.clock.sleep(max(0.0, (action.until - run.clock.now()).total_seconds()))
        elif action.order is not None:
            run.act(action.kind, action.order)
    return FetchReport(
        paths={order.id: run.path(order) for order in run.orders if order.state is State.DONE},
        failed={order.id: order.reason for order in run.orders if order.state is State.FAILED},
        gone=frozenset(order.id for order in run.orders if order.state is State.FAILED and order.gone),
    )


class _FetchRun:
    """One run: its orders and its arguments."""

    def __init__(
        self,
        provider: ProductProvider,
        book: OrderBook,
        folder: Path,
        rules: Rules,
        clock: Clock,
        rate: LeastRate,
        report: Callable[[Order], None] | None,
    ) -> None:
        self.provider, self.book, self.folder = provider, book, folder
        self.rules, self.clock, self.rate, self.report = rules, clock, rate, report
        self._orders: dict[str, Order] = {}

    @property
    def orders(self) -> list[Order]:
        """In order of priority."""
        return list(self._orders.values())

    def path(self, order: Order) -> Path:
        """Path of a finished product."""
        return self.folder / f"{order.id}.zip"

    def begin(self, wanted: Iterable[Order]) -> None:
        """Load the known state of each product; files on disk take precedence over stored states."""
        known = self.book.load()
        _writable(self.folder)
        for order in wanted:
            if _NAME.fullmatch(order.id) is None:
                raise InvalidInputError(f"got a product named {order.id!r}, expected a plain file name")
            past = known.get(order.id, order)
            fresh = replace(past, href=order.href, size=order.size, checksum=order.checksum)
            if self.path(order).exists() and (fresh.state is State.DONE or self._holds(self.path(order), order)):
                fresh = machine.done(fresh)
            elif fresh.state in (State.DONE, State.FAILED):
                fresh = machine.reopened(fresh)
            self._orders[order.id] = fresh
            if known.get(order.id) != fresh:
                self.book.save(fresh)

    def act(self, kind: ActionKind, order: Order) -> None:
        """Carry out one action and store its outcome."""
        had, rules = self._arrived(order), self.rules
        if kind is ActionKind.ORDER:
            order = machine.requesting(order, now=self.clock.now())
            self._keep(order)
        try:
            work = {ActionKind.ORDER: self._order, ActionKind.ASK: self._ask, ActionKind.DOWNLOAD: self._download}
            after = work[kind](order)
        except OfflineError:
            after = machine.went_offline(order)
        except CredentialsError:
            raise
        except QuotaError as error:
            now, wait = self.clock.now(), error.retry_after
            after = machine.refused(order, reason=str(error), retry_after=wait, now=now, rules=rules)
        except TransientFaultError as error:
            now, progress = self.clock.now(), self._arrived(order) > had
            after = machine.failed_attempt(order, reason=str(error), now=now, rules=rules, progress=progress)
        except PermanentFaultError as error:
            after = machine.failed(order, reason=str(error), gone=True)
        self._keep(after)

    def _keep(self, order: Order) -> None:
        if self._orders.get(order.id) != order:
            self._orders[order.id] = order
            self.book.save(order)
            if self.report is not None:
                self.report(order)

    def _part(self, order: Order) -> Path:
        return self.folder / f"{order.id}.part"

    def _arrived(self, order: Order) -> int:
        try:
            return self._part(order).stat().st_size
        except FileNotFoundError:
            return 0

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Lock the folder: another build may download into it at the same time."""
        with (self.folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _ask(self, order: Order) -> Order:
        online = self.provider.is_online(order)
        return machine.asked(order, online=online, now=self.clock.now(), rules=self.rules)

    def _order(self, order: Order) -> Order:
        answer, now = self.provider.order(order), self.clock.now()
        if answer.online:
            return machine.asked(order, online=True, now=now, rules=self.rules)
        return machine.ordered(order, retry_after=answer.retry_after, now=now, rules=self.rules)

    def _download(self, order: Order) -> Order:
        part = self._part(order)
        try:
            with self._alone():
                if not (self.path(order).exists() and self._holds(self.path(order), order)):
                    self._receive(order, part)
        except TransientFaultError:
            raise
        except OSError as error:
            raise StoreError(f"{part}: {error.strerror or error}") from error
        return machine.done(order)

    def _receive(self, order: Order, part: Path) -> None:
        if order.size is not None and self._arrived(order) > order.size:
            part.unlink()
        if order.size is None or self._arrived(order) < order.size:
            with self.provider.read(order, self._arrived(order)) as stream:
                self._write(order, part, stream)
        self._verify(order, part)
        part.replace(self.path(order))

    def _verify(self, order: Order, part: Path) -> None:
        if not self._holds(part, order):
            part.unlink()
            raise TransientFaultError(f"{order.href}: got other bytes than its size and checksum say")

    def _write(self, order: Order, part: Path, stream: Stream) -> None:
        """Append the bytes received; they are kept if the connection is dropped."""
        since, count = self.clock.now(), 0
        with part.open("r+b" if part.exists() else "wb") as file:
            file.truncate(stream.start)
            file.seek(stream.start)
            for chunk in stream.chunks:
                file.write(chunk)
                count += len(chunk)
                now = self.clock.now()
                if now - since >= self.rate.window:
                    if count < self.rate.bytes_per_second * (now - since).total_seconds():
                        raise TransientFaultError(f"{order.href}: slower than {self.rate.bytes_per_second:g} bytes/s")
                    since, count = now, 0
            arrived = file.tell()
        total = order.size if order.size is not None else stream.total
        if total is not None and arrived < total:
            raise TransientFaultError(f"{order.href}: cut after {arrived} of {total} bytes")

    def _holds(self, path: Path, order: Order) -> bool:
        """Whether a file is the product, by size and checksum; by size alone if there is no checksum."""
        if order.size is not None and path.stat().st_size != order.size:
            return False
        return order.checksum is None or matches(path, order.checksum)


def matches(path: Path, checksum: str) -> bool:
    """Whether a file's bytes match a multihash (STAC file extension); True for a hash that Python lacks.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> path = Path(tempfile.mkdtemp()) / "empty"
        >>> path.touch()
        >>> matches(path, "d50110" + "d41d8cd98f00b204e9800998ecf8427e"), matches(path, "d50110" + "00" * 16)
        (True, False)
    """
    text = checksum.lower()
    for prefix, algorithm in _MULTIHASH.items():
        if text.startswith(prefix):
            with path.open("rb") as file:
                return hashlib.file_digest(file, algorithm).hexdigest() == text.removeprefix(prefix)
    return True


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}") from error
