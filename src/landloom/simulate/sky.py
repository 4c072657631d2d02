"""Clouds, their shadows, and the resulting scene classification.

An overpass has one sky: a function of position, orbit and day, so neighbouring granules have the same clouds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin, tan
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.model.sensor import Scl
from landloom.simulate import pixels
from landloom.simulate.noise import fractal, nearest_seed, quantile, uniform

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.simulate.spec import WorldSpec

_OCTAVES: Final = 5
_SOFT: Final = 0.045
_THIN: Final = 0.05
_CLOUD_HEIGHT: Final = 1_200.0
_PATCH: Final = 110.0
_LATITUDE: Final = 50.0

# Brightness of a thick cloud in 1e-4, in the order of `spec.BANDS`, and the share of light left in a deep shadow.
_CLOUD: Final = (6600, 6500, 6300, 6400, 6500, 6600, 6700, 6700, 6800, 4200, 4600, 3400)
_SHADOW: Final = (0.62, 0.58, 0.52, 0.48, 0.46, 0.42, 0.40, 0.38, 0.37, 0.37, 0.34, 0.33)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sky:
    """The clouds over a grid at one overpass."""

    cloud: NDArray[np.float32]
    """(y, x) opacity: 0 without cloud, else 0.05 to 1."""
    shadow: NDArray[np.float32]
    """(y, x) depth of shadow on open ground, 0 to 1."""
    missed: NDArray[np.bool_]
    """(y, x) whether the scene classification would miss a cloud here."""


def sun(instant: datetime) -> tuple[float, float]:
    """Azimuth and elevation of the sun in degrees at the overpass, accurate enough for shadows.

    Example:
        >>> from datetime import UTC, datetime
        >>> [round(v) for v in sun(datetime(2018, 6, 21, tzinfo=UTC))]
        [155, 60]
    """
    day = instant.timetuple().tm_yday
    declination = 23.44 * sin(2.0 * np.pi * (day - 81) / 365.25)
    return 165.0 - 10.0 * sin(2.0 * np.pi * (day - 81) / 365.25), 90.0 - _LATITUDE + declination - 3.5


def sky_key(spec: WorldSpec, instant: datetime, orbit: int) -> int:
    """The seed of an overpass."""
    return ((spec.seed * 400 + orbit) * 4_000 + instant.year) * 400 + instant.timetuple().tm_yday


def sky(
    spec: WorldSpec, key: int, instant: datetime, cover: float, x: NDArray[np.float64], y: NDArray[np.float64]
) -> Sky:
    """The sky over positions of the frame.

    Args:
        spec: spec of the world.
        key: key of the overpass, from `sky_key`.
        instant: time of the overpass; determines the position of the sun.
        cover: target cloud cover over a wide area, 0 to 1; 0 gives no clouds and 1 only clouds.
        x: (y, x) positions.
        y: (y, x) positions.
    """
    azimuth, elevation = sun(instant)
    reach = _CLOUD_HEIGHT / tan(radians(max(elevation, 18.0)))
    away_x, away_y = -reach * sin(radians(azimuth)), -reach * cos(radians(azimuth))
    cloud = _opacity(spec, key, cover, x, y)
    shadow, below = np.zeros_like(cloud), cloud == 0.0
    shadow[below] = _opacity(spec, key, cover, x[below] - away_x, y[below] - away_y)
    i, j = nearest_seed(x / _PATCH, y / _PATCH, key + 11)
    # A completely overcast sky: no part of it is classified as land.
    missed = (uniform(i, j, key + 13) < spec.missed) & (cover < 1.0)
    return Sky(cloud=cloud, shadow=shadow, missed=missed)


def _opacity(
    spec: WorldSpec, key: int, cover: float, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float32]:
    if cover <= 0.0:
        return np.zeros(x.shape, dtype=np.float32)
    field = fractal(x, y, scale=spec.cloud_scale, octaves=_OCTAVES, seed=key)
    ramp = np.clip((field - quantile(1.0 - cover, _OCTAVES)) / _SOFT, 0.0, 1.0)
    opacity = (ramp * ramp * (3.0 - 2.0 * ramp)).astype(np.float32)
    opacity[opacity < _THIN] = 0.0
    return opacity


def through(sky: Sky, ground: NDArray[np.float32], row: int) -> NDArray[np.float32]:
    """Ground reflectance observed through a sky.

    Args:
        sky: the sky over the grid.
        ground: (y, x) reflectance in 1e-4.
        row: index of the band in `spec.BANDS`.
    """
    return pixels.through(ground, sky.cloud, sky.shadow, _SHADOW[row], _CLOUD[row])


def classify(
    sky: Sky, red: NDArray[np.float32], nir: NDArray[np.float32], swir: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """The scene classification of a 20 m grid, from the sky at 10 m and the ground at 20 m.

    A 20 m pixel is cloudy, or in shadow, if any of its four 10 m pixels is; missed clouds get the class of the ground.

    Args:
        sky: (2y, 2x).
        red: (y, x) B04 of the ground, in 1e-4.
        nir: (y, x) B8A.
        swir: (y, x) B11.

    Returns:
        (y, x) uint8 of `Scl`.
    """
    cloud, shadow = _quarters(sky.cloud), _quarters(sky.shadow)
    missed = _quarters(sky.missed.astype(np.float32)) > 0.5
    greenness = (nir - red) / np.maximum(nir + red, 1.0)
    scl = np.full(red.shape, Scl.BARE, dtype=np.uint8)
    scl[greenness > 0.45] = Scl.VEGETATION
    scl[(greenness > 0.38) & (greenness <= 0.45)] = Scl.UNCLASSIFIED
    scl[(nir < 500.0) & (swir < 400.0)] = Scl.WATER
    scl[shadow > 0.0] = Scl.CLOUD_SHADOW
    for least, code in ((0.0, Scl.CIRRUS), (0.3, Scl.CLOUD_MEDIUM), (0.7, Scl.CLOUD_HIGH)):
        scl[(cloud > least) & ~missed] = code
    return scl


def _quarters(values: NDArray[np.float32]) -> NDArray[np.float32]:
    upper, lower = values[::2], values[1::2]
    rows = np.maximum(upper, lower)
    largest: NDArray[np.float32] = np.maximum(rows[:, ::2], rows[:, 1::2])
    return largest
