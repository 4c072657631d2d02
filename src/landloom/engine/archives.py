"""What a build reads pixels from: the recipe's archive, or products that a provider's long-term archive has let go."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from landloom.archive.open import open_archive
from landloom.archive.orders.fetch import fetch_products, order_document, order_of
from landloom.archive.orders.states import Order, Rules, State, orders_of
from landloom.engine.scenes import choose, open_recipe_archive, read_choice
from landloom.errors import BuildError, InvalidInputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from landloom.archive.choice import SceneChoice
    from landloom.archive.orders.fetch import FetchReport
    from landloom.archive.orders.odata import ODataProducts
    from landloom.archive.search import Archive
    from landloom.engine.context import Workshop
    from landloom.engine.journal import Journal
    from landloom.engine.project import Project
    from landloom.model.recipe import ArchiveSection

ORDERS: Final = "order"
"""Kind of the journal's notes about products that are fetched."""
USER: Final = "LANDLOOM_USER"
"""Environment variable: name of the account at a provider."""
PASSWORD: Final = "LANDLOOM_PASSWORD"  # noqa: S105 - the name of a variable
"""And its password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Scenes for a build."""

    archive: Archive
    """What pixels are read from; without fetching, the provider's catalogue."""
    chosen: frozenset[str] | None
    """Ids of the scenes that are taken; all if None."""
    problems: tuple[Problem, ...]
    """What was wrong before the first search, survived."""


class JournalOrders:
    """Orders in a build's journal; an `OrderBook`.

    Example:
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


def supply(project: Project, shop: Workshop, *, fetch: bool = True, allow_missing: bool = False) -> Supply:
    """Open the recipe's archive and choose; products of a provider are fetched first, however long that takes.

    Where a file chooses and all it names lies on disk already, the provider is not asked at all.

    Args:
        project: the recipe in its folder.
        shop: keeps the orders in its journal.
        fetch: whether to fetch; without, only the provider's catalogue is asked.
        allow_missing: go on without products that could not be had.

    Raises:
        BuildError: products could not be had; the next build tries again. Those that are gone for good are no reason.
        InvalidInputError: no account, where one is needed.
        FaultError: the archive does not answer.
        StoreError: the disk is full.
    """
    if project.recipe.archive.kind != "odata":
        archive = open_recipe_archive(project)
        chosen = None if project.recipe.scenes is None else _ids(project, choose(project, archive=archive).choice)
        return Supply(archive=archive, chosen=chosen, problems=archive.problems)
    book = JournalOrders(shop.journal)
    known = _known(project, book.load()) if fetch else None
    if known is not None:
        return _fetched(project, shop, known, (), allow_missing=allow_missing)
    catalogue = provider_archive(project, shop.provider)
    found = choose(project, archive=catalogue)
    chosen = _ids(project, found.choice)
    if not fetch:
        return Supply(archive=catalogue, chosen=chosen, problems=catalogue.problems)
    orders = orders_of(found.scenes)
    return _fetched(project, shop, orders, catalogue.problems, allow_missing=allow_missing)


def provider_archive(project: Project, provider: ODataProducts | None) -> Archive:
    """The catalogue of a provider as an archive: the recipe's, unless another is given."""
    if provider is None:
        return open_recipe_archive(project)
    from landloom.archive.orders.odata import ODataArchive

    return ODataArchive(provider, level=project.recipe.archive.level)


def _known(project: Project, book: Mapping[str, Order]) -> tuple[Order, ...] | None:
    """The orders of what a file chooses, where all of them are known; the catalogue need not be asked then."""
    section = project.recipe.scenes
    if section is None or section.file is None:
        return None
    choice = read_choice(project.path(section.file))
    ids = _ids(project, choice)
    return tuple(book[name] for name in choice.ids) if all(name in book for name in ids) else None


def _ids(project: Project, choice: SceneChoice) -> frozenset[str]:
    """What was chosen; nothing is a mistake that is better said before an empty corpus is built."""
    if choice.ids or not choice.candidates:
        return frozenset(choice.ids)
    section, count = project.recipe.scenes, len(choice.candidates)
    if section is not None and section.file is not None:
        raise InvalidInputError(f"{section.file}: none of its {count} lines says yes, wanted a scene to use")
    raise InvalidInputError(f"scenes: none of {count} is left by cloud, overlap, valid, levels and size; loosen them")


def _fetched(
    project: Project, shop: Workshop, orders: tuple[Order, ...], problems: tuple[Problem, ...], *, allow_missing: bool
) -> Supply:
    section = project.recipe.archive
    folder = Path(project.path(section.fetch.folder))
    waiting = [order for order in orders if not _is_there(order, folder)]
    done = _fetch(waiting, section, folder, shop) if waiting else None
    failed = {} if done is None else dict(done.failed)
    gone = frozenset() if done is None else done.gone
    missing = [Problem(where=name, what=reason) for name, reason in sorted(failed.items())]
    if not allow_missing and set(failed) - gone:
        raise BuildError([problem for problem in missing if problem.where not in gone])
    archive = open_archive("safe", str(folder), section.level)
    chosen = frozenset(order.id for order in orders) - failed.keys()
    if not chosen:
        raise InvalidInputError("the provider has none of the chosen products any more: choose others")
    return Supply(archive=archive, chosen=chosen, problems=(*problems, *missing))


def _is_there(order: Order, folder: Path) -> bool:
    """Whether a product was brought, and verified, before; a file of another size is fetched afresh."""
    path = folder / f"{order.id}.zip"
    size = path.stat().st_size if path.is_file() else None
    return order.state is State.DONE and size is not None and order.size in (None, size)


def _fetch(orders: Iterable[Order], section: ArchiveSection, folder: Path, shop: Workshop) -> FetchReport:
    wanted, settings = list(orders), section.fetch
    shop.listener.started("fetching products", len(wanted))

    def report(order: Order) -> None:
        if order.state in (State.DONE, State.FAILED):
            shop.listener.advanced(order.id, order.reason or None)

    rules = Rules(
        order_every=settings.order_every, poll_every=settings.poll_every, first_retry=settings.first_retry,
        longest_retry=max(Rules().longest_retry, settings.first_retry),
    )  # fmt: skip
    provider = shop.provider or open_provider(section)
    return fetch_products(wanted, provider, JournalOrders(shop.journal), folder, rules=rules, report=report)


def open_provider(section: ArchiveSection) -> ODataProducts:
    """The provider that a recipe names, with the account of the environment.

    Raises:
        InvalidInputError: the environment names no account.
    """
    from landloom.archive.orders.odata import CATALOGUE, DOWNLOAD, ODataProducts, ODataService
    from landloom.archive.orders.tokens import TOKENS, PasswordToken

    user, password = os.environ.get(USER), os.environ.get(PASSWORD)
    if not user or not password:
        raise InvalidInputError(f"got no account to fetch products with, wanted it in {USER} and {PASSWORD}")
    href, settings = section.href or CATALOGUE, section.fetch
    download = settings.download or (DOWNLOAD if section.href is None else href)
    if settings.tokens is None and section.href is not None:
        raise InvalidInputError(f"archive.fetch.tokens: missing, wanted where {href} gives tokens")
    token = PasswordToken(user, password, settings.tokens or TOKENS)
    service = ODataService(catalogue=href, download=download, order_action=settings.order_action)
    return ODataProducts(service, token=token)
