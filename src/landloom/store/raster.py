"""Windowed reads of raster files, local or remote, into arrays.

The format of a file is detected from its content, not its name. A plain GeoTIFF is described from its tags
(`landloom.store.rasters.plain`); any other file is opened by GDAL, by a driver from an explicit list
(`landloom.store.drivers`), which tells what it is. The pixels of a usual TIFF are then fetched and decoded block by
block (`landloom.store.rasters.blocks`), those of any other file by GDAL (`landloom.store.rasters.gdal`). Both give the
same pixels and the same faults. Remote files are read through landloom's HTTP client (`landloom.store.range_file`).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidValueError, PermanentFaultError
from landloom.model.address import shown
from landloom.model.grid import Grid
from landloom.store.cubes.dataset import ZarrDataset, zarr_layers
from landloom.store.cubes.gdal import gdal_layers, gdal_times
from landloom.store.cubes.group import is_version_3
from landloom.store.drivers import local_driver
from landloom.store.rasters.blocks import block_file, bytes_of, opened_blocks, range_reader
from landloom.store.rasters.gdal import GdalFile
from landloom.store.rasters.plain import plain_tiff
from landloom.store.rasters.plan import PlannedRead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from landloom.store.cubes.group import CubeLayer
    from landloom.store.patience import Patience
    from landloom.store.rasters.blocks import BlockFile, Box

PREVIEW: Final = 512
"""Pixels a side of a preview."""
_TIFF: Final = "GTiff"


@contextmanager
def open_raster(
    href: str, *, stated: Grid | None = None, patience: Patience | None = None, document: str | None = None
) -> Iterator[RasterFile]:
    """Open a raster file for windowed reads.

    Args:
        href: a path, or a URL (`http(s)`, `s3`, `gs`, `az`, `file`).
        stated: grid of the file according to the archive, for files without georeferencing. Its CRS and bounds are
            used; the pixel size follows from the file's own width and height.
        patience: retry policy for remote files.
        document: address of the document that names the file; None if the user does.

    Raises:
        PermanentFaultError: the file is missing or broken, or neither it nor `stated` gives a north-up grid in a CRS
            with an EPSG code.
        TransientFaultError: it is temporarily unavailable.

    Example:
        >>> with open_raster("/nowhere/B04.tif") as raster:
        ...     pass
        Traceback (most recent call last):
            ...
        landloom.errors.PermanentFaultError: /nowhere/B04.tif: No such file or directory
    """
    with GdalFile(href, patience, document) as file:
        opened = _plain(file) or _described(file, stated)
        if file.remote is not None:
            file.remote.opened()
        yield opened


def cube_layers(path: str) -> tuple[CubeLayer, ...]:
    """The variables of a NetCDF file, or of a Zarr group, on this machine, in their order.

    Raises:
        PermanentFaultError: there is no such file, or it is none of the two.
        TransientFaultError: it is temporarily unreadable.
    """
    driver = local_driver(path)
    if driver not in {"netCDF", "Zarr"}:
        raise PermanentFaultError(f"{path}: expected a NetCDF file or a Zarr group")
    if is_version_3(path):
        return zarr_layers(path)
    with GdalFile(path) as file:
        return gdal_layers(path, driver, file.dataset())


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterFile:
    """An open raster file."""

    href: str
    """As given."""
    grid: Grid
    """Its pixels; row 0 is north."""
    count: int
    """Number of bands."""
    dtype: np.dtype[Any]
    """Data type of the first band."""
    nodata: float | None
    """Value of pixels without data, if the file declares one."""
    driver: str
    """GDAL's short name of the format."""
    bands: tuple[str, ...]
    """Descriptions of the bands, empty if there is none."""
    _nodata: tuple[float | None, ...]
    _scaling: tuple[tuple[float, float], ...]
    _block_shapes: tuple[tuple[int, int], ...]
    _gdal: GdalFile
    blocks: BlockFile | None
    """Its blocks, where they are read without GDAL."""

    def read(self, window: Grid, *, band: int = 1, fill: float = 0) -> NDArray[Any]:
        """Read a window of one band.

        Args:
            window: pixels to read: in the file's CRS, pixel size and pixel edges; it may extend outside the file.
            band: number of the band, counted from 1.
            fill: value of pixels outside the file.

        Returns:
            Array (y, x) of the file's type.

        Raises:
            PermanentFaultError: the band is missing, or these pixels are truncated or corrupt.
            TransientFaultError: they are temporarily unavailable.
            InvalidValueError: the window does not share the file's pixel edges.
        """
        if not 1 <= band <= self.count:
            raise PermanentFaultError(f"{self.href}: no band {band}, the file has {self.count}")
        row, column = window.offset_in(self.grid)
        box = self.box(window)
        if box is None:
            return np.full(window.shape, fill, self.dtype)
        part = self._read(box, band)
        if part.shape == window.shape:
            return part
        whole = np.full(window.shape, fill, part.dtype)
        top, left, height, width = box
        whole[top - row : top - row + height, left - column : left - column + width] = part
        return whole

    def box(self, window: Grid) -> Box | None:
        """First row and column, rows and columns of the part of a window that lies in the file; None if none does.

        Raises:
            InvalidValueError: the window does not share the file's pixel edges.
        """
        row, column = window.offset_in(self.grid)
        top, bottom = max(row, 0), min(row + window.height, self.grid.height)
        left, right = max(column, 0), min(column + window.width, self.grid.width)
        return None if top >= bottom or left >= right else (top, left, bottom - top, right - left)

    def planned(self, window: Grid, band: int, position: int) -> PlannedRead:
        """A read of a window that is to come, for a plan.

        Args:
            window: as of `read`.
            band: number of the band, counted from 1.
            position: when it comes, counted up.
        """
        box = self.box(window)
        if self.blocks is None or box is None or not 1 <= band <= self.count:
            return PlannedRead(None, (), position)
        return PlannedRead(self.blocks, self.blocks.blocks(box, band), position)

    def nodata_of(self, band: int) -> float | None:
        """The number that stands for nothing in a band, where the file declares one."""
        return self._nodata[band - 1]

    def scaling_of(self, band: int) -> tuple[float, float] | None:
        """Scale and offset that the file declares for a band; None if none, or those that change nothing."""
        found = self._scaling[band - 1]
        return None if found == (1.0, 0.0) else found

    def preview(self, band: int = 1) -> NDArray[Any]:
        """The numbers of a band at up to `PREVIEW` pixels a side, picked over the whole file.

        Raises:
            PermanentFaultError: these pixels are truncated or corrupt.
            TransientFaultError: they cannot be had just now.
        """
        shape = min(self.grid.height, PREVIEW), min(self.grid.width, PREVIEW)

        picked: NDArray[Any] = self._gdal.read(band, out_shape=shape)
        return picked

    @property
    def times(self) -> tuple[tuple[float, ...], str] | None:
        """Times of the bands of a cube's variable and their CF units; None if it does not give them.

        Raises:
            PermanentFaultError: they follow a calendar that nobody lives by, such as one of 360 days.
        """
        dataset = self._gdal.dataset()
        return dataset.times if isinstance(dataset, ZarrDataset) else gdal_times(self.href, dataset)

    def block_shape(self, band: int = 1) -> tuple[int, int]:
        """Rows and columns of the tiles or strips in which a band is decoded."""
        return self._block_shapes[band - 1]

    def _read(self, box: Box, band: int) -> NDArray[Any]:
        """Block by block where that is possible; what is wrong with a block is told by GDAL."""
        found = None if self.blocks is None else self.blocks.read(box, band)
        if found is not None:
            return found
        from rasterio.windows import Window

        top, left, height, width = box
        part: NDArray[Any] = self._gdal.read(band, window=Window(left, top, width, height))
        return part


def _plain(file: GdalFile) -> RasterFile | None:
    """What a plain GeoTIFF says of itself; None of any other file, which GDAL has to open."""
    source = bytes_of(file.href, file.remote) if file.driver == _TIFF else None
    found = None if source is None else plain_tiff(range_reader(source))
    if source is None or found is None:
        return None
    table, bands = found.table, range(found.table.bands)
    nodata = tuple(found.nodata for _ in bands)
    blocks = block_file(table, source, nodata)
    if blocks is None:
        return None
    return RasterFile(
        href=file.href,
        grid=found.grid,
        count=table.bands,
        dtype=table.dtype.newbyteorder("="),
        nodata=found.nodata,
        driver=_TIFF,
        bands=tuple("" for _ in bands),
        _nodata=nodata,
        _scaling=tuple((1.0, 0.0) for _ in bands),
        _block_shapes=tuple(table.block for _ in bands),
        _gdal=file,
        blocks=blocks,
    )


def _described(file: GdalFile, stated: Grid | None) -> RasterFile:
    """What a file says of itself. GDAL's dataset is closed again if it is not needed for the pixels."""
    href, dataset = file.href, file.dataset()
    if not dataset.count:
        raise PermanentFaultError(f"{shown(href)}: holds no raster, or several that have to be named")
    opened = RasterFile(
        href=href,
        grid=_grid(href, dataset, stated),
        count=dataset.count,
        dtype=np.dtype(dataset.dtypes[0]),
        nodata=dataset.nodata,
        driver=dataset.driver,
        bands=tuple(text or "" for text in dataset.descriptions),
        _nodata=tuple(dataset.nodatavals),
        _scaling=tuple((float(a), float(b)) for a, b in zip(dataset.scales, dataset.offsets, strict=True)),
        _block_shapes=tuple((int(rows), int(columns)) for rows, columns in dataset.block_shapes),
        _gdal=file,
        blocks=opened_blocks(href, dataset, file.remote),
    )
    if opened.blocks is not None:
        file.release()
    return opened


def _utm(crs: Any) -> int | None:
    """EPSG code of a WGS84 UTM CRS that is written out without one, as HLS writes it; None for any other."""
    said = crs.to_dict()
    zone, wgs84 = said.get("zone"), "WGS84" in (said.get("datum"), said.get("ellps"))
    if said.get("proj") != "utm" or not wgs84 or said.get("units", "m") != "m" or not 1 <= int(zone or 0) <= 60:
        return None
    return (32700 if said.get("south") else 32600) + int(zone)


def _grid(href: str, dataset: Any, stated: Grid | None) -> Grid:
    if stated is not None and dataset.crs is None:
        height, width = dataset.shape
        return replace(
            stated,
            pixel_width=stated.width * stated.pixel_width / width,
            pixel_height=stated.height * stated.pixel_height / height,
            width=width,
            height=height,
        )
    epsg = None if dataset.crs is None else dataset.crs.to_epsg() or _utm(dataset.crs)
    if epsg is None:
        raise PermanentFaultError(f"{href}: expected a CRS with an EPSG code, got {dataset.crs or 'none'}")
    try:
        return Grid.of_transform(epsg, dataset.transform, dataset.shape)
    except InvalidValueError as error:
        raise PermanentFaultError(f"{href}: {error}") from error
