"""The files of a download: those of a selection, or whole parts of a corpus, with sizes and digests if known.

Also the terms of exactly the downloaded products, and the command for azcopy.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final, Literal, Protocol

from landloom.corpus.layout import CORPUS, ROOT
from landloom.corpus.root import root_of
from landloom.errors import InvalidInputError, MissingKeyError
from landloom.query.index.arrays import write_atomically
from landloom.query.transfer.destination import Wanted
from landloom.query.transfer.download_journal import DownloadJournal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from landloom.corpus.info import CorpusInfo
    from landloom.corpus.manifest import FileEntry
    from landloom.corpus.root import RootDigest
    from landloom.model.product import Product
    from landloom.query.assets import AssetSet
    from landloom.query.index.sidecar import Rows, Sidecar
    from landloom.store.protocol import Readable

Part = Literal["all", "imagery", "labels", "stac", "resources"]
"""Whole parts of a corpus; `imagery` is everything below that folder."""
FOLDERS: Final[dict[str, tuple[str, ...]]] = {
    "all": ("",),
    "imagery": ("imagery/",),
    "labels": ("labels/",),
    "stac": ("stac-v1.0/",),
    "resources": ("resources/", "index/", "qgis/", "corpus.qgz", "README.md", "corpus.json", "croissant.json"),
}
"""Part → prefixes of its paths."""
_KIND: Final = {"quality": "imagery"}
_ANY: Final = ("", "")
"""Prefixes of files that concern all products."""


class ChosenFiles(Protocol):
    """Selected samples with their files: a selection."""

    @property
    def sidecar(self) -> Sidecar:
        """The corpus's index."""
        ...

    @property
    def rows(self) -> Rows:
        """Rows of the samples."""
        ...

    @property
    def products(self) -> tuple[str, ...]:
        """Keys of the selected products."""
        ...

    @property
    def base(self) -> str:
        """Prefix of relative paths; ends with a slash."""
        ...

    @property
    def assets(self) -> AssetSet:
        """Its files."""
        ...

    @property
    def cubes(self) -> tuple[str, ...]:
        """Paths of its arrays, for a corpus without chips."""
        ...


class Described(Protocol):
    """A corpus, as its documents describe it."""

    @property
    def name(self) -> str:
        """Name of the corpus."""
        ...

    @property
    def version(self) -> str:
        """Version of the corpus."""
        ...

    @property
    def info(self) -> CorpusInfo:
        """Its description."""
        ...


class Queried(Described, Protocol):
    """A corpus that can be queried."""

    @property
    def sidecar(self) -> Sidecar:
        """Its index."""
        ...

    @property
    def products(self) -> tuple[str, ...]:
        """Keys of its products."""
        ...

    def query(self, *, products: tuple[str, ...]) -> ChosenFiles:
        """All samples, with some products."""
        ...


def _manifest_entries(store: Readable, keys: Iterable[str], root: RootDigest | None) -> Iterator[Wanted]:
    """What manifests name.

    A manifest that is not what the root digest says is wanted itself, as it should be: it will not come, and be listed.
    """
    from landloom.corpus.manifest import FileEntry, read_manifest

    for key in keys:
        try:
            content = store.get(key)
        except MissingKeyError:
            continue
        expected = None if root is None else root.files.get(key, FileEntry(key, 0, ""))
        if expected is not None and expected != FileEntry.of(key, content):
            yield _wanted(expected)
        yield from map(_wanted, read_manifest(content, key))


def _wanted(entry: FileEntry) -> Wanted:
    return Wanted(path=entry.path, size=entry.size, sha256=entry.sha256)


def _covering(root: RootDigest | None, keys: Iterable[str]) -> list[Wanted]:
    """The root digest itself, with what it covers of some keys; for a corpus without one the keys alone."""
    if root is None:
        return [Wanted(path=key) for key in keys if key != CORPUS]
    from landloom.corpus.manifest import FileEntry

    own = FileEntry.of(ROOT, root.encode())
    return [_wanted(entry) for entry in (own, *(root.files[key] for key in keys if key in root.files))]


def selection_files(selection: ChosenFiles, store: Readable | None = None) -> list[Wanted]:
    """Files of a selection.

    Args:
        selection: the selection.
        store: store of the corpus, whose manifests give sizes and digests; None without manifests.

    Returns:
        One per file; for a corpus with only cubes, whole arrays of the samples' tiles.

    Raises:
        InvalidInputError: a corpus with only cubes has no manifests to list the files of an array.
    """
    paths, cubes = selection.assets.paths(), selection.cubes
    if store is None:
        if cubes:
            raise InvalidInputError(f"got {cubes[0]} and no manifest that lists its files; download the whole corpus")
        return [Wanted(path=path) for path in paths]
    directories = sorted(set(selection.sidecar.directories(selection.rows).astype(str).tolist()))
    keys = (f"manifest/{name}.parquet" for name in directories)
    known = {item.path: item for item in _manifest_entries(store, keys, root_of(store))}
    wanted = [known.get(path, Wanted(path=path)) for path in paths]
    folders = {f"{cube}/" for cube in cubes}
    arrays = [item for path, item in known.items() if f"{path.partition('.zarr/')[0]}.zarr/" in folders]
    return wanted + arrays + [item for path, item in known.items() if path.startswith("manifest/")]


def part_files(corpus: Queried, part: Part, store: Readable | None = None) -> list[Wanted]:
    """Files of a whole part.

    Args:
        corpus: the corpus.
        part: name of the part.
        store: store of the corpus; its manifests list every file. Without manifests (published corpora), imagery,
            labels and resources are listed from the index; for the STAC or everything, use `azcopy_command`.

    Raises:
        InvalidInputError: the part cannot be listed without manifests.
    """
    if store is not None and store.exists("manifest/corpus.parquet"):
        directories = corpus.sidecar.arrays["run_directory"].astype(str).tolist()
        keys = ["manifest/corpus.parquet", *(f"manifest/{name}.parquet" for name in sorted(set(directories)))]
        root = root_of(store)
        listed = list(_manifest_entries(store, keys, root))
        listed += _covering(root, [CORPUS, *keys] if part == "all" else [CORPUS])
        damaged = {item.path for item in listed} & set(keys)
        beside = (*damaged, ROOT) if part == "resources" else tuple(damaged)
        return [item for item in dict.fromkeys(listed) if item.path.startswith((*FOLDERS[part], *beside))]
    if part == "resources":
        kinds = ("geometries.geojson.gz", "labels.csv.gz", "label_mappings.csv")
        return [Wanted(path=f"resources/{corpus.name}_{kind}") for kind in kinds]
    if part in ("imagery", "labels"):
        return selection_files(corpus.query(products=products_of_part(corpus, part)))
    raise InvalidInputError(f"{corpus.name} has no manifests to list {part!r} from; use the azcopy command")


def products_of_part(corpus: Queried, part: str) -> tuple[str, ...]:
    """Products in a part: labels separate from imagery; documents concern all."""
    if part not in ("imagery", "labels"):
        return corpus.products
    kinds = {item.key: item.product.kind for item in corpus.info.products}
    return tuple(key for key, kind in kinds.items() if (kind in ("labels", "raster-labels")) == (part == "labels"))


def azcopy_command(base: str, destination: Path, part: Part = "all", list_file: Path | None = None) -> list[str]:
    """Complete azcopy commands for a part, or for a list of files.

    Args:
        base: address of the corpus.
        destination: folder.
        part: whole part, if there is no list.
        list_file: one relative path per line.

    Example:
        >>> from pathlib import Path
        >>> azcopy_command("https://example.org/c/", Path("out"), "labels")
        ["azcopy copy --recursive 'https://example.org/c/labels/' out"]
    """
    target = shlex.quote(str(destination))
    if list_file is not None:
        listed = shlex.quote(str(list_file))
        return [f"azcopy copy '{base}' {target} --list-of-files={listed} --include-directory-stub"]
    return [f"azcopy copy --recursive '{base}{prefix}' {target}" for prefix in FOLDERS[part]]


def non_commercial(corpus: Described, products: Iterable[str]) -> list[str]:
    """Products whose terms exclude commercial use, for a warning before a download."""
    return [key for key in products if corpus.info.product(key).terms.non_commercial]


def licences_text(corpus: Described, products: Iterable[str]) -> str:
    """`LICENSES.md` for some products.

    Args:
        corpus: the corpus with the terms.
        products: keys of the downloaded products.
    """
    lines = [f"# Terms of {corpus.name} {corpus.version}", ""]
    lines += ["These products were downloaded; each has terms of its own.", ""]
    for key in products:
        terms = corpus.info.product(key).terms
        address = f" (<{terms.licence_url}>)" if terms.licence_url else ""
        lines += [f"## {key}", "", f"- Licence: {terms.licence}{address}", f"- Attribution: {terms.attribution}"]
        if terms.non_commercial:
            lines.append("- **Commercial use is excluded.**")
        lines.append("")
    return "\n".join(lines)


def products_of_files(corpus: Described, paths: Iterable[str]) -> list[str]:
    """Products of some files of a corpus.

    Args:
        corpus: the corpus.
        paths: relative to it. Imagery is recognised by its folder, labels by their file names; other files, such as the
            index, concern all products.

    Returns:
        Keys, in the corpus's order.
    """
    rows = {item.key: item.product for item in corpus.info.products}
    own = {key: (str(row.kind), str(_name(row))) for key, row in rows.items()}
    prefixes = sorted((name for kind, name in own.values() if kind == "labels"), key=len, reverse=True)
    found = {_told(path, prefixes) for path in paths}
    return [key for key, (kind, name) in own.items() if not found.isdisjoint({(_KIND.get(kind, kind), name), _ANY})]


def _name(row: Product) -> str | None:
    return row.prefix if row.kind in ("labels", "raster-labels") else row.folder


def _told(path: str, prefixes: Sequence[str]) -> tuple[str, str]:
    """Kind, and folder or prefix, of the products of a file."""
    top, _, rest = path.partition("/")
    array, inside, _ = rest.partition(".zarr/")
    folders, _, name = rest.rpartition("/")
    match top:
        case "imagery":
            return top, (array if inside else folders).rpartition("/")[2]
        case "labels" if name.endswith(".geojson"):
            return top, next((prefix for prefix in prefixes if name.startswith(f"{prefix}_")), "")
        case "labels":
            return "raster-labels", name.rpartition("-")[0]
        case _:
            return _ANY


def write_licences(corpus: Described, destination: Path) -> Path:
    """Write `LICENSES.md` to the folder of a download: the terms of everything in its journal."""
    path = destination / "LICENSES.md"
    fetched = products_of_files(corpus, DownloadJournal(destination).read())
    write_atomically(path, licences_text(corpus, fetched).encode())
    return path


def estimate_bytes(store: Readable, files: Iterable[Wanted], samples: int = 8) -> int:
    """Total size of files; if no manifest gives sizes, estimated from a few files of each folder.

    Args:
        store: of the corpus.
        files: the files.
        samples: number of files per product whose size is requested.

    Returns:
        Exact if all sizes are known, else an estimate.
    """
    total = 0
    unknown: dict[str, list[str]] = {}
    for item in files:
        if item.size is not None:
            total += item.size
        else:
            unknown.setdefault(item.path.rsplit("/", 2)[-2], []).append(item.path)
    for paths in unknown.values():
        asked = paths[:: max(len(paths) // samples, 1)][:samples]
        sizes = [store.size(path) for path in asked]
        total += round(sum(sizes) / len(sizes) * len(paths))
    return total
