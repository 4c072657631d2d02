"""Displacements of all scenes of a place against their common mean, with their quality."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.imagery.registration.correlation import BANDWIDTH, REACH, Peak, peak, surfaces
from landloom.imagery.registration.gradients import STEP, contributions, gradients, others

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEMORY_DAYS: Final = 40.0
"""Days in which the weight of a scene in another's reference falls by 63 %: fields change."""
LEAST_CLEAR: Final = 0.1
"""Share of a window that has to be comparable."""
LEAST_SIDE: Final = 2 * REACH * STEP
"""Smallest side of a window in pixels."""
WORTH: Final = 0.1
"""Pixels from which a displacement is removed."""
MOST_ERROR: Final = 0.1
"""Largest standard error, in pixels, of a displacement that is trusted."""
LEAST_RATIO: Final = 2.0
"""Smallest height of a trusted peak, relative to the highest point elsewhere."""
MOST: Final = 10.0
"""Pixels beyond which a scene is not displaced but wrong."""
_CLOSE: Final = 1.5
_ALIKE: Final = 0.04
_USUAL: Final = 0.3
_FAR: Final = 0.8
_WIDTH: Final = STEP / (2 * np.pi * BANDWIDTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Displacement of a scene against the mean of the scenes of its place.

    Example:
        >>> shift = Shift(right=0.3, down=-0.4, pixel=10.0, error=0.05, height=0.7, ratio=5.0, windows=4)
        >>> round(shift.size, 2), shift.is_sure, shift.is_worth_it, shift.is_too_far, shift.north
        (0.5, True, True, False, 4.0)
    """

    right: float
    """Pixels to the east by which its image is displaced."""
    down: float
    """Pixels to the south."""
    pixel: float
    """Metres of a pixel."""
    error: float
    """Standard error of either, in pixels."""
    height: float
    """Height of the correlation peak: 1 for equal images."""
    ratio: float
    """Height of the peak relative to the highest point elsewhere."""
    windows: int
    """Windows that it was measured in."""

    @property
    def east(self) -> float:
        """Metres to the east by which its image is displaced."""
        return self.right * self.pixel

    @property
    def north(self) -> float:
        """Metres to the north."""
        return -self.down * self.pixel

    @property
    def size(self) -> float:
        """Length in pixels."""
        return float(np.hypot(self.right, self.down))

    @property
    def is_sure(self) -> bool:
        """Whether it can be trusted."""
        return self.error <= MOST_ERROR and self.ratio >= LEAST_RATIO

    @property
    def is_worth_it(self) -> bool:
        """Whether it is trusted, and large enough to be removed."""
        return self.is_sure and self.size >= WORTH

    @property
    def is_too_far(self) -> bool:
        """Whether it is trusted, and so large that the scene cannot be used."""
        return self.is_sure and self.size > MOST


@dataclass(slots=True, kw_only=True)
class ShiftMeter:
    """Measures displacements from windows that are handed in one by one.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> ground = rng.integers(1_000, 4_000, (90, 90)).astype(np.uint16)
        >>> stack = np.stack([ground[4:84, 4:84], ground[4:84, 1:81], ground[4:84, 4:84]])
        >>> meter = ShiftMeter(days=np.array([0.0, 5.0, 10.0]))
        >>> meter.add(stack, np.ones(stack.shape, bool))
        >>> [round(one.right) for one in meter.shifts()]
        [0, 3, 0]
    """

    days: NDArray[np.float64]
    """(scene) ascending; scenes of equal days are one overpass, and are not compared with each other."""
    pixel: float = 10.0
    """Metres of a pixel."""
    _sum: NDArray[np.float64] = field(init=False)
    _share: NDArray[np.float64] = field(init=False)
    _mass: NDArray[np.float64] = field(init=False)
    _single: list[list[Peak]] = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.days)
        self._sum = np.zeros((count, 2 * REACH, 2 * REACH))
        self._share = np.zeros((count, count))
        self._mass = np.zeros(count)
        self._single = [[] for _ in range(count)]

    def add(self, stack: NDArray[Any], valid: NDArray[np.bool_]) -> None:
        """Add a window.

        Args:
            stack: (scene, y, x) of one band; `LEAST_SIDE` pixels a side at least.
            valid: (scene, y, x) clear pixels.

        Raises:
            InvalidValueError: a smaller window.
        """
        seen, known = gradients(stack, valid)
        reference, weight = others(seen, known, self.days, MEMORY_DAYS)
        both = known & (weight > 0)
        mass = both.mean(axis=(1, 2))
        some = np.flatnonzero(mass >= LEAST_CLEAR)
        share = contributions(known, weight, self.days, MEMORY_DAYS)
        found = surfaces(seen[some], reference[some], both[some])
        for t, surface in zip(some.tolist(), found, strict=True):
            self._sum[t] += mass[t] * surface
            self._share[t] += share[t]
            self._mass[t] += mass[t]
            self._single[t].append(peak(surface))

    def shifts(self) -> tuple[Shift | None, ...]:
        """The displacement of each scene; None where it could not be compared with any other."""
        some = np.flatnonzero(self._mass > 0).tolist()
        peaks = [peak(self._sum[t] / self._mass[t]) for t in some]
        errors = [_error(one, self._single[t]) for one, t in zip(peaks, some, strict=True)]
        measured = np.array([(one.right, one.down) for one in peaks]).reshape(-1, 2)
        sure = np.array([one.height >= LEAST_RATIO * one.second for one in peaks], np.bool_)
        places = adjusted(measured, np.where(sure, errors, 9.0), self._share[np.ix_(some, some)])
        made: list[Shift | None] = [None] * len(self.days)
        for t, one, error, (right, down) in zip(some, peaks, errors, places, strict=True):
            made[t] = Shift(
                right=float(right),
                down=float(down),
                pixel=self.pixel,
                error=error,
                height=one.height,
                ratio=one.height / max(one.second, 1e-6),
                windows=len(self._single[t]),
            )
        return tuple(made)


def _error(found: Peak, single: list[Peak]) -> float:
    """Standard error of a displacement: by the height above the floor, or by the scatter of windows if it is larger."""
    error = _WIDTH * found.floor / max(found.height, 1e-6)
    if len(single) >= 3:
        off = np.array([(one.right - found.right, one.down - found.down) for one in single])
        scatter = 1.4826 * float(np.median(np.abs(off), axis=0).max()) / np.sqrt(len(single))
        error = max(error, scatter)
    return float(np.hypot(error, _ALIKE))


def adjusted(
    measured: NDArray[np.float64], error: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Displacements against the common mean from those against means of others, which are displaced themselves.

    A measured displacement is a scene's own minus the mean of those that it was compared with. Scenes that lie more
    than a pixel and a half away have a peak of their own, and do not draw on it. Displacements are expected to be
    small, so that errors do not add up along a chain of scenes; far ones are believed.

    Args:
        measured: (scene, 2) pixels.
        error: (scene) standard errors.
        share: (scene, scene) share of each other scene in what a scene was compared with, to any scale.

    Returns:
        (scene, 2) pixels; the mean of those that lie together is 0.

    Example:
        >>> share = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
        >>> true = np.array([[0.3, 0.0], [-0.3, 0.0], [0.0, 0.0]])
        >>> bool(np.abs(adjusted(true - share @ true, np.full(3, 0.01), share) - true).max() < 1e-2)
        True
    """
    made = measured.copy()
    precise = 1.0 / error
    for _ in range(4):
        close = np.hypot(*(made[:, None] - made[None]).transpose(2, 0, 1)) < _CLOSE
        near = np.where(close, share, 0.0)
        near /= np.maximum(near.sum(axis=1, keepdims=True), 1e-9)
        rows = (np.eye(len(made)) - near) * precise[:, None]
        usual = np.minimum(1.0, _USUAL / np.maximum(np.hypot(*made.T), 1e-9)) ** 2 / _USUAL**2
        made[:] = np.linalg.solve(rows.T @ rows + np.diag(usual), rows.T @ (measured * precise[:, None]))
        made -= _middle(made, precise)
    return made


def _middle(places: NDArray[np.float64], precise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean place of those that lie together."""
    middle: NDArray[Any] = np.median(places, axis=0) if len(places) else np.zeros(2)
    for _ in range(10 if len(places) else 0):
        off = np.hypot(*(places - middle).T)
        weight = precise * np.clip((_CLOSE - off) / (_CLOSE - _FAR), 1e-9, 1.0)
        middle = np.average(places, axis=0, weights=weight)
    return middle
