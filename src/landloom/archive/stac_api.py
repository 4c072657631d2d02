"""STAC APIs: Earth Search, Planetary Computer, the Copernicus Data Space and any other."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import requests
from shapely.geometry import mapping

from landloom.archive.dedupe import resolve_duplicates
from landloom.archive.gathered import ItemGate
from landloom.errors import ForeignAddressError, PermanentFaultError, TransientFaultError
from landloom.model.address import resolve
from landloom.model.time import format_instant
from landloom.store.faults import http_fault
from landloom.store.http import new_session
from landloom.store.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pystac_client
    from shapely.geometry.base import BaseGeometry

    from landloom.archive.signing import Signing
    from landloom.errors import Problem
    from landloom.formats.stac.profiles import Profile
    from landloom.model.scene import Scene
    from landloom.model.sensor import Sensor
    from landloom.model.time import Period


class ApiArchive:
    """Scenes of one collection of a STAC API, page by page."""

    def __init__(
        self,
        url: str,
        collection: str,
        profile: Profile | None = None,
        *,
        page: int = 100,
        patience: Patience | None = None,
        sensor: Sensor | None = None,
        signing: Signing | None = None,
    ) -> None:
        """Set the API; nothing is requested yet.

        Args:
            url: its landing page.
            collection: id of the collection to search.
            profile: the provider's asset naming; None detects it from each item.
            page: items per page.
            patience: retry policy.
            sensor: expected sensor; items of others are left out. None accepts any.
            signing: signs the addresses of files when they are opened.
        """
        self._url = url
        self._collection = collection
        self._signing = signing
        self._page = page
        self._patience = patience or Patience()
        self._client: pystac_client.Client | None = None
        self._gate = ItemGate(profile, sensor)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Items that could not be read, each listed once."""
        return self._gate.problems

    def search(self, footprint: BaseGeometry, period: Period) -> tuple[Scene, ...]:
        """See `landloom.archive.protocol.Archive`."""
        return resolve_duplicates(self.found(footprint, period))

    def found(self, footprint: BaseGeometry, period: Period) -> tuple[Scene, ...]:
        """See `landloom.archive.batches.Remote`."""
        found: dict[str, Scene] = {}
        for item in self._items(footprint, period):
            scene = self._gate.scene(item, item_address(item, self._url), str(item.get("id")))
            if scene is not None:
                scene = replace(scene, found_at=self._url)
                signed = scene if self._signing is None else self._signing.of_scene(scene)
                self._gate.gather(found, signed, footprint, period, scene.id)
        return tuple(found.values())

    def _items(self, footprint: BaseGeometry, period: Period) -> Iterator[Mapping[str, Any]]:
        from pystac_client.exceptions import APIError

        try:
            search = self._opened().search(
                collections=[self._collection],
                intersects=mapping(footprint),
                datetime=f"{format_instant(period.start)}/{format_instant(period.end)}",
                limit=self._page,
            )
            yield from search.items_as_dicts()
        except APIError as error:
            status = getattr(error, "status_code", None)
            if isinstance(status, int):
                raise http_fault(status, f"{self._url}, collection {self._collection}: {error}") from error
            raise TransientFaultError(f"{self._url}: {_brief(error)}") from error
        except (requests.RequestException, json.JSONDecodeError) as error:
            raise TransientFaultError(f"{self._url}: {_brief(error)}") from error

    def _opened(self) -> pystac_client.Client:
        import pystac_client
        from pystac_client.stac_api_io import StacApiIO

        if self._client is None:
            io = StacApiIO(max_retries=None, timeout=self._patience.timeout)
            io.session = new_session(self._patience, document=self._url, twice=True)
            self._client = pystac_client.Client.open(self._url, stac_io=io)
            if not self._client.conforms_to("ITEM_SEARCH"):
                raise PermanentFaultError(f"{self._url}: no STAC API with item search")
        return self._client


def _brief(error: Exception) -> str:
    """Why a service could not be reached, without Python class names."""
    texts = re.findall(r"\[Errno [^]]*\] ([^'\")]+)", str(error))
    return f"cannot be reached: {texts[-1]}" if texts else str(error)


def item_address(item: Mapping[str, Any], url: str) -> str:
    """What an item says of its own address, where a service at that URL may say so; else that of the service.

    Relative hrefs start there: an item that claims to lie on this machine may not lead to its files.
    """
    links = item.get("links")
    found = (link for link in links if isinstance(link, dict)) if isinstance(links, list) else ()
    said = next((str(link["href"]) for link in found if link.get("rel") == "self" and "href" in link), url)
    try:
        return resolve(said, document=url)
    except ForeignAddressError:
        return url
