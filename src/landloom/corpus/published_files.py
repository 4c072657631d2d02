"""The published files of a corpus, tile by tile: a hundred million files may not fit into memory."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from landloom.corpus.layout import STAC
from landloom.corpus.manifest import read_manifest
from landloom.errors import InvalidDocumentError, Problem
from landloom.model.keys import refused_keys
from landloom.store.protocol import Listable, Readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from landloom.corpus.manifest import FileEntry

RECENT: Final = 4
"""Number of tiles whose entries are kept in memory."""
ZARR: Final = ".zarr/"


class CorpusStore(Readable, Listable, Protocol):
    """A store that can be read and listed."""

    @property
    def uri(self) -> str:
        """Its address."""
        ...


class PublishedFiles:
    """The files listed in manifests.

    Memory holds the files of no tile, the STAC collections, and the entries of a few tiles; others are read again on
    demand. Lookups should therefore be ordered by tile.
    """

    def __init__(self, store: CorpusStore) -> None:
        """Read every manifest once."""
        self._store = store
        self._recent: OrderedDict[str, dict[str, FileEntry]] = OrderedDict()
        self._refused: dict[str, frozenset[str]] = {}
        self._last: tuple[str, str | None] = ("", None)
        self.tiles: dict[str, str] = {}
        """Folder of a tile, such as `33N/16E-243N` → key of its manifest."""
        self.folders: dict[str, str] = {}
        """Folder with files of one tile → that tile: `imagery/33N/16E-243N` → `33N/16E-243N`."""
        self.loose: dict[str, FileEntry] = {}
        """Files outside the folders of the tile whose manifest lists them."""
        self.collections: dict[str, FileEntry] = {}
        """STAC collections and catalogues, also those of tiles."""
        self.cubes: set[str] = set()
        """Zarr arrays."""
        self.broken: list[Problem] = []
        """Manifests that cannot be read, and paths listed in two of them."""
        self.count = 0
        keys = [listed.key for listed in store.list("manifest")]
        names = (key.removeprefix("manifest/").removesuffix(".parquet") for key in keys)
        self.tiles = {name: key for name, key in zip(names, keys, strict=True) if "/" in name}
        for key in keys:
            self._take(key)

    def __getstate__(self) -> dict[str, Any]:
        """For workers, which open the store themselves: see `of`."""
        return {**self.__dict__, "_store": None, "_recent": OrderedDict(), "broken": []}

    def of(self, store: CorpusStore) -> Self:
        """The same, with its own access to the store."""
        self._store = store
        return self

    @cached_property
    def folders_of(self) -> Mapping[str, list[str]]:
        """Tile → folders with its files."""
        found: dict[str, list[str]] = {}
        for folder, tile in self.folders.items():
            found.setdefault(tile, []).append(folder)
        return found

    def _take(self, key: str) -> None:
        own = key.removeprefix("manifest/").removesuffix(".parquet")
        try:
            entries = read_manifest(self._store.get(key), key)
        except InvalidDocumentError as error:
            self.broken += [Problem(where=key, what=problem.what) for problem in error.problems]
            return
        refused = refused_keys(entry.path for entry in entries)
        self.broken += [Problem(where=key, what=why) for why in refused.values()]
        self._refused[own] = frozenset(refused)
        self.count += len(entries)
        for entry in entries:
            path = entry.path
            if path in refused:
                continue
            if ZARR in path:
                self.cubes.add(path.partition(ZARR)[0] + ZARR[:-1])
            if path.startswith(f"{STAC}/") and path.endswith(("/collection.json", "/catalog.json")):
                self.collections[path] = entry
            tile = self.tile_of(path)
            if tile is not None and tile == own:
                self.folders[path[: path.index(f"/{tile}/") + len(tile) + 1]] = tile
                continue
            if path in self.loose or (tile is not None and path in self.entries(tile)):
                self.broken.append(Problem(where=path, what=f"listed by {key} and by another manifest"))
            self.loose[path] = entry

    def tile_of(self, path: str) -> str | None:
        """The tile whose folder contains a path, if that tile has a manifest."""
        folder = path.rpartition("/")[0]
        last = self._last
        if last[0] != folder:  # files come folder by folder
            pairs = map("/".join, pairwise(folder.split("/")))
            last = self._last = (folder, next((tile for tile in pairs if tile in self.tiles), None))
        return last[1]

    def entries(self, tile: str) -> Mapping[str, FileEntry]:
        """Path → entry for the files in the folders of a tile; empty for a tile without manifest."""
        if tile in self._recent:
            self._recent.move_to_end(tile)
            return self._recent[tile]
        key = self.tiles.get(tile)
        try:
            found = () if key is None else read_manifest(self._store.get(key), key)
        except InvalidDocumentError:  # reported once, when all were read
            found = ()
        refused, inside = self._refused.get(tile, frozenset()), f"/{tile}/"
        own = {entry.path: entry for entry in found if inside in entry.path and entry.path not in refused}
        self._recent[tile] = own
        while len(self._recent) > RECENT:
            self._recent.popitem(last=False)
        return own

    def get(self, path: str) -> FileEntry | None:
        """The entry of a path, if a manifest lists it."""
        entry = self.collections.get(path) or self.loose.get(path)
        if entry is not None:
            return entry
        tile = self.tile_of(path)
        return None if tile is None else self.entries(tile).get(path)

    def __contains__(self, path: str) -> bool:
        return self.get(path) is not None

    def paths(self) -> Iterator[str]:
        """Every path: tile by tile, then those of no tile."""
        for tile in self.tiles:
            yield from self.entries(tile)
        yield from self.loose
