"""The checks of single tiles, by as many workers as there are: what they have found is the audit of the corpus."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from landloom.corpus.audit.blank import tile_blanks
from landloom.corpus.audit.files import tile_files
from landloom.corpus.audit.index import tile_problems
from landloom.corpus.audit.lineage import tile_lineage
from landloom.corpus.audit.schemas import Schemas
from landloom.corpus.audit.stac import StacAudit
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from landloom.corpus.audit.blank import BlankChips
    from landloom.corpus.audit.lineage import TileLineage
    from landloom.corpus.audit.stac import Documents
    from landloom.corpus.info import CorpusInfo
    from landloom.corpus.published_files import CorpusStore, PublishedFiles
    from landloom.errors import Problem

FEW: Final = 4
"""Tiles that one process has checked before workers have started."""
GROUPS: Final = 256
"""Most tasks: what all tiles have in common grows with their number, and travels with each task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileRows:
    """What the index says of a tile."""

    tile: str
    """Its folder, such as `33N/16E-243N`."""
    rows: pa.Table | None
    """Its rows; None of an index that cannot be read."""
    outlines: Mapping[str, NDArray[Any]] | None
    """Sample → (5, 2) outline; None of an index without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileFindings:
    """All that was found in a tile, check by check."""

    tile: str
    files: tuple[Problem, ...]
    strays: tuple[str, ...]
    lineage: TileLineage
    index: tuple[Problem, ...]
    stac: Documents
    unchecked: Counter[str]
    """Schemas that there are not, and how many documents refer to each."""
    blank: BlankChips


@dataclass(frozen=True, slots=True, kw_only=True)
class TileChecks:
    """What the checks of all tiles have in common."""

    info: CorpusInfo
    published: PublishedFiles
    digests: bool
    """Whether every file is read and compared with its digest; else only sizes."""

    def findings(self, store: CorpusStore, stac: StacAudit, given: TileRows) -> TileFindings:
        """Check a tile.

        Args:
            store: the corpus.
            stac: checks documents; it need not know the outlines of this tile.
            given: the tile, as the index has it.
        """
        tile, shared = given.tile, (store, self.info, self.published)
        problems, strays = tile_files(store, self.published, tile, digests=self.digests)
        before = stac.schemas.unchecked.copy()
        stac.outlines = given.outlines
        documents = stac.tile(tile)
        return TileFindings(
            tile=tile,
            files=tuple(problems),
            strays=tuple(strays),
            lineage=tile_lineage(*shared, tile),
            index=() if given.rows is None else tuple(tile_problems(*shared, tile, given.rows)),
            stac=documents,
            unchecked=stac.schemas.unchecked - before,
            blank=tile_blanks(*shared, tile),
        )


def check_tiles(
    store: CorpusStore, checks: TileChecks, tiles: Sequence[TileRows], stac: StacAudit
) -> Iterator[TileFindings]:
    """The findings of tiles, one after the other, in this process."""
    return (checks.findings(store, stac, tile) for tile in tiles)


def check_tiles_with(
    executor: Executor, corpus: str, checks: TileChecks, tiles: Sequence[TileRows], schemas: Path | None
) -> Iterator[TileFindings]:
    """The same by workers, in the same order; they begin at once.

    Args:
        executor: of the workers.
        corpus: address of the corpus, which workers open themselves.
        checks: what all have in common.
        tiles: as the index has them.
        schemas: folder of schemas.
    """
    size = -(-len(tiles) // GROUPS) or 1
    groups = [tiles[start : start + size] for start in range(0, len(tiles), size)]
    found = [executor.submit(_checked, corpus, checks, group, schemas) for group in groups]
    return (one for future in found for one in future.result())


def _checked(corpus: str, checks: TileChecks, tiles: Sequence[TileRows], schemas: Path | None) -> list[TileFindings]:
    store = open_store(corpus)
    known, sound = _schemas(schemas)
    stac = StacAudit(store, checks.info, checks.published.of(store), known, None, sound)
    return [checks.findings(store, stac, tile) for tile in tiles]


@cache
def _schemas(folder: Path | None) -> tuple[Schemas, set[bytes]]:
    """Schemas, and shapes of documents that meet them: both are dear, and a worker checks many tiles."""
    return Schemas(folder), set()
