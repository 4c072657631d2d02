"""Class shares of the samples of a tile, looked up in the index."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

    from landloom.corpus.info import CorpusInfo
    from landloom.corpus.stac.items import TileContent


class TileShares:
    """Adds class shares to the content of tiles.

    Args:
        info: the corpus.
        table: its index.
    """

    def __init__(self, info: CorpusInfo, table: pa.Table) -> None:
        names = [name for columns in info.label_columns.values() for name in columns if name in table.column_names]
        self._columns = {name: table.column(name).to_numpy() for name in names}
        self._rows = {own: row for row, own in enumerate(table.column("id").to_pylist())} if names else {}

    def of(self, content: TileContent) -> TileContent:
        """The same content with the shares of its samples."""
        if not self._columns:
            return content
        rows = np.array([self._rows[str(sample.id)] for sample in content.samples], np.int64)
        return replace(content, shares={name: values[rows] for name, values in self._columns.items()})
