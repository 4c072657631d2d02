"""Windowed reads of raster files through GDAL, local or remote, into arrays.

The format of a file is detected from its content, not its name, and opened by a driver from an explicit list
(`landloom.store.drivers`); remote files are read through landloom's HTTP client (`landloom.store.range_file`). A fault
is permanent only if the bytes are available and twice cannot be decoded; all other faults are transient.
"""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import FaultError, InvalidValueError, PermanentFaultError, TransientFaultError
from landloom.model.address import is_remote, local_path, shown
from landloom.model.grid import Grid
from landloom.store.cubes.dataset import ZarrDataset, zarr_layers
from landloom.store.cubes.gdal import gdal_layers, gdal_times
from landloom.store.cubes.group import is_version_3
from landloom.store.drivers import CubeVariable, file_of, local_driver, remote_driver, tile_shape
from landloom.store.faults import os_fault
from landloom.store.range_file import RangeFile, opener
from landloom.store.versions import Version, note_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from rasterio.windows import Window

    from landloom.store.cubes.group import CubeLayer
    from landloom.store.patience import Patience

PREVIEW: Final = 512
"""Pixels a side of a preview."""
_SHORT: Final = re.compile(r"[Rr]ead error at .*got (?P<got>\d+) bytes, expected (?P<wanted>\d+)", re.DOTALL)
_SHORTAGE: Final = re.compile(r"[Oo]ut of memory|[Cc]annot allocate|[Tt]oo many open files|malloc|No space left")
_LARGEST_BLOCK: Final = 2**29
"""Bytes of a tile or strip at most: any window costs whole ones."""
_LARGEST_JP2_TILE: Final = 2**28
"""Pixels of all components of a JPEG 2000 tile at most: decoding a window of it may take 6 bytes for each."""
_SETTINGS: Final[dict[str, Any]] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_NUM_THREADS": 1,
    "GDAL_CACHEMAX": 256 * 2**20,
    "GDAL_TIFF_INTERNAL_MASK": True,
}
"""GDAL's configuration for opening a file: one thread, no listing of folders."""
_REMOTE_SETTINGS: Final[dict[str, Any]] = {"GDAL_MAX_RAW_BLOCK_CACHE_SIZE": 256 * 2**20}
"""… for reading a remote one: the blocks of a window are requested together up to this size."""


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
    with _opened(href, patience, document) as (dataset, remote):
        if not dataset.count:
            raise PermanentFaultError(f"{shown(href)}: holds no raster, or several that have to be named")
        yield RasterFile(
            href=href,
            grid=_grid(href, dataset, stated),
            count=dataset.count,
            dtype=np.dtype(dataset.dtypes[0]),
            nodata=dataset.nodata,
            driver=dataset.driver,
            bands=tuple(text or "" for text in dataset.descriptions),
            _dataset=dataset,
            _remote=remote,
        )


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
    with _opened(path, None) as (dataset, _):
        return gdal_layers(path, driver, dataset)


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
    _dataset: Any
    _remote: RangeFile | None

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
        from rasterio.windows import Window

        if not 1 <= band <= self.count:
            raise PermanentFaultError(f"{self.href}: no band {band}, the file has {self.count}")
        row, column = window.offset_in(self.grid)
        top, bottom = max(row, 0), min(row + window.height, self.grid.height)
        left, right = max(column, 0), min(column + window.width, self.grid.width)
        if top >= bottom or left >= right:
            return np.full(window.shape, fill, self.dtype)
        part = self._read(Window(left, top, right - left, bottom - top), band)
        if part.shape == window.shape:
            return part
        whole = np.full(window.shape, fill, part.dtype)
        whole[top - row : bottom - row, left - column : right - column] = part
        return whole

    def nodata_of(self, band: int) -> float | None:
        """The number that stands for nothing in a band, where the file declares one."""
        value: float | None = self._dataset.nodatavals[band - 1]
        return value

    def scaling_of(self, band: int) -> tuple[float, float] | None:
        """Scale and offset that the file declares for a band; None if none, or those that change nothing."""
        found = float(self._dataset.scales[band - 1]), float(self._dataset.offsets[band - 1])
        return None if found == (1.0, 0.0) else found

    def preview(self, band: int = 1) -> NDArray[Any]:
        """The numbers of a band at up to `PREVIEW` pixels a side, picked over the whole file.

        Raises:
            PermanentFaultError: these pixels are truncated or corrupt.
            TransientFaultError: they cannot be had just now.
        """
        shape = min(self.grid.height, PREVIEW), min(self.grid.width, PREVIEW)

        def again(dataset: Any) -> None:
            dataset.read(band, out_shape=shape)

        with _sorted_faults(self.href, self._remote, again):
            picked: NDArray[Any] = self._dataset.read(band, out_shape=shape)
        return picked

    @property
    def times(self) -> tuple[tuple[float, ...], str] | None:
        """Times of the bands of a cube's variable and their CF units; None if it does not give them.

        Raises:
            PermanentFaultError: they follow a calendar that nobody lives by, such as one of 360 days.
        """
        if isinstance(self._dataset, ZarrDataset):
            return self._dataset.times
        return gdal_times(self.href, self._dataset)

    def block_shape(self, band: int = 1) -> tuple[int, int]:
        """Rows and columns of the tiles or strips in which a band is decoded."""
        height, width = self._dataset.block_shapes[band - 1]
        return int(height), int(width)

    def _read(self, window: Window, band: int) -> NDArray[Any]:
        import rasterio

        def again(dataset: Any) -> None:
            dataset.read(band, window=window)

        settings = nullcontext() if self._remote is None else rasterio.Env(**_REMOTE_SETTINGS)
        with settings, _sorted_faults(self.href, self._remote, again):
            part: NDArray[Any] = self._dataset.read(band, window=window)
        return part


@contextmanager
def _opened(
    href: str, patience: Patience | None, document: str | None = None, *, sort: bool = True
) -> Iterator[tuple[Any, RangeFile | None]]:
    """GDAL's dataset, and its remote file, if any; `sort` turns GDAL's exceptions into faults."""
    if not is_remote(href):
        place = href if CubeVariable.of(href) is None else file_of(href)
        note_version(place, Version.of_file(file_of(href)))
        driver, variable = local_driver(href), CubeVariable.of(href)
        if variable is not None and is_version_3(variable.file):
            yield ZarrDataset(variable), None
            return
        with _sorted_faults(href, None) if sort else nullcontext():
            dataset = _dataset(local_path(href), driver)
        with dataset:
            _check_block(href, dataset, None)
            yield dataset, None
        return
    remote = RangeFile(href, patience, document)
    name = opener().add(remote)
    try:
        driver = remote_driver(remote.head, href)
        with _sorted_faults(href, remote) if sort else nullcontext():
            dataset = _dataset(name, driver, opener=opener())
        with dataset:
            _check_block(href, dataset, remote)
            yield dataset, remote
    finally:
        opener().remove(name)
        remote.close()


def _dataset(path: str, driver: str, **options: Any) -> Any:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    with warnings.catch_warnings(), rasterio.Env(**_SETTINGS):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return rasterio.open(path, driver=driver, **options)


def _utm(crs: Any) -> int | None:
    """EPSG code of a WGS84 UTM CRS that is written out without one, as HLS writes it; None for any other."""
    said = crs.to_dict()
    zone, wgs84 = said.get("zone"), "WGS84" in (said.get("datum"), said.get("ellps"))
    if said.get("proj") != "utm" or not wgs84 or said.get("units", "m") != "m" or not 1 <= int(zone or 0) <= 60:
        return None
    return (32700 if said.get("south") else 32600) + int(zone)


def _check_block(href: str, dataset: Any, remote: RangeFile | None) -> None:
    """Refuse tiles and strips that cost more memory than any reader should need, however little is read of them."""
    from rasterio.enums import Interleaving

    count = dataset.count
    if not count:
        return
    if dataset.driver == "JP2OpenJPEG":
        (height, width), most, what = dataset.shape, _LARGEST_JP2_TILE, "components"
        if height * width * count > most:
            height, width = tile_shape(_head(href, remote)) or dataset.shape
        size = height * width * count
    else:
        (height, width), most, what = dataset.block_shapes[0], _LARGEST_BLOCK, "bytes"
        together = count if dataset.interleaving == Interleaving.pixel else 1
        size = height * width * together * np.dtype(dataset.dtypes[0]).itemsize
    if size > most:
        raise PermanentFaultError(
            f"{shown(href)}: got blocks of {height:,} x {width:,} pixels, {size:,} {what}; expected at most {most:,}"
        )


def _head(href: str, remote: RangeFile | None) -> bytes:
    """First bytes of a file; none of a member of an archive."""
    if remote is not None:
        return remote.head
    try:
        with Path(local_path(href)).open("rb") as file:
            return file.read(2**20)
    except OSError:
        return b""


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


@contextmanager
def _sorted_faults(href: str, remote: RangeFile | None, again: Callable[[Any], None] | None = None) -> Iterator[None]:
    """Turn GDAL's exceptions into faults; `again` repeats the work on another dataset."""
    from rasterio.errors import RasterioError

    try:
        yield
    except RasterioError as error:
        if remote is not None:
            remote.check()
        reason = f"{shown(href)}: {_reason(error, href)}"
        if any(_SHORTAGE.search(str(link)) for link in _chain(error)):
            raise TransientFaultError(reason) from error
        if _passes_now(href, again, None if remote is None else remote.document):
            raise TransientFaultError(f"{reason} (but it can be read now)") from error
        raise PermanentFaultError(reason) from error
    if remote is not None:
        remote.check()


def _passes_now(href: str, again: Callable[[Any], None] | None, document: str | None) -> bool:
    """Whether a file that could not be decoded can be decoded on a second try.

    Raises:
        TransientFaultError: its bytes cannot be read, so that nothing is proven.
    """
    from rasterio.errors import RasterioError

    if not is_remote(href) and not href.startswith("/vsi"):
        _read_whole(href)
    try:
        with _opened(href, None, document, sort=False) as (dataset, remote):
            if again is not None:
                again(dataset)
            if remote is not None:
                remote.check()
    except (RasterioError, FaultError):
        return False
    return True


def _read_whole(href: str) -> None:
    try:
        path = Path(file_of(href))
        if path.is_dir():
            return
        with path.open("rb") as file:
            while file.read(2**20):
                pass
    except OSError as error:
        raise os_fault(error, href) from error


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _reason(error: BaseException, href: str) -> str:
    """The deepest message of the chain, which names the cause, without the path that GDAL prepends."""
    *_, deepest = _chain(error)
    short = _SHORT.search(str(deepest))
    if short is not None:
        # Lineage publishes this text: another wording would change the bytes of existing corpora.
        return f"truncated: a block has {int(short['got']):,} bytes, wanted {int(short['wanted']):,}"
    text = re.sub(r"/vsiriopener_[0-9a-f]+/\S+?(?=[:'\s])|landloom/\d+", shown(href), str(deepest).strip())
    path = local_path(href)
    return text.removeprefix(f"{path}: ").removeprefix(f"'{path}' ")
