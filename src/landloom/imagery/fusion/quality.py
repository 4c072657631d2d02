"""Quality layers of fused series, in the order and meaning published for RapidAI4EO (documentation, appendix 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError
from landloom.imagery.masks.rules import plain_values
from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.model.sensor import Classification

QUALITY_NODATA: Final = 65_535
"""Stored value of a layer that says nothing about a pixel."""
MEMORY: Final = 15.0
"""Days after which an observation's share of a value has fallen to 37 %."""
CLEAR, CLOUD, SHADOW, CIRRUS = 0, 1, 2, 3
_WORDS: Final = {
    "cloud": CLOUD,
    "cloud-medium": CLOUD,
    "cloud-high": CLOUD,
    "dilated-cloud": CLOUD,
    "adjacent": CLOUD,
    "cloud-shadow": SHADOW,
    "cirrus": CIRRUS,
}
"""Word of a class or bit → code."""


def cloud_codes(classes: NDArray[Any], layer: Classification) -> NDArray[np.uint16]:
    """Cloud mask of a scene: 0 clear, 1 cloud, 2 shadow, 3 cirrus, `QUALITY_NODATA` without data.

    Args:
        classes: values of its classification.
        layer: what they mean: classes or quality bits. Unusable classes without a word count as cloud;
            nothing is known of classes that are not among those with words.

    Example:
        >>> from landloom.model.sensor import LANDSAT_C2_L2, SENTINEL_2_L2A
        >>> cloud_codes(np.array([0, 4, 3, 9, 10]), SENTINEL_2_L2A.classification).tolist()
        [65535, 0, 2, 1, 3]
        >>> cloud_codes(np.array([1, 64, 16, 8, 4]), LANDSAT_C2_L2.classification).tolist()
        [65535, 0, 2, 1, 3]
    """
    if classes.dtype in {np.dtype(np.uint8), np.dtype(np.uint16)} and classes.size > np.iinfo(classes.dtype).max:
        every = np.arange(np.iinfo(classes.dtype).max + 1, dtype=classes.dtype)
        codes: NDArray[np.uint16] = _looked_up(_cloud_codes(every, layer), np.ascontiguousarray(classes))
        return codes
    return _cloud_codes(classes, layer)


def _cloud_codes(classes: NDArray[Any], layer: Classification) -> NDArray[np.uint16]:
    values, codes = plain_values(classes), np.zeros(classes.shape, np.uint16)
    if layer.blocked:
        for bit, word in layer.words.items():
            if layer.blocked >> bit & 1:
                codes[(values >> bit) & 1 == 1] = _WORDS.get(word, CLOUD)
    elif layer.words:
        codes[~np.isin(values, [*layer.words, *layer.clear])] = QUALITY_NODATA
        for value, word in layer.words.items():
            codes[values == value] = _WORDS.get(word, CLEAR)
    else:
        codes[~np.isin(values, sorted(layer.clear))] = CLOUD
    nothing = classes == 0
    if not layer.zero:
        nothing |= classes == layer.nodata
        nothing |= (classes & (layer.nodata or 0) != 0) if layer.blocked else False
    codes[nothing] = QUALITY_NODATA
    return codes


@kernel
def _looked_up(table: NDArray[np.uint16], values: NDArray[Any]) -> NDArray[np.uint16]:
    """The code of each value."""
    codes = np.empty(values.shape, np.uint16)
    flat, given = codes.reshape(-1), values.reshape(-1)
    for p in range(flat.size):
        flat[p] = table[given[p]]
    return codes


@kernel
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
    made = np.empty((count, 5 + bands, height, width), np.uint16)
    away = np.abs(days[None] - targets[:, None])
    share = np.where(away <= half, 0.0, 100 * (1.0 - np.exp(-away / MEMORY)))
    told = np.stack([np.rint(share), np.minimum(np.rint(away), QUALITY_NODATA - 1)]).astype(np.uint16)
    counted = np.minimum(references, QUALITY_NODATA - 1).astype(np.uint16)
    _place_layers(nearest_dates(used, days, targets), told, codes, counted, clouds, sigma, made)
    return made


@kernel
def _place_layers(
    nearest: NDArray[np.int32],
    told: NDArray[np.uint16],
    codes: NDArray[np.uint16],
    references: NDArray[np.uint16],
    clouds: NDArray[np.uint16],
    sigma: NDArray[np.uint16],
    made: NDArray[np.uint16],
) -> None:
    """Layers by the nearest observation of each pixel; `told` has (synthetic share or days, target, time)."""
    nothing = np.uint16(QUALITY_NODATA)
    for n in range(made.shape[0]):
        for y in range(made.shape[2]):
            for x in range(made.shape[3]):
                t = nearest[n, y, x]
                known = t >= 0
                made[n, 0, y, x] = told[0, n, t] if known else np.uint16(100)
                made[n, 1, y, x] = told[1, n, t] if known else nothing
                made[n, 2, y, x] = clouds[n, y, x]
                made[n, 3, y, x] = codes[t] if known else nothing
                made[n, 4, y, x] = references[y, x] if known else nothing
        for b in range(sigma.shape[1]):
            for y in range(made.shape[2]):
                for x in range(made.shape[3]):
                    made[n, 5 + b, y, x] = sigma[n, b, y, x] if sigma[n, b, y, x] > 0 else nothing


def whole_numbers(values: NDArray[Any], nodata: float | None) -> NDArray[np.uint16]:
    """A delivered layer as it is stored here.

    Args:
        values: as delivered, any shape.
        nodata: number that says nothing; numbers that are not finite say nothing, either.

    Raises:
        InvalidInputError: numbers that are not whole or do not fit.

    Example:
        >>> whole_numbers(np.array([0.0, 30.0, -1.0, np.nan]), -1).tolist()
        [0, 30, 65535, 65535]
    """
    if values.dtype.kind not in "iuf":
        raise InvalidInputError(f"got {values.dtype}, expected numbers")
    said = np.isfinite(values)
    if nodata is not None:
        said &= values != nodata
    known = values[said]
    wrong = known[(known < 0) | (known > QUALITY_NODATA) | (known != np.rint(known))]
    if wrong.size:
        raise InvalidInputError(f"got {wrong[0]:g}, expected whole numbers from 0 to {QUALITY_NODATA}")
    made = np.full(values.shape, QUALITY_NODATA, np.uint16)
    made[said] = known.astype(np.uint16)
    return made
