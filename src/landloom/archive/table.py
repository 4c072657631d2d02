"""A stac-geoparquet file as an archive: a local item table instead of a thousand requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from shapely import STRtree, box, total_bounds

from landloom.archive.dedupe import resolve_duplicates
from landloom.archive.gathered import ItemGate
from landloom.errors import PermanentFaultError
from landloom.model.address import is_remote
from landloom.model.parquet_size import check_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pyarrow.compute import Expression
    from shapely.geometry.base import BaseGeometry

    from landloom.archive.protocol import Documents
    from landloom.errors import Problem
    from landloom.formats.stac.profiles import Profile
    from landloom.model.scene import Scene
    from landloom.model.sensor import Sensor
    from landloom.model.time import Period


BATCH: Final = 1 << 12
"""Rows that are in memory at a time."""
SIDES: Final = ("xmin", "ymin", "xmax", "ymax")


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
        return dict(self.search_each({"": footprint}, period))[""]

    def search_each(
        self, footprints: Mapping[str, BaseGeometry], period: Period
    ) -> Iterator[tuple[str, tuple[Scene, ...]]]:
        """Search for many footprints in one pass over the file, in which each row is read once.

        Args:
            footprints: name → outline in WGS84.
            period: half-open.

        Raises:
            PermanentFaultError: as in `search`.
        """
        names, shapes = list(footprints), list(footprints.values())
        tree = STRtree(shapes)
        found: list[dict[str, Scene]] = [{} for _ in shapes]
        for item in self._items(tree, shapes, period):
            kept = {key: asset for key, asset in (item.get("assets") or {}).items() if asset is not None}
            where = "/".join(str(item[key]) for key in ("collection", "id") if item.get(key))
            scene = self._gate.scene({**item, "assets": kept}, str(self._path), where)
            if scene is None:
                continue
            for number in tree.query(scene.footprint).tolist():
                self._gate.gather(found[number], scene, shapes[number], period, where)
        for name, scenes in zip(names, found, strict=True):
            yield name, resolve_duplicates(scenes.values())

    def _items(self, tree: STRtree, shapes: Sequence[BaseGeometry], period: Period) -> Iterator[Mapping[str, Any]]:
        """The rows whose box meets that of a footprint, as items."""
        from stac_geoparquet.arrow import stac_table_to_items

        try:
            for batch in self._batches(tuple(total_bounds(shapes)), period) if shapes else ():
                yield from stac_table_to_items(pa.Table.from_batches([batch.take(_near(batch, tree))]))
        except (FileNotFoundError, IsADirectoryError) as error:
            raise PermanentFaultError(f"{self._path}: no such file") from error
        except pa.ArrowInvalid as error:
            raise PermanentFaultError(f"{self._path}: {error}") from error

    def _batches(self, bounds: tuple[float, ...], period: Period) -> Iterator[pa.RecordBatch]:
        """Rows of the period within a box, some at a time."""
        from pyarrow.dataset import ParquetFileFormat  # noqa: PLC0415 - slow to import

        with self._opened() as file:
            schema = pq.read_schema(file)
            missing = {"id", "geometry", "bbox", "assets"} - set(schema.names)
            if missing:
                raise PermanentFaultError(f"{self._path}: no stac-geoparquet: without {', '.join(sorted(missing))}")
            if not pa.types.is_struct(schema.field("bbox").type):
                raise PermanentFaultError(f"{self._path}: no stac-geoparquet: its bbox is no struct of sides")
            if not self._checked:
                check_size(file)
                self._checked = True
            yield from (
                ParquetFileFormat()
                .make_fragment(file)
                .to_batches(filter=self._filter(schema, bounds, period), batch_size=BATCH, use_threads=False)
            )

    def _opened(self) -> Any:
        """What Parquet reads: the file, or its content where a network lies before it."""
        if self._documents is None or not is_remote(str(self._path)):
            return pa.OSFile(str(self._path))
        if self._content is None:
            self._content = pa.py_buffer(self._documents.read(str(self._path)))
        return pa.BufferReader(self._content)

    def _filter(self, schema: pa.Schema, bounds: tuple[float, ...], period: Period) -> Expression:
        """The part of the search that Parquet's statistics can decide; parsed scenes are tested exactly."""
        west, south, east, north = bounds
        xmin, ymin, xmax, ymax = (pc.field("bbox", side) for side in SIDES)
        wanted = (ymin <= north) & (ymax >= south) & ((xmin > xmax) | ((xmin <= east) & (xmax >= west)))
        if "datetime" in schema.names and pa.types.is_timestamp(schema.field("datetime").type):
            kind = schema.field("datetime").type
            start, end = (pa.scalar(instant).cast(kind) for instant in (period.start, period.end))
            field = pc.field("datetime")
            wanted &= field.is_null() | ((field >= start) & (field < end))
        if self._collection is not None and "collection" in schema.names:
            wanted &= pc.field("collection") == self._collection
        return wanted


def _near(batch: pa.RecordBatch, tree: STRtree) -> pa.Array:
    """Rows whose box meets that of a footprint, and those across the antimeridian."""
    sides = [pc.struct_field(batch["bbox"], side).to_numpy(zero_copy_only=False) for side in SIDES]
    near = sides[0] > sides[2]
    near[np.unique(tree.query(box(*sides))[0])] = True
    return pa.array(np.flatnonzero(near))
