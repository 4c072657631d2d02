"""Products of the SAFE layout as packages of named files: folders, zip and tar files, also several in one.

Nothing is passed over: what looks like a product, or like a file that holds one, and cannot be read is reported. Only
regular files are read, metadata up to `LARGEST` bytes.
"""

from __future__ import annotations

import os
import stat
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from landloom.archive.safe import aws
from landloom.archive.safe.tars import BROKEN, ENDINGS, FOLDER, plain, tar_parts
from landloom.errors import InvalidInputError
from landloom.formats.safe.names import is_product_root
from landloom.store.drivers import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

LARGEST: Final = 32 * 2**20
"""Bytes of a metadata file at most; real ones have less than a twentieth."""
MEMBERS: Final = 200_000
"""Files in one zip or tar file at most."""
_ZIP: Final = ".zip"
_VSIZIP: Final = "/vsizip/"
_OTHER: Final = (".tar.xz", ".txz", ".tar.zst", ".tzst", ".tar.lz", ".tar.lzma", ".tar.z", ".7z", ".rar")
_ASIDE: Final = ("__MACOSX/", "._")
UNREADABLE: Final = (
    OSError,
    EOFError,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    *BROKEN,
)
"""What opening or reading a package may raise: zipfile raises RuntimeError for encrypted members, NotImplementedError
for unknown compression, and zlib's errors are ValueErrors only in part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A product as a set of named files."""

    href: str
    """Of the folder, or of the file that holds it with the path within."""
    address: Callable[[str], str]
    """Path from the root → address of the file, in GDAL's notation."""
    sizes: Mapping[str, int]
    """Path from the root, with forward slashes → bytes."""
    read: Callable[[str], bytes]
    """Bytes of a metadata file.

    Raises:
        InvalidInputError: it is larger than any metadata file.
    """
    whole: bool = True
    """Whether it is the whole product, with files named as in its metadata; else one of its tiles, renamed."""


def product_paths(folder: Path, report: Callable[[str, str], None]) -> Iterator[Path]:
    """Product folders, then files that hold products, each sorted: an unpacked product precedes its zip.

    Args:
        folder: searched at any depth.
        report: told of what looks like a product and is none that can be read.
    """
    folders, files, described = [], [], []
    for at, below, names in os.walk(
        folder, onerror=lambda error: report(str(error.filename), f"cannot be read: {error}")
    ):
        below[:] = sorted(name for name in below if name != FOLDER)
        if aws.is_product_metadata(names, below):
            described.append(Path(at))
        elif aws.TILE in names or is_product_root(names):
            folders.append(Path(at))
            below.clear()
            continue
        looks = Path(at).suffix.upper() == ".SAFE" or "GRANULE" in below
        if looks and not any(_is_root(Path(at, one)) for one in below):
            report(at, "no MTD_MSIL1C.xml or MTD_MSIL2A.xml")
        files += [Path(at, name) for name in names if name.lower().endswith((_ZIP, *ENDINGS))]
        for name in names:
            if name.lower().endswith(_OTHER):
                report(str(Path(at, name)), "is packed in a form that is not read: unpack it, or make a zip file")
    for place in sorted(described):
        if not any(_is_of(tile, place) for tile in folders):
            report(str(place), "is a product's metadata in AWS's layout without any of its tiles")
    yield from sorted(folders)
    yield from sorted(files)


def _is_of(tile: Path, product: Path) -> bool:
    """Whether a folder is a tile in AWS's layout of a product."""
    try:
        return (tile / aws.TILE).is_file() and aws.product_folder(tile) == product
    except (OSError, InvalidInputError):
        return False


def _is_root(folder: Path) -> bool:
    try:
        return is_product_root([one.name for one in folder.iterdir()])
    except OSError:
        return False


@contextmanager
def opened(place: Path) -> Iterator[list[Package]]:
    """The products at a place; none in a file without a product.

    Raises:
        FaultError: a compressed tar file cannot be unpacked beside itself.
        OSError: the place cannot be read; also the other exceptions of `UNREADABLE`.
        InvalidInputError: it holds more files than any product.
    """
    if (place / aws.TILE).is_file():
        yield [_package(place, aws.tile_files(place), whole=False)]
    elif place.is_dir():
        yield [_folder(place)]
    elif place.name.lower().endswith(ENDINGS):
        yield _in_tar(place)
    else:
        with zipfile.ZipFile(place) as archive:
            sizes = {one.filename: one.file_size for one in archive.infolist() if not one.is_dir()}
            prefix = f"{_VSIZIP}{place.as_posix()}/"
            members = _Members(
                sizes=sizes,
                read=lambda name: archive.open(name).read(LARGEST + 1),
                address=lambda path, _: prefix + path,
            )
            yield _packed(place, members)


def _in_tar(place: Path) -> list[Package]:
    file = plain(place)
    parts = tar_parts(file, MEMBERS)
    members = _Members(
        sizes={name: part.size for name, part in parts.items()},
        read=lambda name: parts[name].read(LARGEST + 1),
        address=lambda _, name: str(parts[name]),
    )
    found = _packed(place, members)
    if not found and file != place:
        file.unlink(missing_ok=True)
    return found


def _folder(place: Path) -> Package:
    files = {}
    for at, _, names in os.walk(place):
        for name in names:
            file = Path(at, name)
            files[file.relative_to(place).as_posix()] = file
    return _package(place, files)


def _package(place: Path, files: Mapping[str, Path], *, whole: bool = True) -> Package:
    """The regular ones of some files, by their paths in the product."""
    sizes = {}
    for path, file in sorted(files.items()):
        try:
            status = file.stat()
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            sizes[path] = status.st_size

    def read(path: str) -> bytes:
        with files[path].open("rb") as file:
            return file.read(LARGEST + 1)

    return Package(
        href=str(place),
        address=lambda path: files[path].as_posix(),
        sizes=sizes,
        read=_bounded(sizes, read),
        whole=whole,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Members:
    """The members of a file that holds products."""

    sizes: Mapping[str, int]
    """Name, as written in the file → bytes."""
    read: Callable[[str], bytes]
    """Bytes of a member, up to one more than `LARGEST`."""
    address: Callable[[str, str], str]
    """Path with forward slashes, and name → address."""


def _packed(place: Path, held: _Members) -> list[Package]:
    """The products among the members of a file, each in its own folder."""
    sizes = held.sizes
    if len(sizes) > MEMBERS:
        raise InvalidInputError(f"{place}: got {len(sizes)} files, expected products")
    written = {name.replace("\\", "/").removeprefix("./"): name for name in sizes}
    roots, found = _roots(written), []
    members = _under(roots, written)
    for root in roots:
        own = {path.removeprefix(root): written[path] for path in members[root]}
        inner = {path: name for path, name in own.items() if not path.startswith(_ASIDE)}
        counted = {path: sizes[name] for path, name in inner.items()}
        href = str(place) if len(roots) == 1 else f"{place}/{root.rstrip('/')}"
        read = _bounded(counted, partial(_read, inner, held))
        found.append(Package(href=href, address=partial(_address, root, inner, held), sizes=counted, read=read))
    return found


def _read(names: Mapping[str, str], held: _Members, path: str) -> bytes:
    return held.read(names[path])


def _address(root: str, names: Mapping[str, str], held: _Members, path: str) -> str:
    return held.address(root + path, names[path])


def _bounded(sizes: Mapping[str, int], read: Callable[[str], bytes]) -> Callable[[str], bytes]:
    def reading(name: str) -> bytes:
        if name not in sizes:
            raise InvalidInputError(f"{name}: is not a regular file")
        if sizes[name] > LARGEST:
            raise InvalidInputError(f"{name}: got {sizes[name]:,} bytes, expected metadata of up to {LARGEST:,}")
        content = read(name)
        if len(content) > LARGEST:
            raise InvalidInputError(f"{name}: got more than {LARGEST:,} bytes, expected metadata")
        return content

    return reading


def _under(roots: Iterable[str], paths: Iterable[str]) -> dict[str, list[str]]:
    """Root → the paths under it."""
    found: dict[str, list[str]] = {root: [] for root in roots}
    for path in paths:
        root = next((above for above in _folders_above(path) if above in found), None)
        if root is not None:
            found[root].append(path)
    return found


def _folders_above(path: str) -> Iterator[str]:
    """Folders that hold a file, the outermost first: empty, then ending in a slash."""
    yield ""
    place = path.find("/")
    while place >= 0:
        yield path[: place + 1]
        place = path.find("/", place + 1)


def _roots(members: Iterable[str]) -> list[str]:
    """Folders of products within a file, each empty or ending in a slash; none inside another."""
    folders: dict[str, list[str]] = {}
    for member in members:
        folder, slash, name = member.rpartition("/")
        if not member.startswith(_ASIDE):
            folders.setdefault(folder + slash, []).append(name)
    roots: dict[str, None] = {}
    for folder in sorted(folders, key=lambda path: (path.count("/"), path)):
        inside = any(above in roots for above in _folders_above(folder))
        if not inside and is_product_root(folders[folder]) and not folder.endswith("DATASTRIP/"):
            roots[folder] = None
    return list(roots)


def read_member(address: str) -> bytes:
    """Bytes of a file of a product, by its address: in a folder, a zip file or a tar file.

    Raises:
        OSError: it cannot be read.
        KeyError: the zip file has no such member.
        StopIteration: there is no such zip file.
        zipfile.BadZipFile: it is damaged.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     _ = file.write(b"0123456789")
        ...     file.flush()
        ...     read_member(file.name)[:2], read_member(f"/vsisubfile/4_3,{file.name}")
        (b'01', b'456')
    """
    part = Part.of(address)
    if part is not None:
        return part.read()
    if not address.startswith(_VSIZIP):
        return Path(address).read_bytes()
    inner = Path(address.removeprefix(_VSIZIP))
    archive = next(place for place in inner.parents if place.is_file())
    with zipfile.ZipFile(archive) as members:
        return members.read(inner.relative_to(archive).as_posix())
