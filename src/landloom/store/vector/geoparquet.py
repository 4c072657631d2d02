"""GeoParquet, block by block, whatever its column of geometry is called."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from landloom.errors import InvalidInputError, NotFoundError, StoreError
from landloom.model.crs_key import CrsKey, crs_key
from landloom.model.grid import WGS84, Bounds
from landloom.model.parquet_size import check_size
from landloom.store.vector.cells import nfc
from landloom.store.vector.forms import Form, refuse_encoding
from landloom.store.vector.rows import BLOCK, Rows, Told, flat, shapes_of_wkb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_WKB: Final = "WKB"


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise StoreError(f"cannot read {name}: {str(error).splitlines()[0][:300]}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetLayer:
    """A GeoParquet file."""

    path: Path
    name: str
    geometry: str
    encoding: str
    fields: tuple[str, ...]
    crs: CrsKey | None
    is_stated: bool = True
    counted: Literal["feature", "row"] = "row"

    @classmethod
    def of(cls, path: Path, name: str, told: Told) -> ParquetLayer:
        """Read what a file says of itself.

        Args:
            path: the file.
            name: what messages call it.
            told: column of geometry, where it is not the primary one.

        Raises:
            InvalidInputError: no GeoParquet.
            NotFoundError: no such column of geometry.
            StoreError: the file cannot be read.
        """
        refuse_encoding(name, Form.PARQUET, told.encoding)
        with _named(name):
            schema = pq.read_schema(path)
        geo = _geo(name, schema.metadata or {})
        columns = geo.get("columns")
        primary = told.geometry or geo.get("primary_column")
        if not isinstance(columns, dict) or not isinstance(primary, str) or primary not in schema.names:
            raise InvalidInputError(f"{name}: got `geo` metadata without its primary column, expected GeoParquet")
        if primary not in columns:
            raise NotFoundError.of(f"column of geometry in {name}", primary, columns)
        about = columns[primary] if isinstance(columns[primary], dict) else {}
        covering = _covering(about)
        return cls(
            path=path,
            name=name,
            geometry=primary,
            encoding=str(about.get("encoding", _WKB)),
            fields=tuple(own for own in schema.names if own not in {*columns, covering}),
            crs=_crs(name, about),
        )

    def rows(self, columns: Sequence[str], bounds: Bounds | None = None, *, bare: bool = False) -> Iterator[Rows]:
        """All rows: there is no index to leave any out by."""
        _ = bounds, bare
        with _named(self.name), pa.OSFile(str(self.path)) as whole:
            check_size(whole, [*columns, self.geometry])
        native = None if self.encoding == _WKB else self._native()
        first = 0
        with _named(self.name), pq.ParquetFile(self.path, memory_map=True) as file:
            for batch in file.iter_batches(BLOCK, columns=[*columns, self.geometry]):
                numbers = np.arange(first, first + batch.num_rows)
                if native is None:
                    shapes, unread = shapes_of_wkb(batch.column(self.geometry).to_pylist())
                else:
                    shapes, unread = flat(native[numbers], [None] * len(numbers), "GeoArrow")
                found = {nfc(own): batch.column(own) for own in columns}
                yield Rows(numbers=numbers, columns=found, shapes=shapes, unread=unread)
                first += batch.num_rows

    def is_empty(self) -> bool:
        """Whether it has no row at all."""
        return bool(pq.read_metadata(self.path).num_rows == 0)

    def _native(self) -> Any:
        """Geometries in an encoding of GeoArrow."""
        import geopandas

        try:
            return geopandas.read_parquet(self.path, columns=[self.geometry]).geometry.to_numpy()
        except (ValueError, TypeError, pa.ArrowException) as error:
            raise InvalidInputError(f"{self.name}: got geometry as {self.encoding!r} that is none") from error


def _geo(name: str, metadata: dict[bytes, bytes]) -> dict[str, Any]:
    if b"geo" not in metadata:
        raise InvalidInputError(f"{name} is Parquet without `geo` metadata, expected GeoParquet")
    try:
        found = orjson.loads(metadata[b"geo"])
    except orjson.JSONDecodeError as error:
        raise InvalidInputError(f"{name}: got `geo` metadata that is no JSON, expected GeoParquet") from error
    return found if isinstance(found, dict) else {}


def _covering(about: dict[str, Any]) -> str | None:
    """The column of boxes, which is no attribute."""
    try:
        return str(about["covering"]["bbox"]["xmin"][0])
    except (KeyError, TypeError, IndexError):
        return None


def _crs(name: str, about: dict[str, Any]) -> CrsKey | None:
    """Longitude and latitude unless told, by the specification; None where the file says that nobody knows."""
    if "crs" not in about:
        return WGS84
    if about["crs"] is None:
        return None
    try:
        return crs_key(about["crs"])
    except InvalidInputError as error:
        raise InvalidInputError(f"{name}: {error}") from error
