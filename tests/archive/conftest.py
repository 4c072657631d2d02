"""A real STAC API server on loopback, and items to serve."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import attr
import pytest
import uvicorn
from shapely.geometry import box, mapping, shape
from stac_fastapi.api.app import StacApi
from stac_fastapi.api.models import create_get_request_model, create_post_request_model
from stac_fastapi.extensions.pagination import TokenPaginationExtension
from stac_fastapi.types.config import ApiSettings
from stac_fastapi.types.core import BaseCoreClient
from stac_fastapi.types.errors import NotFoundError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from stac_fastapi.types.extension import ApiExtension

Item = dict[str, Any]
ItemFactory = Callable[..., Item]


@pytest.fixture(scope="session")
def make_item() -> ItemFactory:
    """Items as Earth Search writes them."""

    def make(
        name: str,
        when: str,
        *,
        bounds: tuple[float, ...] = (15.0, 45.0, 16.0, 46.0),
        cloud: float | None = 10.0,
        **more: Any,
    ) -> Item:
        west, south, east, north = bounds
        outline = box(west, south, east, north)
        properties = {
            "datetime": when,
            "grid:code": "MGRS-33TWL",
            "proj:epsg": 32633,
            "platform": "sentinel-2a",
            "s2:processing_baseline": "05.09",
            "earthsearch:boa_offset_applied": True,
        }
        if cloud is not None:
            properties["eo:cloud_cover"] = cloud
        bands = [{"scale": 0.0001, "offset": -0.1, "nodata": 0}]
        return {
            "type": "Feature",
            "stac_version": "1.0.0",
            "stac_extensions": [],
            "id": name,
            "collection": "sentinel-2-l2a",
            "geometry": mapping(outline),
            "bbox": list(outline.bounds),
            "properties": properties | more,
            "links": [],
            "assets": {
                "blue": {"href": f"s3://bucket/{name}/B02.tif", "raster:bands": bands},
                "scl": {"href": f"s3://bucket/{name}/SCL.tif"},
            },
        }

    return make


@attr.s
class Backend(BaseCoreClient):
    """The library's client over a list of items; `trouble` answers instead of it while there is any."""

    items: list[Item] = attr.ib(factory=list)
    pages: list[int] = attr.ib(factory=list)

    def _matching(self, request: Any) -> list[Item]:
        region = shape(request.intersects.model_dump()) if request.intersects else box(-180, -90, 180, 90)
        chosen = [item for item in self.items if shape(item["geometry"]).intersects(region)]
        start, end = request.start_date, request.end_date
        return [
            item
            for item in chosen
            if (start is None or item["properties"]["datetime"] >= start.strftime("%Y-%m-%dT%H:%M:%S"))
            and (end is None or item["properties"]["datetime"] <= end.strftime("%Y-%m-%dT%H:%M:%SZ"))
        ]

    def post_search(self, search_request: Any, **kwargs: Any) -> Any:
        if search_request.collections != ["sentinel-2-l2a"]:
            raise NotFoundError(f"no collection {search_request.collections}")
        matching, limit = self._matching(search_request), search_request.limit or 10
        first = int(search_request.token or 0)
        self.pages.append(first)
        links = []
        if first + limit < len(matching):
            body = {"token": str(first + limit)}
            href = f"{kwargs['request'].base_url}search"
            links.append({"rel": "next", "href": href, "method": "POST", "body": body, "merge": True})
        return {"type": "FeatureCollection", "features": deepcopy(matching[first : first + limit]), "links": links}

    def get_search(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    def get_item(self, item_id: str, collection_id: str, **_: Any) -> Any:
        raise NotFoundError(f"{collection_id}/{item_id}")

    def all_collections(self, **_: Any) -> Any:
        return {"collections": [], "links": []}

    def get_collection(self, collection_id: str, **_: Any) -> Any:
        raise NotFoundError(collection_id)

    def item_collection(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


@attr.s
class Server:
    """A running STAC API."""

    url: str = attr.ib()
    backend: Backend = attr.ib()
    trouble: list[tuple[int, dict[str, str]]] = attr.ib(factory=list)
    """Answers (status, headers) that searches get first, one each."""
    searches: list[int] = attr.ib(factory=list)
    """Status of every search that was asked."""


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """Serve an ASGI application on a free port of loopback."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture(scope="session")
def _stac_server() -> Iterator[Server]:
    from starlette.responses import JSONResponse

    extensions: list[ApiExtension] = [TokenPaginationExtension()]
    backend = Backend()
    api = StacApi(
        settings=ApiSettings(),
        client=backend,
        extensions=extensions,
        search_get_request_model=create_get_request_model(extensions),
        search_post_request_model=create_post_request_model(extensions),
    )
    served = Server(url="", backend=backend)

    @api.app.middleware("http")
    async def troubled(request: Any, call_next: Any) -> Any:
        if request.url.path != "/search":
            return await call_next(request)
        if served.trouble:
            status, headers = served.trouble.pop(0)
            response = JSONResponse({"detail": "trouble"}, status, headers)
        else:
            response = await call_next(request)
        served.searches.append(response.status_code)
        return response

    with running(api.app) as url:
        served.url = url
        yield served


@pytest.fixture
def stac_server(_stac_server: Server) -> Server:
    """The server, empty and untroubled."""
    for held in (_stac_server.backend.items, _stac_server.backend.pages, _stac_server.trouble, _stac_server.searches):
        held.clear()
    return _stac_server
