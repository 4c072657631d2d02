"""Series reduced over time: the per-pixel median of what is usable."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.errors import InvalidInputError, MissingExtraError, NotFoundError
from landloom.imagery.median import masked_median
from landloom.model.sensor import SATURATED
from landloom.query.cubes import load_cube, load_many
from landloom.query.usable import USABLE, at_pixels, usable_layers

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo


def composite_many(
    selection: Any, product: str | None = None, *, mask: str | None = None, quality: str = "pfqa"
) -> xr.DataArray:
    """Medians of every sample over the selection's period, computed on demand.

    A pixel counts at a timestep where no band is nodata or saturated, and where the quality layers of the product's own
    timesteps (`SCL`, `valid`, `count`, `cloud`) say that it is usable. An even number of values gives the floor of the
    mean of the two middle ones.

    Args:
        selection: its period and bands are used.
        product: key; by default the first selected imagery.
        mask: a further condition, as in `landloom.query.cubes.load_cube`.
        quality: as in `landloom.query.cubes.load_cube`.

    Returns:
        (sample, band, y, x) uint16, 0 where nothing is usable; with the position of each sample as from `load`.

    Raises:
        MissingExtraError: Dask is not installed.
        NotFoundError: an unknown product.
        InvalidInputError: a product that is no reflectance, no timestep in the period, or an empty selection.
    """
    try:
        import dask.array as da
        from dask.delayed import delayed
    except ImportError as error:
        raise MissingExtraError.of("dask", "composites of many samples") from error
    import xarray as xr

    info: CorpusInfo = selection.sidecar.info
    key = product or next((key for key in selection.products if info.product(key).product.kind == "imagery"), None)
    if key is None:
        raise NotFoundError(f"none of the products {', '.join(selection.products)} is imagery")
    if info.product(key).product.dtype != "uint16":
        raise InvalidInputError(f"got product {key!r}, expected reflectance (uint16)")
    series = load_many(selection, key)
    if not series.sizes["time"]:
        raise InvalidInputError(f"{key} has no timestep in {selection.period}; it covers {info.product(key).period}")
    layers = usable_layers(info, key)

    def one(number: int) -> NDArray[np.uint16]:
        return _median(selection, number, key, layers, mask, quality)[None]

    lazy, library = delayed(one, pure=True), da
    shape = (1, series.sizes["band"], *series.shape[-2:])
    whole: Any = library
    blocks = [whole.from_delayed(lazy(number), shape, dtype=np.uint16) for number in range(len(selection))]
    coords = {name: series.coords[name] for name in ("sample", "band", "west", "north", "epsg")}
    dims = ("sample", "band", "y", "x")
    return xr.DataArray(whole.concatenate(blocks), dims=dims, coords=coords, name=key, attrs=series.attrs)


def _median(
    selection: Any, number: int, key: str, layers: tuple[tuple[str, str], ...], mask: str | None, quality: str
) -> NDArray[np.uint16]:
    """(band, y, x) of one sample."""
    cube = load_cube(selection, number, key, mask=mask, quality=quality)
    pixels = cube.values
    valid = ((pixels != (cube.attrs["nodata"] or 0)) & (pixels != SATURATED)).all(axis=1)
    for other, layer in layers:
        marks = load_cube(replace(selection, bands=(layer,)), number, other).values[:, 0]
        valid &= at_pixels(USABLE[layer](marks), pixels.shape[2:])
    return masked_median(pixels, valid)[0]
