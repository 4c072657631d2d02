"""Checks the lineage of a corpus: every document is read and compared with the products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from landloom.corpus.lineage import read_lineage
from landloom.errors import InvalidDocumentError, MissingKeyError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.corpus.lineage import Lineage
    from landloom.corpus.published_files import CorpusStore, PublishedFiles

FOLDER: Final = "lineage"


def lineage_problems(store: CorpusStore, info: CorpusInfo, published: PublishedFiles) -> Iterator[Problem]:
    """All problems in the lineage of every tile.

    Checked are structure, tile and product; timesteps that the corpus does not have; scenes listed twice, or both as
    used and as left out; tiles with imagery but without lineage, if other tiles have it.
    """
    yield from lineage_of_tiles(tile_lineage(store, info, published, tile) for tile in published.tiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class TileLineage:
    """The lineage of one tile."""

    tile: str
    problems: tuple[Problem, ...]
    documents: frozenset[str]
    """Folders of products with a document."""
    imagery: frozenset[str]
    """Folders of products of the corpus with imagery."""


def tile_lineage(store: CorpusStore, info: CorpusInfo, published: PublishedFiles, tile: str) -> TileLineage:
    """Check every document of a tile."""
    products = {item.product.folder: item for item in info.products if item.product.folder is not None}
    problems: list[Problem] = []
    seen, imagery = set(), set()
    for path in published.entries(tile):
        top, _, rest = path.partition("/")
        if top == FOLDER:
            folder = rest.rpartition("/")[2].removesuffix(".json")
            seen.add(folder)
            problems += _document(store, path, tile, products.get(folder))
        else:
            imagery |= {folder for folder in products if f"/{folder}/" in path or f"/{folder}.zarr/" in path}
    return TileLineage(tile=tile, problems=tuple(problems), documents=frozenset(seen), imagery=frozenset(imagery))


def lineage_of_tiles(tiles: Iterable[TileLineage]) -> Iterator[Problem]:
    """Problems of the lineage of all tiles, and documents that some lack though others have one."""
    found = list(tiles)
    for one in found:
        yield from one.problems
    for folder in sorted({folder for one in found for folder in one.documents}):
        for tile in sorted(one.tile for one in found if folder in one.imagery - one.documents):
            yield Problem(where=f"{FOLDER}/{tile}/{folder}.json", what="missing, but other tiles have one")


def _document(store: CorpusStore, path: str, tile: str, product: ProductInfo | None) -> Iterator[Problem]:
    if product is None:
        yield Problem(where=path, what="does not belong to a product of the corpus")
        return
    try:
        named, _, lineage = read_lineage(store.get(path), path)
    except MissingKeyError:
        return  # the files are checked elsewhere, and this is reported there
    except InvalidDocumentError as error:
        yield from (Problem(where=path, what=str(problem)) for problem in error.problems)
        return
    if named.replace("_", "/", 1) != tile:
        yield Problem(where=path, what=f"tile: got {named!r}, expected {tile.replace('/', '_', 1)!r}")
    yield from _timesteps(path, lineage, {step.name for step in product.timesteps})


def _timesteps(path: str, lineage: Lineage, known: set[str]) -> Iterator[Problem]:
    names = [step.timestep for step in lineage.timesteps]
    if names != sorted(set(names)):
        yield Problem(where=path, what="timesteps: not in order, or listed twice")
    for number, step in enumerate(lineage.timesteps):
        where = f"timesteps.{number}"
        if step.timestep not in known and step.samples != 0:
            yield Problem(where=path, what=f"{where}: got {step.timestep!r}, which the product does not have")
        used = [scene.id for scene in step.scenes]
        if len(set(used)) != len(used):
            yield Problem(where=path, what=f"{where}.scenes: a scene is listed twice")
        for one in sorted(set(used) & {one.id for one in step.left_out}):
            yield Problem(where=path, what=f"{where}: {one} is listed both as used and as left out")
