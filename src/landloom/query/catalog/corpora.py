"""Published corpora by name, and remote corpora: files that are downloaded once and cached.

The registry is a table in this module and a user file: `$LANDLOOM_CORPORA`, else
`$XDG_CONFIG_HOME/landloom/corpora.json`, which `landloom corpora add` writes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from landloom.corpus.layout import CORPUS, ROOT, STATE
from landloom.corpus.root import RootDigest, check_index
from landloom.errors import (
    CorpusError,
    InvalidInputError,
    MissingKeyError,
    NotFoundError,
    StoreError,
    TransientFaultError,
)
from landloom.model.address import public, shown
from landloom.query.index.arrays import write_atomically
from landloom.query.index.rapidai4eo import BASE_URL, NAME, TERMS
from landloom.query.index.resource_files import ResourceFiles
from landloom.query.index.sidecar_sources import INDEX, index_source, resource_source
from landloom.store.cache import cache_folder
from landloom.store.credentials import keep
from landloom.store.local import LocalStore
from landloom.store.web import WebStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.query.index.sidecar_sources import SidecarSource
    from landloom.store.protocol import Readable, Store

Kind = Literal["resources", "index", "stac", "archive"]
"""How a corpus is queried: by three resource files, by our index, only by its STAC, or not at all: as files to fetch
and unpack, with no index."""
_TAIL: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredCorpus:
    """A corpus registered by name."""

    name: str
    """Name for `Corpus.open`."""
    bases: tuple[str, ...]
    """Addresses of its folder, tried in this order; each ends with a slash."""
    kind: Kind = "index"
    """How it is queried."""
    catalog: str | None = None
    """Key of its STAC catalogue below a base; by default that of our layout, or the top of a STAC alone."""
    terms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Product → `licence`, `licence_url`, `attribution`, `non_commercial`."""

    def __post_init__(self) -> None:
        if not self.bases or not all(base.endswith("/") for base in self.bases):
            raise InvalidInputError(f"got bases {self.bases} of {self.name}, expected addresses that end with a slash")
        for base in self.bases:
            if public(base) != base or not base.isprintable():
                raise InvalidInputError(f"got {shown(base)} for {self.name}, expected an address without credentials")


_READERS: Final = {"dynamicearthnet": "; `landloom.training.DynamicEarthNet` reads the folder"}
"""Corpus → how to read what its archives hold."""
BUILT_IN: Final = (
    RegisteredCorpus(
        name=NAME,
        bases=(BASE_URL, "https://data.source.coop/planet/rapidai4eo/"),
        kind="resources",
        catalog="stac-v1.0/catalog.json",
        terms=TERMS,
    ),
    RegisteredCorpus(
        name="landcovernet",
        bases=("https://data.source.coop/radiantearth/landcovernet/",),
        kind="stac",
        catalog="catalog.json",
        terms={
            "labels": {
                "licence": "CC-BY-4.0",
                "licence_url": "https://creativecommons.org/licenses/by/4.0/",
                "attribution": "LandCoverNet, Radiant Earth Foundation",
                "non_commercial": False,
            }
        },
    ),
    RegisteredCorpus(
        name="dynamicearthnet",
        bases=("https://mediatum.ub.tum.de/1650201/",),
        kind="archive",
        terms={
            "labels": {
                "licence": "CC-BY-SA-4.0",
                "licence_url": "https://creativecommons.org/licenses/by-sa/4.0/",
                "attribution": "DynamicEarthNet (Toker et al. 2022), Technical University of Munich and Planet Labs",
                "non_commercial": False,
            }
        },
    ),
)
"""Corpora known without a user file."""


def registry_path() -> Path:
    """The user file of corpora."""
    if own := os.environ.get("LANDLOOM_CORPORA"):
        return Path(own)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "landloom" / "corpora.json"


def corpora(path: Path | None = None) -> dict[str, RegisteredCorpus]:
    """All corpora by name; the user file takes precedence over the built-in table.

    Args:
        path: the user file; by default `registry_path()`.

    Raises:
        InvalidInputError: the file is broken; it is named.

    Example:
        >>> sorted(corpora(Path("absent.json")))
        ['dynamicearthnet', 'landcovernet', 'rapidai4eo']
    """
    found = {item.name: item for item in BUILT_IN}
    file = path or registry_path()
    if not file.is_file():
        return found
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        own = [RegisteredCorpus(**{**row, "bases": tuple(row["bases"])}) for row in rows]
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidInputError(f"{file}: got a broken registry of corpora: {error}") from error
    return found | {item.name: item for item in own}


def add_corpus(item: RegisteredCorpus, path: Path | None = None) -> None:
    """Write a corpus to the user file, replacing one with the same name.

    Raises:
        OSError: the file cannot be written.
    """
    file = path or registry_path()
    built_in = {known.name: known for known in BUILT_IN}
    own = {name: known for name, known in corpora(file).items() if known != built_in.get(name)}
    rows = [asdict(known) for known in (own | {item.name: item}).values()]
    write_atomically(file, (json.dumps(rows, indent=2) + "\n").encode())


def remove_corpus(name: str, path: Path | None = None) -> None:
    """Remove a corpus from the user file.

    Raises:
        NotFoundError: it is not in the file.
    """
    file = path or registry_path()
    built_in = {known.name: known for known in BUILT_IN}
    own = {known.name: known for known in corpora(file).values() if known != built_in.get(known.name)}
    if name not in own:
        raise NotFoundError.of("corpus of yours", name, own)
    del own[name]
    write_atomically(file, (json.dumps([asdict(known) for known in own.values()], indent=2) + "\n").encode())


def _kept(base: str, folder: Path) -> Path:
    return folder / "fetched" / hashlib.sha256(base.encode()).hexdigest()[:24]


def _whole(key: str, data: bytes) -> bytes:
    """Content of a complete file: gzip has its own length and checksum."""
    if key.endswith(".gz"):
        try:
            gzip.decompress(data)
        except (EOFError, OSError) as error:
            raise TransientFaultError(f"{key}: got {len(data)} bytes that are not a complete gzip file") from error
    if not data:
        raise TransientFaultError(f"{key}: got an empty file")
    return data


def fetch_once(store: Readable, key: str, path: Path) -> Path:
    """A file of a store on local disk: downloaded if missing, checked, and cached.

    Its digest is stored next to it; a cached file that no longer matches it is downloaded again.

    Args:
        store: source.
        key: key of the file.
        path: target.

    Raises:
        MissingKeyError: the store does not have it.
        TransientFaultError: it is temporarily unavailable, or was received damaged.
        StoreError: it cannot be written.
    """
    proof = path.with_name(f"{path.name}.sha256")
    if path.is_file() and proof.is_file():
        size, _, digest = proof.read_text(encoding="ascii").partition(" ")
        if path.stat().st_size == int(size) and hashlib.sha256(path.read_bytes()).hexdigest() == digest.strip():
            return path
    data = _whole(key, store.get(key))
    _keep(path, data)
    _keep(proof, f"{len(data)} {hashlib.sha256(data).hexdigest()}\n".encode())
    return path


def _keep(path: Path, data: bytes) -> None:
    try:
        write_atomically(path, data)
    except OSError as error:
        reason = error.strerror or error
        hint = "set LANDLOOM_CACHE to a folder that can be written"
        raise StoreError(f"cannot write downloads to {path.parent} ({reason}): {hint}") from error


def _fetched_resources(name: str, base: str, folder: Path, profile: str | None) -> ResourceFiles:
    from landloom.store.open import open_store

    files = ResourceFiles.in_folder(_kept(base, folder), name)
    kept = [path for path in (files.geometries, files.labels, files.mapping) if path.is_file()]
    if len(kept) == 3 and all(path.with_name(f"{path.name}.sha256").is_file() for path in kept):
        return files  # downloaded once: a published corpus does not change
    store = open_store(base.rstrip("/"), profile)
    for path in (files.geometries, files.labels, files.mapping):
        fetch_once(store, f"resources/{path.name}", path)
    return files


def _fetched_index(base: str, folder: Path, profile: str | None) -> Path:
    """The index of a corpus elsewhere, fetched again when the corpus has changed.

    Raises:
        MissingKeyError: there is none.
        CorpusError: it is not what the corpus's digests say, twice.
    """
    from landloom.store.open import open_store

    store = open_store(base.rstrip("/"), profile)
    kept = _kept(base, folder)
    path = kept / INDEX
    mark = path.with_name("stamp")
    for last in (False, True):
        root, stamp = _stamp(store)
        if stamp and path.is_file() and mark.is_file() and mark.read_text(encoding="utf-8") == stamp:
            return path
        files = {INDEX: store.get(INDEX), CORPUS: _got(store, CORPUS), ROOT: root}
        for key, data in files.items():
            _keep_or_drop(kept / key, data)
        try:
            check_index(LocalStore(kept))
            if _stamp(store)[1] == stamp:
                break
        except CorpusError:
            if last:
                raise
    _keep(mark, stamp.encode())
    return path


def _stamp(store: Store) -> tuple[bytes | None, str]:
    """The root digest's document, and a text that changes with the corpus; without either, nothing tells."""
    root = _got(store, ROOT)
    if root is not None:
        return root, RootDigest.parse(root).digest
    if isinstance(store, WebStore):
        return None, store.version(INDEX)
    size = store.size(INDEX)
    tail = min(size, _TAIL)
    return None, f"{size} {hashlib.sha256(store.get_range(INDEX, size - tail, tail)).hexdigest()}"


def _keep_or_drop(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink(missing_ok=True)
    else:
        _keep(path, data)


def _got(store: Store, key: str) -> bytes | None:
    try:
        return store.get(key)
    except MissingKeyError:
        return None


def remote_source(uri: str, cache: Path | None = None, profile: str | None = None) -> tuple[SidecarSource, str]:
    """The source, and the base address, of a corpus by name or URL.

    Args:
        uri: a registered name, or the URL of a corpus's folder.
        cache: folder for downloads; by default the user's cache.
        profile: section of the AWS credentials file; by default the keys in the environment.

    Raises:
        NotFoundError: neither.
        CorpusError: the corpus has no index for queries.
        TransientFaultError: no base address can be reached.
    """
    folder = cache or cache_folder()
    if "://" in uri:
        base = keep(uri).rstrip("/") + "/"
        return index_source(_fetched_index(base, folder, profile)), base
    known = corpora()
    if uri not in known:
        if (Path(uri) / STATE).is_dir():
            raise CorpusError(f"{uri}: its build has not finished; continue it with `landloom build`")
        if Path(uri).exists():
            raise CorpusError(f"{uri}: got no corpus, expected {INDEX} or the published resource files in it")
        raise NotFoundError.of("corpus", uri, known)
    item = known[uri]
    if item.kind == "stac":
        raise CorpusError(f"{uri} has no index, only a STAC: search it with `landloom crawl {uri}`")
    if item.kind == "archive":
        raise CorpusError(_unqueried(item))
    reasons: list[str] = []
    for base in item.bases:
        try:
            if item.kind == "index":
                return index_source(_fetched_index(base, folder, profile)), base
            return resource_source(_fetched_resources(item.name, base, folder, profile), item.name, item.terms), base
        except (MissingKeyError, TransientFaultError) as error:
            reasons.append(str(error))
    raise TransientFaultError(f"{uri}: none of its addresses answers:\n" + "\n".join(f"  - {why}" for why in reasons))


def _unqueried(item: RegisteredCorpus) -> str:
    page = item.bases[0].rstrip("/")
    return (
        f"{item.name} has neither an index nor a STAC: fetch and unpack its archives from {page}, where its terms are"
        f"{_READERS.get(item.name, '')}"
    )


def stac_root(root: str) -> str:
    """Address of the STAC catalogue of a registered corpus; any other root is returned unchanged.

    Args:
        root: a registered name, or path or URL of a catalogue.

    Raises:
        CorpusError: it has none, only archives.
        TransientFaultError: none of its addresses answers.

    Example:
        >>> stac_root("https://example.org/stac/catalog.json")
        'https://example.org/stac/catalog.json'
    """
    if "://" in root or Path(root).exists() or root not in (known := corpora()):
        return root
    from landloom.store.open import open_store

    item, reasons = known[root], []
    if item.kind == "archive":
        raise CorpusError(_unqueried(item))
    catalog = item.catalog or ("catalog.json" if item.kind == "stac" else "stac-v1.0/catalog.json")
    for base in item.bases:
        try:
            if open_store(base.rstrip("/")).exists(catalog):
                return base + catalog
            reasons.append(f"{base} has no {catalog}")
        except TransientFaultError as error:
            reasons.append(str(error))
    raise TransientFaultError(f"{root}: none of its addresses answers:\n" + "\n".join(f"  - {why}" for why in reasons))
