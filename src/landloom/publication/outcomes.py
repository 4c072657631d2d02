"""From the results of units to a corpus: existing files, index, lineage, and all derived documents."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.corpus.index import SampleTable, index_bytes, index_table
from landloom.corpus.layout import STATE, TileKey
from landloom.corpus.stac.items import TileContent
from landloom.publication.describe import corpus_info
from landloom.publication.files import CorpusWriter, write_documents

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.engine.context import BuildContext
    from landloom.engine.plan import Plan
    from landloom.engine.project import Project
    from landloom.engine.results import Results
    from landloom.store.protocol import Store

Exists = dict[str, "NDArray[np.bool_]"]


def publish_outcomes(project: Project, plan: Plan, results: Results, context: BuildContext) -> CorpusWriter:
    """Write lineage, index, resources, catalogue, card, manifests and corpus.json, one tile at a time.

    Args:
        project: the recipe in its folder.
        plan: its plan.
        results: results of its units; failed ones are published as missing.
        context: context of the build.
    """
    info = corpus_info(project, plan.requests, plan.placement, results)
    publication = CorpusWriter(info=info, store=context.store)
    exists = {tile: results.exists(tile, info.products) for tile in plan.tiles}
    table = _index(plan, info, context.store, exists)
    publication.put("", info.layout.index, index_bytes(table))
    for request in plan.requests:
        for key, data in request.kind.tables(request, plan.placement, context.store):
            publication.put("", key, data)
    contents = (_content(plan, publication, results, tile, exists[tile]) for tile in plan.tiles)
    write_documents(publication, info, contents, table, items=project.recipe.stac.json_items)
    publication.sweep()
    return publication


def _content(plan: Plan, publication: CorpusWriter, results: Results, tile: str, exists: Exists) -> TileContent:
    """Collect the files made by the units of a tile, and write its lineage."""
    info, key, lineage, codes = publication.info, TileKey.parse(tile), [], {}
    for request in plan.requests:
        for unit in results.units(tile, request.unit):
            outcome = results.of(unit)
            if outcome is None:
                continue
            published = [file for file in outcome.files if not file.path.startswith(STATE)]
            publication.files.setdefault(tile, []).extend(published)
            if outcome.lineage is not None:
                product = info.product(unit.makes[0]).product
                publication.put(tile, info.layout.lineage(key, product), outcome.lineage.encode(tile, request.key))
                lineage.append(product.key)
                if outcome.lineage.codes:
                    codes[product.key] = outcome.lineage.codes
    files = {file.path: file for file in publication.entries(tile)}
    return TileContent(
        tile=key, samples=plan.tiles[tile], exists=exists, files=files, lineage=tuple(lineage), codes=codes
    )


def _index(plan: Plan, info: CorpusInfo, store: Store, exists: Mapping[str, Exists]) -> pa.Table:
    """The index; queries and all derived documents are based on it."""
    fractions = {}
    for request in plan.requests:
        for item in request.kind.describe(request, plan.placement):
            if item.key in info.label_columns:
                width = len(info.label_columns[item.key])
                parts = (
                    request.kind.shares(request, tile, store)
                    if exists[tile][item.key].any()
                    else np.zeros((len(samples), width), np.int32)
                    for tile, samples in plan.tiles.items()
                )
                fractions[item.key] = _stack([part for part in parts if part is not None])
    there = {item.key: _stack([exists[tile][item.key] for tile in plan.tiles]) for item in info.products}
    return index_table(info, SampleTable.of([*chain.from_iterable(plan.tiles.values())]), fractions, there)


def _stack(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts)
