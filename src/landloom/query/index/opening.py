"""From a source to its sidecar: read from the user's cache if up to date, else built and cached."""

from __future__ import annotations

import warnings
import zlib
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import InvalidInputError, MissingKeyError
from landloom.query.index.arrays import load, pack, unpack, write_atomically
from landloom.query.index.sidecar import Sidecar
from landloom.query.index.sidecar_meta import SidecarMeta, SourceState
from landloom.store.cache import cache_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.query.index.sidecar_sources import SidecarSource

_TAIL: Final = 65_536
_BLOCK: Final = 1 << 20


def _stamp(path: Path) -> tuple[int, int, int]:
    """Size, modification time and checksum of the last 64 kB: fast, and different for any changed file."""
    with path.open("rb") as file:
        status = path.stat()
        file.seek(max(status.st_size - _TAIL, 0))
        return status.st_size, status.st_mtime_ns, zlib.crc32(file.read())


def _digest(path: Path) -> str:
    import hashlib  # loads OpenSSL, which an up-to-date sidecar does not need

    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _key(source: SidecarSource) -> tuple[str, ...]:
    """Identity of a source."""
    return (*(str(path.resolve()) for path in source.paths), source.extra)


def sidecar_path(source: SidecarSource, folder: Path) -> Path:
    """Path of the sidecar of a source; each file names its source, in case two have the same path."""
    key = "\n".join(_key(source)).encode()
    return folder / "sidecars" / f"{zlib.crc32(key):08x}{zlib.adler32(key):08x}.sidecar"


def _cached(path: Path, key: tuple[str, ...]) -> tuple[Sidecar, SourceState] | None:
    try:
        sidecar = _sidecar(load(path))
    except (OSError, InvalidInputError):  # missing, from another source or truncated: build it again
        return None
    state = sidecar.meta.source
    return (sidecar, state) if state is not None and state.key == key else None


def _sidecar(content: tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]) -> Sidecar:
    arrays, meta = content
    return Sidecar(arrays=arrays, meta=SidecarMeta.of(meta))


def _store(path: Path, sidecar: Sidecar) -> Sidecar:
    data = pack(sidecar.arrays, asdict(sidecar.meta))
    try:
        write_atomically(path, data)
    except OSError as error:
        warnings.warn(f"cannot keep the sidecar in {path.parent} ({error}); it is kept in memory", stacklevel=4)
        return _sidecar(unpack(data))
    return _sidecar(load(path))


def open_sidecar(source: SidecarSource, folder: Path | None = None) -> Sidecar:
    """The sidecar of a source: from the cache if the source is unchanged, else rebuilt.

    Unchanged means: the same size, modification time and last 64 kB of every file; failing that, the same SHA-256. Two
    processes may build at once; each renames a complete file into place. If the cache cannot be written, the sidecar is
    kept in memory, with a warning.

    Args:
        source: files and how to read them.
        folder: the cache; `landloom.store.cache.cache_folder()` unless told.

    Raises:
        MissingKeyError: a file is absent.
        CorpusError: a file is invalid.
    """
    for missing in (path for path in source.paths if not path.is_file()):
        raise MissingKeyError(f"no file {missing}")
    path = sidecar_path(source, folder or cache_folder())
    stamps = tuple(_stamp(item) for item in source.paths)
    key = _key(source)
    cached = _cached(path, key)
    if cached is not None and cached[1].stamps == stamps:
        return cached[0]
    state = SourceState(key=key, stamps=stamps, sha256=tuple(_digest(item) for item in source.paths))
    if cached is not None and cached[1].sha256 == state.sha256:
        same = cached[0]
        return _store(path, Sidecar(arrays=dict(same.arrays), meta=replace(same.meta, source=state)))
    from landloom.query.index.draft import finish

    return _store(path, finish(source.read(), state))
