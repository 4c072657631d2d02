"""The last stage of a build: what is written from the units' files, manifests and corpus.json last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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
from landloom.corpus.manifest import FileEntry, manifest_bytes
from landloom.corpus.resources import resource_files
from landloom.pipelines.cells import SAMPLES, read_cells
from landloom.pipelines.describe import corpus_info
from landloom.pipelines.plan import by_tile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.model.sample import Sample
    from landloom.pipelines.plan import Plan
    from landloom.pipelines.project import Project
    from landloom.pipelines.stage import Workshop


@dataclass(slots=True, kw_only=True)
class Publication:
    """A corpus in the making: what is known of it, and the files written so far."""

    info: CorpusInfo
    shop: Workshop
    files: dict[str, list[FileEntry]] = field(default_factory=dict)
    """Tile → its files; the empty name stands for files of no tile."""

    def put(self, tile: str, key: str, data: bytes) -> FileEntry:
        """Write a file and remember it for the manifest."""
        self.shop.store.put(key, data)
        entry = FileEntry.of(key, data)
        self.files.setdefault(tile, []).append(entry)
        return entry


def finish(project: Project, plan: Plan, shop: Workshop) -> Publication:
    """Write lineage, index, resources, catalogue, card, manifests and corpus.json.

    Args:
        project: the recipe in its folder.
        plan: its plan; units that failed are published as missing.
        shop: where the corpus is built.
    """
    info = corpus_info(project)
    publication = Publication(info=info, shop=shop)
    tiles = by_tile(plan.samples)
    contents = {tile: _tile(project, plan, publication, tile, samples) for tile, samples in tiles.items()}
    table = _index(project, publication, contents)
    resources = {
        entry.path: entry for entry in (publication.put("", *item) for item in resource_files(info, table).items())
    }
    summaries = [TileSummary.of(info, content) for content in contents.values()]
    for tile, content in contents.items():
        for key, data in tile_documents(info, content, items=project.recipe.stac.json_items):
            publication.put(tile, key, data)
    for key, data in root_documents(info, summaries, files=resources):
        publication.put("", key, data)
    for key, data in items_tables(info, table):
        publication.put("", key, data)
    _close(publication, table)
    return publication


def _close(publication: Publication, table: pa.Table) -> None:
    """Write the cards, the manifests, and last of all corpus.json."""
    info = publication.info
    numbers = Numbers.of(info, table)
    publication.put("", keys.CARD, card(info, numbers))
    files = {entry.path: entry for entry in publication.files[""]}
    publication.put("", keys.CROISSANT, croissant(info, numbers, files))
    for tile, entries in sorted(publication.files.items()):
        placed = TileKey.parse(tile) if tile else None
        publication.shop.store.put(info.layout.manifest(placed), manifest_bytes(entries))
    publication.shop.store.put(keys.CORPUS, corpus_json(info))


def _tile(
    project: Project, plan: Plan, publication: Publication, tile: str, samples: tuple[Sample, ...]
) -> TileContent:
    """Gather what the units of a tile have made, and write its lineage."""
    info, shop = publication.info, publication.shop
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
        for key in _products_of(project, product):
            exists[key] = np.full((len(samples), info.product(key).slots), done)
        if done and entry is not None and product in project.recipe.products:
            path = info.layout.lineage(TileKey.parse(tile), info.product(product).product)
            document = {"tile": tile, "product": product, **entry.outcome.facts}
            publication.put(tile, path, orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
            lineage.append(product)
    files = {file.path: file for file in publication.files.get(tile, [])}
    return TileContent(tile=TileKey.parse(tile), samples=samples, exists=exists, files=files, lineage=tuple(lineage))


def _products_of(project: Project, unit: str) -> list[str]:
    """Products that a unit makes, by the first part of its id."""
    name = unit.removeprefix(f"{SAMPLES}-")
    if name != unit:
        return [project.label_product(name).key]
    count = project.count_product(unit)
    return [unit] if count is None else [unit, count]


def _index(project: Project, publication: Publication, contents: Mapping[str, TileContent]) -> pa.Table:
    """Write the index; queries and everything below are made from it."""
    info = publication.info
    samples = SampleTable.of([sample for content in contents.values() for sample in content.samples])
    fractions = {}
    for name in project.recipe.labels:
        key = project.label_product(name).key
        there = {tile for tile, content in contents.items() if content.exists[key].any()}
        tables = read_cells(publication.shop.uri, name, there, SAMPLES)
        width = len(info.label_columns[key])
        empty = {t: np.zeros((len(c.samples), width), np.int32) for t, c in contents.items() if t not in there}
        fractions[key] = _stack((tables | empty)[tile] for tile in contents)
    exists = {item.key: _stack(content.exists[item.key] for content in contents.values()) for item in info.products}
    table = index_table(info, samples, fractions, exists)
    publication.put("", info.layout.index, index_bytes(table))
    return table


def _stack(parts: Iterable[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(list(parts))
