"""Masks of a Level-1C product: clouds, and lost or defective data."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.archive.safe.packages import read_member
from landloom.errors import InvalidDocumentError, InvalidValueError, PermanentFaultError
from landloom.formats.safe.outline import parse_mask_gml
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from landloom.model.grid import Grid
    from landloom.model.scene import Scene
    from landloom.store.raster import RasterFile

_CLOUD_LAYERS: Final = (1, 2)
"""Layers of MSK_CLASSI: opaque cloud and cirrus; the third is snow, which is usable."""
_QUALITY_LAYERS: Final = (3, 4, 5, 6, 8)
"""Layers of MSK_QUALIT: image data lost, degraded, defective, no data, saturated. Partially corrected crosstalk is
usable."""
_POLYGON_KINDS: Final = ("NODATA", "DEFECT", "SATURA")
_UNUSABLE: Final = frozenset({"MSI_LOST", "MSI_DEG"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProductMask:
    """The pixels that a product's masks mark as usable."""

    valid: NDArray[np.bool_]
    """(y, x) no cloud or cirrus, and no defect in any requested band."""
    sources: tuple[str, ...]
    """Names of the masks used, sorted; empty if the product has none, so that only nodata counts as unusable."""


def product_mask(scene: Scene, window: Grid, bands: Sequence[str]) -> ProductMask:
    """Read the cloud and quality masks of a Level-1C product.

    Before baseline 04.00 they are polygons (`MSK_CLOUDS`, `MSK_NODATA`, `MSK_DEFECT`, `MSK_SATURA`, and the lost or
    degraded areas of `MSK_TECQUA`), since then rasters (`MSK_CLASSI` at 60 m, `MSK_QUALIT` at the
    band's resolution). A pixel of the window gets the value at its centre.

    Args:
        scene: from `SafeArchive`.
        window: pixels to read, in the scene's CRS; any resolution and place.
        bands: bands that must all be usable.

    Raises:
        PermanentFaultError: a mask is broken.
        TransientFaultError: it is temporarily unreadable.
        InvalidValueError: the window is in another CRS.

    Example:
        >>> from shapely import box
        >>> from landloom.model.grid import Grid
        >>> from landloom.model.scene import Scene
        >>> from landloom.model.time import parse_instant
        >>> scene = Scene(
        ...     id="a", time=parse_instant("2018-05-01"), granule=None, epsg=32633, footprint=box(0, 0, 1, 1), bands={}
        ... )
        >>> mask = product_mask(scene, Grid.of_bounds(32633, (0, 0, 60, 60), 10), ["B04"])
        >>> bool(mask.valid.all()), mask.sources
        (True, ())
    """
    if scene.epsg is not None and window.epsg != scene.epsg:
        raise InvalidValueError(f"got a window in EPSG:{window.epsg}, expected the scene's EPSG:{scene.epsg}")
    bad = np.zeros(window.shape, dtype=np.bool_)
    used = []
    rasters = {"MSK_CLASSI_B00": _CLOUD_LAYERS} | {f"MSK_QUALIT_{band}": _QUALITY_LAYERS for band in bands}
    for name, layers in rasters.items():
        if name in scene.masks:
            bad |= _raster_mask(scene.masks[name].href, window, layers)
            used.append(name)
    polygons = ["MSK_CLOUDS_B00"] + [f"MSK_{kind}_{band}" for kind in (*_POLYGON_KINDS, "TECQUA") for band in bands]
    for name in polygons:
        if name in scene.masks:
            bad |= _polygon_mask(scene.masks[name].href, window, only=_UNUSABLE if "TECQUA" in name else None)
            used.append(name)
    return ProductMask(valid=~bad, sources=tuple(sorted(used)))


def _raster_mask(href: str, window: Grid, layers: Iterable[int]) -> NDArray[np.bool_]:
    with open_raster(href) as raster:
        grid = raster.grid
        rows = np.floor((grid.north - _centres(window.north, -window.pixel_height, window.height)) / grid.pixel_height)
        columns = np.floor((_centres(window.west, window.pixel_width, window.width) - grid.west) / grid.pixel_width)
        top, left = int(rows.min()), int(columns.min())
        part = grid.window(top, left, int(rows.max()) - top + 1, int(columns.max()) - left + 1)
        flagged = np.zeros(part.shape, dtype=np.bool_)
        for layer in layers:
            flagged |= _layer(raster, part, layer)
    picked: NDArray[np.bool_] = flagged[np.ix_(rows.astype(int) - top, columns.astype(int) - left)]
    return picked


def _layer(raster: RasterFile, part: Grid, layer: int) -> NDArray[np.bool_]:
    flagged: NDArray[np.bool_] = raster.read(part, band=layer, fill=0) != 0
    return flagged


def _centres(start: float, step: float, count: int) -> NDArray[np.floating]:
    centres: NDArray[np.floating] = start + (np.arange(count) + 0.5) * step
    return centres


def _polygon_mask(href: str, window: Grid, *, only: frozenset[str] | None) -> NDArray[np.bool_]:
    from rasterio.features import rasterize

    try:
        features = parse_mask_gml(_bytes(href), href)
    except InvalidDocumentError as error:
        raise PermanentFaultError(str(error)) from error
    shapes = [polygon for kind, polygon in features if only is None or kind in only]
    if not shapes:
        return np.zeros(window.shape, dtype=np.bool_)
    burnt = rasterize(shapes, out_shape=window.shape, transform=window.affine, fill=0, default_value=1, dtype=np.uint8)
    mask: NDArray[np.bool_] = burnt.astype(np.bool_)
    return mask


def _bytes(href: str) -> bytes:
    try:
        return read_member(href)
    except (OSError, StopIteration, KeyError, zipfile.BadZipFile) as error:
        raise PermanentFaultError(f"{href}: cannot be read: {error}") from error
