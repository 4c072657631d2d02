"""What a sidecar can be built from: a corpus's index, or the three published resource files."""

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
"""Where a corpus keeps its index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Files that a sidecar is built from, and how."""

    paths: tuple[Path, ...]
    """All of them; their bytes are what the sidecar depends on."""
    read: Callable[[], Draft]
    """Reads them."""
    extra: str = ""
    """What else the result depends on."""


def resource_source(files: ResourceFiles, name: str, terms: Mapping[str, Mapping[str, Any]] | None = None) -> Source:
    """Resource files of a corpus with the products of RapidAI4EO as a source of a sidecar.

    Args:
        files: the three of them; they do not say which products there are.
        name: of the corpus.
        terms: product → its terms; those of the published corpus if absent.
    """

    def read() -> Draft:
        from landloom.query.index.rapidai4eo import published_info
        from landloom.query.index.resources import read_resources

        return read_resources(files, published_info(name, terms))

    paths = (files.geometries, files.labels, files.mapping)
    return Source(paths=paths, read=read, extra=json.dumps([name, terms], sort_keys=True))


def index_source(path: Path) -> Source:
    """A corpus's index on local disk, with `corpus.json` where there is one."""
    corpus = path.parent.parent / "corpus.json"
    described = corpus if corpus.is_file() else None
    paths = (path,) if described is None else (path, described)

    def read() -> Draft:
        from landloom.query.index.geoparquet import read_index

        return read_index(path, described)

    return Source(paths=paths, read=read)
