"""What a sidecar can be built from: a corpus's index, or the three published resource files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from landloom.query.index.draft import Draft

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceFiles:
    """The three files."""

    geometries: Path
    """GeoJSON, gzip or plain: features with `sample_id` (property or id) and a polygon in WGS84."""
    labels: Path
    """CSV, gzip or plain: `sample_id` and one column of shares a class."""
    mapping: Path
    """CSV: `index` (name of the column), codes of every level, `class_name`."""

    @classmethod
    def in_folder(cls, folder: Path, name: str) -> ResourceFiles:
        """The files of a corpus by their published names.

        Example:
            >>> from pathlib import Path
            >>> ResourceFiles.in_folder(Path("resources"), "rapidai4eo").mapping.name
            'rapidai4eo_label_mappings.csv'
        """
        return cls(
            geometries=folder / f"{name}_geometries.geojson.gz",
            labels=folder / f"{name}_labels.csv.gz",
            mapping=folder / f"{name}_label_mappings.csv",
        )


def published_files(folder: Path) -> ResourceFiles | None:
    """The three published resource files in a folder, or in `resources/` within it; None where they are not.

    Args:
        folder: a local copy of a published corpus, or of its resource files.
    """
    for place in (folder / "resources", folder):
        found = sorted(place.glob("*_geometries.geojson.gz")) if place.is_dir() else []
        if found:
            return ResourceFiles.in_folder(place, found[0].name.removesuffix("_geometries.geojson.gz"))
    return None


def resource_source(files: ResourceFiles, meta: Mapping[str, Any]) -> Source:
    """Published resource files as a source of a sidecar.

    Args:
        files: the three of them.
        meta: what they do not say: `name`, `version`, `scheme`, `products`.
    """

    def read() -> Draft:
        from landloom.query.index.resources import read_resources

        return read_resources(files, meta)

    paths = (files.geometries, files.labels, files.mapping)
    return Source(paths=paths, read=read, extra=json.dumps(meta, sort_keys=True))


def index_source(path: Path) -> Source:
    """A corpus's index on local disk, with `corpus.json` where there is one."""
    corpus = path.parent.parent / "corpus.json"
    described = corpus if corpus.is_file() else None
    paths = (path,) if described is None else (path, described)

    def read() -> Draft:
        from landloom.query.index.geoparquet import read_index

        return read_index(path, described)

    return Source(paths=paths, read=read)
