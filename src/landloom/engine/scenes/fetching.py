"""Whole products from a provider: ordered, downloaded and verified before a build reads them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from landloom.archive.orders.fetch import fetch_products, order_document, order_of
from landloom.archive.orders.odata import CATALOGUE, ODataProducts, ODataService
from landloom.archive.orders.odata_products import DOWNLOAD
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
"""Kind of the journal's notes about downloaded products."""
USER: Final = "LANDLOOM_USER"
"""Environment variable with the name of the account at a provider."""
PASSWORD: Final = "LANDLOOM_PASSWORD"  # noqa: S105 - the name of a variable
"""Environment variable with its password."""


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
        """Set the journal."""
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
    """Download the products that are not on disk, however long that takes.

    Args:
        orders: products to download.
        section: the archive's section of the recipe.
        folder: of the zip files.
        context: its journal keeps the orders.
        allow_missing: continue without products that could not be downloaded.

    Returns:
        Ids of the products on disk, and a problem for each missing one.

    Raises:
        BuildError: products could not be downloaded, except permanently unavailable ones; the next build tries again.
        InvalidInputError: no account, if one is required; or all products are permanently unavailable.
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
    """Whether a product was downloaded and verified before; a file of another size is downloaded again."""
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
    """The rate and retry limits for a provider, from the recipe."""
    return Rules(
        order_every=settings.order_every,
        poll_every=settings.poll_every,
        first_retry=settings.first_retry,
        longest_retry=max(Rules().longest_retry, settings.first_retry),
    )


def open_provider(section: ArchiveSection) -> ODataProducts:
    """The provider of a recipe, with the account from the environment.

    Raises:
        InvalidInputError: there is no account in the environment.
    """
    user, password = os.environ.get(USER), os.environ.get(PASSWORD)
    if not user or not password:
        raise InvalidInputError(f"got no account to download products with, expected it in {USER} and {PASSWORD}")
    href, settings = section.href or CATALOGUE, section.fetch
    download = settings.download or (DOWNLOAD if section.href is None else href)
    if settings.tokens is None and section.href is not None:
        raise InvalidInputError(f"archive.fetch.tokens: missing, expected the URL that issues tokens for {href}")
    token = PasswordToken(user, password, settings.tokens or TOKENS)
    service = ODataService(catalogue=href, download=download, order_action=settings.order_action)
    return ODataProducts(service, token=token)
