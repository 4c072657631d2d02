"""Series of pixels with the dates on which they change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from landloom.errors import InvalidInputError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DatedSeries:
    """Series of pixels and their changes.

    Example:
        >>> made = DatedSeries(
        ...     image=np.zeros((1, 4, 2), np.float32), dates=np.array([[0, 5, 10, 15]]),
        ...     valid=np.array([[True, True, False, True]]), event=np.array([[7.0, np.nan]]),
        ... )
        >>> made.changed.tolist()
        [[0.0, 0.0, 0.0, 1.0]]
    """

    image: NDArray[np.float32]
    """(row, time, band) reflectance; any number where not valid."""
    dates: NDArray[np.int64]
    """(row, time) days, ascending; padding at the end is never valid."""
    valid: NDArray[np.bool_]
    """(row, time)."""
    event: NDArray[np.float64]
    """(row, event) day of each change, on the scale of the dates; not a number where there is none."""

    def __post_init__(self) -> None:
        rows, times = self.valid.shape
        if self.image.shape[:2] != (rows, times) or self.dates.shape != (rows, times) or len(self.event) != rows:
            raise InvalidValueError(
                f"got series of shape {self.image.shape}, dates {self.dates.shape} and {len(self.event)} events, "
                f"expected those of {rows} rows and {times} timesteps"
            )

    def __len__(self) -> int:
        return len(self.valid)

    @property
    def changed(self) -> NDArray[np.float32]:
        """(row, time) 1 at the first valid timestep on or after each change, 0 elsewhere.

        A change before the first observation, or after the last, is not in the series.
        """
        made = np.zeros(self.valid.shape, np.float32)
        seen = self.valid.any(axis=1)
        first = np.where(seen, self.valid.argmax(axis=1), 0)
        start = np.take_along_axis(self.dates, first[:, None], axis=1)[:, 0]
        for event in self.event.T:
            after = self.valid & (self.dates >= event[:, None])
            rows = np.flatnonzero(after.any(axis=1) & (event > start))
            made[rows, after[rows].argmax(axis=1)] = 1.0
        return made

    def rows(self, chosen: NDArray[Any]) -> Self:
        """Some of them."""
        names = ("image", "dates", "valid", "event")
        return type(self)(**{name: getattr(self, name)[chosen] for name in names})

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several below one another; shorter series are padded.

        Raises:
            InvalidInputError: none at all.
        """
        if not parts:
            raise InvalidInputError("got no series to learn changes from, expected one at least")
        longest = max(part.valid.shape[1] for part in parts)
        most = max(part.event.shape[1] for part in parts)
        values = {
            name: np.concatenate([_padded(getattr(part, name), longest) for part in parts])
            for name in ("image", "dates", "valid")
        }
        event = np.concatenate([_padded(part.event, most, np.nan) for part in parts])
        return cls(**values, event=event)


def _padded(array: NDArray[Any], longest: int, fill: float = 0) -> NDArray[Any]:
    more = [(0, 0), (0, longest - array.shape[1])] + [(0, 0)] * (array.ndim - 2)
    return np.pad(array, more, constant_values=fill) if more[1][1] else array
