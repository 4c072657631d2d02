"""Files of a corpus on local disk, read-only."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from landloom.corpus.layout import CARD, CORPUS, CROISSANT, ROOT, SPLITS, STAC
from landloom.corpus.qgis.project import PROJECT
from landloom.errors import NotFoundError

if TYPE_CHECKING:
    from fastapi import FastAPI

FOLDERS: Final = frozenset({"imagery", "labels", "lineage", "index", "resources", "manifest", "qgis", SPLITS, STAC})
"""Served folders of a corpus; nothing else is served."""
DOCUMENTS: Final = frozenset({CORPUS, ROOT, CARD, CROISSANT, PROJECT})
"""Served files at its root."""


def published_file(folder: Path, key: str) -> Path:
    """A published file of a corpus.

    Args:
        folder: folder of the corpus.
        key: relative path, as sent by the client.

    Raises:
        NotFoundError: not a published file, or the key or a link leads outside the corpus.

    Example:
        >>> published_file(Path("corpus"), "labels/../../secrets")
        Traceback (most recent call last):
            ...
        landloom.errors.NotFoundError: no file 'labels/../../secrets'
    """
    parts = PurePosixPath(key).parts
    known = (len(parts) > 1 and parts[0] in FOLDERS) or key in DOCUMENTS
    if not known or any(part.startswith(".") for part in parts) or "\\" in key or "\0" in key:
        raise NotFoundError(f"no file {key[:200]!r}")
    root = folder.resolve()
    path = root.joinpath(*parts).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise NotFoundError(f"no file {key[:200]!r}")
    return path


def install(app: FastAPI, folder: Path) -> None:
    """Serve the published files of a corpus under `/files/`."""
    from starlette.responses import FileResponse

    media = {".tif": "image/tiff; application=geotiff", ".geojson": "application/geo+json"}

    @app.get("/files/{key:path}", name="Files", include_in_schema=False)
    def files(key: str) -> FileResponse:
        path = published_file(folder, key)
        return FileResponse(path, media_type=media.get(path.suffix), content_disposition_type="inline")
