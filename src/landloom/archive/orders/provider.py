"""What a provider of whole products must be able to do; in a long-term archive they come online only when ordered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from landloom.errors import TransientFaultError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from landloom.archive.orders.states import Order


class OfflineError(TransientFaultError):
    """The product is not online: it has to be ordered first."""


class QuotaError(TransientFaultError):
    """The provider takes no more requests of this kind just now."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        """Seconds that the provider asks to wait; None where it does not say."""
        super().__init__(message)


class CredentialsError(TransientFaultError):
    """The provider does not accept the account, or not any more: nothing else will succeed until that is mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAnswer:
    """The answer to an order."""

    online: bool = False
    """Whether the product turned out to be online already."""
    retry_after: float | None = None
    """Seconds after which the provider wants to be asked again; None where it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A product on its way."""

    start: int
    """Byte of the product that comes first; 0 where the provider ignored the wish to resume."""
    total: int | None
    """Bytes of the whole product, where the answer says."""
    chunks: Iterator[bytes]
    """The bytes, as they come; raises TransientFaultError when the connection is cut."""


class ProductProvider(Protocol):
    """Orders and serves products.

    Every method raises `PermanentFaultError` for a product that is gone for good, `QuotaError` over quota, and another
    `TransientFaultError` for everything that may pass; `CredentialsError` ends the run.
    """

    def is_online(self, order: Order) -> bool:
        """Whether a product can be downloaded now."""
        ...

    def place(self, order: Order) -> OrderAnswer:
        """Ask for a product to be brought online."""
        ...

    def read(self, order: Order, start: int) -> AbstractContextManager[Stream]:
        """Open a product from a byte on.

        Raises:
            OfflineError: it is not online (any more).
        """
        ...
