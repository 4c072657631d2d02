"""What is counted while a tile is fused, and the notes that tell it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from landloom.engine.units import Note, NoteKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from landloom.imagery.fusion.fuse import FusedSeries, Prepared

FEW: Final = 3
"""Observations of a pixel below which its series is little more than that of pixels like it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Numbers of observations, values and pixels of samples.

    Example:
        >>> (Tally(never=1) + Tally(never=2, few=3)).never
        3
    """

    outliers: int = 0
    """Observations taken for clouds or shadows that the mask has missed."""
    unmatched: int = 0
    """Clear observations of a second sensor that can nowhere nearby be compared with the first."""
    second_only: int = 0
    """Clear observations by the second sensor of pixels that the first never shows."""
    clipped: int = 0
    """Values outside of the valid range."""
    never: int = 0
    """Pixels without any usable observation of the reference sensor."""
    few: int = 0
    """Pixels with fewer than `FEW`."""

    @classmethod
    def of(
        cls,
        made: Prepared,
        part: tuple[slice, slice],
        series: FusedSeries,
        known: NDArray[np.bool_],
        used: NDArray[np.bool_],
    ) -> Self:
        """Count a sample.

        Args:
            made: of its block.
            part: rows and columns of the sample in it.
            series: of the sample.
            known: (y, x) where it has values.
            used: (time, y, x) observations of all sensors behind them.
        """
        outliers, unmatched, second_only = series.outliers, 0, 0
        if made.second is not None and series.used_second is not None:
            clear = made.second.clear(part)
            if made.bandpass is None:
                unmatched = int(np.count_nonzero(clear))
            else:
                second_only = int(np.count_nonzero(clear & ~known))
                outliers += int(np.count_nonzero(clear & ~series.used_second & known))
        return cls(
            outliers=outliers,
            unmatched=unmatched,
            second_only=second_only,
            clipped=series.clipped,
            never=int(np.count_nonzero(~known)),
            few=int(np.count_nonzero(known & (used.sum(axis=0) < FEW))),
        )

    def __add__(self, other: Tally) -> Tally:
        """The sum of two."""
        return Tally(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})

    def notes(self) -> Iterator[Note]:
        """A note for each number that is not 0."""
        told = (
            (self.outliers, "observations that the mask calls clear, taken for clouds or shadows"),
            (
                self.unmatched,
                "clear observations of the second sensor, which can nowhere nearby be compared with the first",
            ),
            (
                self.second_only,
                "clear observations of the second sensor, of pixels that the reference sensor never shows",
            ),
            (self.clipped, "values outside of the valid range, clipped to it"),
            (self.never, "pixels never observed in the whole period: nodata, 100 % synthetic"),
            (self.few, f"pixels with fewer than {FEW} clear observations: their course is that of pixels like them"),
        )
        yield from (Note(kind=NoteKind.LEFT_OUT, what=what, count=count) for count, what in told if count)
