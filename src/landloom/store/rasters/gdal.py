"""Raster files as GDAL reads them; its exceptions become faults.

A fault is permanent only if the bytes are available and twice cannot be decoded; all other faults are transient.
"""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager, nullcontext
from contextvars import Context, copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import numpy as np

from landloom.errors import FaultError, PermanentFaultError, TransientFaultError
from landloom.model.address import is_remote, local_path, shown
from landloom.store.cubes.dataset import ZarrDataset
from landloom.store.cubes.group import is_version_3
from landloom.store.drivers import CubeVariable, file_of, local_driver, remote_driver, tile_shape
from landloom.store.faults import os_fault
from landloom.store.versions import Version, note_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from landloom.store.patience import Patience
    from landloom.store.range_file import RangeFile

Result = TypeVar("Result")
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


class GdalFile:
    """A raster file for GDAL, which opens it on first use, and again after `release`.

    Args:
        href: as of `landloom.store.raster.open_raster`.
        patience: retry policy for a remote file.
        document: address of the document that names it; None if the user does.

    Raises:
        PermanentFaultError: there is no such file, or its format is not supported.
        TransientFaultError: it is temporarily unreadable.
    """

    def __init__(self, href: str, patience: Patience | None = None, document: str | None = None) -> None:
        self.href = href
        self.remote: RangeFile | None = None
        """The file, if it is read over the network."""
        self._dataset: Any = None
        self._context: Context | None = None
        if not is_remote(href):
            place = href if CubeVariable.of(href) is None else file_of(href)
            note_version(place, Version.of_file(file_of(href)))
            self._path, self.driver, self._options = local_path(href), local_driver(href), dict[str, Any]()
            return
        from landloom.store.range_file import RangeFile, opener  # noqa: PLC0415 - needs a client for the network

        self.remote = RangeFile(href, patience, document)
        self._context = copy_context()
        self._path, self._options = opener().add(self.remote), {"opener": opener()}
        try:
            self.driver = remote_driver(self.remote.head, href)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def dataset(self, *, sort: bool = True) -> Any:
        """The open dataset of rasterio.

        Args:
            sort: whether to turn GDAL's exceptions into faults.
        """
        return self._within(lambda: self._opened(sort=sort))

    def _within(self, work: Callable[[], Result]) -> Result:
        """Work with the dataset in the context in which it was opened, whatever thread closes it.

        rasterio keeps what it knows of files with an opener in variables of the context.
        """
        return work() if self._context is None else self._context.run(work)

    def _opened(self, *, sort: bool = True) -> Any:
        variable = CubeVariable.of(self.href)
        if self._dataset is None and variable is not None and is_version_3(variable.file):
            self._dataset = ZarrDataset(variable)
        if self._dataset is None:
            with self.sorted_faults() if sort else nullcontext():
                self._dataset = _dataset(self._path, self.driver, **self._options)
            try:
                _check_block(self.href, self._dataset, self.remote)
            except BaseException:
                self._released()
                raise
        return self._dataset

    def read(self, band: int, **options: Any) -> Any:
        """Pixels of a band; options as of rasterio.

        Raises:
            PermanentFaultError: these pixels are truncated or corrupt.
            TransientFaultError: they are temporarily unavailable.
        """
        import rasterio

        def again(dataset: Any) -> None:
            dataset.read(band, **options)

        def once() -> Any:
            settings = nullcontext() if self.remote is None else rasterio.Env(**_REMOTE_SETTINGS)
            with settings, self.sorted_faults(again):
                return self._opened().read(band, **options)

        return self._within(once)

    def release(self) -> None:
        """Close the dataset; what is known of a remote file is kept."""
        self._within(self._released)

    def _released(self) -> None:
        if self._dataset is not None:
            self._dataset.__exit__(None, None, None)
            self._dataset = None

    def close(self) -> None:
        """Close the file."""
        self.release()
        if self.remote is not None:
            self._options["opener"].remove(self._path)
            self.remote.finish()

    @contextmanager
    def sorted_faults(self, again: Callable[[Any], None] | None = None) -> Iterator[None]:
        """Turn GDAL's exceptions into faults; `again` repeats the work on another dataset."""
        from rasterio.errors import RasterioError

        href, remote = self.href, self.remote
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


def _dataset(path: str, driver: str, **options: Any) -> Any:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    with warnings.catch_warnings(), rasterio.Env(**_SETTINGS):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return rasterio.open(path, driver=driver, **options)


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


def _passes_now(href: str, again: Callable[[Any], None] | None, document: str | None) -> bool:
    """Whether a file that could not be decoded can be decoded on a second try.

    Raises:
        TransientFaultError: its bytes cannot be read, so that nothing is proven.
    """
    from rasterio.errors import RasterioError

    if not is_remote(href) and not href.startswith("/vsi"):
        _read_whole(href)
    try:
        with GdalFile(href, None, document) as file:
            dataset = file.dataset(sort=False)
            if again is not None:
                again(dataset)
            if file.remote is not None:
                file.remote.check()
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
