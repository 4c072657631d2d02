"""Quality layers of fused series, in the order and meaning published for RapidAI4EO (documentation, appendix 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numba import njit

from landloom.model.sensor import Scl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.model.sensor import Classification

QUALITY_NODATA: Final = 65_535
"""Stored value of a layer that says nothing about a pixel."""
MEMORY: Final = 15.0
"""Days after which an observation's share of a value has fallen to 37 %."""
CLEAR, CLOUD, SHADOW, CIRRUS = 0, 1, 2, 3
_CLASSES: Final = {
    int(Scl.CLOUD_SHADOW): SHADOW,
    int(Scl.CLOUD_MEDIUM): CLOUD,
    int(Scl.CLOUD_HIGH): CLOUD,
    int(Scl.CIRRUS): CIRRUS,
}
_OF_CLASS: Final = np.full(len(Scl) + 1, QUALITY_NODATA, np.uint16)
"""Class → code; of unknown ones, which count as the last, nothing is known."""
for _value in Scl:
    _OF_CLASS[int(_value)] = QUALITY_NODATA if _value == 0 else _CLASSES.get(int(_value), CLEAR)
_BITS: Final = ((1, CLOUD), (2, CIRRUS), (3, CLOUD), (4, SHADOW))


def cloud_codes(classes: NDArray[Any], layer: Classification) -> NDArray[np.uint16]:
    """Cloud mask of a scene: 0 clear, 1 cloud, 2 shadow, 3 cirrus, `QUALITY_NODATA` without data.

    Args:
        classes: values of its classification.
        layer: what they mean: Sen2Cor's classes, or quality bits.

    Example:
        >>> from landloom.model.sensor import LANDSAT_C2_L2, SENTINEL_2_L2A
        >>> cloud_codes(np.array([0, 4, 3, 9, 10]), SENTINEL_2_L2A.classification).tolist()
        [65535, 0, 2, 1, 3]
        >>> cloud_codes(np.array([1, 64, 16, 8, 4]), LANDSAT_C2_L2.classification).tolist()
        [65535, 0, 2, 1, 3]
    """
    codes = np.zeros(classes.shape, np.uint16)
    if layer.blocked:
        for bit, code in _BITS:
            codes[(classes >> bit) & 1 == 1] = code
        codes[classes & layer.nodata != 0] = QUALITY_NODATA
        return codes
    return _OF_CLASS.take(classes, mode="clip")


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def nearest_dates(
    used: NDArray[np.bool_], days: NDArray[np.float64], targets: NDArray[np.float64]
) -> NDArray[np.int32]:
    """(target, y, x) index of the used observation closest in time, the earlier of two; -1 without any.

    Args:
        used: (time, y, x), times ascending.
        days: (time).
        targets: (target) ascending.
    """
    times, height, width = used.shape
    count = targets.size
    found = np.full((count, height, width), -1, dtype=np.int32)
    for y in range(height):
        for x in range(width):
            before, after = -1, 0
            for n in range(count):
                while after < times and (days[after] <= targets[n] or not used[after, y, x]):
                    if used[after, y, x]:
                        before = after
                    after += 1
                best = before
                if after < times and (before < 0 or days[after] - targets[n] < targets[n] - days[before]):
                    best = after
                found[n, y, x] = best
    return found


def quality_layers(
    used: NDArray[np.bool_],
    days: NDArray[np.float64],
    codes: NDArray[np.uint16],
    references: NDArray[np.bool_],
    clouds: NDArray[np.uint16],
    sigma: NDArray[np.uint16],
    targets: NDArray[np.float64],
    half: float,
) -> NDArray[np.uint16]:
    """The layers: synthetic share, days, cloud mask, traceability, references, and an uncertainty per band.

    A value is not synthetic at all if its pixel was observed within the timestep; else the share grows with the days
    to the closest observation. A pixel that was never observed is synthetic throughout, and the other layers say
    nothing about it but the cloud mask.

    Args:
        used: (time, y, x) observations of all sensors that were used, times ascending.
        days: (time).
        codes: (time) code of each overpass.
        references: (y, x) number of the reference sensor's observations.
        clouds: (target, y, x) of `cloud_codes`, at the scene of each timestep.
        sigma: (target, band, y, x) in 10,000 × reflectance; 0 where there is no value.
        targets: (target) ascending.
        half: half a timestep in days.

    Returns:
        uint16 (target, 5 + band, y, x).
    """
    count, bands, height, width = sigma.shape
    nearest = nearest_dates(used, days, targets)
    known = nearest >= 0
    away = np.where(known, np.abs(days[nearest] - targets[:, None, None]), np.inf)
    made = np.full((count, 5 + bands, height, width), QUALITY_NODATA, np.uint16)
    share = np.where(away <= half, 0.0, 1.0 - np.exp(-away / MEMORY))
    made[:, 0] = np.rint(100 * share).astype(np.uint16)
    made[:, 1] = np.where(known, np.minimum(np.rint(np.where(known, away, 0.0)), QUALITY_NODATA - 1), QUALITY_NODATA)
    made[:, 2] = clouds
    made[:, 3] = np.where(known, codes[nearest], QUALITY_NODATA)
    made[:, 4] = np.where(known, np.minimum(references[None], QUALITY_NODATA - 1), QUALITY_NODATA)
    made[:, 5:] = np.where(sigma > 0, sigma, QUALITY_NODATA)
    return made
