"""A sensor's overpasses over a tile, and how the scenes of a fused series have been read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.engine.units import Note, NoteKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.corpus.lineage import NadirRecord
    from landloom.engine.pixels.masks import PixelMask
    from landloom.model.scene import Scene
    from landloom.model.time import Period

_DAY: Final = 86_400.0


def day_of(instant: datetime) -> float:
    """Days since 1970."""
    return instant.timestamp() / _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A sensor's overpasses over a tile; a value that is sent to workers."""

    bands: tuple[str, ...]
    """In the order of the product."""
    mask: PixelMask
    passes: tuple[tuple[Scene, ...], ...]
    """In time order; scenes of neighbouring granules are one."""
    footprint: int
    """Pixels of the product along a side of the sensor's own pixel."""
    to_sun: float | None = None
    """Zenith of the sun, in degrees, that reflectance is brought to, seen from nadir; None to leave it as it is."""

    @property
    def read(self) -> tuple[str, ...]:
        """All bands that are read."""
        return self.mask.with_bands(self.bands)

    def within(self, period: Period) -> Source:
        """The same, of the overpasses of a period."""
        kept = tuple(group for group in self.passes if min(scene.time for scene in group) in period)
        return replace(self, passes=kept)

    @property
    def days(self) -> NDArray[np.float64]:
        """(overpass) days since 1970."""
        return np.array([day_of(min(scene.time for scene in group)) for group in self.passes], np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFacts:
    """How a scene that was used has been read."""

    clamped: int
    """Valid pixels that the offset would have taken below 1."""
    stored: Mapping[str, str]
    """Band → what was done to its numbers beyond the offset."""
    validity: str | None
    """Source of the usable pixels, where the sensor has no classification."""
    nadir: NadirRecord | None = None
    """How it was brought to a nadir view, if the recipe asks for that."""


def nadir_notes(used: Mapping[str, SceneFacts]) -> tuple[Note, ...]:
    """How many scenes were not brought to a nadir view, and why, where the recipe asks for it.

    Args:
        used: scene → how it has been read.
    """
    reasons = Counter(facts.nadir.absent for facts in used.values() if facts.nadir is not None)
    return tuple(
        Note(kind=NoteKind.AS_SEEN, what=f"scenes not brought to nadir: {reason}", count=count)
        for reason, count in sorted((key, value) for key, value in reasons.items() if key is not None)
    )
