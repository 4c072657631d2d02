"""UTM to longitude and latitude in plain NumPy, so that a query by box needs no projection library.

Krüger's series to the sixth order of the third flattening, as in Karney, "Transverse Mercator with an accuracy of
a few nanometers", Journal of Geodesy 85 (2011), equations 12, 36 and A6; PROJ's `etmerc` evaluates the same series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidIdentityError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AXIS: Final = 6_378_137.0
_FLATTENING: Final = 1 / 298.257223563
_SCALE: Final = 0.9996
_FALSE_EASTING: Final = 500_000.0
_FALSE_NORTHING_SOUTH: Final = 10_000_000.0
_N: Final = _FLATTENING / (2 - _FLATTENING)
_RADIUS: Final = _AXIS / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64 + _N**6 / 256)

_BETA: Final = (
    _N / 2 - 2 * _N**2 / 3 + 37 * _N**3 / 96 - _N**4 / 360 - 81 * _N**5 / 512 + 96199 * _N**6 / 604800,
    _N**2 / 48 + _N**3 / 15 - 437 * _N**4 / 1440 + 46 * _N**5 / 105 - 1118711 * _N**6 / 3870720,
    17 * _N**3 / 480 - 37 * _N**4 / 840 - 209 * _N**5 / 4480 + 5569 * _N**6 / 90720,
    4397 * _N**4 / 161280 - 11 * _N**5 / 504 - 830251 * _N**6 / 7257600,
    4583 * _N**5 / 161280 - 108847 * _N**6 / 3991680,
    20648693 * _N**6 / 638668800,
)
_DELTA: Final = (
    2 * _N - 2 * _N**2 / 3 - 2 * _N**3 + 116 * _N**4 / 45 + 26 * _N**5 / 45 - 2854 * _N**6 / 675,
    7 * _N**2 / 3 - 8 * _N**3 / 5 - 227 * _N**4 / 45 + 2704 * _N**5 / 315 + 2323 * _N**6 / 945,
    56 * _N**3 / 15 - 136 * _N**4 / 35 - 1262 * _N**5 / 105 + 73814 * _N**6 / 2835,
    4279 * _N**4 / 630 - 332 * _N**5 / 35 - 399572 * _N**6 / 14175,
    4174 * _N**5 / 315 - 144838 * _N**6 / 6237,
    601676 * _N**6 / 22275,
)


def is_utm(epsg: int) -> bool:
    """Whether an EPSG code is WGS84 / UTM.

    Example:
        >>> is_utm(32633), is_utm(25833)
        (True, False)
    """
    hundred, number = divmod(epsg, 100)
    return hundred in (326, 327) and 1 <= number <= 60


def _sine_series(coefficients: tuple[float, ...], twice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of c_j sin(j·twice), j from 1, by Clenshaw's recurrence."""
    factor = 2 * np.cos(twice)
    after, later = np.full_like(twice, coefficients[-1]), np.zeros_like(twice)
    for coefficient in coefficients[-2::-1]:
        after, later = factor * after - later + coefficient, after
    return after * np.sin(twice)


def _complex_sine_series(
    coefficients: tuple[float, ...], xi: NDArray[np.float64], eta: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same for xi + i·eta; NumPy's complex sine is slow, so real functions are used."""
    sine, cosine = np.sin(xi), np.cos(xi)
    sinh, cosh = np.sinh(eta), np.cosh(eta)
    factor = 2 * (cosine * cosh) - 2j * (sine * sinh)
    after, later = np.full_like(factor, coefficients[-1]), np.zeros_like(factor)
    for coefficient in coefficients[-2::-1]:
        after, later = factor * after - later + coefficient, after
    result = after * (sine * cosh + 1j * (cosine * sinh))
    return result.real, result.imag


def to_degrees(
    epsg: NDArray[np.int32], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude of points in UTM zones; within 1e-12 degrees of PROJ inside a zone.

    Args:
        epsg: 326zz or 327zz of each point; broadcast against x and y.
        x: eastings in metres.
        y: northings in metres.

    Returns:
        Longitudes and latitudes in degrees. Longitudes are not wrapped at 180°.

    Raises:
        InvalidIdentityError: a code of anything but WGS84 / UTM.

    Example:
        >>> lon, lat = to_degrees(np.array([32635]), np.array([474_600.0]), np.array([7_018_200.0]))
        >>> round(float(lon[0]), 5), round(float(lat[0]), 5)
        (26.49348, 63.29178)
    """
    if not is_utm(int(np.min(epsg))) or not is_utm(int(np.max(epsg))):
        raise InvalidIdentityError.of(int(np.min(epsg)), expected="EPSG codes of WGS84 / UTM")
    south = np.where(epsg >= 32700, _FALSE_NORTHING_SOUTH, 0.0)
    xi = (y - south) / (_SCALE * _RADIUS)
    eta = (x - _FALSE_EASTING) / (_SCALE * _RADIUS)
    real, imaginary = _complex_sine_series(_BETA, 2 * xi, 2 * eta)
    xi, eta = xi - real, eta - imaginary
    sinh, cosine = np.sinh(eta), np.cos(xi)
    conformal = np.arctan(np.sin(xi) / np.sqrt(sinh * sinh + cosine * cosine))
    latitude = conformal + _sine_series(_DELTA, 2 * conformal)
    meridian = (epsg % 100) * 6.0 - 183.0
    return np.degrees(np.arctan2(sinh, cosine)) + meridian, np.degrees(latitude)
