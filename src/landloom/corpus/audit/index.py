"""The index against identities, labels, files and the resource files written from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.documents import parse_label_geojson
from landloom.corpus.footprints import outlines_of, rings, squares_of
from landloom.corpus.index import availability, available, index_metadata, read_metadata
from landloom.corpus.layout import INDEX
from landloom.corpus.resources import resource_files
from landloom.errors import InvalidDocumentError, InvalidIdentityError, InvalidInputError, Problem
from landloom.formats.parquet import decode_geoparquet
from landloom.model.apportion import MILLION
from landloom.model.ids import CELL_SIZE, SampleId, parse_sample_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.corpus.published_files import CorpusStore, PublishedFiles
    from landloom.model.ids import Identity

CLOSE: Final = 1e-9
"""Tolerance in degrees between a stored footprint and the one computed from the bounds."""


def read_index(store: CorpusStore) -> pa.Table:
    """Read the index of a corpus.

    Raises:
        InvalidDocumentError: it is missing, not a Parquet file, or not an index of landloom.
    """
    if not store.exists(INDEX):
        raise InvalidDocumentError(INDEX, [Problem(where="", what="missing")])
    try:
        table, _ = decode_geoparquet(store.get(INDEX))
    except InvalidInputError as error:
        raise InvalidDocumentError(INDEX, [Problem(where="", what=str(error))]) from error
    read_metadata(table.schema, INDEX)
    return table


def footprints(table: pa.Table) -> dict[str, NDArray[np.float64]]:
    """Sample → (5, 2) outline as stored in the index.

    Raises:
        InvalidInputError: a geometry is not a polygon with four corners.
    """
    return dict(
        zip(table.column("id").to_pylist(), outlines_of(table.column("geometry"), *squares_of(table)), strict=True)
    )


def index_problems(
    store: CorpusStore,
    info: CorpusInfo,
    table: pa.Table,
    published: PublishedFiles,
    tiles: Mapping[str, Sequence[Problem]] | None = None,
) -> Iterator[Problem]:
    """All problems of the index.

    Args:
        store: the corpus.
        info: content of corpus.json.
        table: the index.
        published: the files in the manifests.
        tiles: tile → its problems from `tile_problems`, if they are known.
    """
    metadata = read_metadata(table.schema, INDEX)
    if metadata != index_metadata(info):
        yield Problem(where=INDEX, what="its metadata 'landloom' does not match corpus.json")
    if lacking := _lacking(info, table):
        yield Problem(where=INDEX, what=f"lacks the columns {', '.join(lacking)}")
        return
    samples, unreadable = _identities(info, table)
    yield from unreadable
    if not unreadable:
        yield from _position_problems(samples, table)
        if tiles is None:
            rows = rows_of_tiles(info, table, published)
            tiles = {tile: [*tile_problems(store, info, published, tile, own)] for tile, own in rows.items()}
        for problems in tiles.values():
            yield from problems
        yield from (_unknown(path) for path in published.loose if _is_data(path))
    yield from _resources(store, info, table)


def _lacking(info: CorpusInfo, table: pa.Table) -> list[str]:
    """Columns that the index should have and has not."""
    wanted = ["id", "zone", "tile", "epsg", "west", "south", "east", "north", "stratum", "split", "bbox", "geometry"]
    wanted += [name for names in info.label_columns.values() for name in names]
    wanted += [available(item.key) for item in info.products]
    return [name for name in wanted if name not in table.column_names]


def _identities(info: CorpusInfo, table: pa.Table) -> tuple[list[Identity], list[Problem]]:
    samples: list[Identity] = []
    problems = []
    for text in table.column("id").to_pylist():
        try:
            samples.append(parse_sample_id(info.scheme, text))
        except InvalidIdentityError as error:
            problems.append(Problem(where=f"{INDEX}#{text}", what=str(error)))
    if len(set(samples)) != len(samples):
        problems.append(Problem(where=INDEX, what="an id occurs more than once"))
    return samples, problems


def _position_problems(samples: Sequence[Identity], table: pa.Table) -> Iterator[Problem]:
    """Tile and bounds must follow from the id, the footprint from the bounds."""
    names = np.array([f"{sample.zone}_{sample.tile_name}" for sample in samples])
    for row in np.flatnonzero(names != np.array(table.column("tile").to_pylist())).tolist():
        yield Problem(where=f"{INDEX}#{samples[row]}", what=f"got another tile than its id's, {names[row]}")
    epsg, bounds = squares_of(table)
    for row, sample in enumerate(samples):
        if isinstance(sample, SampleId):
            grid = sample.grid(CELL_SIZE)
            if (grid.epsg, grid.bounds) != (int(epsg[row]), tuple(bounds[row].tolist())):
                yield Problem(where=f"{INDEX}#{sample}", what=f"got other bounds than its id's, {grid.bounds}")
    try:
        stored = outlines_of(table.column("geometry"), epsg, bounds)
    except InvalidInputError as error:
        yield Problem(where=INDEX, what=str(error))
        return
    far = np.abs(stored - rings(epsg, bounds)).max(axis=(1, 2)) > CLOSE
    for row in np.flatnonzero(far).tolist():
        yield Problem(where=f"{INDEX}#{samples[row]}", what="its geometry is not the footprint of its bounds")


def rows_of_tiles(info: CorpusInfo, table: pa.Table, published: PublishedFiles) -> dict[str, pa.Table]:
    """Tile → its rows of the index, for tiles with a manifest or samples; none of an index that is no good."""
    if _lacking(info, table):
        return {}
    samples, unreadable = _identities(info, table)
    rows: dict[str, list[int]] = {tile: [] for tile in published.tiles}
    for row, sample in enumerate(() if unreadable else samples):
        rows.setdefault(info.layout.tile_folder(sample), []).append(row)
    return {} if unreadable else {tile: table.take(np.array(own, np.int64)) for tile, own in rows.items()}


def tile_problems(
    store: CorpusStore, info: CorpusInfo, published: PublishedFiles, tile: str, rows: pa.Table
) -> Iterator[Problem]:
    """Every bit must have its file, every chip and label its bit, and every label file the shares of its row.

    Args:
        store: the corpus.
        info: content of corpus.json.
        published: the files in the manifests.
        tile: its folder.
        rows: its rows of the index.
    """
    samples = [parse_sample_id(info.scheme, text) for text in rows.column("id").to_pylist()]
    promised: set[str] = set()
    for item in info.products:
        exists = availability(rows.column(available(item.key)), item.slots)
        for row, sample in enumerate(samples):
            for step in np.flatnonzero(exists[row]).tolist():
                promised.update(sample_files(info, item, sample, step))
    own = published.entries(tile)
    for path in sorted(promised - own.keys() - published.cubes):
        if path not in published.loose:
            yield Problem(where=path, what="in the index, but not in a manifest")
    yield from (_unknown(path) for path in own if path not in promised and _is_data(path))
    yield from _labels(store, info, samples, rows)


def _is_data(path: str) -> bool:
    return path.startswith(("imagery/", "labels/")) and ".zarr/" not in path


def _unknown(path: str) -> Problem:
    return Problem(where=path, what="in a manifest, but not in the index")


def sample_files(info: CorpusInfo, item: ProductInfo, sample: Identity, step: int) -> list[str]:
    """Paths for one bit of the index; a cube counts for all samples of its tile."""
    product, layout = item.product, info.layout
    if product.kind == "labels":
        return [layout.label(sample, product.prefix)]
    if product.kind == "raster-labels" and not item.timesteps:
        return [layout.raster_label(sample, product.prefix, item.label_version, product.suffix)]
    name = item.timesteps[step].name if item.timesteps else None
    paths = []
    if "chips" in info.layouts:
        bands = [None] if layout.patterns.band_asset is None else [band.name for band in product.bands]
        paths += [layout.chip(sample, product, name, band) for band in bands]
    if "cubes" in info.layouts:
        paths.append(layout.cube(sample, product))
    return paths


def _labels(store: CorpusStore, info: CorpusInfo, samples: Sequence[Identity], table: pa.Table) -> Iterator[Problem]:
    """Fractions must sum to a million, and each label file must match the index."""
    for item in info.labels:
        names = info.label_columns[item.key]
        shares = np.stack([table.column(name).to_numpy() for name in names], axis=1).astype(np.int64)
        there = availability(table.column(available(item.key)), item.slots)[:, 0]
        sums = shares.sum(axis=1)
        own = () if item.taxonomy is None else item.taxonomy.columns()
        for row, sample in enumerate(samples):
            if sums[row] != (MILLION if there[row] else 0) or (shares[row] < 0).any():
                yield Problem(
                    where=f"{INDEX}#{sample}", what=f"labels sum to {sums[row]:,} millionths, expected {MILLION:,}"
                )
            path = info.layout.label(sample, item.product.prefix)
            if there[row] and store.exists(path):
                yield from _label(path, store.get(path), str(sample), dict(zip(own, shares[row].tolist(), strict=True)))


def _label(path: str, content: bytes, sample: str, wanted: dict[str, int]) -> Iterator[Problem]:
    try:
        name, got = parse_label_geojson(content)
    except InvalidDocumentError as error:
        yield Problem(where=path, what=str(error.problems[0]))
        return
    if name != sample:
        yield Problem(where=path, what=f"got sample {name!r}, expected {sample!r}")
    if got != wanted:
        yield Problem(where=path, what="its fractions do not match the index")


def _resources(store: CorpusStore, info: CorpusInfo, table: Any) -> Iterator[Problem]:
    """Resource files must match the index."""
    try:
        wanted = resource_files(info, table)
    except InvalidInputError as error:
        yield Problem(where=INDEX, what=str(error))
        return
    for path, content in wanted.items():
        if not store.exists(path):
            yield Problem(where=path, what="missing")
        elif store.get(path) != content:
            yield Problem(where=path, what="does not match the index")
