"""GeoPackage, FlatGeobuf, shapefile, GeoJSON, TopoJSON and KML, through GDAL, block by block."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import shapely

from landloom.errors import InvalidInputError, NotFoundError
from landloom.model.crs_key import CrsKey, crs_key
from landloom.store.vector.cells import nfc
from landloom.store.vector.dbf import long_numbers, records_without_shape, text_encoding
from landloom.store.vector.drivers import named_errors, only_drivers, quietly
from landloom.store.vector.forms import Form, refuse_encoding
from landloom.store.vector.geopackage import feature_tables, rows_without_place
from landloom.store.vector.rows import BLOCK, Rows, shapes_of_wkb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from landloom.model.grid import Bounds

_CURVED: Final = ("Curve", "Surface", "Tin", "Triangle", "Circular")
"""Words in the types of geometry that only GDAL can turn into straight lines."""


def layer_names(path: Path, name: str, form: Form) -> tuple[str, ...]:
    """Names of the layers of a file that have geometry.

    Raises:
        InvalidInputError: a GeoPackage of views.
        StoreError: the file cannot be read.
    """
    import pyogrio

    if form is Form.GEOPACKAGE:
        return tuple(feature_tables(path, name))
    with only_drivers(name):
        return tuple(str(layer) for layer, kind in pyogrio.list_layers(path) if kind is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class GdalLayer:
    """A layer of a file that GDAL reads."""

    path: Path
    name: str
    layer: str
    form: Form
    fields: tuple[str, ...]
    crs: CrsKey | None
    is_stated: bool
    encoding: str | None
    curved: bool
    indexed: bool
    counted: Literal["feature", "row"] = "feature"

    @classmethod
    def of(
        cls,
        path: Path,
        name: str,
        form: Form,
        layer: str | None,
        encoding: str | None,
        columns: Sequence[str] | None = None,
    ) -> GdalLayer:
        """Look a layer up, of which some columns are read.

        Raises:
            NotFoundError: no such layer.
            InvalidInputError: several layers, and none is named; text of an encoding that is not declared.
        """
        import pyogrio

        if form is not Form.SHAPEFILE:
            refuse_encoding(name, form, encoding)
        elif encoding is None:
            encoding = text_encoding(path, name, columns)
        chosen = _chosen(name, layer, layer_names(path, name, form))
        with only_drivers(name):
            info = pyogrio.read_info(path, layer=chosen, encoding=encoding)
        return cls(
            path=path,
            name=name,
            layer=chosen,
            form=form,
            fields=tuple(map(str, info["fields"])),
            crs=_crs(name, info),
            is_stated=info["driver"] not in {"GeoJSON", "GeoJSONSeq", "TopoJSON"},
            encoding=encoding,
            curved=any(word in str(info["geometry_type"]) for word in _CURVED),
            indexed=bool(info["capabilities"]["fast_spatial_filter"]) or form is Form.SHAPEFILE,
        )

    def rows(self, columns: Sequence[str], bounds: Bounds | None = None, *, bare: bool = False) -> Iterator[Rows]:
        """The features, block by block.

        Args:
            columns: attributes.
            bounds: in the layer's CRS; features far from them may be left out.
            bare: whether features without geometry come along, wherever the bounds are.
        """
        near = bounds if self.indexed else None
        seen: set[int] = set()
        for rows in self._straightened(columns, near) if self.curved else self._blocks(columns, {"bbox": near}):
            seen |= set(rows.numbers[shapely.is_missing(rows.shapes) | shapely.is_empty(rows.shapes)].tolist())
            yield rows
        if near is not None and bare:
            fids = [fid for fid in self._bare() if fid not in seen]
            for start in range(0, len(fids), BLOCK):
                yield from self._blocks(columns, {"fids": fids[start : start + BLOCK]})

    def is_empty(self) -> bool:
        """Whether it has no feature at all."""
        from pyogrio.raw import read_arrow

        with only_drivers(self.name):
            return bool(read_arrow(self.path, layer=self.layer, columns=[], max_features=1)[1].num_rows == 0)

    def _bare(self) -> list[int]:
        if self.form is Form.GEOPACKAGE:
            column = feature_tables(self.path, self.name)[self.layer]
            return rows_without_place(self.path, self.name, self.layer, column) or []
        return records_without_shape(self.path) if self.form is Form.SHAPEFILE else []

    def _blocks(self, columns: Sequence[str], chosen: dict[str, Any]) -> Iterator[Rows]:
        from pyogrio.raw import open_arrow, read_arrow

        options = {"layer": self.layer, "columns": list(columns), "encoding": self.encoding, "return_fids": True}
        long = self._long(columns)
        with named_errors(self.name), ExitStack() as stack:
            with only_drivers(self.name):
                if "fids" in chosen:
                    meta, reader = read_arrow(self.path, fids=np.array(chosen["fids"]), **options)
                    reader = reader.combine_chunks().to_batches()
                else:
                    opened = open_arrow(self.path, batch_size=BLOCK, use_pyarrow=True, **options, **chosen)
                    meta, reader = stack.enter_context(opened)
            for batch in quietly(iter(reader)):
                yield self._rows(meta, batch, long)

    def _rows(self, meta: dict[str, Any], batch: Any, long: dict[str, list[int | None]]) -> Rows:
        """By place, not by name: a GeoJSON's ids and one of its columns may have one name."""
        fields = [nfc(str(field)) for field in meta["fields"]]
        numbers = np.array(batch.column(0).to_pylist(), np.int64)
        columns = {field: batch.column(position) for position, field in enumerate(fields, 1)}
        columns |= {field: [own[row] for row in numbers.tolist()] for field, own in long.items() if field in columns}
        shapes, unread = shapes_of_wkb(batch.column(len(fields) + 1).to_pylist())
        return Rows(numbers=numbers, columns=columns, shapes=shapes, unread=unread)

    def _long(self, columns: Sequence[str]) -> dict[str, list[int | None]]:
        if self.form is not Form.SHAPEFILE:
            return {}
        found = long_numbers(self.path, self.encoding or "latin-1")
        return {nfc(name): own for name, own in found.items() if name in columns}

    def _straightened(self, columns: Sequence[str], near: Bounds | None) -> Iterator[Rows]:
        """Curves as GDAL approximates them, which it does where it is not asked for Arrow."""
        from pyogrio.raw import read

        with only_drivers(self.name):
            shapes = read(self.path, layer=self.layer, columns=[], bbox=near, return_fids=True)
        straight = dict(zip(shapes[1].tolist(), shapes[2].tolist(), strict=True))
        for rows in self._blocks(columns, {"bbox": near}):
            found, unread = shapes_of_wkb([straight.get(number) for number in rows.numbers.tolist()])
            yield Rows(numbers=rows.numbers, columns=rows.columns, shapes=found, unread=unread)


def _chosen(name: str, layer: str | None, known: tuple[str, ...]) -> str:
    if layer is not None:
        same = [own for own in known if nfc(own) == nfc(layer)]
        if not same:
            raise NotFoundError.of(f"layer with geometry in {name}", layer, known)
        return same[0]
    if len(known) != 1:
        what = f"several layers with geometry: {', '.join(known)}; name one" if known else "no layer with geometry"
        raise InvalidInputError(f"{name} has {what}")
    return known[0]


def _crs(name: str, info: dict[str, Any]) -> CrsKey | None:
    """What the layer says; a TopoJSON without any is in degrees by its specification."""
    text = info["crs"]
    if text is None or str(text).startswith(("LOCAL_CS", "ENGCRS")) or '["Undefined ' in str(text):
        return 4326 if info["driver"] == "TopoJSON" else None
    try:
        return crs_key(text)
    except InvalidInputError as error:
        raise InvalidInputError(f"{name}: {error}") from error
