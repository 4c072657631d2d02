"""GDAL drivers for raster files: chosen by the file's first bytes, from an explicit list.

GDAL itself chooses among all its drivers by content, and some of them write files, read other files or contact servers
named in the content (MRF, VRT, WMS, …). So a driver is always given explicitly when a file is opened.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from landloom.errors import PermanentFaultError, TransientFaultError
from landloom.model.address import local_path, shown
from landloom.store.faults import os_fault

_TIFF: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_JP2: Final = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
_REMOTE: Final = {**dict.fromkeys(_TIFF, "GTiff"), **dict.fromkeys(_JP2, "JP2OpenJPEG")}
"""First bytes → driver, for the remote files of scenes."""
_LOCAL: Final = {
    **_REMOTE,
    b"CDF\x01": "netCDF",
    b"CDF\x02": "netCDF",
    b"CDF\x05": "netCDF",
    b"\x89HDF\r\n\x1a\n": "netCDF",
    b"EHFA_HEADER_TAG": "HFA",
}
"""First bytes → driver, for files on this machine."""
_SUFFIXES: Final = {".jp2": "JP2OpenJPEG", ".tif": "GTiff", ".tiff": "GTiff"}
_ZARR: Final = (".zgroup", ".zarray", "zarr.json")
_HEAD: Final = 64
_SUBFILE: Final = re.compile(r"/vsisubfile/(\d+)_(\d+),(.+)", re.DOTALL | re.ASCII)
_VARIABLE: Final = re.compile(r'(NETCDF|ZARR):"([^"]+)":([^:"]+)(?::(\d+))?', re.DOTALL)
_START: Final = b"\xff\x4f\xff\x51"
"""Start of a codestream, and its first segment, SIZ."""
_SIZES: Final = struct.Struct(">HH8I")
_ELSE: Final = ((b"<", "a web page or XML"), (b"{", "JSON"), (b"\x1f\x8b", "gzip"))
"""First bytes of responses that servers send instead of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file that lies within another one, byte by byte, as in a tar file.

    Example:
        >>> part = Part(file="/data/a.tar", offset=512, size=7)
        >>> str(part), Part.of(str(part)) == part
        ('/vsisubfile/512_7,/data/a.tar', True)
    """

    file: str
    """Path of the whole."""
    offset: int
    """Its first byte."""
    size: int
    """Bytes."""

    @classmethod
    def of(cls, address: str) -> Self | None:
        """The part that an address names; None for any other address."""
        match = _SUBFILE.fullmatch(address)
        return None if match is None else cls(offset=int(match[1]), size=int(match[2]), file=match[3])

    def __str__(self) -> str:
        return f"/vsisubfile/{self.offset}_{self.size},{self.file}"

    def read(self, most: int | None = None) -> bytes:
        """Its bytes, at most so many.

        Raises:
            OSError: it cannot be read.
        """
        with Path(self.file).open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size if most is None else min(self.size, most))


@dataclass(frozen=True, slots=True, kw_only=True)
class CubeVariable:
    """A variable of a NetCDF file or a Zarr group on this machine; its times are the bands of a raster.

    Example:
        >>> variable = CubeVariable(file="/data/a.nc", driver="netCDF", name="B04")
        >>> str(variable), CubeVariable.of(str(variable)) == variable
        ('NETCDF:"/data/a.nc":B04', True)
    """

    file: str
    """Path of the file, or of the folder of the group."""
    driver: str
    """`netCDF` or `Zarr`."""
    name: str
    """Name of the variable."""
    sample: int | None = None
    """Position of a sample along the first axis; None if there is no axis of samples."""

    @classmethod
    def of(cls, address: str) -> Self | None:
        """The variable that an address names; None for any other address."""
        match = _VARIABLE.fullmatch(address)
        driver = "" if match is None else {"NETCDF": "netCDF", "ZARR": "Zarr"}[match[1]]
        if match is None:
            return None
        sample = None if match[4] is None else int(match[4])
        return cls(file=match[2], driver=driver, name=match[3].removeprefix("/"), sample=sample)

    def __str__(self) -> str:
        sample = "" if self.sample is None else f":{self.sample}"
        return f'{self.driver.upper()}:"{self.file}":{"/" if self.driver == "Zarr" else ""}{self.name}{sample}'


def file_of(address: str) -> str:
    """The path of the file, or folder, on this machine that an address leads to.

    Example:
        >>> file_of('NETCDF:"/data/a.nc":B04'), file_of("/data/b.tif")
        ('/data/a.nc', '/data/b.tif')
    """
    variable = CubeVariable.of(address)
    return local_path(address) if variable is None else variable.file


def remote_driver(head: bytes, href: str) -> str:
    r"""The driver for a remote file.

    Args:
        head: first bytes of the file.
        href: its URL.

    Raises:
        TransientFaultError: it is a web page or another response that servers send instead of a file.
        PermanentFaultError: its format is not supported.

    Example:
        >>> remote_driver(b"II*\0rest", "https://example.org/B04.tif")
        'GTiff'
    """
    driver = _told(head, _REMOTE)
    if driver is not None:
        return driver
    for first, what in _ELSE:
        if head.lstrip().startswith(first):
            raise TransientFaultError(f"{shown(href)}: got {what}, expected a GeoTIFF or JPEG 2000")
    raise PermanentFaultError(f"{shown(href)}: is no raster that can be read")


def local_driver(href: str) -> str:
    """The driver for a file on this machine.

    Args:
        href: its path; inside an archive, in GDAL's notation (`/vsizip//data/x.zip/B02.jp2`,
            `/vsisubfile/512_900,/data/x.tar`).

    Raises:
        PermanentFaultError: there is no such file, or its format is not supported.
        TransientFaultError: it is temporarily unreadable.
    """
    try:
        driver = _told_locally(file_of(href))
    except OSError as error:
        raise os_fault(error, href) from error
    except ValueError as error:
        raise PermanentFaultError(f"{href!r}: not a valid path") from error
    if driver is None:
        raise PermanentFaultError(f"{href}: is no raster that can be read")
    return driver


def _told_locally(name: str) -> str | None:
    part, path = Part.of(name), Path(name)
    if part is not None:
        return _told(part.read(_HEAD), _REMOTE)
    if path.parts[:1] == ("/",) and path.parts[1:2] and path.parts[1].startswith("vsi"):
        return _SUFFIXES.get(path.suffix.lower())
    if path.is_dir() and any((path / name).is_file() for name in _ZARR):
        return "Zarr"
    with path.open("rb") as file:
        return _told(file.read(_HEAD), _LOCAL)


def _told(head: bytes, known: dict[bytes, str]) -> str | None:
    return next((driver for first, driver in known.items() if head.startswith(first)), None)


def tile_shape(head: bytes) -> tuple[int, int] | None:
    r"""Rows and columns of the tiles of an image.

    Args:
        head: first bytes of a file or codestream.

    Returns:
        None if the header of the codestream is not among them.

    Example:
        >>> sizes = struct.pack(">8I", 10_980, 10_980, 0, 0, 1024, 1024, 0, 0)
        >>> tile_shape(b"\xff\x4f\xff\x51" + bytes(4) + sizes), tile_shape(b"")
        ((1024, 1024), None)
    """
    position = _codestream(head)
    if position is None or not head.startswith(_START, position) or len(head) < position + len(_START) + _SIZES.size:
        return None
    _, _, right, bottom, left, top, width, height, _, _ = _SIZES.unpack_from(head, position + len(_START))
    return min(height, bottom - top), min(width, right - left)


def _codestream(head: bytes) -> int | None:
    """Where the codestream starts: at once, or in its box."""
    if head.startswith(_START):
        return 0
    position = 0
    while position + 16 <= len(head):
        length, kind, extended = struct.unpack_from(">I4sQ", head, position)
        size, start = (extended, 16) if length == 1 else (length, 8)
        if kind == b"jp2c":
            return position + start
        if size < start:
            return None
        position += size
    return None
