"""Reflectance brought to a nadir view and a fixed sun by the c-factor method.

The ratio of two modelled reflectances, seen from nadir under the fixed sun and as the scene was acquired, is nearly the
same for all land covers within the narrow swaths of Sentinel-2 and Landsat, so that one set of parameters serves all.
The model is that of the MODIS product MCD43: an isotropic, a volumetric (Ross-Thick) and a geometric (Li-Sparse
reciprocal, h/b = 2, b/r = 1) kernel (Lucht, Schaaf & Strahler 2000, IEEE Transactions on Geoscience and Remote Sensing
38, 977-998). Parameters: Roy et al. (2016), Remote Sensing of Environment 176, 255-271, for Landsat; Roy et al. (2017),
Remote Sensing of Environment 199, 25-38, for Sentinel-2; Roy, Li & Zhang (2017), Remote Sensing 9, 1325, for its red
edge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from landloom.model.sensor import SATURATED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.model.grid import Grid
    from landloom.model.scene import Angles
    from landloom.model.sensor import Band

SUN: Final = 45.0
"""Zenith of the fixed sun by default, in degrees."""
MOST_SUN: Final = 80.0
"""Zenith of the sun up to which the model holds, in degrees."""
MOST_VIEW: Final = 60.0
"""… and that of the view."""
_HEIGHT: Final = 2.0
"""h/b: height of the crowns' middle by their vertical radius."""


class Parameters(NamedTuple):
    """Weights of the kernels for a band, in reflectance."""

    isotropic: float
    volumetric: float
    geometric: float


PUBLISHED: Final = {
    "blue": Parameters(0.0774, 0.0372, 0.0079),
    "green": Parameters(0.1306, 0.0580, 0.0178),
    "red": Parameters(0.1690, 0.0574, 0.0227),
    "rededge1": Parameters(0.2085, 0.0845, 0.0256),
    "rededge2": Parameters(0.2316, 0.1003, 0.0273),
    "rededge3": Parameters(0.2599, 0.1197, 0.0294),
    "nir": Parameters(0.3093, 0.1535, 0.0330),
    "nir08": Parameters(0.3093, 0.1535, 0.0330),
    "swir16": Parameters(0.3430, 0.1154, 0.0453),
    "swir22": Parameters(0.2658, 0.0639, 0.0387),
}
"""Colour → global parameters."""
_EDGES: Final = ((0.72, "rededge1"), (0.76, "rededge2"), (0.80, "rededge3"))
"""Centre wavelengths in micrometres below which a red-edge band is called so."""


def parameters(band: Band) -> Parameters | None:
    """The published parameters of a band; None if there are none, as of coastal aerosol and water vapour.

    Example:
        >>> from landloom.model.sensor import SENTINEL2
        >>> parameters(SENTINEL2["B06"]) is PUBLISHED["rededge2"], parameters(SENTINEL2["B01"])
        (True, None)
    """
    name = band.common_name or ""
    if name == "rededge" and band.wavelength is not None:
        name = next((edge for below, edge in _EDGES if band.wavelength < below), "")
    return PUBLISHED.get(name)


def kernels(
    sun: NDArray[np.floating], view: NDArray[np.floating], azimuth: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The volumetric and the geometric kernel.

    Args:
        sun: zenith angles in degrees.
        view: zenith angles in degrees.
        azimuth: between sun and view, in degrees; 0 if both stand on the same side.

    Returns:
        Ross-Thick and Li-Sparse reciprocal, in the shape of the angles.

    Example:
        >>> volumetric, geometric = kernels(np.array([45.0]), np.array([0.0]), np.array([0.0]))
        >>> round(float(volumetric[0]), 4), round(float(geometric[0]), 4)
        (-0.0459, -1.1068)
    """
    s, v, a = (np.radians(np.asarray(one, np.float64)) for one in (sun, view, azimuth))
    cosine = np.clip(np.cos(s) * np.cos(v) + np.sin(s) * np.sin(v) * np.cos(a), -1.0, 1.0)
    phase = np.arccos(cosine)
    volumetric = ((np.pi / 2 - phase) * cosine + np.sin(phase)) / (np.cos(s) + np.cos(v)) - np.pi / 4
    slants = 1 / np.cos(s) + 1 / np.cos(v)
    # (tan s − tan v)² is written out, so that rounding leaves no negative number where both directions are the same.
    apart = (np.tan(s) - np.tan(v)) ** 2 + 2 * np.tan(s) * np.tan(v) * (1 - np.cos(a))
    across = (np.tan(s) * np.tan(v) * np.sin(a)) ** 2
    t = np.arccos(np.clip(_HEIGHT * np.sqrt(apart + across) / slants, -1.0, 1.0))
    overlap = (t - np.sin(t) * np.cos(t)) * slants / np.pi
    geometric = overlap - slants + (1 + cosine) / (2 * np.cos(s) * np.cos(v))
    return volumetric, geometric


def modelled(
    weights: Parameters, sun: NDArray[np.floating], view: NDArray[np.floating], azimuth: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Reflectance by the model; angles as of `kernels`."""
    volumetric, geometric = kernels(sun, view, azimuth)
    return weights.isotropic + weights.volumetric * volumetric + weights.geometric * geometric


def c_factor(
    weights: Parameters,
    sun: NDArray[np.floating],
    view: NDArray[np.floating],
    azimuth: NDArray[np.floating],
    to_sun: float = SUN,
) -> NDArray[np.float64]:
    """What reflectance is multiplied by to be that seen from nadir under a fixed sun.

    Args:
        weights: of the band.
        sun: zenith angles in degrees.
        view: zenith angles in degrees.
        azimuth: between sun and view, in degrees.
        to_sun: zenith of the fixed sun, in degrees.

    Returns:
        Factors in the shape of the angles; NaN where the sun or the view is too low, or an angle is not known.

    Example:
        >>> low, here = np.array([60.0, 45.0, 85.0]), np.array([0.0, 0.0, 0.0])
        >>> [round(float(one), 3) for one in c_factor(PUBLISHED["red"], low, here, here)]
        [1.062, 1.0, nan]
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        fixed = modelled(weights, np.array(to_sun), np.array(0.0), np.array(0.0))
        factor = fixed / modelled(weights, sun, view, azimuth)
        usable = (np.asarray(sun) <= MOST_SUN) & (np.asarray(view) <= MOST_VIEW)
        made: NDArray[np.float64] = np.where(usable & (factor > 0), factor, np.nan)
    return made


def node_factors(angles: Angles, band: Band, to_sun: float = SUN) -> NDArray[np.float32] | None:
    """Factors of a band at the nodes of a scene's angles.

    Nodes without angles take those of the closest one that has them: swaths end between nodes.

    Args:
        angles: of the scene.
        band: of the sensor.
        to_sun: zenith of the fixed sun, in degrees.

    Returns:
        (y, x) factors; None if the band has no published parameters or the scene no angles of it.
    """
    weights, view = parameters(band), angles.view.get(band.name)
    if weights is None or view is None:
        return None
    azimuth = angles.sun.azimuth - view.azimuth
    factor = c_factor(weights, angles.sun.zenith, view.zenith, azimuth, to_sun)
    unknown = ~np.isfinite(factor)
    if unknown.all():
        return None
    if unknown.any():
        from scipy.ndimage import distance_transform_edt

        nearest = distance_transform_edt(unknown, return_distances=False, return_indices=True)
        factor = factor[tuple(nearest)]
    return np.asarray(factor, np.float32)


def factors_on(nodes: NDArray[np.float32], angles: Angles, grid: Grid) -> NDArray[np.float32]:
    """Factors of pixels, by bilinear interpolation between nodes; beyond the outermost ones theirs.

    Args:
        nodes: (y, x) factors, of `node_factors`.
        angles: whose nodes they are.
        grid: pixels, in the CRS of the angles.
    """
    down = (angles.north - grid.north + (np.arange(grid.height) + 0.5) * grid.pixel_height) / angles.step
    right = (grid.west - angles.west + (np.arange(grid.width) + 0.5) * grid.pixel_width) / angles.step
    (top, low), (left, share) = (_between(place, size) for place, size in zip((down, right), nodes.shape, strict=True))
    rows = nodes[top] * (1 - low[:, None]) + nodes[np.minimum(top + 1, nodes.shape[0] - 1)] * low[:, None]
    made = rows[:, left] * (1 - share) + rows[:, np.minimum(left + 1, nodes.shape[1] - 1)] * share
    return np.asarray(made, np.float32)


def _between(place: NDArray[np.floating], size: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Node before each place, and how far it lies towards the next one."""
    inside = np.clip(place, 0, size - 1)
    before = np.minimum(inside.astype(np.int64), max(size - 2, 0))
    return before, (inside - before).astype(np.float32)


def multiplied(numbers: NDArray[np.uint16], factor: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Stored numbers times a factor: nodata stays nodata, saturated stays saturated, nothing else becomes either.

    Example:
        >>> multiplied(np.array([0, 1, 1000, 65535], np.uint16), np.array([1.2, 0.1, 1.2, 0.9], np.float32)).tolist()
        [0, 1, 1200, 65535]
    """
    made = np.clip(np.rint(numbers * factor), 1, SATURATED - 1).astype(np.uint16)
    return np.where((numbers == 0) | (numbers == SATURATED), numbers, made)
