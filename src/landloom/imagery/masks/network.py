"""Clouds and their shadows by the neural network of ukis-csmask, an optional extra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import MissingExtraError
from landloom.imagery.dilation import dilated
from landloom.model.sensor import REFLECTANCE_SCALE

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXTRA: Final = "csmask"
"""Name of the extra."""
COLOURS: Final = (("blue",), ("green",), ("red",), ("nir", "nir08"), ("swir16",), ("swir22",))
"""Common names of the bands that it needs; the first that a sensor has."""
RESOLUTION: Final = 30.0
"""Metres of a pixel at which it works best."""
SMALLEST: Final = 256
"""Pixels of a side of an image that it expects at least."""


def require_network() -> None:
    """Check that the extra is installed.

    Raises:
        MissingExtraError: it is not.
    """
    _network()


def cloudless(bands: NDArray[np.uint16], level: str, dilate: int = 0) -> NDArray[np.bool_]:
    """Pixels without cloud or cloud shadow.

    Args:
        bands: (band, y, x) of `COLOURS`, 10,000 × reflectance, 0 without data; at least `SMALLEST` pixels a side.
        level: processing level; `L1C` is top-of-atmosphere reflectance.
        dilate: pixels by which clouds and shadows grow, as a square.

    Returns:
        (y, x) True where there is neither, and data in every band.

    Raises:
        MissingExtraError: the extra is not installed.
    """
    image = np.ascontiguousarray(np.moveaxis(bands, 0, -1), np.float32) / np.float32(REFLECTANCE_SCALE)
    made = _network()(
        img=image,
        band_order=["blue", "green", "red", "nir", "swir16", "swir22"],
        product_level="l1c" if level == "L1C" else "l2a",
        intra_op_num_threads=1,
        inter_op_num_threads=1,
        providers=["CPUExecutionProvider"],
    )
    clouds = np.asarray(made.csm)[..., 0] != 0
    seen = (bands != 0).all(axis=0)
    if dilate:
        clouds = dilated(clouds & seen, dilate)
    valid: NDArray[np.bool_] = seen & ~clouds
    return valid


def _network() -> Any:
    try:
        from ukis_csmask.mask import CSmask
    except ImportError as error:
        raise MissingExtraError.of(EXTRA, "the mask csmask") from error
    return CSmask
