"""Which of GDAL's drivers may open a vector file: those named here, never whichever feels addressed by the content."""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from landloom.errors import InvalidInputError, LandloomError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

DRIVERS: Final = frozenset({"GPKG", "FlatGeobuf", "ESRI Shapefile", "GeoJSON", "GeoJSONSeq", "TopoJSON", "LIBKML"})
"""GDAL's names of the formats that it reads for us; CSV and Parquet are read without it."""
_alone = threading.RLock()


@contextmanager
def only_drivers(name: str) -> Iterator[None]:
    """Open with pyogrio by no other drivers than `DRIVERS`, one thread at a time; what others may use comes back after.

    Args:
        name: what messages call the file.

    Raises:
        StoreError: GDAL cannot read the file.
        InvalidInputError: text in it is not what it declares.
    """
    import pyogrio
    from pyogrio import _ogr

    with _alone, named_errors(name), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # GDAL's advice; what it could not read is an error
        others = [driver for driver in pyogrio.list_drivers() if driver not in DRIVERS]
        pyogrio.set_gdal_config_options({"OGR_SKIP": ",".join(others)})
        try:
            _ogr._register_drivers()  # noqa: SLF001 - skips what the option names
            if not pyogrio.list_drivers().keys() <= DRIVERS:
                raise StoreError(f"cannot read {name}: GDAL cannot be kept to its vector drivers")
            yield
        finally:
            pyogrio.set_gdal_config_options({"OGR_SKIP": None})
            _ogr._register_drivers()  # noqa: SLF001 - skips what the option names


@contextmanager
def named_errors(name: str) -> Iterator[None]:
    """Turn what GDAL and Arrow raise of a file into errors that name it.

    Raises:
        StoreError: the file cannot be read.
        InvalidInputError: text in it is not what it declares.
    """
    from pyogrio.errors import CRSError, DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError

    try:
        yield
    except LandloomError:
        raise
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"{name}: got text that is not {error.encoding}: {error.object[:40]!r}; name its encoding"
        ) from error
    except (DataSourceError, DataLayerError, FeatureError, FieldError, GeometryError, CRSError) as error:
        raise StoreError(_unread(name, error)) from error
    except (pa.ArrowException, OSError) as error:
        raise StoreError(_unread(name, error)) from error


def quietly(batches: Iterator[Any]) -> Iterator[Any]:
    """What GDAL reads, without its advice as warnings: what it could not read is an error."""
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            batch = next(batches, None)
        if batch is None:
            return
        yield batch


def _unread(name: str, error: Exception) -> str:
    """GDAL's reason without its advice to programmers."""
    if "not recognized as being in a supported file format" in str(error):
        return f"cannot read {name}: it is broken, or of a kind that is not read"
    return f"cannot read {name}: {str(error).splitlines()[0][:300]}"
