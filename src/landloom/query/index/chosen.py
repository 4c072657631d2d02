"""What reads pixels of a selection needs of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from landloom.model.time import Period
    from landloom.query.index.sidecar import Rows, Sidecar
    from landloom.query.recent import Kept


class Chosen(Protocol):
    """Selected samples with period and bands: the interface of a selection."""

    @property
    def sidecar(self) -> Sidecar:
        """The corpus's index."""
        ...

    @property
    def rows(self) -> Rows:
        """Ascending rows of the samples."""
        ...

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the samples."""
        ...

    @property
    def period(self) -> Period | None:
        """Period; None for all time."""
        ...

    @property
    def bands(self) -> tuple[str, ...] | None:
        """Names of bands; None for all."""
        ...

    @property
    def base(self) -> str:
        """Location of the files; ends with a slash."""
        ...

    @property
    def opened(self) -> Kept[Any]:
        """Key of a product → its reader, as it was first used."""
        ...

    def __len__(self) -> int: ...


class Identified(Protocol):
    """One sample, as a selection gives it."""

    @property
    def id(self) -> str:
        """Its id."""
        ...
