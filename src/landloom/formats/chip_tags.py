"""What a chip's GeoTIFF says of itself to GIS programs."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from landloom.model.time import format_instant

if TYPE_CHECKING:
    from landloom.model.product import Product
    from landloom.model.time import Timestep

COLOURS: Final = {
    "red": "Red",
    "green": "Green",
    "blue": "Blue",
    "nir": "NIR",
    "coastal": "Coastal",
    "rededge": "RedEdge",
    "nir08": "NIR",
    "swir16": "SWIR",
    "swir22": "SWIR",
}
"""Common name of a band → GDAL's name of what it shows. GDAL before 3.10 knows only the first three."""


@lru_cache(maxsize=1024)
def chip_tags(product: Product, timestep: Timestep, band: str | None = None) -> dict[str, Any]:
    """Arguments for `encode_geotiff`: what bands show, scale, unit, product and date.

    Args:
        product: of the chip.
        timestep: of the chip.
        band: name of the only band of the file; None if it has all of them.

    Example:
        >>> from landloom.model.product import product
        >>> from landloom.model.time import Cadence, Period
        >>> january = Cadence.parse("month").timesteps(Period.year(2018))[0]
        >>> described = chip_tags(product("s2"), january)
        >>> described["colours"][:4], described["tags"]["datetime"], described["scaling"]
        (('Blue', 'Green', 'Red', 'NIR'), '2018-01-15T10:30:00Z', (0.0001, 0.0))
    """
    return {
        "colours": tuple(COLOURS.get(one.common_name or "") for one in product.bands if band in (None, one.name)),
        "scaling": None if product.scale is None else (product.scale, 0.0),
        "unit": None if product.scale is not None else product.unit,
        "tags": {"product": product.key, "datetime": format_instant(timestep.stamp), "timestep": timestep.name},
    }
