"""The judge's sensors as if each had seen the ground at its own angles, and brought back to nadir by the c-factor.

The judge's land has no directions: it is multiplied by what kernels make of it. Those of every pixel differ by up to
40 % from the published ones that correct it, and the sensors' own angles are those of the edges of their swaths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.imagery.harmonise.directions import PUBLISHED, SUN, Parameters, c_factor, kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLOURS: Final = ("blue", "green", "red", "nir")
"""Of the stacks, in order."""
FIRST: Final = ((9.0, 105.0), (4.0, 285.0))
"""Zenith and azimuth of the first sensor's views, whose orbits alternate."""
SECOND: Final = ((6.0, 285.0), (6.0, 105.0))
"""… and of the second one's."""
_STRONGER: Final = 0.4
_LATITUDE: Final = 52.0
_HOUR: Final = 22.5
"""Degrees by which the sun stands east of the south at half past ten."""


def sun_at(day: float) -> tuple[float, float]:
    """Zenith and azimuth of the sun in degrees at half past ten in central Europe.

    Args:
        day: of the year, from 0.

    Example:
        >>> [round(angle) for angle in sun_at(172.0)], [round(angle) for angle in sun_at(355.0)]
        ([33, 140], [78, 159])
    """
    tilt = np.radians(23.44) * np.sin(2 * np.pi * (day - 80) / 365)
    place, hour = np.radians(_LATITUDE), np.radians(-_HOUR)
    height = np.sin(place) * np.sin(tilt) + np.cos(place) * np.cos(tilt) * np.cos(hour)
    south = np.arctan2(np.sin(hour), np.cos(hour) * np.sin(place) - np.tan(tilt) * np.cos(place))
    return float(np.degrees(np.arccos(height))), float(180 + np.degrees(south))


def directed(
    stack: NDArray[np.float32], days: NDArray[np.float64], views: tuple[tuple[float, float], ...], seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A sensor's year as it is seen at its angles, and that brought to nadir.

    Args:
        stack: (time, band, y, x) reflectance from nadir under the fixed sun.
        days: (time) of the year.
        views: zenith and azimuth of its orbits, in turn.
        seed: of the ground's kernels, which both sensors see.

    Returns:
        Both (time, band, y, x).
    """
    strength = np.random.default_rng(seed).uniform(1 - _STRONGER, 1 + _STRONGER, (2, *stack.shape[-2:]))
    seen, nadir = np.empty_like(stack), np.empty_like(stack)
    for t, day in enumerate(days):
        (zenith, azimuth), (sun, south) = views[t % len(views)], sun_at(float(day))
        here = np.array(sun), np.array(zenith), np.array(south - azimuth)
        there = np.array(SUN), np.array(0.0), np.array(0.0)
        for b, colour in enumerate(COLOURS):
            whole = PUBLISHED[colour]
            seen[t, b] = stack[t, b] * _shown(whole, strength, here) / _shown(whole, strength, there)
            nadir[t, b] = seen[t, b] * c_factor(whole, *here)
    return seen, nadir


def _shown(
    whole: Parameters, strength: NDArray[np.float64], direction: tuple[NDArray[np.float64], ...]
) -> NDArray[np.float64]:
    """(y, x) reflectance of pixels whose kernels have their own strength."""
    volumetric, geometric = kernels(*direction)
    made: NDArray[np.float64] = (
        whole.isotropic + strength[0] * whole.volumetric * volumetric + strength[1] * whole.geometric * geometric
    )
    return made
