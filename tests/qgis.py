"""A small published corpus with everything that QGIS opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpora import Made, write_corpus

from landloom.corpus.finished import FinishedCorpus, tile_content
from landloom.publication.files import CorpusWriter, write_documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from landloom.corpus.stac.items import TileContent


def published(folder: Path, *, layouts: Sequence[str] = ("chips",), months: int = 3) -> Made:
    """The corpus of `tests.corpora` in natural colours, with its documents."""
    made = write_corpus(folder, layouts=layouts, months=months, bands=("B02", "B03", "B04", "B08"))
    there = FinishedCorpus.open(str(folder))
    writer, exists = CorpusWriter(info=there.info, store=there.store), there.exists()

    def contents() -> Iterator[TileContent]:
        for tile, samples in there.tiles.items():
            writer.files[tile] = list(there.data(tile))
            yield tile_content(there.info, tile, samples, exists[tile], writer.files[tile], there.store.get)

    writer.put("", there.info.layout.index, there.store.get(there.info.layout.index))
    write_documents(writer, there.info, contents(), there.table, items=True)
    return made
