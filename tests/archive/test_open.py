from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.archive.open import open_archive
from landloom.archive.protocol import Archive
from landloom.archive.stac_api import ApiArchive
from landloom.archive.static import StaticArchive
from landloom.archive.table import TableArchive
from landloom.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from tests.archive.conftest import Server


@pytest.mark.parametrize(
    ("kind", "href", "collection", "wanted"),
    [
        ("static", "catalog.json", None, StaticArchive),
        ("table", "items.parquet", None, TableArchive),
        ("stac-api", "https://example.org", "sentinel-2-l2a", ApiArchive),
        ("earth-search", None, None, ApiArchive),
        ("planetary-computer", None, None, ApiArchive),
        ("copernicus-data-space", None, "sentinel-2-l1c", ApiArchive),
        ("landsat-look", None, None, ApiArchive),
    ],
)
def test_every_kind_opens_without_reading(kind: str, href: str | None, collection: str | None, wanted: type) -> None:
    archive = open_archive(kind, href, collection, profile="generic")
    assert isinstance(archive, wanted)
    assert isinstance(archive, Archive)
    assert archive.problems == ()


def test_mistakes_are_named(stac_server: Server) -> None:
    with pytest.raises(NotFoundError, match="earth-search"):
        open_archive("earth-serach")
    with pytest.raises(NotFoundError, match="generic"):
        open_archive("static", "catalog.json", profile="generik")
    with pytest.raises(InvalidInputError, match="href"):
        open_archive("table")
    with pytest.raises(InvalidInputError, match="collection"):
        open_archive("stac-api", stac_server.url)
