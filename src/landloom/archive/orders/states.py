"""Orders from a long-term archive as a state machine. Pure; `landloom.archive.orders.fetch` carries the actions out.

```
unknown ──asked──▶ online ──downloaded, verified──▶ done
   │                 ▲  │
   │ asked           │  └─ gone offline again ─▶ offline
   ▼                 │
offline ──ordered──▶ ordered ──lapsed──▶ offline     any ──gone, or too many failed attempts──▶ failed
```
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.model.scene import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from landloom.model.scene import Scene


class State(StrEnum):
    """State of a product."""

    UNKNOWN = "unknown"
    OFFLINE = "offline"
    ORDERED = "ordered"
    ONLINE = "online"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A requested product and its state."""

    id: str
    """Name of the product, also used for the file."""
    href: str
    """URL of its bytes once it is online."""
    size: int | None = None
    """Bytes, if the provider states them."""
    checksum: str | None = None
    """Multihash, if the provider states one."""
    state: State = State.UNKNOWN
    """Current state."""
    due: datetime | None = None
    """Time of the next action at the earliest; None for now."""
    online_since: datetime | None = None
    """When it was first found online."""
    ordered_at: datetime | None = None
    """When it was last ordered."""
    refused_since: datetime | None = None
    """Time of the first of the current series of refusals for lack of quota."""
    requested_at: datetime | None = None
    """When the provider was last asked to bring it online, whatever the outcome; the pace is counted from here."""
    refused_until: datetime | None = None
    """Time until which the provider accepts no orders at all."""
    attempts: int = 0
    """Failed attempts since the last progress."""
    reason: str = ""
    """The last error; empty if there was none."""
    gone: bool = False
    """Whether it is permanently unavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The provider's rate limits and our retry limits.

    Example:
        >>> Rules(order_every=timedelta(0))
        Traceback (most recent call last):
        landloom.errors.InvalidValueError: got order_every 0:00:00, expected more than nothing
    """

    order_every: timedelta = timedelta(minutes=30)
    """Least time between two orders, including refused ones."""
    poll_every: timedelta = timedelta(minutes=10)
    """Time between two status requests for an ordered product."""
    lapse: timedelta = timedelta(days=3)
    """Time after which an unfulfilled order is placed again."""
    first_retry: timedelta = timedelta(seconds=30)
    """Wait after the first failed attempt; it doubles with each."""
    longest_retry: timedelta = timedelta(hours=1)
    """Upper bound of the wait."""
    give_up: timedelta = timedelta(days=7)
    """Time of refusals only, after which a product counts as failed: the account lacks the permission, not quota."""
    attempts: int = 10
    """Failed attempts without progress after which a product counts as failed."""

    def __post_init__(self) -> None:
        for name in ("order_every", "poll_every", "lapse", "first_retry", "longest_retry", "give_up"):
            if getattr(self, name) <= timedelta(0):
                raise InvalidValueError(f"got {name} {getattr(self, name)}, expected more than nothing")
        if self.attempts < 1:
            raise InvalidValueError(f"got {self.attempts} attempts, expected at least 1")


class ActionKind(StrEnum):
    """Kinds of actions."""

    ORDER = "order"
    ASK = "ask"
    DOWNLOAD = "download"
    WAIT = "wait"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """The next action."""

    kind: ActionKind
    """Its kind."""
    order: Order | None = None
    """The product concerned; None for waiting and stopping."""
    until: datetime | None = None
    """End of the wait, for waiting."""


def orders_of(scenes: Iterable[Scene]) -> tuple[Order, ...]:
    """The orders for scenes of a product archive, in their order, which is also the priority.

    Raises:
        InvalidInputError: scenes without a whole product; the message lists their ids.

    Example:
        >>> orders_of([])
        ()
    """
    scenes = list(scenes)
    without = [scene.id for scene in scenes if Role.PRODUCT not in scene.layers]
    if without:
        raise InvalidInputError(f"got scenes that no provider serves as whole products: {', '.join(without[:5])}")
    products = [(scene.id, scene.layers[Role.PRODUCT]) for scene in scenes]
    return tuple(Order(id=name, href=asset.href, size=asset.size, checksum=asset.checksum) for name, asset in products)


def next_action(orders: Sequence[Order], rules: Rules, now: datetime) -> Action:
    """The next action: place an order if the pace allows one, else ask for a status, else download, else wait.

    Orders and status requests precede downloads because they are quick, and an hour's download must not delay the next
    order. Among downloads the product that came online first is next; among orders the first in the sequence.

    Example:
        >>> from landloom.model.time import parse_instant
        >>> now = parse_instant("2024-01-01")
        >>> next_action([Order(id="a", href="", state=State.ORDERED, due=now + timedelta(hours=1))], Rules(), now).kind
        <ActionKind.WAIT: 'wait'>
        >>> next_action([Order(id="a", href="", state=State.DONE)], Rules(), now).kind
        <ActionKind.STOP: 'stop'>
    """
    open_orders = [order for order in orders if order.state not in (State.DONE, State.FAILED)]
    if not open_orders:
        return Action(kind=ActionKind.STOP)
    next_order = _next_order_at(orders, rules)
    starts = {order.id: _due(order, next_order, now) for order in open_orders}
    ready = [order for order in open_orders if starts[order.id] <= now]
    if not ready:
        return Action(kind=ActionKind.WAIT, until=min(starts.values()))
    offline = [order for order in ready if order.state is State.OFFLINE]
    if offline:
        return Action(kind=ActionKind.ORDER, order=offline[0])
    asked = [order for order in ready if order.state in (State.UNKNOWN, State.ORDERED)]
    if asked:
        return Action(kind=ActionKind.ASK, order=min(asked, key=lambda order: starts[order.id]))
    online = min(ready, key=lambda order: (order.online_since or now, order.id))
    return Action(kind=ActionKind.DOWNLOAD, order=online)


def _next_order_at(orders: Iterable[Order], rules: Rules) -> datetime | None:
    """The earliest time at which the provider accepts an order; None if none was placed yet."""
    times = [order.requested_at + rules.order_every for order in orders if order.requested_at]
    times += [order.refused_until for order in orders if order.refused_until]
    return max(times, default=None)


def _due(order: Order, next_order: datetime | None, now: datetime) -> datetime:
    own = order.due or now
    return max(own, next_order) if order.state is State.OFFLINE and next_order is not None else own


def asked(order: Order, *, online: bool, now: datetime, rules: Rules) -> Order:
    """The state after the provider said whether a product is online.

    Example:
        >>> from landloom.model.time import parse_instant
        >>> asked(Order(id="a", href=""), online=False, now=parse_instant("2024-01-01"), rules=Rules()).state.value
        'offline'
    """
    order = replace(order, due=None, attempts=0, reason="")
    if online:
        return replace(order, state=State.ONLINE, online_since=order.online_since or now, refused_since=None)
    order = replace(order, online_since=None)
    if order.ordered_at is None or now - order.ordered_at >= rules.lapse:
        return replace(order, state=State.OFFLINE)
    return replace(order, state=State.ORDERED, due=now + rules.poll_every)


def requesting(order: Order, *, now: datetime) -> Order:
    """The state just before an order is placed; it is saved first, so that a killed run does not exceed the pace.

    Example:
        >>> from landloom.model.time import parse_instant
        >>> requesting(Order(id="a", href=""), now=parse_instant("2024-01-01")).requested_at.year
        2024
    """
    return replace(order, requested_at=now)


def ordered(order: Order, *, retry_after: float | None, now: datetime, rules: Rules) -> Order:
    """The state after an order was accepted.

    Example:
        >>> from landloom.model.time import parse_instant
        >>> now = parse_instant("2024-01-01")
        >>> ordered(Order(id="a", href=""), retry_after=3600.0, now=now, rules=Rules()).due.hour
        1
    """
    due = now + max(rules.poll_every, timedelta(seconds=retry_after or 0.0))
    return replace(
        order,
        state=State.ORDERED,
        ordered_at=now,
        refused_since=None,
        refused_until=None,
        due=due,
        attempts=0,
        reason="",
    )


def refused(order: Order, *, reason: str, retry_after: float | None, now: datetime, rules: Rules) -> Order:
    """The state after the provider refused an order or a download for lack of quota.

    A refused order delays every other order until the pace and the provider allow one; a refused download delays
    only itself. Refusals are timed, not counted, because a quota may be monthly.

    Example:
        >>> from landloom.model.time import parse_instant
        >>> now, rules = parse_instant("2024-01-01"), Rules()
        >>> offline = Order(id="a", href="", state=State.OFFLINE)
        >>> refused(offline, reason="403", retry_after=60.0, now=now, rules=rules).refused_until.minute
        1
    """
    since = order.refused_since or now
    order = replace(order, refused_since=since, reason=reason)
    if now - since >= rules.give_up:
        return failed(order, reason=f"{reason}, for {rules.give_up.days} days")
    if order.state is State.OFFLINE:
        until = None if retry_after is None else now + timedelta(seconds=retry_after)
        return replace(order, refused_until=until)
    return replace(order, due=now + max(rules.poll_every, timedelta(seconds=retry_after or 0.0)))


def went_offline(order: Order) -> Order:
    """The state after a product that was online no longer is: it has to be ordered again.

    Example:
        >>> went_offline(Order(id="a", href="", state=State.ONLINE)).state.value
        'offline'
    """
    return replace(order, state=State.OFFLINE, due=None, online_since=None, ordered_at=None)


def failed_attempt(order: Order, *, reason: str, now: datetime, rules: Rules, progress: bool = False) -> Order:
    """The state after a failed attempt that may be repeated.

    Args:
        order: the product.
        reason: what went wrong.
        now: when.
        rules: retry limits.
        progress: whether bytes arrived; then the attempt does not count as failed.

    Example:
        >>> from landloom.model.time import parse_instant
        >>> now, rules = parse_instant("2024-01-01"), Rules(attempts=2)
        >>> once = failed_attempt(Order(id="a", href=""), reason="HTTP 500", now=now, rules=rules)
        >>> (once.due - now).seconds, failed_attempt(once, reason="HTTP 500", now=now, rules=rules).state.value
        (30, 'failed')
    """
    attempts = order.attempts + (0 if progress else 1)
    if attempts >= rules.attempts:
        return failed(replace(order, attempts=attempts), reason=f"{reason} ({attempts} times)")
    wait = min(rules.first_retry * 2 ** min(max(attempts - 1, 0), 30), rules.longest_retry)
    return replace(order, attempts=attempts, due=now + wait, reason=reason)


def done(order: Order) -> Order:
    """The state after a product is on disk and its checksum matches.

    Example:
        >>> done(Order(id="a", href="")).state.value
        'done'
    """
    return replace(order, state=State.DONE, due=None, attempts=0, reason="")


def failed(order: Order, *, reason: str, gone: bool = False) -> Order:
    """The state after a product is permanently unavailable, or the retries are exhausted.

    Example:
        >>> failed(Order(id="a", href=""), reason="HTTP 410").reason
        'HTTP 410'
    """
    return replace(order, state=State.FAILED, due=None, reason=reason, gone=gone)


def reopened(order: Order) -> Order:
    """A product to be retried: it failed in an earlier run, or its file is missing.

    Placed orders remain placed, and the provider's pace is kept.

    Example:
        >>> reopened(Order(id="a", href="", state=State.FAILED, attempts=9)).state.value
        'unknown'
    """
    return replace(
        order, state=State.UNKNOWN, due=None, attempts=0, online_since=None, refused_since=None, reason="", gone=False
    )
