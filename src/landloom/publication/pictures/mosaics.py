"""`export --to vrt`: every tile, product and timestep of a corpus as one raster that refers to its chips.

The corpus itself has some of these mosaics (`landloom.corpus.qgis`); a corpus of 500,000 samples would have as many as
it has tiles times timesteps, each of some hundred kilobytes.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.layout import TileKey
from landloom.corpus.qgis.mosaics import FOLDER, drawable, tile_mosaics
from landloom.corpus.qgis.styles import style, style_key
from landloom.corpus.stac.items import TileContent
from landloom.errors import ForeignCorpusError, InvalidInputError
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from landloom.engine.run import Listener

INDEX: Final = "landloom_export.json"
"""What was written; marks a folder as that of an export."""
_FAR: Final = {"s3://": "/vsis3/", "gs://": "/vsigs/", "az://": "/vsiaz/", "https://": "/vsicurl/https://"}
"""Start of an address → what GDAL calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MosaicsReport:
    """What was written."""

    folder: Path
    """The folder."""
    mosaics: int
    """Number of mosaics."""
    tiles: int
    """Number of tiles with one."""
    size: int
    """Bytes of the mosaics."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"folder": str(self.folder), "mosaics": self.mosaics, "tiles": self.tiles, "size": self.size}


def export_mosaics(corpus: str, out: str | Path, *, listener: Listener | None = None) -> MosaicsReport:
    """Write the mosaics of a corpus, and the style of each product.

    Args:
        corpus: folder or address of the corpus; of layout `cubes` only label rasters have mosaics.
        out: target folder; empty, or from an earlier export, whose files are replaced.
        listener: receives progress.

    Raises:
        InvalidInputError: no product of the corpus has files that GDAL opens, or GDAL has no name for its address.
        ForeignCorpusError: the folder contains something else.
        CorpusError: there is no corpus.
    """
    folder = Path(out)
    between = _between(str(corpus), folder)
    there = FinishedCorpus.open(str(corpus))
    if not drawable(there.info):
        raise InvalidInputError(f"{there.info.name}: no product has rasters as files; export --layout chips first")
    if folder.exists() and any(folder.iterdir()) and not (folder / INDEX).exists():
        raise ForeignCorpusError(f"{folder}: contains files of something else; choose another folder")
    store, exists = LocalStore(folder), there.exists()
    for entry in list(store.list()) if folder.exists() else []:
        store.delete(entry.key)
    store.put(INDEX, b"{}\n")
    for item in drawable(there.info):
        store.put(_own(style_key(item)), style(there.info, item))
    if listener is not None:
        listener.started("writing mosaics", len(there.tiles))
    count = size = tiles = 0
    for tile, samples in there.tiles.items():
        content = TileContent(tile=TileKey.parse(tile), samples=tuple(samples), exists=exists[tile])
        before = count
        for mosaic, data in tile_mosaics(there.info, content, between):
            store.put(_own(mosaic.key), data)
            count, size = count + 1, size + len(data)
        tiles += count > before
        if listener is not None:
            listener.advanced(tile, None)
    document = {"corpus": there.info.name, "version": there.info.version, "to": "vrt", "mosaics": count}
    store.put(INDEX, f"{json.dumps(document, indent=2)}\n".encode())
    return MosaicsReport(folder=folder, mosaics=count, tiles=tiles, size=size)


def _own(key: str) -> str:
    return key.removeprefix(f"{FOLDER}/")


def _between(corpus: str, folder: Path) -> Callable[[str, str], str]:
    """How a mosaic calls a chip: by a relative path on one disk, else as GDAL does."""
    if "://" not in corpus or corpus.startswith("file://"):
        root, home = Path(corpus.removeprefix("file://")).resolve(), folder.resolve()
        return lambda key, path: Path(os.path.relpath(root / path, (home / _own(key)).parent)).as_posix()
    start = next((one for one in _FAR if corpus.startswith(one)), None)
    if start is None:
        raise InvalidInputError(f"got {corpus}, expected a folder, or an address that begins with {', '.join(_FAR)}")
    far = f"{_FAR[start]}{corpus.removeprefix(start).rstrip('/')}/"
    return lambda _, path: f"{far}{path}"
