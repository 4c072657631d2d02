"""Links between documents and files of a corpus: relative on disk, absolute once published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.corpus.manifest import FileEntry

JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
GEOTIFF: Final = "image/tiff; application=geotiff"
COG: Final = f"{GEOTIFF}; profile=cloud-optimized"
GZIP: Final = "application/gzip"
CSV: Final = "text/csv"
PARQUET: Final = "application/vnd.apache.parquet"
ZARR: Final = "application/vnd.zarr; version=3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hrefs:
    """Addresses of the files of a corpus.

    Example:
        >>> Hrefs().between("stac-v1.0/a/33N/collection.json", "stac-v1.0/catalog.json")
        '../../catalog.json'
        >>> Hrefs(base_url="https://example.org/x/").between("a.json", "b.json")
        'https://example.org/x/b.json'
    """

    base_url: str | None = None
    """Public address of the corpus; None for relative hrefs."""
    table: str | None = None
    """Key of the table that has the documents as rows: relative hrefs then refer to it."""

    def between(self, source: str, target: str) -> str:
        """The href from the document at one key to another key."""
        if self.base_url is not None:
            return f"{self.base_url.rstrip('/')}/{target}"
        path = relative_key((self.table or source).rpartition("/")[0], target)
        return path if path.startswith("..") else f"./{path}"

    def link(self, relation: str, source: str, target: str, media: str = JSON, **more: str) -> dict[str, str]:
        """A STAC link from one document to another."""
        return {"rel": relation, "href": self.between(source, target), "type": media, **more}

    def frame(self, key: str, parent: str, root: str) -> list[dict[str, str]]:
        """The links of every document: root, parent, and self if hrefs are absolute."""
        links = [self.link("root", key, root)]
        if key != root:
            links.append(self.link("parent", key, parent))
        if self.base_url is not None:
            media = JSON if key.endswith(("/catalog.json", "/collection.json")) else GEOJSON
            links.append(self.link("self", key, key, media))
        return links

    def above(self, key: str, collection: str, root: str) -> list[dict[str, str]]:
        """The links of an item that lies in a collection itself, without a document of its own."""
        return [
            self.link("root", key, root),
            self.link("parent", key, collection),
            self.link("collection", key, collection),
        ]


def relative_key(folder: str, target: str) -> str:
    """What leads from a folder of a corpus to a key; `posixpath.relpath` asks for the current folder of the machine.

    Example:
        >>> relative_key("stac-v1.0/a/33N", "stac-v1.0/catalog.json"), relative_key("", "a/b.tif")
        ('../../catalog.json', 'a/b.tif')
    """
    here, there = folder.split("/") if folder else [], target.split("/")
    same = 0
    for own, other in zip(here, there, strict=False):
        if own != other:
            break
        same += 1
    return "/".join([".."] * (len(here) - same) + there[same:]) or "."


def file_fields(files: Mapping[str, FileEntry], path: str) -> dict[str, Any]:
    """Size and checksum of a file in the form of STAC's file extension; empty if not known."""
    entry = files.get(path)
    return {} if entry is None else {"file:size": entry.size, "file:checksum": entry.multihash}
