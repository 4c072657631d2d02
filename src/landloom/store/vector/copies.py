"""Vector files that lie elsewhere, or packed → files on this disk, which every reader can open."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tempfile
import time
import zipfile
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from landloom.errors import InvalidInputError, MissingKeyError, NotFoundError, StoreError
from landloom.model.address import is_remote, local_path, shown
from landloom.store.cache import cache_folder
from landloom.store.http import download, first_bytes, new_session, version_of
from landloom.store.remote import fetched
from landloom.store.vector.forms import HEAD, PARTS, Form, form_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER: Final = "vectors"
"""Of copies, in the user's cache."""
_DAYS: Final = 7
"""After which a copy that nobody read is removed."""
_RATIO: Final = 200
"""How many times its packed size a file may come out as; beyond that it is no map."""
_FREE: Final = 64 << 20
"""Bytes that any packed file may come out as."""
_MARKS: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""Byte order marks of text that GDAL does not read."""


def head_of(name: str) -> bytes:
    """The first bytes of a file, wherever it lies.

    Raises:
        MissingKeyError: no such file.
        StoreError: it cannot be read.
        FaultError: as `landloom.store.http.get`.
    """
    if name.startswith(("http://", "https://")):
        with new_session() as session:
            return first_bytes(session, name, HEAD)
    with local_copy(name) as path:
        return _head(path)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except FileNotFoundError as error:
        raise MissingKeyError(f"no file {path}") from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from error


@contextmanager
def local_copy(name: str) -> Iterator[Path]:
    """A file of this disk with the content of a path or URL, for as long as the context lasts.

    What comes by http(s) and says a version of itself (ETag, or time of change and size) is kept in the user's cache
    and fetched again only when that changes.

    Raises:
        MissingKeyError: no such file.
        FaultError: as `landloom.store.http.get`.
    """
    if not is_remote(name):
        path = Path(local_path(name))
        if not path.exists():
            raise MissingKeyError(f"no file {name}")
        yield path
    elif name.startswith(("http://", "https://")):
        with new_session() as session:
            version = version_of(session, name)
        if version is None:
            with fetched(name) as copy:
                yield Path(copy)
        else:
            yield _kept(name, version)
    else:
        with fetched(name) as copy:
            yield Path(copy)


def _kept(href: str, version: str) -> Path:
    """The copy in the cache, fetched if it is not there."""
    folder = cache_folder() / _FOLDER
    path = folder / hashlib.sha256(f"{href}\n{version}".encode()).hexdigest()
    try:
        os.utime(path)
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        _prune(folder)
        with tempfile.TemporaryDirectory(dir=folder) as scratch, new_session() as session:
            download(session, href, Path(scratch) / "copy")
            (Path(scratch) / "copy").replace(path)
    return path


def _prune(folder: Path) -> None:
    oldest = time.time() - _DAYS * 86_400
    for path in folder.iterdir():
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


@contextmanager
def unpacked(name: str, layer: str | None) -> Iterator[tuple[Path, Form, str | None]]:
    """A file that readers can open, what it is, and the layer wanted of it, where that names no file of an archive.

    Zip archives and folders may hold a vector file anywhere; where they hold several, the layer names one by its stem.
    Text in UTF-16 becomes UTF-8.

    Raises:
        MissingKeyError: no such file.
        NotFoundError: no such layer; the choices are named.
        InvalidInputError: it is no vector file; several files in an archive; or one that unpacks to a bomb.
    """
    with ExitStack() as stack:
        path = stack.enter_context(local_copy(name))
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="landloom-")))
        if path.is_dir():
            path, layer = _chosen(name, {str(file): file for file in sorted(path.rglob("*")) if file.is_file()}, layer)
        for _ in range(3):
            form = form_of(_head(path), path.name)
            if form is Form.ZIP:
                path, layer = _from_zip(name, path, scratch, layer)
            elif form is Form.GZIP:
                path = _from_gzip(name, path, scratch)
            else:
                break
        if form is Form.TEXT_TO_RECODE:
            path = _recoded(path, scratch)
            form = form_of(_head(path), path.name)
        yield path, form, layer


def _chosen(name: str, files: dict[str, Path], layer: str | None) -> tuple[Path, str | None]:
    """The vector file among the files of a folder or archive, and the layer within it."""
    known = {}
    for where, file in files.items():
        parts = PurePosixPath(where).parts
        hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts[-1:]) or "__MACOSX" in parts
        if not hidden and PurePosixPath(where).suffix.lower() in PARTS:
            known[where] = file
    stems = [PurePosixPath(where).stem for where in known]
    if layer is not None and layer in stems:
        named = [file for stem, file in zip(stems, known.values(), strict=True) if stem == layer]
        if len(named) == 1:
            return named[0], None
    if len(known) == 1:
        return next(iter(known.values())), layer
    if not known:
        raise InvalidInputError(f"{shown(name)}: holds no vector file, expected one of {', '.join(sorted(PARTS))}")
    if layer is not None:
        raise NotFoundError.of(f"file in {shown(name)}", layer, stems)
    raise InvalidInputError(f"{shown(name)} holds several vector files: {', '.join(stems)}; name one as its layer")


def _from_zip(name: str, path: Path, scratch: Path, layer: str | None) -> tuple[Path, str | None]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {entry.filename.replace("\\", "/"): entry for entry in archive.infolist() if not entry.is_dir()}
            chosen, layer = _chosen(name, {where: Path(where) for where in entries}, layer)
            stem = str(chosen.with_suffix("")).casefold()
            target = Path(tempfile.mkdtemp(dir=scratch))
            for where, entry in entries.items():
                # What belongs to a shapefile has its stem; names within archives name nothing on this disk.
                if str(Path(where).with_suffix("")).casefold() == stem:
                    with archive.open(entry) as packed:
                        _unpack(name, packed, target / f"part{Path(where).suffix.lower()}", entry.compress_size)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise StoreError(f"cannot read {shown(name)}: {error}") from error
    whole = target / f"part{chosen.suffix.lower()}"
    return whole.rename(target / f"{_plain(chosen.stem)}{whole.suffix}") if whole.suffix != ".shp" else whole, layer


def _plain(stem: str) -> str:
    """A stem of an archive as the name of a file: formats without names of layers call their layer so."""
    kept = "".join(sign for sign in stem if sign.isalnum() or sign in "-_ .")
    return kept[:100].strip(". ") or "part"


def _from_gzip(name: str, path: Path, scratch: Path) -> Path:
    target = scratch / (_plain(PurePosixPath(urlsplit(name).path).name.removesuffix(".gz")))
    try:
        with gzip.open(path, "rb") as packed:
            _unpack(name, cast("IO[bytes]", packed), target, path.stat().st_size)
    except (OSError, EOFError) as error:
        raise StoreError(f"cannot read {shown(name)}: {error}") from error
    return target


def _unpack(name: str, packed: IO[bytes], target: Path, size: int) -> None:
    most, done = max(size * _RATIO, _FREE), 0
    with target.open("wb") as file:
        while chunk := packed.read(1 << 20):
            done += len(chunk)
            if done > most:
                raise InvalidInputError(
                    f"{shown(name)}: {size:,} bytes unpack to more than {most:,}, expected a map: unpack it first"
                )
            file.write(chunk)


def _recoded(path: Path, scratch: Path) -> Path:
    target = Path(tempfile.mkdtemp(dir=scratch)) / path.name
    try:
        with (
            path.open(encoding=_MARKS[_head(path)[:2]], newline="") as text,
            target.open("w", encoding="utf-8") as file,
        ):
            shutil.copyfileobj(text, file)
    except UnicodeError as error:
        raise InvalidInputError(f"{path.name}: is not UTF-16 text, which its first bytes promise") from error
    return target
