"""stac-geoparquet: the items of a collection as one table, which readers turn into the same items.

A row is an item: its properties are columns, `assets` has a column for each asset, null where the item has none. Shares
of classes that do not occur are null, for a table has every column in every row. `scene_codes` is left out: its keys
differ between tiles; it stands in the lineage, and in JSON items. Relative addresses refer to the table.

Rows come tile by tile, in id order, and each tile is a row group. A collection whose assets are named after dates that
each tile has for itself has no table: it would need a column for every date and band of any tile. The one by date has
all of its files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
import pyarrow as pa

from landloom.corpus.footprints import DECIMALS, json_boxes, wkb
from landloom.corpus.stac.by_date import one_band_each, views
from landloom.corpus.stac.items import ItemWriter, dated, item_names
from landloom.corpus.stac.links import Hrefs
from landloom.formats.parquet import GeoParquetWriter
from landloom.model.apportion import MILLION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.corpus.stac.items import TileContent

GEOPARQUET_ITEMS: Final = "1.1.0"
"""Version of the stac-geoparquet specification."""
_TIMES: Final = ("datetime", "start_datetime", "end_datetime")
_INSTANT: Final = pa.timestamp("us", tz="UTC")
_BOX: Final = ("xmin", "ymin", "xmax", "ymax")
_LINK: Final = pa.struct([("rel", pa.string()), ("href", pa.string()), ("type", pa.string())])
_LEFT_OUT: Final = frozenset({"scene_codes", "@@P@@"})


@dataclass(slots=True, kw_only=True)
class ItemTables:
    """The tables of a corpus being written: tiles are added one after the other."""

    info: CorpusInfo
    """The corpus."""
    base_url: str | None = None
    """Public address of the corpus; None for relative hrefs."""
    _writers: dict[str, GeoParquetWriter] = field(default_factory=dict)

    def add(self, content: TileContent) -> None:
        """Add the items of a tile, of every collection and of those by date.

        Args:
            content: the tile, with shares and files.
        """
        content = content.sorted()
        for info in views(self.info) if content.samples else ():
            for collection in info.collections:
                if _has_dates_of_tiles(info, collection):
                    continue
                key = info.layout.stac_items_table(collection)
                writer = ItemWriter(info, content, Hrefs(base_url=self.base_url, table=key))
                for table in _tables(writer, collection):
                    self._writers.setdefault(key, GeoParquetWriter(metadata=_METADATA)).write(table)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Key and bytes of each table; nothing can be added afterwards."""
        for key in sorted(self._writers):
            yield key, self._writers.pop(key).close()


def _has_dates_of_tiles(info: CorpusInfo, collection: str) -> bool:
    """Whether assets are named after dates that differ between tiles, or between the items of one."""
    if dated(info, collection):
        return "{timestep}" in (info.layout.patterns.band_asset or "")
    return any(item.acquired for item in info.collections[collection])


_METADATA: Final = {"stac-geoparquet": orjson.dumps({"version": GEOPARQUET_ITEMS}).decode()}


def _tables(writer: ItemWriter, collection: str) -> Iterator[pa.Table]:
    """The items of a tile in a collection, one table for each timestep that has items of its own."""
    content = writer.content
    each = [
        item_names(writer.info, collection, {key: rows[row] for key, rows in content.exists.items()})
        for row in range(len(content.samples))
    ]
    for step in dict.fromkeys(step for steps in each for step in steps):
        rows = np.array([row for row, steps in enumerate(each) if step in steps], np.int64)
        yield _Rows(writer=writer, collection=collection, step=step, rows=rows).table()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """The items of some samples of a tile at one timestep."""

    writer: ItemWriter
    collection: str
    step: int | None
    rows: NDArray[np.int64]

    def table(self) -> pa.Table:
        """All columns."""
        writer = self.writer
        members = writer.info.collections[self.collection]
        every = {item.key: np.ones(item.slots, np.bool_) for item in members}
        document, paths = writer.document(int(self.rows[0]), self.collection, self.step, every)
        outlines = np.round(writer.content.outlines()[self.rows], DECIMALS)
        boxes = json_boxes(outlines)
        properties = {name: value for name, value in document["properties"].items() if name not in _LEFT_OUT}
        columns = {name: self._same(document[name]) for name in ("type", "stac_version", "stac_extensions")}
        columns |= {"id": self._texts(document["id"]), "collection": self._same(document["collection"])}
        columns |= {name: self._property(name, value) for name, value in properties.items()} | self._facts()
        columns["links"] = pa.array(self._links(), pa.list_(_LINK))
        columns["assets"] = self._assets(document["assets"], paths)
        columns["bbox"] = pa.StructArray.from_arrays([pa.array(edge) for edge in boxes.T], names=list(_BOX))
        columns["geometry"] = wkb(outlines)
        return pa.table(columns)

    def _same(self, value: Any, kind: pa.DataType | None = None) -> pa.Array:
        """The same value in every row."""
        return pa.array([value], kind).take(pa.array(np.zeros(len(self.rows), np.int64)))

    def _texts(self, pattern: str) -> pa.Array:
        names = self.writer.names
        return pa.array([pattern.replace("@@ID@@", names[row]) for row in self.rows.tolist()], pa.string())

    def _property(self, name: str, value: Any) -> pa.Array:
        if name in _TIMES:
            return self._same(None if value is None else datetime.fromisoformat(value), _INSTANT)
        if value == "@@=PLANE@@":
            samples = self.writer.content.samples
            return pa.array([list(samples[row].bounds) for row in self.rows.tolist()], pa.list_(pa.float64()))
        return self._value(value)

    def _value(self, value: Any) -> pa.Array:
        """A value of the document, with its slots filled."""
        if isinstance(value, str) and "@@" in value:
            return self._texts(value)
        if isinstance(value, list) and any(isinstance(part, str) and part.startswith("@@=") for part in value):
            return pa.array([self._edges(value, row) for row in self.rows.tolist()], pa.list_(pa.float64()))
        return self._same(value)

    def _edges(self, transform: Sequence[Any], row: int) -> list[float]:
        west, _, _, north = self.writer.content.samples[row].bounds
        slots = {"@@=WEST@@": west, "@@=NORTH@@": north}
        return [slots.get(part, part) for part in transform]

    def _facts(self) -> dict[str, pa.Array]:
        """Stratum, split and shares; null where there is none."""
        content = self.writer.content
        own = [content.samples[row] for row in self.rows.tolist()]
        found = {
            "stratum": pa.array([sample.stratum for sample in own], pa.string()),
            "split": pa.array([sample.split for sample in own], pa.string()),
        }
        for name, values in content.shares.items():
            some = values[self.rows]
            found[name] = pa.array(some / MILLION, pa.float64(), mask=some == 0)
        return found

    def _links(self) -> list[list[dict[str, str]]]:
        """Links of each row; they depend on the files of its sample."""
        writer, known = self.writer, {}
        layout = writer.info.layout
        name = None if self.step is None else writer.timestep(self.collection, self.step).name
        key = layout.stac_item(self.collection, writer.slot, name)
        found = []
        for row in self.rows.tolist():
            pattern = writer.patterns[row]
            if pattern not in known:
                there = {product: rows[row] for product, rows in writer.content.exists.items()}
                known[pattern] = writer.links(key, self.collection, self.step, there)
            own = writer.names[row]
            found.append(
                [{part: text.replace("@@ID@@", own) for part, text in link.items()} for link in known[pattern]]
            )
        return found

    def _assets(self, assets: Mapping[str, Mapping[str, Any]], paths: Mapping[str, str]) -> pa.StructArray:
        places = self._places()
        marked = {name: {**fields, "@@PLACES": places[name]} for name, fields in assets.items()}
        if self.writer.layout.patterns.by_date:
            marked = one_band_each(marked)
        children = [self._asset(fields, paths) for fields in marked.values()]
        return pa.StructArray.from_arrays(children, names=list(marked))

    def _places(self) -> dict[str, list[tuple[str, int]]]:
        """Key of each asset of the document → products and timesteps."""
        members = self.writer.info.collections[self.collection]
        every = {item.key: np.ones(item.slots, np.bool_) for item in members}
        grid = self.writer.grid_of(int(self.rows[0]))
        return self.writer.assets.places(members, self.step, every, grid)

    def _asset(self, fields: Mapping[str, Any], paths: Mapping[str, str]) -> pa.StructArray:
        columns: dict[str, pa.Array] = {}
        for name, value in fields.items():
            if name.startswith("@@F"):
                columns |= self._file(paths[name.strip("@")])
            elif name != "@@PLACES":
                columns[name] = self._value(value)
        absent = np.ones(len(self.rows), np.bool_)
        for product, position in fields["@@PLACES"]:
            if product in self.writer.content.exists:
                absent &= ~self.writer.content.exists[product][self.rows, position]
        return pa.StructArray.from_arrays(list(columns.values()), names=list(columns), mask=pa.array(absent))

    def _file(self, path: str) -> dict[str, pa.Array]:
        files, names = self.writer.content.files, self.writer.names
        entries = [files.get(path.replace("@@ID@@", names[row])) for row in self.rows.tolist()]
        return {
            "file:size": pa.array([None if one is None else one.size for one in entries], pa.int64()),
            "file:checksum": pa.array([None if one is None else one.multihash for one in entries], pa.string()),
        }
