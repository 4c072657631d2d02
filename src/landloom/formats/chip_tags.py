"""What a chip's GeoTIFF says of itself to GIS programs."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from landloom.model.rendering.values import Categorical
from landloom.model.time import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from landloom.model.product import Product
    from landloom.model.sensor import Band
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


def classes_of(bands: Iterable[Band]) -> tuple[Categorical | None, ...]:
    """Argument `classes` of `encode_geotiff`: of each band, None for those that are not codes; empty if none is.

    Example:
        >>> from landloom.model.product import product
        >>> [one and one.classes[1].name for one in classes_of(product("pfqa").bands)][1:4]
        [None, 'Cloud', None]
    """
    found = tuple(band.rendering if isinstance(band.rendering, Categorical) else None for band in bands)
    return found if any(found) else ()


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
    own = [one for one in product.bands if band in (None, one.name)]
    return {
        "colours": tuple(COLOURS.get(one.common_name or "") for one in own),
        "classes": classes_of(own),
        "scaling": None if product.scale is None else (product.scale, 0.0),
        "unit": None if product.scale is not None else product.unit,
        "tags": {"product": product.key, "datetime": format_instant(timestep.stamp), "timestep": timestep.name},
    }
