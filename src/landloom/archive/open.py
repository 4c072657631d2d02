"""One door to every kind of archive, as recipes name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from landloom.errors import InvalidInputError, NotFoundError
from landloom.formats.stac.items import PROFILES

if TYPE_CHECKING:
    from landloom.archive.http import Patience
    from landloom.archive.search import Archive, Documents
    from landloom.formats.stac.items import Profile

KINDS: Final = ("odata", "safe", "stac-api", "static", "table")
"""Kinds of archive, beside the names of presets (`earth-search`, …)."""


def open_archive(
    kind: str,
    href: str | None = None,
    collection: str | None = None,
    *,
    profile: str | None = None,
    documents: Documents | None = None,
    patience: Patience | None = None,
) -> Archive:
    """Open an archive; nothing is read before the first search.

    Args:
        kind: `static`, `table`, `safe`, `odata`, `stac-api`, or the name of a preset: `earth-search`,
            `planetary-computer`, `copernicus-data-space`.
        href: path or URL; a preset has its own. For `safe` the folder that products lie in.
        collection: collection of an API or a table; a preset has its own. For `safe` and `odata` the level wanted,
            `L1C` or `L2A`; L2A when None.
        profile: name of the provider's way to name assets; None finds it out from the items.
        documents: reads the files of a static archive; local paths and http(s) when None.
        patience: retries.

    Raises:
        NotFoundError: no such kind or profile.
        InvalidInputError: no href, or no collection, where one is needed.

    Example:
        >>> from shapely import box
        >>> from landloom.model.time import Period
        >>> archive = open_archive("static", "/no/such/catalog.json")
        >>> archive.search(box(0, 0, 1, 1), Period.year(2018))
        Traceback (most recent call last):
        landloom.errors.PermanentFaultError: /no/such/catalog.json: no such document ...
    """
    from landloom.archive.api import PRESETS, ApiArchive

    named = _profile(profile)
    if kind in PRESETS:
        known = PRESETS[kind]
        return ApiArchive(
            href or known.url,
            collection or known.collection,
            named or known.profile,
            page=known.page,
            patience=patience,
        )
    if kind not in KINDS:
        raise NotFoundError.of("kind of archive", kind, (*KINDS, *PRESETS))
    if kind == "odata":
        from landloom.archive.orders.odata import ODataArchive, ODataProducts, ODataService

        service = ODataService() if href is None else ODataService(catalogue=href, download=href)
        return ODataArchive(ODataProducts(service, patience=patience), level=collection or "L2A")
    if href is None:
        raise InvalidInputError(f"got no href, wanted where the {kind} archive lies")
    if kind == "table":
        from landloom.archive.table import TableArchive

        return TableArchive(href, named, collection)
    if kind == "safe":
        from landloom.archive.safe.products import SafeArchive

        return SafeArchive(href, level=collection or "L2A")
    if kind == "static":
        from landloom.archive.http import HrefDocuments
        from landloom.archive.static import StaticArchive

        return StaticArchive(_absolute(href), documents or HrefDocuments(patience), named)
    if collection is None:
        raise InvalidInputError("got no collection, wanted the STAC API's collection to search")
    return ApiArchive(href, collection, named, patience=patience)


def _profile(name: str | None) -> Profile | None:
    if name is None:
        return None
    if name not in PROFILES:
        raise NotFoundError.of("profile of asset names", name, PROFILES)
    return PROFILES[name]


def _absolute(href: str) -> str:
    from pathlib import Path

    return href if "://" in href else str(Path(href).absolute())
