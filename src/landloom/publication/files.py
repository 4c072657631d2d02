"""The last stage of a build: what is written from the units' files, manifests and corpus.json last."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import orjson

from landloom.corpus import layout as keys
from landloom.corpus.card import Numbers, card
from landloom.corpus.croissant import croissant
from landloom.corpus.documents import corpus_json
from landloom.corpus.index import SampleTable, index_bytes, index_table
from landloom.corpus.layout import TileKey
from landloom.corpus.manifest import FileEntry, manifest_bytes, read_manifest
from landloom.corpus.resources import resource_files
from landloom.corpus.stac.collections import TileSummary, root_documents, tile_documents
from landloom.corpus.stac.items import TileContent
from landloom.corpus.stac.table import items_tables
from landloom.engine.project import GUESS
from landloom.engine.sources.cells import SAMPLES, read_cells
from landloom.errors import MissingKeyError
from landloom.pipelines.plan import by_tile
from landloom.products.parcels.task import UNIT as LAYERS_UNIT
from landloom.products.parcels.task import layers_exist, parcel_files
from landloom.products.series.axes import series_axes, series_exists, series_validity
from landloom.publication.describe import Found, corpus_info

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.engine.context import Workshop
    from landloom.engine.journal import Entry
    from landloom.engine.project import Project
    from landloom.engine.units import Unit
    from landloom.model.sample import Sample
    from landloom.pipelines.plan import Plan
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
    """A corpus in the making: what is known of it, and the files of the tiles that are open; of the others, counts."""

    info: CorpusInfo
    store: Store
    files: dict[str, list[FileEntry]] = field(default_factory=dict)
    """Open tile → its files; the empty name stands for files of no tile."""
    parts: Counter[str] = field(default_factory=Counter)
    """Folder at the root → its files, of all that is closed; `cards` for files outside of any."""
    sizes: Counter[str] = field(default_factory=Counter)
    """The same in bytes."""
    manifests: set[str] = field(default_factory=set)
    """Manifests written."""

    def put(self, tile: str, key: str, data: bytes) -> FileEntry:
        """Write a file and remember it for the manifest."""
        self.store.put(key, data)
        entry = FileEntry.of(key, data)
        self.files.setdefault(tile, []).append(entry)
        return entry

    def entries(self, tile: str) -> list[FileEntry]:
        """What an open tile holds so far."""
        return self.files.get(tile, [])

    def close(self, tile: str) -> None:
        """Write the manifest of a tile; after that of no tile, corpus.json: the corpus is whole.

        What the last build made of it and this one does not goes first: a manifest names all there is, at any moment.
        """
        entries, manifest = self.files.pop(tile, []), self.info.layout.manifest(TileKey.parse(tile) if tile else None)
        self._drop(manifest, {entry.path for entry in entries})
        self.store.put(manifest, manifest_bytes(entries))
        self.manifests.add(manifest)
        for entry in entries:
            part = entry.path.split("/")[0] if "/" in entry.path else "cards"
            self.parts[part] += 1
            self.sizes[part] += entry.size
        if not tile:
            self.store.put(keys.CORPUS, corpus_json(self.info))

    def sweep(self) -> None:
        """Remove tiles of an earlier build that are not in this one."""
        for key in sorted({entry.key for entry in self.store.list("manifest")} - self.manifests):
            self._drop(key, set())
            self.store.delete(key)

    def _drop(self, manifest: str, kept: set[str]) -> None:
        try:
            before = read_manifest(self.store.get(manifest), manifest)
        except MissingKeyError:
            return
        for entry in before:
            if entry.path not in kept:
                self.store.delete(entry.path)


def finish(project: Project, plan: Plan, shop: Workshop) -> Publication:
    """Write lineage, index, resources, catalogue, card, manifests and corpus.json; one tile's files at a time.

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
    tiles, units = by_tile(plan.samples), _units_by_tile(plan)
    exists = {tile: _exists(project, info, shop, samples, units[tile]) for tile, samples in tiles.items()}
    table = _index(project, info, shop, tiles, exists)
    publication.put("", info.layout.index, index_bytes(table))
    if found.prepared is not None:
        for key, data in parcel_files(info.name, found.prepared, shop.store):
            publication.put("", key, data)
    contents = (_content(project, publication, shop, own, exists[tile], units[tile]) for tile, own in tiles.items())
    write_documents(publication, info, contents, table, items=project.recipe.stac.json_items)
    publication.sweep()
    return publication


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


def _units_by_tile(plan: Plan) -> dict[str, list[Unit]]:
    found: dict[str, list[Unit]] = defaultdict(list)
    for unit in plan.units:
        found[unit.id.partition("/")[2]].append(unit)
    return found


def _made(unit: Unit, shop: Workshop) -> Entry | None:
    """The journal's entry of a unit that is done."""
    entry = shop.journal.get(unit.id)
    return entry if entry is not None and entry.state == "done" and entry.key == unit.key else None


def _exists(
    project: Project, info: CorpusInfo, shop: Workshop, samples: tuple[Sample, ...], units: Iterable[Unit]
) -> dict[str, NDArray[np.bool_]]:
    """Product → (sample, timestep) what the units of a tile have made."""
    tile = samples[0].tile
    exists: dict[str, NDArray[np.bool_]] = {}
    for unit in units:
        product, made = unit.id.partition("/")[0], _made(unit, shop)
        if product in project.series():
            exists |= series_exists(info, project, product, tile, made, shop.store)
        elif product.startswith(f"{LAYERS_UNIT}-"):
            layers_exist(exists, unit, samples, done=made is not None)
        else:
            for key in _products_of(project, product):
                exists[key] = np.full((len(samples), info.product(key).slots), made is not None)
    for item in info.products:
        exists.setdefault(item.key, np.zeros((len(samples), item.slots), np.bool_))
    return exists


def _content(
    project: Project,
    publication: Publication,
    shop: Workshop,
    samples: tuple[Sample, ...],
    exists: Mapping[str, NDArray[np.bool_]],
    units: Iterable[Unit],
) -> TileContent:
    """Gather the files that the units of a tile have made, and write its lineage."""
    tile, lineage = samples[0].tile, []
    for unit in units:
        product, made = unit.id.partition("/")[0], _made(unit, shop)
        if made is None:
            continue
        published = [file for file in made.outcome.files if not file.path.startswith(keys.STATE)]
        publication.files.setdefault(tile, []).extend(published)
        if product in project.recipe.products:
            path = publication.info.layout.lineage(TileKey.parse(tile), project.product(product))
            document = {"tile": tile, "product": product, **made.outcome.facts}
            publication.put(tile, path, orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
            lineage.append(project.product(product).key)
    files = {file.path: file for file in publication.entries(tile)}
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


def _index(
    project: Project,
    info: CorpusInfo,
    shop: Workshop,
    tiles: Mapping[str, tuple[Sample, ...]],
    exists: Mapping[str, Mapping[str, NDArray[np.bool_]]],
) -> pa.Table:
    """The index; queries and everything below are made from it."""
    fractions = {}
    for name in project.recipe.labels:
        key = project.label_product(name).key
        width = len(info.label_columns[key])
        fractions[key] = _stack(
            read_cells(shop.store, name, tile, SAMPLES)
            if exists[tile][key].any()
            else np.zeros((len(samples), width), np.int32)
            for tile, samples in tiles.items()
        )
    there = {item.key: _stack(exists[tile][item.key] for tile in tiles) for item in info.products}
    return index_table(info, SampleTable.of([*chain.from_iterable(tiles.values())]), fractions, there)


def _stack(parts: Iterable[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(list(parts))
