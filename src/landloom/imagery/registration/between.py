"""Displacement between two sensors: scenes of one against composites of the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.imagery.registration.correlation import REACH, peak, surfaces
from landloom.imagery.registration.gradients import gradients, others
from landloom.imagery.registration.shifts import LEAST_CLEAR, LEAST_RATIO, MEMORY_DAYS, MOST_ERROR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.imagery.registration.shifts import Shift

LEAST_SCENES: Final = 3
"""Scenes that have to agree."""
_ALIKE: Final = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """Displacement of all scenes of a sensor against another sensor."""

    right: float
    """Pixels to the east."""
    down: float
    """Pixels to the south."""
    error: float
    """Standard error of either."""


@dataclass(slots=True, kw_only=True)
class BetweenMeter:
    """Measures the displacement between two sensors from windows that are handed in one by one.

    Each scene of the second sensor is compared with the mean of those of the first, near ones foremost; what it is
    displaced beside the others of its own sensor is taken off.

    Example:
        >>> from landloom.imagery.registration.shifts import ShiftMeter
        >>> rng = np.random.default_rng(0)
        >>> ground = rng.integers(1_000, 4_000, (90, 90)).astype(np.uint16)
        >>> first, second = np.stack([ground[4:84, 4:84]] * 3), np.stack([ground[4:84, 2:82]] * 3)
        >>> meter = BetweenMeter(days=np.arange(0.0, 9.0, 3.0), second=np.arange(1.0, 10.0, 3.0))
        >>> meter.add(first, np.ones(first.shape, bool), second, np.ones(second.shape, bool))
        >>> own = ShiftMeter(days=meter.second)
        >>> own.add(second, np.ones(second.shape, bool))
        >>> round(meter.offset(own.shifts()).right)
        2
    """

    days: NDArray[np.float64]
    """(scene) of the first sensor, ascending."""
    second: NDArray[np.float64]
    """(scene) of the second sensor, ascending."""
    _sum: NDArray[np.float64] = field(init=False)
    _mass: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self._sum = np.zeros((len(self.second), 2 * REACH, 2 * REACH))
        self._mass = np.zeros(len(self.second))

    def add(
        self,
        stack: NDArray[Any],
        valid: NDArray[np.bool_],
        second: NDArray[Any],
        second_valid: NDArray[np.bool_],
    ) -> None:
        """Add a window, in which both sensors have pixels of one size.

        Args:
            stack: (scene, y, x) of the first sensor, in one band.
            valid: (scene, y, x) its clear pixels.
            second: (scene, y, x) of the second sensor, in the same colour.
            second_valid: (scene, y, x) its clear pixels.
        """
        first, there = gradients(stack, valid)
        seen, known = gradients(second, second_valid)
        days = np.concatenate([self.days, self.second])
        order = np.argsort(days, kind="stable")
        own = np.argsort(order)[len(self.days) :]
        told = np.concatenate([there, np.zeros_like(known)])[order]
        reference, weight = others(np.concatenate([first, seen])[order], told, days[order], MEMORY_DAYS)
        both = known & (weight[own] > 0)
        mass = both.mean(axis=(1, 2))
        some = np.flatnonzero(mass >= LEAST_CLEAR)
        found = surfaces(seen[some], reference[own][some], both[some])
        for t, surface in zip(some.tolist(), found, strict=True):
            self._sum[t] += mass[t] * surface
            self._mass[t] += mass[t]

    def offset(self, own: Sequence[Shift | None]) -> Offset | None:
        """The displacement; None if too few scenes could be compared, or they disagree.

        Args:
            own: displacement of each scene of the second sensor beside the others of that sensor.
        """
        found = []
        for t in np.flatnonzero(self._mass > 0).tolist():
            one, shift = peak(self._sum[t] / self._mass[t]), own[t]
            if shift is not None and shift.is_sure and one.height >= LEAST_RATIO * one.second:
                found.append((one.right - shift.right, one.down - shift.down))
        if len(found) < LEAST_SCENES:
            return None
        right, down = np.median(found, axis=0).tolist()
        scatter = 1.4826 * float(np.median(np.abs(np.array(found) - (right, down)), axis=0).max())
        error = float(np.hypot(scatter / np.sqrt(len(found)), _ALIKE))
        return Offset(right=right, down=down, error=error) if error <= MOST_ERROR else None
