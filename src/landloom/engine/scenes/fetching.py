"""Whole products of a provider: ordered, fetched and verified before a build reads them; the journal keeps track."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from landloom.archive.orders.fetch import fetch_products, order_document, order_of
from landloom.archive.orders.odata import CATALOGUE, DOWNLOAD, ODataProducts, ODataService
from landloom.archive.orders.states import Order, Rules, State
from landloom.archive.orders.tokens import TOKENS, PasswordToken
from landloom.errors import BuildError, InvalidInputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from landloom.archive.orders.fetch import FetchReport
    from landloom.engine.context import BuildContext
    from landloom.engine.journal import Journal
    from landloom.model.recipe import ArchiveSection
    from landloom.model.recipe.archives import FetchSection

ORDERS: Final = "order"
"""Kind of the journal's notes about products that are fetched."""
USER: Final = "LANDLOOM_USER"
"""Environment variable: name of the account at a provider."""
PASSWORD: Final = "LANDLOOM_PASSWORD"  # noqa: S105 - the name of a variable
"""And its password."""


class JournalOrders:
    """Orders in a build's journal; an `OrderBook`.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from landloom.engine.journal import Journal
        >>> with TemporaryDirectory() as folder, Journal(Path(folder) / "journal.sqlite") as journal:
        ...     JournalOrders(journal).save(Order(id="a", href="h", state=State.ORDERED))
        ...     JournalOrders(journal).load()["a"].state.value
        'ordered'
    """

    def __init__(self, journal: Journal) -> None:
        """Name the journal."""
        self._journal = journal

    def load(self) -> Mapping[str, Order]:
        """See `landloom.archive.orders.fetch.OrderBook`."""
        return {name: order_of(json.loads(text)) for name, text in self._journal.notes(ORDERS).items()}

    def save(self, order: Order) -> None:
        """See `landloom.archive.orders.fetch.OrderBook`."""
        self._journal.keep(ORDERS, order.id, json.dumps(order_document(order)))


def fetch_orders(
    orders: Sequence[Order], section: ArchiveSection, folder: Path, context: BuildContext, *, allow_missing: bool
) -> tuple[frozenset[str], list[Problem]]:
    """Fetch what is not on disk yet, however long that takes.

    Args:
        orders: products wanted.
        section: the archive, as the recipe has it.
        folder: where the zip files go.
        context: keeps the orders in its journal.
        allow_missing: go on without products that could not be had.

    Returns:
        Ids of the products that are there, and a problem for each that is not.

    Raises:
        BuildError: products could not be had; the next build tries again. Those that are gone for good are no reason.
        InvalidInputError: no account, where one is needed; or none of the products is there any more.
        StoreError: the disk is full.
    """
    waiting = [order for order in orders if not _is_there(order, folder)]
    done = _fetch(waiting, section, folder, context) if waiting else None
    failed = {} if done is None else dict(done.failed)
    gone = frozenset() if done is None else done.gone
    missing = [Problem(where=name, what=reason) for name, reason in sorted(failed.items())]
    if not allow_missing and set(failed) - gone:
        raise BuildError([problem for problem in missing if problem.where not in gone])
    there = frozenset(order.id for order in orders) - failed.keys()
    if not there:
        raise InvalidInputError("the provider has none of the chosen products any more: choose others")
    return there, missing


def _is_there(order: Order, folder: Path) -> bool:
    """Whether a product was brought, and verified, before; a file of another size is fetched afresh."""
    path = folder / f"{order.id}.zip"
    size = path.stat().st_size if path.is_file() else None
    return order.state is State.DONE and size is not None and order.size in (None, size)


def _fetch(orders: Iterable[Order], section: ArchiveSection, folder: Path, context: BuildContext) -> FetchReport:
    wanted = list(orders)
    context.listener.started("fetching products", len(wanted))

    def report(order: Order) -> None:
        if order.state in (State.DONE, State.FAILED):
            context.listener.advanced(order.id, order.reason or None)

    provider, book = context.provider or open_provider(section), JournalOrders(context.journal)
    return fetch_products(wanted, provider, book, folder, rules=rules_of(section.fetch), report=report)


def rules_of(settings: FetchSection) -> Rules:
    """When a provider is asked, and asked again, as a recipe says."""
    return Rules(
        order_every=settings.order_every,
        poll_every=settings.poll_every,
        first_retry=settings.first_retry,
        longest_retry=max(Rules().longest_retry, settings.first_retry),
    )


def open_provider(section: ArchiveSection) -> ODataProducts:
    """The provider that a recipe names, with the account of the environment.

    Raises:
        InvalidInputError: the environment names no account.
    """
    user, password = os.environ.get(USER), os.environ.get(PASSWORD)
    if not user or not password:
        raise InvalidInputError(f"got no account to fetch products with, expected it in {USER} and {PASSWORD}")
    href, settings = section.href or CATALOGUE, section.fetch
    download = settings.download or (DOWNLOAD if section.href is None else href)
    if settings.tokens is None and section.href is not None:
        raise InvalidInputError(f"archive.fetch.tokens: missing, expected where {href} gives tokens")
    token = PasswordToken(user, password, settings.tokens or TOKENS)
    service = ODataService(catalogue=href, download=download, order_action=settings.order_action)
    return ODataProducts(service, token=token)
