"""The last stage of a build: what is written from the units' files, manifests and corpus.json last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import orjson

from landloom.corpus import layout as keys
from landloom.corpus.card import Numbers, card
from landloom.corpus.croissant import croissant
from landloom.corpus.documents import corpus_json
from landloom.corpus.documents_items import TileContent
from landloom.corpus.documents_stac import TileSummary, root_documents, tile_documents
from landloom.corpus.index import SampleTable, index_bytes, index_table
from landloom.corpus.items_table import items_tables
from landloom.corpus.layout import TileKey
from landloom.corpus.manifest import FileEntry, manifest_bytes, read_manifest
from landloom.corpus.resources import resource_files
from landloom.pipelines.cells import SAMPLES, read_cells
from landloom.pipelines.describe import Found, corpus_info
from landloom.pipelines.parcel_layers import UNIT as LAYERS_UNIT
from landloom.pipelines.parcel_layers import layers_exist, parcel_files
from landloom.pipelines.plan import by_tile
from landloom.pipelines.project import GUESS
from landloom.pipelines.series_axes import series_axes, series_exists, series_validity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.model.sample import Sample
    from landloom.pipelines.plan import Plan
    from landloom.pipelines.project import Project
    from landloom.pipelines.stage import Workshop
    from landloom.store.protocol import Store


class Files(Protocol):
    """Takes what a corpus publishes, tile by tile; the empty name stands for files of no tile."""

    def put(self, tile: str, key: str, data: bytes) -> FileEntry:
        """Take a file."""
        ...

    def entries(self, tile: str) -> list[FileEntry]:
        """What a tile holds so far."""
        ...

    def close(self, tile: str) -> None:
        """All files of a tile were put: its manifest can be written."""
        ...


@dataclass(slots=True, kw_only=True)
class Publication:
    """A corpus in the making: what is known of it, and the files written so far."""

    info: CorpusInfo
    store: Store
    files: dict[str, list[FileEntry]] = field(default_factory=dict)
    """Tile → its files; the empty name stands for files of no tile."""

    def put(self, tile: str, key: str, data: bytes) -> FileEntry:
        """Write a file and remember it for the manifest."""
        self.store.put(key, data)
        entry = FileEntry.of(key, data)
        self.files.setdefault(tile, []).append(entry)
        return entry

    def entries(self, tile: str) -> list[FileEntry]:
        """What a tile holds so far."""
        return self.files.get(tile, [])

    def close(self, tile: str) -> None:
        """Write the manifest of a tile; after that of no tile, corpus.json: the corpus is whole."""
        placed = TileKey.parse(tile) if tile else None
        self.store.put(self.info.layout.manifest(placed), manifest_bytes(self.entries(tile)))
        if not tile:
            self.store.put(keys.CORPUS, corpus_json(self.info))


def finish(project: Project, plan: Plan, shop: Workshop) -> Publication:
    """Write lineage, index, resources, catalogue, card, manifests and corpus.json.

    Args:
        project: the recipe in its folder.
        plan: its plan; units that failed are published as missing.
        shop: where the corpus is built.
    """
    found = Found(
        axes=series_axes(project, plan.units, shop.journal), prepared=plan.placement.prepared,
        validity=series_validity(project, plan.units, shop.journal),
    )  # fmt: skip
    info = corpus_info(project, found)
    publication = Publication(info=info, store=shop.store)
    before = published_keys(shop.store)
    tiles = by_tile(plan.samples)
    contents = {tile: _tile(project, plan, publication, shop, samples) for tile, samples in tiles.items()}
    table = _index(project, publication, shop, contents)
    publication.put("", info.layout.index, index_bytes(table))
    if found.prepared is not None:
        for key, data in parcel_files(info.name, found.prepared, shop.store):
            publication.put("", key, data)
    write_documents(publication, info, contents.values(), table, items=project.recipe.stac.json_items)
    kept = {file.path for files in publication.files.values() for file in files}
    kept |= {info.layout.manifest(TileKey.parse(tile) if tile else None) for tile in publication.files}
    for key in sorted(before - kept):
        shop.store.delete(key)
    return publication


def published_keys(store: Store) -> set[str]:
    """Every file that the manifests of a corpus name, and the manifests: those that a build no longer makes go."""
    found: set[str] = set()
    for entry in store.list("manifest"):
        found.add(entry.key)
        found |= {file.path for file in read_manifest(store.get(entry.key), entry.key)}
    return found


def write_documents(
    files: Files,
    info: CorpusInfo,
    contents: Iterable[TileContent],
    table: pa.Table,
    *,
    items: bool,
    base_url: str | None = None,
) -> None:
    """Write all that follows from the data files and the index: resources, catalogue, cards, manifests.

    Args:
        files: takes them; a tile is closed before the next one is asked for, and files of no tile come last.
        info: the corpus.
        contents: its tiles.
        table: its index, already put.
        items: whether the JSON items are written.
        base_url: where the corpus is published; None for relative hrefs.
    """
    resources = {entry.path: entry for entry in (files.put("", *item) for item in resource_files(info, table).items())}
    summaries = []
    for content in contents:
        for key, data in tile_documents(info, content, base_url, items=items):
            files.put(str(content.tile), key, data)
        summaries.append(TileSummary.of(info, content))
        files.close(str(content.tile))
    for key, data in root_documents(info, summaries, base_url, files=resources):
        files.put("", key, data)
    for key, data in items_tables(info, table, base_url):
        files.put("", key, data)
    numbers = Numbers.of(info, table)
    files.put("", keys.CARD, card(info, numbers))
    own = {entry.path: entry for entry in files.entries("")}
    files.put("", keys.CROISSANT, croissant(info, numbers, own, base_url))
    files.close("")


def _tile(
    project: Project, plan: Plan, publication: Publication, shop: Workshop, samples: tuple[Sample, ...]
) -> TileContent:
    """Gather what the units of a tile have made, and write its lineage."""
    info, tile = publication.info, samples[0].tile
    exists: dict[str, NDArray[np.bool_]] = {}
    lineage = []
    for unit in plan.units:
        product, _, where = unit.id.partition("/")
        if where != tile:
            continue
        entry = shop.journal.get(unit.id)
        done = entry is not None and entry.state == "done" and entry.key == unit.key
        made = [file for file in entry.outcome.files if not file.path.startswith(keys.STATE)] if entry and done else []
        publication.files.setdefault(tile, []).extend(made)
        if product in project.series():
            exists |= series_exists(info, project, product, tile, entry if done else None, shop.store)
        elif product.startswith(f"{LAYERS_UNIT}-"):
            layers_exist(exists, unit, samples, done=done)
        else:
            for key in _products_of(project, product):
                exists[key] = np.full((len(samples), info.product(key).slots), done)
        if done and entry is not None and product in project.recipe.products:
            path = info.layout.lineage(TileKey.parse(tile), project.product(product))
            document = {"tile": tile, "product": product, **entry.outcome.facts}
            publication.put(tile, path, orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
            lineage.append(project.product(product).key)
    for item in info.products:
        exists.setdefault(item.key, np.zeros((len(samples), item.slots), np.bool_))
    files = {file.path: file for file in publication.files.get(tile, [])}
    return TileContent(tile=TileKey.parse(tile), samples=samples, exists=exists, files=files, lineage=tuple(lineage))


def _products_of(project: Project, unit: str) -> list[str]:
    """Products that a unit makes, by the first part of its id."""
    if unit == GUESS:
        return [product.key for product in project.guess_products()]
    name = unit.removeprefix(f"{SAMPLES}-")
    if name != unit:
        return [project.label_product(name).key]
    count = project.count_product(unit)
    return [unit] if count is None else [unit, count]


def _index(project: Project, publication: Publication, shop: Workshop, contents: Mapping[str, TileContent]) -> pa.Table:
    """The index; queries and everything below are made from it."""
    info = publication.info
    samples = SampleTable.of([sample for content in contents.values() for sample in content.samples])
    fractions = {}
    for name in project.recipe.labels:
        key = project.label_product(name).key
        width = len(info.label_columns[key])
        fractions[key] = _stack(
            read_cells(shop.store, name, tile, SAMPLES)
            if content.exists[key].any()
            else np.zeros((len(content.samples), width), np.int32)
            for tile, content in contents.items()
        )
    exists = {item.key: _stack(content.exists[item.key] for content in contents.values()) for item in info.products}
    return index_table(info, samples, fractions, exists)


def _stack(parts: Iterable[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(list(parts))
