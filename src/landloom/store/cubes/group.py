"""Groups of Zarr version 3 on this machine, opened by xarray without decoding any numbers."""

from __future__ import annotations

import json
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import FaultError, PermanentFaultError
from landloom.store.faults import os_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

    from landloom.store.drivers import CubeVariable

DOCUMENT: Final = "zarr.json"
"""The metadata of a node of Zarr version 3."""
MOST_NAMED: Final = 10
"""Groups that one message lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CubeLayer:
    """A variable of a cube, or what it holds of one sample."""

    variable: CubeVariable
    names: tuple[str, ...]
    """Its bands: the variable's own name, or the texts of its axis of bands."""
    place: str | None = None
    """Id of the sample; None if there is no axis of samples."""


def is_version_3(path: str) -> bool:
    """Whether a path is a node of Zarr version 3."""
    return (Path(path) / DOCUMENT).is_file()


def changed(path: str) -> int:
    """When the metadata of a node changed last, in nanoseconds: what tells its states apart within a process."""
    return (Path(path) / DOCUMENT).stat().st_mtime_ns


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turn exceptions of zarr and its codecs into faults.

    Raises:
        PermanentFaultError: the cube is missing, damaged, or encoded in an unknown way.
        TransientFaultError: its files are temporarily unreadable.
    """
    try:
        yield
    except FaultError:
        raise
    except OSError as error:
        raise os_fault(error, where) from error
    except (ValueError, KeyError, TypeError, RuntimeError, AttributeError, IndexError, NotImplementedError) as error:
        raise PermanentFaultError(f"{where}: cannot be read as Zarr version 3: {str(error).strip()}") from error


def open_group(path: str) -> xr.Dataset:
    """The variables of a group with their attributes; `_FillValue` is decoded, numbers and times are as stored.

    Raises:
        PermanentFaultError: it is no group, has no variables, or is damaged or encoded in an unknown way.
        TransientFaultError: its files are temporarily unreadable.
    """
    document = Path(path) / DOCUMENT
    with told(path):
        node = json.loads(document.read_bytes())
        kind = node.get("node_type")
        group = _group(path, changed(path)) if kind == "group" else None
    if group is None:
        raise PermanentFaultError(f"{path}: is a Zarr {kind}, expected a group with a variable for each band")
    if not group.variables:
        inner = sorted(below.parent.name for below in Path(path).glob(f"*/{DOCUMENT}"))
        named = ", ".join(inner[:MOST_NAMED]) + (" …" if len(inner) > MOST_NAMED else "")
        what = f"groups ({named}): name the one to read, such as {path}/{inner[0]}" if inner else "nothing"
        raise PermanentFaultError(f"{path}: expected variables, the group holds {what}")
    return group


@lru_cache(maxsize=8)
def _group(path: str, _changed: int) -> xr.Dataset:
    import xarray as xr  # noqa: PLC0415 - slow to load, and few archives are cubes

    options: dict[str, Any] = {"mask_and_scale": False, "decode_times": False, "decode_coords": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        group: xr.Dataset = xr.open_zarr(path, chunks=None, zarr_format=3, **options)
    return group
