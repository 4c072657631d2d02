"""The index: one row per sample. Queries use it as their catalogue, and STAC is written from it.

| column                      | type      | meaning                                                      |
|-----------------------------|-----------|--------------------------------------------------------------|
| `id`                        | string    | `33N_16E-243N_29_01`                                         |
| `zone`, `tile`              | string    | `33N`, `33N_16E-243N`                                        |
| `epsg`                      | int32     | CRS of the bounds                                            |
| `west` `south` `east` `north` | double  | bounds in that CRS                                           |
| `stratum`, `split`          | string    | group of the draw; `train`, …; null where unset              |
| `clc_111` … `clc_999`       | int32     | area shares in millionths; they sum to 1,000,000, or to 0 without label |
| `{product}_available`       | binary    | bit i % 8 of byte i // 8: timestep i exists; without time, one bit |
| `{product}_count`           | int32     | how many of its timesteps exist                              |
| `shares`                    | map       | class column → share of the area, 0 to 1                     |
| `bbox`                      | struct    | xmin, ymin, xmax, ymax of the footprint in degrees; -180, 180 across 180° |
| `geometry`                  | WKB       | footprint in WGS84, split at 180°                            |

Rows are ordered by tile, along a Hilbert curve inside the tile. The metadata `landloom` has the rest as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from landloom.corpus.footprints import boxes, rings, wkb
from landloom.corpus.hilbert import ORDER, hilbert
from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.errors import InvalidDocumentError, InvalidInputError, Problem
from landloom.formats.parquet import encode_geoparquet
from landloom.formats.readable_columns import readable
from landloom.model.apportion import MILLION
from landloom.model.product import PRODUCTS, Product
from landloom.model.recipe import Publication, Terms
from landloom.model.taxonomy import LandClass, Taxonomy, taxonomies, taxonomy
from landloom.model.time import Period, Timestep, format_instant, parse_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.model.sample import Sample

METADATA: Final = b"landloom"
"""Key of the metadata that describes the columns."""
STEP: Final = 10.0
"""Step of the Hilbert curve in metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleTable:
    """Samples as columns of length n.

    Example:
        >>> from landloom.model.ids import SampleId
        >>> from landloom.model.sample import Sample
        >>> table = SampleTable.of([Sample.of_utm24(SampleId.parse("33N_16E-243N_29_01"))])
        >>> table.tile.to_pylist(), table.bounds.tolist()
        (['33N_16E-243N'], [[384000.0, 5838600.0, 384600.0, 5839200.0]])
    """

    id: pa.StringArray
    """Ids."""
    zone: pa.StringArray
    """`33N`."""
    tile: pa.StringArray
    """`33N_16E-243N`."""
    epsg: NDArray[np.int32]
    """CRS of the bounds."""
    bounds: NDArray[np.float64]
    """(n, 4) west, south, east, north in that CRS."""
    stratum: pa.StringArray
    """Null if there is none."""
    split: pa.StringArray
    """Null if there is none."""

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Self:
        """The columns of some samples, in the same order."""
        zones = [str(sample.id.zone) for sample in samples]
        names = [sample.id.tile_name for sample in samples]
        return cls(
            id=pa.array([str(sample.id) for sample in samples], pa.string()),
            zone=pa.array(zones, pa.string()),
            tile=pa.array([f"{zone}_{name}" for zone, name in zip(zones, names, strict=True)], pa.string()),
            epsg=np.array([sample.epsg for sample in samples], dtype=np.int32),
            bounds=np.array([sample.bounds for sample in samples], dtype=np.float64).reshape(-1, 4),
            stratum=pa.array([sample.stratum for sample in samples], pa.string()),
            split=pa.array([sample.split for sample in samples], pa.string()),
        )

    def __len__(self) -> int:
        return len(self.id)

    def order(self) -> NDArray[np.int64]:
        """Row numbers in published order: by tile, along the Hilbert curve inside it, by id."""
        centre = (self.bounds[:, :2] + self.bounds[:, 2:]) / 2 // STEP
        x, y = np.clip(centre, 0, (1 << ORDER) - 1).astype(np.int64).T
        keys = pa.table({"tile": self.tile, "curve": hilbert(x, y), "id": self.id})
        order: NDArray[np.int64] = (
            pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in keys.column_names])
            .to_numpy()
            .astype(np.int64)
        )
        return order


def index_table(
    info: CorpusInfo,
    samples: SampleTable,
    fractions: Mapping[str, NDArray[Any]],
    exists: Mapping[str, NDArray[np.bool_]],
) -> pa.Table:
    """The index of a corpus, in published order.

    Args:
        info: the corpus; its products give the columns.
        samples: n samples in any order, with unique ids.
        fractions: label product → (n, class) integer millionths in the order of its taxonomy's codes; rows without
            label are 0. An absent product has no labels yet.
        exists: product → (n, timesteps) whether the chip, or label, exists; (n, 1) for a product without time. An
            absent product has no files yet.

    Raises:
        InvalidInputError: an id occurs twice, shapes do not fit, or fractions do not sum to a million.
    """
    _check(info, samples, fractions, exists)
    order = samples.order()
    take = pa.array(order)
    bounds = samples.bounds[order]
    epsg = samples.epsg[order]
    columns: dict[str, Any] = {
        "id": samples.id.take(take),
        "zone": samples.zone.take(take),
        "tile": samples.tile.take(take),
        "epsg": pa.array(epsg, pa.int32()),
    }
    columns |= {name: pa.array(bounds[:, position]) for position, name in enumerate(("west", "south", "east", "north"))}
    columns |= {"stratum": samples.stratum.take(take), "split": samples.split.take(take)}
    for key, names in info.label_columns.items():
        shares = fractions.get(key)
        for position, name in enumerate(names):
            values = np.zeros(len(order), np.int32) if shares is None else shares[order, position].astype(np.int32)
            columns[name] = pa.array(values)
    for item in info.products:
        columns[available(item.key)] = bitmaps(exists.get(item.key), order, item.slots)
    outlines = rings(epsg, bounds)
    box = boxes(outlines)
    columns["bbox"] = pa.StructArray.from_arrays(
        [pa.array(box[:, position]) for position in range(4)], names=["xmin", "ymin", "xmax", "ymax"]
    )
    columns["geometry"] = wkb(outlines)
    return pa.table(columns).replace_schema_metadata({METADATA: orjson.dumps(index_metadata(info))})


def index_bytes(table: pa.Table) -> bytes:
    """The index as GeoParquet 1.1: zstd, row groups of 8,192, with the bbox column as covering of the geometry.

    Columns for people are made anew from those for queries; see `landloom.formats.readable_columns`.
    """
    metadata = read_metadata(table.schema)
    titles: dict[str, str] = {}
    for key, entry in metadata["taxonomies"].items():
        classes = zip(entry["columns"], _taxonomy(key, entry).classes, strict=True)
        titles |= {column: one.name for column, one in classes if column in table.column_names}
    described = {key: str(entry.get("title", key)) for key, entry in metadata["products"].items()}
    there = {key: title for key, title in described.items() if available(key) in table.column_names}
    return encode_geoparquet(readable(table, titles, there))


def available(key: str) -> str:
    """Name of the availability column of a product: `s2_available`."""
    return f"{key}_available"


def index_metadata(info: CorpusInfo) -> dict[str, Any]:
    """Content of the metadata `landloom` of an index, as plain JSON values."""
    products = {
        item.key: {
            "title": item.product.title,
            "folder": item.product.folder,
            "collection": item.product.collection,
            "prefix": item.product.prefix,
            "kind": item.product.kind,
            "resolution": item.product.resolution,
            "acquired": item.acquired,
            "timesteps": [step.name for step in item.timesteps],
            "stamps": [format_instant(step.stamp) for step in item.timesteps],
        }
        for item in info.products
    }
    taxonomies = {
        item.key: {
            "name": item.taxonomy.name,
            "nodata": item.taxonomy.nodata,
            "codes": list(item.taxonomy.codes()),
            "columns": list(info.label_columns[item.key]),
        }
        for item in info.labels
        if item.taxonomy is not None
    }
    return {
        "name": info.name,
        "version": info.version,
        "scheme": info.scheme,
        "products": products,
        "taxonomies": taxonomies,
    }


def described(metadata: Mapping[str, Any]) -> CorpusInfo:
    """The corpus as described by its index alone: `corpus.json` has more on products, terms and timesteps.

    Terms are unstated. A timestep lasts until the next one; the last one is as long as the one before, and acquired
    dates last one second, because only their stamp is known.

    Args:
        metadata: result of `index_metadata`.
    """
    taxonomies = {key: _taxonomy(key, entry) for key, entry in metadata["taxonomies"].items()}
    publisher = f"ask the publisher of {metadata['name']}: nothing is stated"
    terms = Terms(licence="proprietary", attribution=publisher)
    products = tuple(
        ProductInfo(
            product=_product(key, entry),
            terms=Terms.model_validate(entry["terms"]) if entry.get("terms") else terms,
            timesteps=_timesteps(entry),
            acquired=bool(entry.get("acquired")),
            taxonomy=taxonomies.get(key),
        )
        for key, entry in metadata["products"].items()
    )
    periods = [item.period for item in products if item.period is not None]
    if periods:
        whole = Period(min(one.start for one in periods), max(one.end for one in periods))
        products = tuple(item if item.timesteps else replace(item, stated_period=whole) for item in products)
    name = str(metadata["name"])
    publication = Publication(title=f"{name} {metadata['version']}", description=f"Samples of {name}.")
    return CorpusInfo(
        name=name,
        version=str(metadata["version"]),
        scheme=metadata["scheme"],
        publication=publication,
        products=products,
    )


def _product(key: str, entry: Mapping[str, Any]) -> Product:
    known = PRODUCTS.get(key)
    stated = {name: entry[name] for name in ("folder", "collection", "prefix", "kind", "resolution") if name in entry}
    if known is not None:
        return replace(known, **stated)
    return Product(
        **{"folder": key, "collection": key, "prefix": key, "kind": "imagery", "title": key} | stated, key=key
    )


def _taxonomy(key: str, entry: Mapping[str, Any]) -> Taxonomy:
    if entry["name"] in taxonomies():
        return taxonomy(entry["name"])
    prefix = entry["columns"][0].removesuffix(f"_{entry['codes'][0]}").removeprefix(f"{key}_")
    classes = tuple(LandClass(code=code, name=code, parents=()) for code in entry["codes"])
    return Taxonomy(name=entry["name"], prefix=prefix, classes=classes, nodata=entry["nodata"])


def _timesteps(entry: Mapping[str, Any]) -> tuple[Timestep, ...]:
    stamps = [parse_instant(text) for text in entry.get("stamps") or ()]
    names = list(entry.get("timesteps") or ())
    if len(stamps) != len(names):
        raise InvalidDocumentError(
            "index", [Problem(where="stamps", what=f"got {len(stamps)} of {len(names)} timesteps")]
        )
    second = timedelta(seconds=1)
    lengths = [second if entry.get("acquired") else after - before for before, after in pairwise(stamps)]
    lengths += [lengths[-1] if lengths else second] * (len(stamps) - len(lengths))
    steps = zip(stamps, names, lengths, strict=True)
    return tuple(Timestep(stamp, name, Period(stamp, stamp + length)) for stamp, name, length in steps)


def read_metadata(schema: pa.Schema, subject: str = "index/samples.parquet") -> dict[str, Any]:
    """The metadata `landloom` of an opened index.

    Raises:
        InvalidDocumentError: it has none, or it is not JSON.
    """
    raw = (schema.metadata or {}).get(METADATA)
    try:
        parsed: dict[str, Any] = orjson.loads(raw or b"")
    except orjson.JSONDecodeError as error:
        problem = Problem(where="metadata 'landloom'", what=f"expected JSON, got {raw!r:.40}")
        raise InvalidDocumentError(subject, [problem]) from error
    return parsed


def bitmaps(exists: NDArray[np.bool_] | None, order: NDArray[np.int64], slots: int) -> pa.BinaryArray:
    r"""Pack availability into bits, lowest bit first.

    Args:
        exists: (n, slots), or None if nothing exists.
        order: rows to use, in this order.
        slots: bits per row.

    Example:
        >>> bitmaps(np.eye(9, dtype=bool), np.array([8, 0]), 9).to_pylist()
        [b'\x00\x01', b'\x01\x00']
    """
    width = -(-slots // 8)
    packed = np.zeros((len(order), width), np.uint8)
    if exists is not None:
        packed = np.packbits(exists, axis=1, bitorder="little")[order]
    offsets = np.arange(len(order) + 1, dtype=np.int32) * width
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(packed))]
    return pa.BinaryArray.from_buffers(pa.binary(), len(order), buffers)


def availability(column: pa.Array | pa.ChunkedArray, slots: int) -> NDArray[np.bool_]:
    r"""Unpack bitmaps: (n, slots).

    Example:
        >>> availability(pa.array([b"\x05"]), 3).tolist()
        [[True, False, True]]
    """
    width = -(-slots // 8)
    packed = np.frombuffer(b"".join(column.to_pylist()), np.uint8).reshape(-1, width)
    return np.unpackbits(packed, axis=1, count=slots, bitorder="little").astype(np.bool_)


def _check(
    info: CorpusInfo,
    samples: SampleTable,
    fractions: Mapping[str, NDArray[Any]],
    exists: Mapping[str, NDArray[np.bool_]],
) -> None:
    counts = pc.value_counts(samples.id)
    twice = counts.filter(pc.greater(counts.field("counts"), 1)).field("values").to_pylist()
    if twice:
        raise InvalidInputError(f"got these ids more than once: {', '.join(sorted(twice)[:5])}; expected each once")
    for key, names in info.label_columns.items():
        shares = fractions.get(key)
        if shares is None:
            continue
        if shares.shape != (len(samples), len(names)):
            raise InvalidInputError(f"got fractions of {key} {shares.shape}, expected {(len(samples), len(names))}")
        sums = shares.sum(axis=1)
        wrong = np.flatnonzero((sums != MILLION) & (sums != 0) | (shares < 0).any(axis=1))
        if len(wrong):
            named = ", ".join(f"{samples.id[row]} ({sums[row]})" for row in wrong[:5])
            raise InvalidInputError(f"got fractions of {key} that do not sum to {MILLION:,}: {named}")
    for item in info.products:
        shape = (len(samples), item.slots)
        if item.key in exists and exists[item.key].shape != shape:
            raise InvalidInputError(f"got existence of {item.key} {exists[item.key].shape}, expected {shape}")
