"""Recipes of windows whose scenes come as whole products, from disk or from a provider on the loopback."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import shapely
import yaml
from tests.projects import SERIES, write_series

from landloom.archive.orders.odata import ODataProducts, ODataService
from landloom.archive.orders.tokens import PasswordToken
from landloom.engine.journal import Journal
from landloom.engine.place import JOURNAL
from landloom.engine.scenes.fetching import JournalOrders
from landloom.errors import PermanentFaultError
from landloom.simulate.server import ArchiveServer, Habits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landloom.archive.orders.provider import Stream
    from landloom.archive.orders.states import Order

FETCH = {"order_every": 0.05, "poll_every": 0.05, "first_retry": 0.05}
EVERYWHERE = shapely.box(-180, -90, 180, 90)


def write_recipe(folder: Path, archive: dict[str, Any], **changes: Any) -> Path:
    """A recipe of windows without labels over the eastern place."""
    write_series(folder, folder)
    document = yaml.safe_load(SERIES) | {"layouts": ["chips"], "archive": archive} | changes
    del document["parcels"]
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


@contextmanager
def provider(folder: Path, **habits: Any) -> Iterator[tuple[ODataProducts, str]]:
    """A provider of the products in a folder, and the address of its catalogue."""
    settings = Habits(retry_after=0, **habits)
    with ArchiveServer(folder, settings) as server:
        service = ODataService(catalogue=server.catalogue, download=server.catalogue)
        yield ODataProducts(service, token=PasswordToken("demo", "demo", server.tokens)), server.catalogue


def orders_in(corpus: Path) -> dict[str, Order]:
    """What the journal of a build knows of products."""
    with Journal(corpus / JOURNAL) as journal:
        return dict(JournalOrders(journal).load())


class Without(ODataProducts):
    """A provider that has lost a product between search and download."""

    def __init__(self, inner: ODataProducts, lost: str) -> None:
        self.__dict__ |= inner.__dict__
        self._lost = lost

    def is_online(self, order: Order) -> bool:
        if order.id == self._lost:
            raise PermanentFaultError(f"{order.href}: HTTP 410")
        return super().is_online(order)

    @contextmanager
    def read(self, order: Order, start: int) -> Iterator[Stream]:
        if order.id == self._lost:
            raise PermanentFaultError(f"{order.href}: HTTP 410")
        with super().read(order, start) as stream:
            yield stream
