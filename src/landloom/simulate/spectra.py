"""Reflectance of surfaces: end members per band and their shares over the year.

There are no harmonics: greenness is an asymmetric double logistic (Beck et al. 2006, doi:10.1016/j.rse.2005.10.021,
with unequal slopes), and each arable field has its own harvest date.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.simulate.noise import uniform

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.simulate.landscape import WorldParcels
    from landloom.simulate.spec import WorldSpec

# Reflectance in 1e-4, in the order of `spec.BANDS`.
_MEMBERS: Final[dict[str, tuple[int, ...]]] = {
    "crop": (220, 280, 560, 290, 950, 3000, 3750, 4050, 4250, 4300, 2000, 950),
    "leaf": (180, 220, 430, 230, 750, 2350, 3000, 3300, 3500, 3550, 1600, 720),
    "needle": (140, 175, 300, 180, 440, 1250, 1550, 1750, 1850, 1900, 860, 390),
    "grass": (250, 320, 620, 390, 1050, 2550, 3100, 3400, 3600, 3650, 2200, 1150),
    "soil": (650, 800, 1080, 1420, 1620, 1780, 1930, 2080, 2230, 2290, 2850, 2450),
    "straw": (720, 950, 1380, 1880, 2180, 2420, 2620, 2820, 2960, 3000, 3600, 2650),
    "litter": (300, 390, 540, 690, 880, 1120, 1270, 1420, 1560, 1600, 1880, 1300),
    "town": (900, 1080, 1260, 1380, 1470, 1620, 1720, 1860, 1920, 1980, 2080, 1840),
    "hall": (1480, 1720, 1960, 2100, 2180, 2260, 2320, 2450, 2480, 2520, 2580, 2380),
    "water": (310, 330, 310, 190, 150, 110, 95, 85, 80, 80, 45, 30),
    "rock": (1250, 1450, 1750, 1980, 2080, 2180, 2280, 2400, 2450, 2480, 2850, 2650),
    "bog": (300, 350, 500, 500, 690, 980, 1150, 1280, 1380, 1400, 1080, 690),
}
_MEMBER_ROW: Final = {name: row for row, name in enumerate(_MEMBERS)}
_SPECTRA: Final = np.array(list(_MEMBERS.values()), dtype=np.float64)

# code: green member, ground member, least and most green share, texture, days of green-up and of senescence
_COVERS: Final[dict[int, tuple[str, str, float, float, float, int, int]]] = {
    111: ("grass", "town", 0.02, 0.08, 0.32, 105, 290),
    112: ("grass", "town", 0.12, 0.42, 0.26, 100, 295),
    121: ("grass", "hall", 0.02, 0.10, 0.30, 105, 290),
    141: ("grass", "litter", 0.35, 0.85, 0.22, 92, 300),
    211: ("crop", "soil", 0.05, 0.95, 0.05, 100, 200),
    221: ("leaf", "soil", 0.08, 0.55, 0.14, 118, 285),
    222: ("leaf", "grass", 0.15, 0.65, 0.20, 108, 288),
    231: ("grass", "litter", 0.38, 0.92, 0.04, 90, 305),
    242: ("grass", "soil", 0.20, 0.72, 0.16, 98, 270),
    243: ("grass", "litter", 0.22, 0.74, 0.16, 100, 280),
    311: ("leaf", "litter", 0.06, 0.95, 0.13, 118, 292),
    312: ("needle", "litter", 0.78, 0.93, 0.13, 110, 300),
    313: ("needle", "litter", 0.45, 0.93, 0.15, 114, 294),
    321: ("grass", "straw", 0.25, 0.80, 0.10, 98, 250),
    322: ("needle", "litter", 0.35, 0.62, 0.18, 115, 280),
    324: ("leaf", "litter", 0.20, 0.75, 0.20, 110, 290),
    332: ("grass", "rock", 0.01, 0.05, 0.25, 140, 270),
    333: ("grass", "rock", 0.06, 0.25, 0.25, 130, 270),
    411: ("grass", "bog", 0.15, 0.60, 0.20, 110, 285),
    511: ("grass", "water", 0.00, 0.00, 0.04, 100, 290),
    512: ("grass", "water", 0.00, 0.00, 0.02, 100, 290),
}
CODES: Final = tuple(_COVERS)
"""CORINE codes that can occur in the world."""

# days of green-up and ripening, most green share, day of the harvest, whether sown in the autumn before
_CROPS: Final = np.array(
    [
        (98, 192, 0.95, 208, 1.0),  # winter cereals
        (92, 178, 0.97, 199, 1.0),  # oilseed rape
        (158, 262, 0.95, 272, 0.0),  # maize
        (148, 300, 0.92, 283, 0.0),  # sugar beet
        (142, 235, 0.85, 248, 0.0),  # potatoes
        (108, 186, 0.82, 215, 0.0),  # spring barley
    ]
)
_FOREST: Final = (311, 312, 313)
_CLEARED: Final = (120.0, 280.0)
"""First and last day of the year on which forest is cleared: while leaves are out."""
CROPS: Final = ("winter cereals", "oilseed rape", "maize", "sugar beet", "potatoes", "spring barley")
"""Names of the crops, by number."""


def crop_of(spec: WorldSpec, parcels: WorldParcels, year: int) -> NDArray[np.int64]:
    """Crop number of each parcel in a year; meaningful for code 211."""
    return np.minimum((uniform(parcels.i, parcels.j, spec.seed * 1_000 + 70 + year) * 6).astype(np.int64), 5)


def harvest_day(spec: WorldSpec, parcels: WorldParcels, year: int) -> NDArray[np.float64]:
    """Day of the year on which each field is harvested: the day of its crop ± 12."""
    stray = uniform(parcels.i, parcels.j, spec.seed * 1_000 + 80 + year) - 0.5
    harvest: NDArray[np.float64] = _CROPS[crop_of(spec, parcels, year), 3] + stray * 24.0
    return harvest


def clearing_time(spec: WorldSpec, parcels: WorldParcels) -> NDArray[np.float64]:
    """Day on which each parcel is cleared, counted from 0 on the first of January of the world's year.

    Returns:
        (parcel); infinite where nothing is cleared: other land than forest, and all but `spec.clearings` of it.
    """
    seed = spec.seed * 1_000
    day = _CLEARED[0] + uniform(parcels.i, parcels.j, seed + 94) * (_CLEARED[1] - _CLEARED[0])
    cleared = np.isin(parcels.code, _FOREST) & (uniform(parcels.i, parcels.j, seed + 93) < spec.clearings)
    return np.where(cleared, np.floor(day), np.inf)


def _rise(day: NDArray[np.float64], middle: NDArray[np.float64], days: float) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-np.clip((day - middle) / days, -30.0, 30.0)))


def shares(
    spec: WorldSpec, parcels: WorldParcels, instant: datetime
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of green vegetation and of straw in each parcel at an instant; the rest is ground.

    Returns:
        Two (parcel) arrays in [0, 1].
    """
    table = np.array([_COVERS[code][2:] for code in CODES])
    rows = table[_cover_row(parcels.code)]
    low, high, up, down = rows[:, 0], rows[:, 1], rows[:, 3], rows[:, 4]
    seed = spec.seed * 1_000 + 90 + instant.year
    early = (uniform(parcels.i, parcels.j, seed) - 0.5) * 16.0
    day = np.full(parcels.i.shape, instant.timetuple().tm_yday + instant.hour / 24.0)
    green = low + (high - low) * (_rise(day, up + early, 7.0) - _rise(day, down + early, 14.0))
    straw = np.zeros_like(green)
    arable = parcels.code == 211
    crops = _CROPS[crop_of(spec, parcels, instant.year)]
    cut = harvest_day(spec, parcels, instant.year)
    winter = crops[:, 4] * 0.28
    growing = winter + (crops[:, 2] - winter) * _rise(day, crops[:, 0] + early, 9.0)
    ripe = _rise(day, crops[:, 1] + early, 5.0)
    catch = np.where(uniform(parcels.i, parcels.j, seed + 1) < 0.5, 0.6, 0.05) * _rise(day, cut + 48.0, 8.0)
    standing = day < cut
    ploughed = day >= cut + 18.0
    green = np.where(arable, np.where(standing, growing * (1.0 - 0.75 * ripe), catch), green)
    bare = np.where(ploughed, 0.12, 0.85) * (1.0 - catch)
    straw = np.where(arable, np.where(standing, growing * 0.6 * ripe, bare), straw)
    if spec.clearings:
        since = day + (instant.date() - date(spec.year, 1, 1)).days - np.floor(day) - clearing_time(spec, parcels)
        cleared = since >= 0.0
        # What is left is litter and brash; herbs come up in the seasons that follow.
        herbs = np.minimum(0.06 + 0.24 * _rise(since, np.full_like(since, 300.0), 60.0), green)
        green, straw = np.where(cleared, herbs, green), np.where(cleared, 0.25, straw)
    return green, straw


def parcel_reflectance(
    spec: WorldSpec, parcels: WorldParcels, instant: datetime, rows: list[int]
) -> NDArray[np.float32]:
    """Reflectance of each parcel, before texture.

    Args:
        spec: spec of the world.
        parcels: tables of parcels.
        instant: time.
        rows: indices of bands in `spec.BANDS`.

    Returns:
        (parcel, band), in 1e-4.
    """
    green, straw = shares(spec, parcels, instant)
    members = np.array([(_MEMBER_ROW[_COVERS[code][0]], _MEMBER_ROW[_COVERS[code][1]]) for code in CODES])
    member = members[_cover_row(parcels.code)]
    spectra = _SPECTRA[:, rows]
    ground = (0.8 + 0.4 * uniform(parcels.i, parcels.j, spec.seed * 1_000 + 91))[:, None]
    bright = (0.93 + 0.14 * uniform(parcels.i, parcels.j, spec.seed * 1_000 + 92))[:, None]
    water = parcels.code >= 511
    ground[water], bright[water] = 1.0, 1.0
    value = (
        green[:, None] * spectra[member[:, 0]]
        + straw[:, None] * spectra[_MEMBER_ROW["straw"]]
        + (1.0 - green - straw)[:, None] * spectra[member[:, 1]] * ground
    )
    reflectance: NDArray[np.float32] = (value * bright).astype(np.float32)
    return reflectance


def texture_strength(code: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Relative deviation of pixels from their parcel."""
    return np.array([_COVERS[c][4] for c in CODES], dtype=np.float32)[_cover_row(code)]


def _cover_row(code: NDArray[np.uint16]) -> NDArray[np.int64]:
    lookup = np.zeros(1_000, dtype=np.int64)
    lookup[list(CODES)] = np.arange(len(CODES))
    rows: NDArray[np.int64] = lookup[code]
    return rows
