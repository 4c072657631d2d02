"""Sources of a sidecar: the index of a corpus, or the three published resource files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from landloom.query.index.draft import Draft
    from landloom.query.index.resource_files import ResourceFiles

INDEX: Final = "index/samples.parquet"
"""Path of the index in a corpus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarSource:
    """Source files of a sidecar, and their reader."""

    paths: tuple[Path, ...]
    """All source files; the sidecar depends on their bytes."""
    read: Callable[[], Draft]
    """Function that reads them."""
    extra: str = ""
    """Further inputs of the result."""


def resource_source(
    files: ResourceFiles, name: str, terms: Mapping[str, Mapping[str, Any]] | None = None
) -> SidecarSource:
    """Resource files of a corpus with the products of RapidAI4EO as a source of a sidecar.

    Args:
        files: the three resource files; they do not list the products.
        name: name of the corpus.
        terms: product → its terms; by default those of the published corpus.
    """

    def read() -> Draft:
        from landloom.query.index.rapidai4eo import published_info
        from landloom.query.index.resources import read_resources

        return read_resources(files, published_info(name, terms))

    paths = (files.geometries, files.labels, files.mapping)
    return SidecarSource(paths=paths, read=read, extra=json.dumps([name, terms], sort_keys=True))


def index_source(path: Path) -> SidecarSource:
    """A corpus's index on local disk, with `corpus.json` where there is one; reading it checks the root digest."""
    corpus = path.parent.parent / "corpus.json"
    described = corpus if corpus.is_file() else None
    paths = (path,) if described is None else (path, described)

    def read() -> Draft:
        from landloom.corpus.root import check_index
        from landloom.query.index.geoparquet import read_index
        from landloom.store.local import LocalStore

        if path.name == INDEX.rpartition("/")[2] and described is not None:
            check_index(LocalStore(path.parent.parent))
        return read_index(path, described)

    return SidecarSource(paths=paths, read=read)
