"""Published adjustments between the bandpasses of instruments.

MSI to OLI: Claverie et al. (2018), The Harmonized Landsat and Sentinel-2 surface reflectance data set, Remote Sensing
of Environment 219, 145-161, and the HLS product guide (v1.4), means of Sentinel-2A and 2B. The other way is their
inverse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from landloom.imagery.harmonise.normalise import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landloom.model.sensor import Band

MSI_TO_OLI: Final = {
    "coastal": (0.9959, -0.0002),
    "blue": (0.9778, -0.0040),
    "green": (1.0064, -0.00085),
    "red": (0.9763, 0.00095),
    "nir": (0.99745, -0.00005),
    "nir08": (0.99745, -0.00005),
    "swir16": (0.99935, -0.0007),
    "swir22": (0.99485, -0.0004),
}
"""Common name of a band → slope and offset in reflectance."""
_SCALE: Final = 10_000


def published_lines(bands: Sequence[Band], instrument: str, reference: str) -> tuple[Line, ...]:
    """Adjustment of an instrument's bands to another's; none between instruments without published coefficients.

    Args:
        bands: of the instrument to adjust.
        instrument: its name: `msi`, `oli`.
        reference: that of the one to adjust it to.

    Example:
        >>> import numpy as np
        >>> from landloom.model.sensor import LANDSAT_C2_L2, SENTINEL2
        >>> (blue,) = published_lines([SENTINEL2["B02"]], "msi", "oli")
        >>> (back,) = published_lines([LANDSAT_C2_L2.bands["B2"]], "oli", "msi")
        >>> round(float(back.apply(blue.apply(np.float64(800.0)))), 6), published_lines([SENTINEL2["B02"]], "msi", "x")
        (800.0, (Line(slope=1.0, offset=0.0),))
    """
    return tuple(_line(band.common_name or "", instrument, reference) for band in bands)


def _line(name: str, instrument: str, reference: str) -> Line:
    slope, offset = MSI_TO_OLI.get(name, (1.0, 0.0))
    if (instrument, reference) == ("msi", "oli"):
        return Line(slope=slope, offset=offset * _SCALE)
    if (instrument, reference) == ("oli", "msi"):
        return Line(slope=1.0 / slope, offset=-offset * _SCALE / slope)
    return Line()
