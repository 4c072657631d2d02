"""A stac-geoparquet file as an archive: a local item table instead of a thousand requests."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from landloom.archive.dedupe import resolve_duplicates
from landloom.archive.gathered import ItemGate
from landloom.errors import PermanentFaultError
from landloom.model.address import is_remote
from landloom.model.parquet_size import check_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pyarrow.compute import Expression
    from shapely.geometry.base import BaseGeometry

    from landloom.archive.protocol import Documents
    from landloom.errors import Problem
    from landloom.formats.stac.profiles import Profile
    from landloom.model.scene import Scene
    from landloom.model.sensor import Sensor
    from landloom.model.time import Period


class TableArchive:
    """Scenes of a stac-geoparquet file; row groups outside the search are not read."""

    def __init__(
        self,
        path: Path | str,
        profile: Profile | None = None,
        collection: str | None = None,
        sensor: Sensor | None = None,
        documents: Documents | None = None,
    ) -> None:
        """Set the path of the file; nothing is read yet.

        Args:
            path: a GeoParquet file with a row per item, according to the stac-geoparquet specification.
            profile: the provider's asset naming; None detects it from each item.
            collection: if set, only items of this collection are read.
            sensor: expected sensor; items of others are left out. None accepts any.
            documents: reads a remote file as a whole.
        """
        self._path = path
        self._collection = collection
        self._documents = documents
        self._content: pa.Buffer | None = None
        self._gate = ItemGate(profile, sensor)
        self._parsed: dict[bytes, Scene | None] = {}
        self._checked = False

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Rows that could not be read, each listed once."""
        return self._gate.problems

    def search(self, footprint: BaseGeometry, period: Period) -> tuple[Scene, ...]:
        """See `landloom.archive.protocol.Archive`.

        Raises:
            PermanentFaultError: no such file, or not stac-geoparquet.
        """
        found: dict[str, Scene] = {}
        for item in self._items(footprint, period):
            kept = {key: asset for key, asset in (item.get("assets") or {}).items() if asset is not None}
            where = "/".join(str(item[key]) for key in ("collection", "id") if item.get(key))
            scene = self._scene({**item, "assets": kept}, where)
            if scene is not None:
                self._gate.gather(found, scene, footprint, period, where)
        return resolve_duplicates(found.values())

    def _scene(self, item: Mapping[str, Any], where: str) -> Scene | None:
        """The scene of a row, parsed once: neighbouring tiles lie under the same granules."""
        hrefs = [asset.get("href") for asset in item["assets"].values() if isinstance(asset, dict)]
        told = orjson.dumps([where, hrefs, item.get("properties")], default=str, option=orjson.OPT_NON_STR_KEYS)
        key = hashlib.sha256(told).digest()
        if key not in self._parsed:
            self._parsed[key] = self._gate.scene(item, str(self._path), where)
        return self._parsed[key]

    def _items(self, footprint: BaseGeometry, period: Period) -> Iterable[Mapping[str, Any]]:
        from stac_geoparquet.arrow import stac_table_to_items

        try:
            source = self._source()
            schema = pq.read_schema(_readable(source))
            missing = {"id", "geometry", "assets"} - set(schema.names)
            if missing:
                raise PermanentFaultError(f"{self._path}: no stac-geoparquet: without {', '.join(sorted(missing))}")
            if not self._checked:
                with pa.BufferReader(source) if isinstance(source, pa.Buffer) else pa.OSFile(str(source)) as whole:
                    check_size(whole)
                self._checked = True
            table = pq.read_table(_readable(source), filters=self._filter(schema, footprint, period), use_threads=False)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise PermanentFaultError(f"{self._path}: no such file") from error
        except pa.ArrowInvalid as error:
            raise PermanentFaultError(f"{self._path}: {error}") from error
        items: Iterable[Mapping[str, Any]] = stac_table_to_items(table)
        return items

    def _source(self) -> Any:
        """What Parquet reads: the path, or the content where a network lies before it."""
        if self._documents is None or not is_remote(str(self._path)):
            return self._path
        if self._content is None:
            self._content = pa.py_buffer(self._documents.read(str(self._path)))
        return self._content

    def _filter(self, schema: pa.Schema, footprint: BaseGeometry, period: Period) -> Expression | None:
        """The part of the search that Parquet's statistics can decide; parsed scenes are tested exactly."""
        conditions = []
        if "datetime" in schema.names and pa.types.is_timestamp(schema.field("datetime").type):
            kind = schema.field("datetime").type
            start, end = (pa.scalar(instant).cast(kind) for instant in (period.start, period.end))
            field = pc.field("datetime")
            conditions.append(field.is_null() | ((field >= start) & (field < end)))
        if "bbox" in schema.names and pa.types.is_struct(schema.field("bbox").type):
            west, south, east, north = footprint.bounds
            xmin, ymin, xmax, ymax = (pc.field("bbox", side) for side in ("xmin", "ymin", "xmax", "ymax"))
            crosses = xmin > xmax
            conditions.append((ymin <= north) & (ymax >= south) & (crosses | ((xmin <= east) & (xmax >= west))))
        if self._collection is not None and "collection" in schema.names:
            conditions.append(pc.field("collection") == self._collection)
        joined = None
        for condition in conditions:
            joined = condition if joined is None else joined & condition
        return joined


def _readable(source: Any) -> Any:
    return pa.BufferReader(source) if isinstance(source, pa.Buffer) else source
