"""Windowed reads of raster files through GDAL, local or remote, into arrays.

A file is opened by its content, whatever its name. What goes wrong is sorted into faults that will stay (the file is
missing, truncated, corrupt) and those that may pass (the network, the server). A remote file that cannot be decoded
may be broken, or its server may have failed half-way, which GDAL reports in the same words; so a copy is fetched
whole, and only if that cannot be decoded either is the file blamed.
"""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from landloom.errors import InvalidValueError, PermanentFaultError, TransientFaultError
from landloom.model.address import is_remote
from landloom.model.grid import Grid
from landloom.store.remote import fetched, gdal_path, gdal_settings, suspect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

_PASSING_CODES: Final = {401, 403, 407, 408, 425, 429}
"""Answers below 500 that credentials, quotas or time may mend."""
_GONE: Final = re.compile(r"does not exist|No such file|ObjectNotFound|BucketNotFound|key does not exist")
_PASSING: Final = re.compile(r"CURL error|timed out|AccessDenied|Access Denied|InvalidCredentials|Permission denied")
_SHORT: Final = re.compile(r"[Rr]ead error at .*got (?P<got>\d+) bytes, expected (?P<wanted>\d+)", re.DOTALL)
_STRANGE: Final = re.compile(r"not recognized as being in a supported file format")
_CODE: Final = re.compile(r"HTTP (?:response|error) code\s*:\s*(\d{3})")


@contextmanager
def open_raster(href: str, *, stated: Grid | None = None) -> Iterator[RasterFile]:
    """Open a raster file for windowed reads.

    Args:
        href: a path, or a URL (`http(s)`, `s3`, `gs`, `az`, `file`).
        stated: where the archive says that the file lies, for files that do not say it themselves. Its CRS and bounds
            count; the size of a pixel follows from the file's own number of pixels.

    Raises:
        PermanentFaultError: the file is missing or broken, or nobody gives it a north-up grid in a CRS with an EPSG
            code.
        TransientFaultError: it cannot be had just now.

    Example:
        >>> with open_raster("/nowhere/B04.tif") as raster:
        ...     pass
        Traceback (most recent call last):
            ...
        landloom.errors.PermanentFaultError: /nowhere/B04.tif: No such file or directory
    """
    with _sorted_faults(href):
        dataset = _open(href)
    with dataset:
        yield RasterFile(
            href=href,
            grid=_grid(href, dataset, stated),
            count=dataset.count,
            dtype=np.dtype(dataset.dtypes[0]),
            nodata=dataset.nodata,
            driver=dataset.driver,
            bands=tuple(text or "" for text in dataset.descriptions),
            _dataset=dataset,
        )


def read_window(href: str, window: Grid, *, band: int = 1, fill: float = 0, stated: Grid | None = None) -> NDArray[Any]:
    """Open a file and read one window; see `open_raster` and `RasterFile.read`."""
    with open_raster(href, stated=stated) as raster:
        return raster.read(window, band=band, fill=fill)


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterFile:
    """An open raster file."""

    href: str
    """As it was given."""
    grid: Grid
    """Its pixels; row 0 is north."""
    count: int
    """How many bands."""
    dtype: np.dtype[Any]
    """Type of the first band's numbers."""
    nodata: float | None
    """The number that stands for nothing, where the file declares one."""
    driver: str
    """GDAL's name of the format."""
    bands: tuple[str, ...]
    """Descriptions of the bands, empty where there is none."""
    _dataset: Any

    def read(self, window: Grid, *, band: int = 1, fill: float = 0) -> NDArray[Any]:
        """Read a window of one band.

        Args:
            window: pixels wanted: the file's CRS, pixel size and pixel edges; it may reach outside the file.
            band: which band, counted from 1.
            fill: number for pixels outside the file.

        Returns:
            Array (y, x) in the file's type.

        Raises:
            PermanentFaultError: the band is missing, or these pixels are truncated or corrupt.
            TransientFaultError: they cannot be had just now.
            InvalidValueError: the window does not share the file's pixel edges.
        """
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

    def block_shape(self, band: int = 1) -> tuple[int, int]:
        """Rows and columns of the tiles or strips that a band is decoded by."""
        height, width = self._dataset.block_shapes[band - 1]
        return int(height), int(width)

    def _read(self, window: Window, band: int) -> NDArray[Any]:
        def again(path: str) -> None:
            with _open(path) as copy:
                copy.read(band, window=window)

        with _sorted_faults(self.href, again):
            part: NDArray[Any] = self._dataset.read(band, window=window)
        return part


def _open(href: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return rasterio.open(gdal_path(href))


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
    epsg = None if dataset.crs is None else dataset.crs.to_epsg()
    if epsg is None:
        raise PermanentFaultError(f"{href}: expected a CRS with an EPSG code, got {dataset.crs or 'none'}")
    try:
        return Grid.of_transform(epsg, dataset.transform, dataset.shape)
    except InvalidValueError as error:
        raise PermanentFaultError(f"{href}: {error}") from error


def _only_open(path: str) -> None:
    _open(path).close()


@contextmanager
def _sorted_faults(href: str, again: Callable[[str], None] | None = None) -> Iterator[None]:
    """Run GDAL under our settings and sort what it raises; `again` repeats the work on a local copy.

    Settings take longer to enter than a small window to read, and reads of an open local file need none of them.
    """
    opening = again is None
    with rasterio.Env(**gdal_settings(href)) if opening or is_remote(href) else nullcontext():
        try:
            yield
        except RasterioError as error:
            suspect(href)
            texts = [str(link) + type(link).__name__ for link in _chain(error)]
            reason = f"{href}: {_reason(error, href)}"
            if _passes(texts):
                raise TransientFaultError(reason) from error
            if is_remote(href) and not _is_gone(texts):
                _blame(href, again or _only_open, reason, error)
            raise PermanentFaultError(reason) from error


def _blame(href: str, again: Callable[[str], None], reason: str, error: Exception) -> None:
    """Return if a whole copy of the file is as broken as the file seemed.

    Raises:
        TransientFaultError: the copy is sound, so it was the network; or it cannot be fetched.
    """
    with fetched(href) as copy:
        try:
            again(copy)
        except RasterioError:
            return
    raise TransientFaultError(f"{reason} (but a whole copy can be read)") from error


def _passes(texts: list[str]) -> bool:
    codes = [int(code) for text in texts for code in _CODE.findall(text)]
    return any(code >= 500 or code in _PASSING_CODES for code in codes) or any(map(_PASSING.search, texts))


def _is_gone(texts: list[str]) -> bool:
    return any(_CODE.search(text) or _GONE.search(text) for text in texts)


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _reason(error: BaseException, href: str) -> str:
    """The deepest message of the chain, which names the cause, without the path that GDAL puts before it."""
    *_, deepest = _chain(error)
    short = _SHORT.search(str(deepest))
    if short is not None:
        # Lineage publishes these words: other ones would change the bytes of corpora that are there.
        return f"truncated: a block has {int(short['got']):,} bytes, wanted {int(short['wanted']):,}"
    if _STRANGE.search(str(deepest)):
        return "is no raster that can be read"
    return str(deepest).strip().removeprefix(f"{gdal_path(href)}: ").removeprefix(f"'{gdal_path(href)}' ")
