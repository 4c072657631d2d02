"""Images of simulated products: lossless JPEG 2000, and the masks of Level-1C."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.model.sensor import NODATA, SENTINEL2, Scl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from landloom.model.grid import Grid

OPAQUE: Final = (Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH)
"""Classes that the mask of Level-1C marks as opaque cloud."""
QUALITY_LAYERS: Final = 8
"""Layers of `MSK_QUALIT`: ancillary data lost, degraded, image data lost, degraded, defective, no data, crosstalk
corrected in part, saturated."""
_NO_DATA_LAYER: Final = 5
_CIRRUS: Final = (12, 600)


def encode_jp2(layers: NDArray[Any], grid: Grid, *, block: int = 1024) -> bytes:
    """A lossless JPEG 2000 file; the same values give the same bytes.

    Args:
        layers: (y, x) or (band, y, x), uint8 or uint16.
        grid: its grid.
        block: side of a tile in pixels, 32 at least.

    Example:
        >>> from landloom.model.grid import Grid
        >>> grid = Grid.of_bounds(32633, (300_000, 5_556_000, 300_600, 5_556_600), 10)
        >>> encode_jp2(np.zeros((60, 60), dtype=np.uint16), grid)[4:8]
        b'jP  '
    """
    from rasterio.io import MemoryFile
    from rasterio.shutil import copy

    stack = layers if layers.ndim == 3 else layers[np.newaxis]
    count, height, width = stack.shape
    profile = {
        "driver": "GTiff",
        "width": width,
        "height": height,
        "count": count,
        "dtype": stack.dtype,
        "crs": f"EPSG:{grid.epsg}",
        "transform": grid.affine,
    }
    # The driver can only copy, and only from a georeferenced dataset.
    with MemoryFile() as memory, MemoryFile(ext=".jp2") as target:
        with memory.open(**profile) as source:
            source.write(stack)
        with memory.open() as source:
            size = {"BLOCKXSIZE": block, "BLOCKYSIZE": block}
            copy(source, target.name, driver="JP2OpenJPEG", QUALITY=100, REVERSIBLE="YES", **size)
        return bytes(target.read())


def resampled(values: NDArray[Any], factor: float) -> NDArray[Any]:
    """A coarser copy (block means, nodata if any pixel is missing) or, below 1, a finer one (pixels repeated).

    Example:
        >>> resampled(np.array([[1, 3], [5, 7]], dtype=np.uint16), 2).tolist()
        [[4]]
    """
    if factor < 1:
        times = round(1 / factor)
        return values.repeat(times, axis=0).repeat(times, axis=1)
    step = int(factor)
    blocks = values.reshape(values.shape[0] // step, step, values.shape[1] // step, step)
    means = blocks.mean(axis=(1, 3)).astype(values.dtype)
    return np.where((blocks == NODATA).any(axis=(1, 3)), NODATA, means).astype(values.dtype)


def cirrus_band(scl: NDArray[np.uint8], offset: int) -> NDArray[np.uint16]:
    """B10 at 60 m: dark over land, bright under cirrus and a little under other clouds.

    Args:
        scl: (y, x) the scene classification at 20 m.
        offset: added to the values.
    """
    dark, bright = _CIRRUS
    seen = _coarse(scl != Scl.NO_DATA).min(axis=(1, 3))
    thin = _coarse(scl == Scl.CIRRUS).mean(axis=(1, 3))
    thick = _coarse(np.isin(scl, OPAQUE)).mean(axis=(1, 3))
    numbers = np.rint(dark + bright * thin + 0.3 * bright * thick) + offset
    return np.where(seen, numbers, NODATA).astype(np.uint16)


def cloud_classes(scl: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`MSK_CLASSI`: opaque cloud, cirrus, snow at 60 m, each 0 or 1.

    Args:
        scl: (y, x) at 20 m.

    Returns:
        (3, y, x).
    """
    kinds = (np.isin(scl, OPAQUE), scl == Scl.CIRRUS, scl == Scl.SNOW)
    return np.stack([_coarse(kind).any(axis=(1, 3)) for kind in kinds]).astype(np.uint8)


def quality_layers(band: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """`MSK_QUALIT` of a band: no defects except areas without data. (8, y, x)."""
    layers = np.zeros((QUALITY_LAYERS, *band.shape), dtype=np.uint8)
    layers[_NO_DATA_LAYER] = band == NODATA
    return layers


def cloud_polygons(classes: NDArray[np.uint8], grid: Grid) -> list[tuple[str, list[list[tuple[float, float]]]]]:
    """Rings of `MSK_CLOUDS`, the format before baseline 04.00.

    Args:
        classes: (3, y, x) from `cloud_classes`.
        grid: grid of the classes.

    Returns:
        `OPAQUE` or `CIRRUS`, and the rings in the grid's CRS, the outer one first.
    """
    from rasterio.features import shapes

    found = []
    for kind, layer in zip(("OPAQUE", "CIRRUS"), classes, strict=False):
        for shape, _ in shapes(layer, mask=layer.astype(bool), transform=grid.affine):
            found.append((kind, [[(float(x), float(y)) for x, y in ring] for ring in shape["coordinates"]]))
    return found


def level_1c(layers: Mapping[str, NDArray[Any]], offset: int) -> dict[str, NDArray[np.uint16]]:
    """The 13 bands of Level-1C. This world has no atmosphere: they are those of Level-2A, plus cirrus."""
    bands = {name: layers[name] for name in SENTINEL2 if name in layers}
    bands["B10"] = cirrus_band(layers["SCL"], offset)
    return {name: bands[name] for name in SENTINEL2}


def _coarse(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return mask.reshape(mask.shape[0] // 3, 3, mask.shape[1] // 3, 3)
