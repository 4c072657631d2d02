"""Which pixels look like cloud: a look at the colours alone, to find what masks missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def looks_like_cloud(bands: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Pixels that are bright, white and hazy: the spectral tests for potential clouds of Fmask.

    Source: Zhu and Woodcock, Object-based cloud and cloud shadow detection in Landsat imagery, Remote Sensing of
    Environment 118 (2012), equations 1 to 3: whiteness < 0.7, blue − 0.5 red > 0.08, NDVI < 0.8, and where there is a
    short-wave infrared band NDSI < 0.8 and more than 0.03 in it. Bright roofs and sand pass them too, and thin cirrus
    does not: a share of such pixels is a reason to look, not a measurement of cloud.

    Args:
        bands: common name of a band → reflectance, 0 to 1, of one shape; `blue`, `green`, `red` and `nir` are needed,
            `swir16` is used.

    Returns:
        Of the same shape.

    Example:
        >>> grass, cloud = [0.04, 0.06, 0.04, 0.35], [0.45, 0.46, 0.47, 0.5]
        >>> names = ("blue", "green", "red", "nir")
        >>> looks_like_cloud(dict(zip(names, np.array([grass, cloud]).T))).tolist()
        [False, True]
    """
    blue, green, red, nir = (bands[name].astype(np.float32) for name in ("blue", "green", "red", "nir"))
    mean = (blue + green + red) / 3
    with np.errstate(divide="ignore", invalid="ignore"):
        whiteness = (np.abs(blue - mean) + np.abs(green - mean) + np.abs(red - mean)) / mean
        cloudy: NDArray[np.bool_] = (whiteness < 0.7) & (blue - 0.5 * red > 0.08) & ((nir - red) / (nir + red) < 0.8)
        if "swir16" in bands:
            swir = bands["swir16"].astype(np.float32)
            cloudy &= (swir > 0.03) & ((green - swir) / (green + swir) < 0.8)
    return cloudy
