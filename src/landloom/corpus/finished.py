"""An existing corpus, read from its own files: no recipe folder, plan or journal is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from landloom.corpus.documents import parse_corpus_json
from landloom.corpus.index import availability, available
from landloom.corpus.layout import CORPUS, INDEX, RESOURCES, TileKey
from landloom.corpus.lineage import read_lineage
from landloom.corpus.manifest import read_manifest
from landloom.corpus.root import RootDigest, check_index, root_of
from landloom.corpus.stac.items import TileContent
from landloom.errors import CorpusError, InvalidInputError, MissingKeyError
from landloom.formats.parquet import decode_parquet
from landloom.model.ids import parse_sample_id
from landloom.model.sample import Sample, by_tile
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.corpus.manifest import FileEntry
    from landloom.model.sensor import Band
    from landloom.store.protocol import Store

DATA: Final = ("imagery/", "labels/", "lineage/")
"""Folders of the files that a build makes from its inputs; all other files are derived from these and the index."""

TRACEABILITY: Final = "traceability"
"""Band of quality products with codes of scenes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedCorpus:
    """A corpus and its index; files are read on demand, tile by tile."""

    store: Store
    info: CorpusInfo
    table: pa.Table
    """The index of the corpus."""
    tiles: dict[str, tuple[Sample, ...]]
    """Tile → its samples; both in id order."""
    root: RootDigest | None = None
    """What covers its manifests; None of a corpus that has none."""

    @classmethod
    def open(cls, uri: str) -> Self:
        """Read corpus.json and the index, held to the root digest.

        Args:
            uri: folder or address of the corpus.

        Raises:
            CorpusError: there is none, or it is damaged.
            InvalidDocumentError: its documents cannot be read.
        """
        store = open_store(uri)
        root = root_of(store)
        try:
            content = store.get(CORPUS)
            info = parse_corpus_json(content if root is None else root.check(CORPUS, content))
            table = _index(uri, store.get(INDEX))
            check_index(store)
        except MissingKeyError as error:
            raise CorpusError(f"{uri}: is not a finished corpus: {error}") from error
        tiles = by_tile(samples_of(info, table))
        return cls(store=store, info=info, table=table, tiles=tiles, root=root)

    @property
    def json_items(self) -> bool:
        """Whether its catalogue has one JSON item per sample."""
        return bool(self.info.recipe.get("stac", {}).get("json_items", True))

    def entries(self, tile: str) -> tuple[FileEntry, ...]:
        """Manifest entries of a tile, by path; with the empty name, of the files that belong to no tile.

        Raises:
            MissingKeyError: the tile has no manifest.
            CorpusError: it is not what the root digest says.
        """
        key = self.info.layout.manifest(TileKey.parse(tile) if tile else None)
        content = self.store.get(key)
        return read_manifest(content if self.root is None else self.root.check(key, content), key)

    def data(self, tile: str) -> tuple[FileEntry, ...]:
        """The same without files that are derived from data files and index."""
        return tuple(entry for entry in self.entries(tile) if entry.path.startswith(DATA))

    def tables(self) -> tuple[FileEntry, ...]:
        """Files of no tile that are derived neither from data files nor from the index, such as tables of parcels."""
        derived = tuple(name.removeprefix("{name}") for name in RESOURCES.values())
        return tuple(
            entry
            for entry in self.entries("")
            if entry.path.startswith("resources/") and not entry.path.endswith(derived)
        )

    def exists(self, keys: Iterable[str] | None = None) -> dict[str, dict[str, NDArray[np.bool_]]]:
        """Tile → product → (sample, timestep) whether a chip exists, samples in id order.

        Args:
            keys: keys of products; by default all.
        """
        rows = {name: row for row, name in enumerate(self.table.column("id").to_pylist())}
        places = {
            tile: np.array([rows[str(sample.id)] for sample in samples], np.int64)
            for tile, samples in self.tiles.items()
        }
        found: dict[str, dict[str, NDArray[np.bool_]]] = {tile: {} for tile in self.tiles}
        for item in self.info.products:
            if keys is None or item.key in keys:
                there = availability(self.table.column(available(item.key)), item.slots)
                for tile, own in places.items():
                    found[tile][item.key] = there[own]
        return found


def _index(uri: str, content: bytes) -> pa.Table:
    try:
        return decode_parquet(content)
    except InvalidInputError as error:
        raise CorpusError(f"{uri}: its index cannot be read: {error}") from error


def samples_of(info: CorpusInfo, table: pa.Table) -> list[Sample]:
    """The samples of an index, in its order."""
    names = ("id", "epsg", "west", "south", "east", "north", "stratum", "split")
    columns = (table.column(name).to_pylist() for name in names)
    return [
        Sample(id=parse_sample_id(info.scheme, own), epsg=epsg, bounds=tuple(bounds), stratum=stratum, split=split)
        for own, epsg, *bounds, stratum, split in zip(*columns, strict=True)
    ]


def tile_content(
    info: CorpusInfo,
    tile: str,
    samples: tuple[Sample, ...],
    exists: dict[str, NDArray[np.bool_]],
    entries: Iterable[FileEntry],
    get: Callable[[str], bytes],
) -> TileContent:
    """The content of a tile for its documents, from its data files.

    Args:
        info: the corpus.
        tile: the tile.
        samples: its samples.
        exists: product → (sample, timestep) whether a chip exists.
        entries: its data files.
        get: reads a file of the corpus.
    """
    files = {entry.path: entry for entry in entries}
    key = TileKey.parse(tile)
    foldered = [item for item in info.products if item.product.folder is not None]
    lineage = tuple(item.key for item in foldered if info.layout.lineage(key, item.product) in files)
    codes = scene_codes(info, key, lambda path: get(path) if path in files else None)
    return TileContent(tile=key, samples=samples, exists=exists, files=files, lineage=lineage, codes=codes)


def scene_codes(info: CorpusInfo, tile: TileKey, get: Callable[[str], bytes | None]) -> dict[str, Mapping[str, str]]:
    """Product with traceability → code → ids of the scenes behind it, in one tile.

    Args:
        info: the corpus.
        tile: the tile.
        get: reads a file of the corpus; None if there is none.
    """
    found: dict[str, Mapping[str, str]] = {}
    for item in info.products:
        if item.product.folder is not None and any(band.name == TRACEABILITY for band in _bands(info, item)):
            content = get(info.layout.lineage(tile, item.product))
            if content is not None:
                found[item.key] = read_lineage(content)[2].codes
    return found


def _bands(info: CorpusInfo, item: ProductInfo) -> Iterator[Band]:
    """Bands of a product and of those in its collection."""
    for other in info.products:
        if other.product.collection == item.product.collection:
            yield from other.product.bands
