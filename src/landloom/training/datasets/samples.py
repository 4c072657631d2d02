"""The samples of a selection as plain arrays: small, without locks or maps, so that worker processes can share them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.query.selection import Selection


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Samples:
    """Names and places of samples, in index order."""

    base: str
    """Folder or address of the corpus, without a trailing slash."""
    ids: NDArray[np.bytes_]
    """(n,) ids in ASCII."""
    folders: NDArray[np.bytes_]
    """(n,) zone and tile of each: `33N/16E-243N`."""
    bounds: NDArray[np.float64]
    """(n, 4) west, south, east, north in metres of the sample's CRS."""
    epsg: NDArray[np.int32]
    """(n,) CRS."""
    rows: NDArray[np.int32]
    """(n,) rows of the corpus's index."""

    @classmethod
    def of(cls, selection: Selection) -> Self:
        """The samples of a selection.

        Raises:
            InvalidInputError: it is empty.

        Example:
            >>> from landloom.query.example import example_corpus
            >>> samples = Samples.of(example_corpus().query(split="train"))
            >>> len(samples), samples.id(0), samples.epsg.tolist()
            (2, '33N_16E-243N_29_01', [32633, 32635])
        """
        if not len(selection):
            raise InvalidInputError("got an empty selection, expected at least one sample")
        sidecar, rows = selection.sidecar, selection.rows
        return cls(
            base=selection.base.rstrip("/"),
            ids=sidecar.ids(rows),
            folders=np.array(sidecar.directories(rows)),
            bounds=np.array(sidecar.squares(rows), np.float64),
            epsg=np.array(sidecar.epsg(rows)),
            rows=np.array(rows),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def id(self, number: int) -> str:
        """Id of a sample."""
        return bytes(self.ids[number]).decode("ascii")

    def folder(self, number: int) -> str:
        """Zone and tile of a sample as folders."""
        return bytes(self.folders[number]).decode("ascii")

    def take(self, chosen: NDArray[np.integer]) -> Self:
        """Some of them."""
        parts = {name: getattr(self, name)[chosen] for name in ("ids", "folders", "bounds", "epsg", "rows")}
        return replace(self, **parts)
