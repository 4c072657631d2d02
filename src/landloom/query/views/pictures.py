"""Samples in the colours that the eye sees."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError, NotFoundError
from landloom.query.cubes import load_cube, load_pixels
from landloom.reports.figures import true_colour

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.query.cubes import Pixels

COLOURS: Final = ("red", "green", "blue")
"""Common names of the bands of a picture."""


def colour_bands(info: CorpusInfo, key: str) -> tuple[str, ...]:
    """Names of the red, green and blue band of a product; empty if it has not all of them.

    Raises:
        NotFoundError: no such product.
    """
    found = {band.common_name: band.name for band in info.product(key).product.bands}
    return tuple(found[name] for name in COLOURS) if all(name in found for name in COLOURS) else ()


def coloured(info: CorpusInfo, keys: tuple[str, ...]) -> str | None:
    """The first of some products that has a red, a green and a blue band; None if none has."""
    imagery = (key for key in keys if info.product(key).product.kind == "imagery")
    return next((key for key in imagery if colour_bands(info, key)), None)


def coloured_chips(selection: Any, sample: Any, key: str) -> tuple[Pixels, NDArray[np.uint8]]:
    """Chips of one sample, and their pictures: what `true_colours` shows, as plain arrays.

    Args:
        selection: its period is used.
        sample: id, or index in the selection.
        key: of a product that `coloured` finds, of reflectance.

    Returns:
        The chips, and (time, y, x, band) uint8.
    """
    bands = colour_bands(selection.sidecar.info, key)
    found = load_pixels(replace(selection, bands=bands), sample, key)
    return found, _painted(found.values, found.bands, bands)


def _painted(values: NDArray[Any], names: tuple[str, ...], bands: tuple[str, ...]) -> NDArray[np.uint8]:
    order = [names.index(band) for band in bands]
    return np.stack([true_colour(chip, *order) for chip in values])


def true_colours(selection: Any, sample: Any, product: str | None = None) -> xr.DataArray:
    """Pictures of one sample: reflectance 0 to 0.25, brightened; nodata is light grey.

    Args:
        selection: its period is used.
        sample: id, or index in the selection.
        product: key; by default the first selected product with red, green and blue.

    Returns:
        (time, y, x, band) uint8, for `plot.imshow(col="time")`.

    Raises:
        NotFoundError: an unknown product or sample; or no product has the three bands.
        InvalidInputError: the product has not the three bands, or is no reflectance.

    Example:
        >>> import landloom
        >>> corpus = landloom.open("corpus")  # doctest: +SKIP
        >>> corpus.query(period="2018-06").rgb(0).isel(time=0).plot.imshow()  # doctest: +SKIP
    """
    import xarray as xr

    info = selection.sidecar.info
    key = product or coloured(info, selection.products)
    if key is None:
        raise NotFoundError(f"none of the products {', '.join(selection.products)} has a red, a green and a blue band")
    bands = colour_bands(info, key)
    if not bands or info.product(key).product.dtype != "uint16":
        raise InvalidInputError(f"got product {key!r}, expected reflectance with a red, a green and a blue band")
    cube = load_cube(replace(selection, bands=bands), sample, key)
    pictures = _painted(cube.values, tuple(cube.band.values.tolist()), bands)
    coords = {name: cube.coords[name] for name in ("time", "y", "x", "spatial_ref", "observed")}
    attrs = {name: cube.attrs[name] for name in ("sample", "product", "grid_mapping")}
    return xr.DataArray(
        pictures, dims=("time", "y", "x", "band"), coords={**coords, "band": list(bands)}, name=key, attrs=attrs
    )
