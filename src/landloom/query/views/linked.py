"""One sample with everything that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.query.assets import AssetSet


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedSample:
    """One sample with all its files and labels."""

    id: str
    """The sample."""
    assets: Mapping[str, AssetSet]
    """Product → its files of this sample, in time order; products without files are left out."""
    fractions: Mapping[str, float]
    """Label column → fraction of the sample, if it is not 0; columns of the finest level."""

    def __str__(self) -> str:
        return self.id
