"""A finished corpus with one more product: index, catalogue and manifests are written anew, imagery is only listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.corpus.finished import tile_content
from landloom.corpus.index import SampleTable, index_bytes, index_table
from landloom.publication.files import write_documents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.finished import FinishedCorpus
    from landloom.corpus.manifest import FileEntry
    from landloom.corpus.stac.items import TileContent
    from landloom.model.sample import Sample
    from landloom.publication.files import CorpusWriter


def fractions_of(there: FinishedCorpus, key: str) -> dict[str, NDArray[np.int32]]:
    """Tile → (sample, class) millionths of a label product, samples in id order."""
    names = there.info.label_columns[key]
    values = np.stack([there.table.column(name).to_numpy() for name in names], axis=1).astype(np.int32)
    rows = {name: row for row, name in enumerate(there.table.column("id").to_pylist())}
    return {tile: values[[rows[str(sample.id)] for sample in samples]] for tile, samples in there.tiles.items()}


def relist(
    there: FinishedCorpus,
    publication: CorpusWriter,
    exists: Mapping[str, Mapping[str, NDArray[np.bool_]]],
    write: Callable[[str, Sequence[Sample]], Sequence[FileEntry]],
    fractions: Mapping[str, Mapping[str, NDArray[np.int32]]] | None = None,
) -> None:
    """Write the files of new products, the index, and everything derived from it.

    Args:
        there: the corpus as it is.
        publication: writes it; its description has the new products.
        exists: tile → new product → (sample, 1) whether there is a file.
        write: writes the files of the new products of a tile.
        fractions: new product → tile → (sample, class) millionths, if it is one of fractions.
    """
    info = publication.info
    held = there.exists()
    both = {tile: {**held[tile], **exists[tile]} for tile in there.tiles}
    shares = {item.key: fractions_of(there, item.key) for item in there.info.labels} | dict(fractions or {})
    table = index_table(
        info,
        SampleTable.of([sample for own in there.tiles.values() for sample in own]),
        {key: _stacked({tile: own[tile] for tile in there.tiles}) for key, own in shares.items()},
        {item.key: _stacked({tile: both[tile][item.key] for tile in there.tiles}) for item in info.products},
    )
    publication.put("", info.layout.index, index_bytes(table))
    publication.files[""] += there.tables()
    contents = _contents(there, publication, both, write)
    write_documents(publication, info, contents, table, items=there.json_items)


def _contents(
    there: FinishedCorpus,
    publication: CorpusWriter,
    exists: Mapping[str, dict[str, NDArray[np.bool_]]],
    write: Callable[[str, Sequence[Sample]], Sequence[FileEntry]],
) -> Iterator[TileContent]:
    """The tiles with their new files, one at a time."""
    for tile, samples in there.tiles.items():
        made = write(tile, samples)
        own = {entry.path for entry in made}
        entries = [*(entry for entry in there.data(tile) if entry.path not in own), *made]
        publication.files[tile] = entries
        yield tile_content(publication.info, tile, samples, exists[tile], entries, there.store.get)


def _stacked(parts: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(list(parts.values()))
