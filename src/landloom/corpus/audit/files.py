"""Files against manifests: every published file exists and is complete, and there are no others."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from landloom.corpus.embedding_set import FOLDER as EMBEDDINGS
from landloom.corpus.layout import CORPUS, ROOT, STATE
from landloom.corpus.split_set import FOLDER as SPLIT_SETS
from landloom.errors import MissingKeyError, Problem, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from landloom.corpus.manifest import FileEntry
    from landloom.corpus.published_files import CorpusStore, PublishedFiles

UNLISTED: Final = ("manifest/", f"{STATE}/", f"{SPLIT_SETS}/", f"{EMBEDDINGS}/", "report.html", CORPUS, ROOT)
"""Keys that no manifest needs to name: what the root digest covers or is, build state, and split sets and embeddings,
which are made later and have digests of their own."""
_FOREIGN: Final = re.compile(
    r"(?i)(.*\.aux\.xml|.*\.(ovr|msk|qmd|qml|qix|swp|tmp|bak)|\.ds_store|\._.*|thumbs\.db|desktop\.ini|.*\.thumb\.\w+|.*~)"
)
_FOREIGN_FOLDERS: Final = frozenset({".ipynb_checkpoints", "__pycache__", "__macosx", "@eadir", ".git", ".idea"})


def is_foreign(path: str) -> bool:
    """Whether a file is one that other programs leave behind: GDAL's statistics, thumbnails, folders of desktops.

    Example:
        >>> is_foreign("imagery/33N/2018-01.tif.aux.xml"), is_foreign("a/.DS_Store"), is_foreign("a/stray.tif")
        (True, True, False)
    """
    *folders, name = path.split("/")
    return bool(_FOREIGN.fullmatch(name)) or not _FOREIGN_FOLDERS.isdisjoint(one.lower() for one in folders)


def stray_notes(strays: Sequence[str]) -> list[str]:
    """Lines on files that are in no manifest: those of other programs together, the others by name."""
    foreign = [path for path in strays if is_foreign(path)]
    notes = [f"{path}: in no manifest, so it is not part of the corpus" for path in strays if not is_foreign(path)]
    if foreign:
        names = ", ".join(foreign[:3]) + (", …" if len(foreign) > 3 else "")
        notes.append(f"{counted(len(foreign), 'file')} of other programs ignored: {names}")
    return notes


def manifest_problems(published: PublishedFiles) -> Iterator[Problem]:
    """Problems of manifests themselves."""
    yield from published.broken
    if not published.count:
        yield Problem(where="manifest", what="no manifest lists any file")


def tile_files(
    store: CorpusStore, published: PublishedFiles, tile: str, *, digests: bool
) -> tuple[list[Problem], list[str]]:
    """Differences between the manifest of a tile and the files in its folders, and files there that no manifest lists.

    Args:
        store: the corpus.
        published: the files in its manifests.
        tile: its folder, such as `33N/16E-243N`.
        digests: whether every file is read and compared with its digest; else only sizes.
    """
    sizes = {listed.key: listed.size for folder in published.folders_of.get(tile, ()) for listed in store.list(folder)}
    entries = published.entries(tile)
    problems = list(_compared(store, entries, sizes, digests=digests))
    return problems, [path for path in sizes if path not in entries and path not in published.loose]


def other_files(store: CorpusStore, published: PublishedFiles, *, digests: bool) -> tuple[list[Problem], list[str]]:
    """Problems of the files of no tile, and files that no manifest lists; arguments as of `tile_files`."""
    sizes: dict[str, int] = {}
    strays: list[str] = []
    for listed in store.list():
        if listed.key in published.loose:
            sizes[listed.key] = listed.size
        elif _folder(published, listed.key) not in published.folders and not listed.key.startswith(UNLISTED):
            strays.append(listed.key)
    return list(_compared(store, published.loose, sizes, digests=digests)), strays


def _folder(published: PublishedFiles, path: str) -> str | None:
    tile = published.tile_of(path)
    return None if tile is None else path[: path.index(f"{tile}/") + len(tile)]


def _compared(
    store: CorpusStore, entries: Mapping[str, FileEntry], sizes: Mapping[str, int], *, digests: bool
) -> Iterator[Problem]:
    for path, entry in entries.items():
        if path not in sizes:
            yield Problem(where=path, what="missing, but listed in a manifest")
        elif sizes[path] != entry.size:
            yield Problem(where=path, what=f"got {sizes[path]} bytes, expected {entry.size}")
        elif digests:
            yield from _digest(store, path, entry)


def _digest(store: CorpusStore, path: str, entry: FileEntry) -> Iterator[Problem]:
    try:
        got = hashlib.sha256(store.get(path)).hexdigest()
    except MissingKeyError:
        yield Problem(where=path, what="disappeared during the check")
        return
    if got != entry.sha256:
        yield Problem(where=path, what=f"got sha256 {got}, expected {entry.sha256}")
