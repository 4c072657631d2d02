"""The interface of a provider of whole products; a long-term archive brings them online only when ordered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from landloom.errors import TransientFaultError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from landloom.archive.orders.states import Order


class OfflineError(TransientFaultError):
    """The product is not online; it must be ordered first."""


class QuotaError(TransientFaultError):
    """The provider temporarily accepts no more requests of this kind."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        """Seconds that the provider asks to wait; None if not stated."""
        super().__init__(message)


class CredentialsError(TransientFaultError):
    """The provider does not accept the account (any more); no request can succeed until this is fixed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAnswer:
    """The response to an order."""

    online: bool = False
    """Whether the product is online already."""
    retry_after: float | None = None
    """Seconds after which the provider asks for the next request; None if not stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A running download."""

    start: int
    """Offset of the first byte; 0 if the provider does not support resuming."""
    total: int | None
    """Bytes of the whole product, if stated."""
    chunks: Iterator[bytes]
    """The bytes as they arrive; raises TransientFaultError if the connection is dropped."""


class ProductProvider(Protocol):
    """Orders and serves products.

    Every method raises `PermanentFaultError` for a product that is permanently unavailable, `QuotaError` over quota,
    and another `TransientFaultError` for everything that may pass; `CredentialsError` ends the run.
    """

    def is_online(self, order: Order) -> bool:
        """Whether a product can be downloaded now."""
        ...

    def order(self, order: Order) -> OrderAnswer:
        """Ask for a product to be brought online."""
        ...

    def read(self, order: Order, start: int) -> AbstractContextManager[Stream]:
        """Open a product, starting at a byte offset.

        Raises:
            OfflineError: it is not online (any more).
        """
        ...
