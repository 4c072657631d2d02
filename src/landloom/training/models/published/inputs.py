"""What the published encoders are told of a series: groups of bands in months, scaled as in their pretraining.

Bands are those of Sentinel-2 in the names that the encoders use (`B2`, not `B02`), and NDVI. Both encoders were
pretrained on top-of-atmosphere reflectance in monthly mosaics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidInputError
from landloom.model.sensor import SENTINEL2

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.model.sensor import Band

NDVI: Final = "NDVI"
GROUPS: Final = {
    "S2_RGB": ("B2", "B3", "B4"),
    "S2_Red_Edge": ("B5", "B6", "B7"),
    "S2_NIR_10m": ("B8",),
    "S2_NIR_20m": ("B8A",),
    "S2_SWIR": ("B11", "B12"),
    NDVI: (NDVI,),
}
"""Group → its bands. A group is missing unless all of its bands are there."""
_COMMON: Final = {
    "blue": "B2",
    "green": "B3",
    "red": "B4",
    "nir": "B8",
    "nir08": "B8A",
    "swir16": "B11",
    "swir22": "B12",
}
_NEAR: Final = 0.016
"""Micrometres between the centres of two bands that count as the same."""
_MOMENTS: Final = {
    "B2": (0.139534, 0.091770),
    "B3": (0.133840, 0.091330),
    "B4": (0.134310, 0.109268),
    "B5": (0.154386, 0.104722),
    "B6": (0.218620, 0.104801),
    "B7": (0.252509, 0.114369),
    "B8": (0.241034, 0.109898),
    "B8A": (0.275029, 0.120447),
    "B11": (0.223491, 0.114598),
    "B12": (0.147453, 0.098024),
}
"""Band → mean and standard deviation of reflectance in the pretraining of Galileo, as published with it."""


def _own(name: str) -> str:
    return name.replace("B0", "B")


def published_bands(bands: Sequence[Band]) -> dict[str, int]:
    """Band of the encoders → number of the band of an image that shows the same.

    A band is known by its centre wavelength, else by its common name, else by its name.

    Raises:
        InvalidInputError: no group of bands is whole.

    Example:
        >>> published_bands([SENTINEL2[name] for name in ("B08", "B04", "B05")])
        {'B8': 0, 'B4': 1, 'B5': 2}
    """
    found: dict[str, int] = {}
    for number, band in enumerate(bands):
        name = _name(band)
        if name is not None:
            found.setdefault(name, number)
    whole = [group for group, names in GROUPS.items() if all(name in found for name in names)]
    if not whole and not {"B4", "B8"} <= found.keys():
        told = ", ".join(band.name for band in bands)
        raise InvalidInputError(
            f"got the bands {told}, expected all of one group of Sentinel-2's at least: "
            + "; ".join(", ".join(names) for names in GROUPS.values())
        )
    return found


def _name(band: Band) -> str | None:
    if band.name.upper() == NDVI:
        return NDVI
    if band.wavelength is not None:
        known = {_own(name): one.wavelength or 0.0 for name, one in SENTINEL2.items() if _own(name) in _MOMENTS}
        nearest = min(known, key=lambda name: abs(known[name] - (band.wavelength or 0.0)))
        return nearest if abs(known[nearest] - band.wavelength) <= _NEAR else None
    if band.common_name is not None:
        return _COMMON.get(band.common_name)
    return _own(band.name) if _own(band.name) in _MOMENTS else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MonthlySeries:
    """Series in calendar months."""

    image: NDArray[np.float32]
    """(row, month, band) means of reflectance over what was seen in a month."""
    valid: NDArray[np.bool_]
    """(row, month) whether anything was."""
    months: NDArray[np.int64]
    """(row, month) 0 for January to 11."""


def grouped(
    series: MonthlySeries, bands: Mapping[str, int], *, standard: bool
) -> dict[str, tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """Group → (row, month, channel) numbers, and (row, month) whether they are there.

    NDVI is that of the means of red and near infrared, unless the series has it.

    Args:
        series: in months.
        bands: as of `published_bands`.
        standard: whether reflectance is scaled so that two standard deviations of Galileo's pretraining to both sides
            of the mean are 0 to 1; else it is taken as it is, as Presto does.
    """
    names = dict.fromkeys(name for own in GROUPS.values() for name in own)
    numbers = {name: series.image[:, :, bands[name]] for name in names if name in bands}
    if NDVI not in numbers and {"B4", "B8"} <= numbers.keys():
        total = numbers["B8"] + numbers["B4"]
        difference = numbers["B8"] - numbers["B4"]
        numbers[NDVI] = np.divide(difference, total, out=np.zeros_like(total), where=total > 0)
    if standard:
        for name in numbers.keys() & _MOMENTS.keys():
            mean, deviation = (np.float32(one) for one in _MOMENTS[name])
            numbers[name] = (numbers[name] - (mean - 2 * deviation)) / (4 * deviation)
    return {
        group: (np.stack([numbers[name] for name in own], axis=-1), series.valid)
        for group, own in GROUPS.items()
        if all(name in numbers for name in own)
    }
