"""An order book in one file, for fetching that is killed and goes on."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from landloom.archive.orders.fetch import order_document, order_of
from landloom.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from landloom.archive.orders.states import Order


class FileOrderBook:
    """Orders in one JSON file, replaced whole at every change."""

    def __init__(self, path: Path) -> None:
        """Name the file; it need not exist."""
        self._path = path
        self._orders: dict[str, Order] | None = None

    def load(self) -> Mapping[str, Order]:
        """See `OrderBook`.

        Raises:
            StoreError: the file is not one of ours.
        """
        if self._orders is None:
            self._orders = {}
            if self._path.exists():
                try:
                    rows = json.loads(self._path.read_text(encoding="utf-8"))
                    self._orders = {row["id"]: order_of(row) for row in rows}
                except (ValueError, KeyError, TypeError) as error:
                    raise StoreError(f"{self._path}: no book of orders: {error}") from error
        return dict(self._orders)

    def save(self, order: Order) -> None:
        """See `OrderBook`."""
        self.load()
        known = self._orders if self._orders is not None else {}
        known[order.id] = order
        text = json.dumps([order_document(each) for each in known.values()], indent=1)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(f"{self._path.name}.tmp")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
