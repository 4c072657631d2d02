"""The STAC API of a corpus, through stac-fastapi: core, collections, features, search; filter, sort, fields, tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import attr
import orjson
from stac_fastapi.api.app import StacApi
from stac_fastapi.api.models import (
    ItemCollectionUri,
    create_get_request_model,
    create_post_request_model,
)
from stac_fastapi.extensions.fields import FieldsExtension
from stac_fastapi.extensions.fields.fields import FieldsConformanceClasses
from stac_fastapi.extensions.pagination import TokenPaginationExtension
from stac_fastapi.extensions.sort import SortConformanceClasses, SortExtension
from stac_fastapi.types.config import ApiSettings
from stac_fastapi.types.core import BaseCoreClient
from stac_fastapi.types.rfc3339 import str_to_interval
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from landloom.errors import InvalidInputError, NotFoundError
from landloom.server.errors import install
from landloom.server.limits import MAX_PAGE, PAGE, Bounded, read_json
from landloom.server.stac import api_page
from landloom.server.stac.documents import GEOJSON, StacDocuments
from landloom.server.stac.extensions import FILTER_CLASSES, SCHEMA, Filter, Queryables, SplitSetParameter, of_split_set
from landloom.server.stac.fields import Fields
from landloom.server.stac.search import Question, Searcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fastapi import FastAPI
    from pydantic import BaseModel

    from landloom.corpus.info import CorpusInfo
    from landloom.server.stac.documents import Addresses
    from landloom.server.stac.item_index import ItemKey

JSON: Final = "application/json"
EARLIER_SORT: Final = [f"https://api.stacspec.org/v1.0.0{rest}#sort" for rest in ("/item-search", "/ogcapi-features")]
"""The names of these classes that earlier clients look for; they mean the same."""
_AT_ONCE: Final = 10
"""Items that are written at a time."""
_CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@attr.s
class Client(BaseCoreClient):
    """The backend: a searcher finds items, and documents are written for them."""

    searcher: Searcher = attr.ib(kw_only=True)
    documents: StacDocuments = attr.ib(kw_only=True)
    page: Callable[[], str] = attr.ib(kw_only=True)
    """The explorer page, for requests for HTML."""
    headers: Mapping[str, str] = attr.ib(kw_only=True, factory=dict)
    """Of that page."""

    def _to(self, request: Request) -> Addresses:
        return self.documents.addresses(str(request.base_url))

    def landing_page(self, **kwargs: Any) -> Any:
        """The page for browsers, the landing document for other clients."""
        request: Request = kwargs["request"]
        wanted = request.query_params.get("f")
        if wanted == "html" or (wanted is None and "text/html" in request.headers.get("accept", "")):
            return HTMLResponse(self.page(), headers={"vary": "Accept", "cache-control": "no-cache", **self.headers})
        to, info = self._to(request), self.searcher.info
        document = {
            "type": "Catalog",
            "stac_version": "1.0.0",
            "id": info.layout.stac_id,
            "title": info.publication.title,
            "description": info.publication.description,
            "conformsTo": self.conformance_classes(),
            "links": self._links(to),
        }
        return JSONResponse(document, headers={"vary": "Accept"})

    def _links(self, to: Addresses) -> list[dict[str, Any]]:
        """Links of the landing document."""
        rows = [
            ("self", "", JSON, "This document"),
            ("root", "", JSON, "Root"),
            ("conformance", "conformance", JSON, "What this server conforms to"),
            ("data", "collections", JSON, "Collections"),
            ("http://www.opengis.net/def/rel/ogc/1.0/queryables", "queryables", SCHEMA, "What filters may name"),
            ("service-desc", "api", "application/vnd.oai.openapi+json;version=3.0", "OpenAPI description"),
            ("service-doc", "api.html", "text/html", "The API, for people"),
            ("preview", "?f=html", "text/html", "Explorer page"),
        ]
        return [
            *({"rel": rel, "href": f"{to.api}{path}", "type": kind, "title": title} for rel, path, kind, title in rows),
            {"rel": "search", "href": f"{to.api}search", "type": GEOJSON, "method": "GET"},
            {"rel": "search", "href": f"{to.api}search", "type": GEOJSON, "method": "POST"},
            *(
                {
                    "rel": "http://www.opengis.net/def/rel/ogc/1.0/queryables",
                    "href": of_split_set(f"{to.api}queryables", name),
                    "type": SCHEMA,
                    "title": f"What filters may name with split_set={name}",
                }
                for name in self.searcher.splits.names()
            ),
            *(
                {"rel": "child", "href": to.collection(name), "type": JSON, "title": name}
                for name in self.searcher.item_collections
            ),
        ]

    def all_collections(self, **kwargs: Any) -> Any:
        """All collections."""
        to = self._to(kwargs["request"])
        links = [
            {"rel": "self", "href": f"{to.api}collections", "type": JSON},
            {"rel": "root", "href": to.api, "type": JSON},
        ]
        found = [self.documents.collection(name, to) for name in self.searcher.item_collections]
        return {"collections": found, "links": links}

    def get_collection(self, collection_id: str, **kwargs: Any) -> Any:
        """One collection."""
        return self.documents.collection(collection_id, self._to(kwargs["request"]))

    def get_item(self, item_id: str, collection_id: str, **kwargs: Any) -> Any:
        """One item, with its split in the split set that the request names.

        Raises:
            NotFoundError: no such collection, item or split set.
        """
        if collection_id not in self.searcher.item_collections:
            raise NotFoundError.of("collection", collection_id, self.searcher.item_collections)
        found = self.searcher.ask(Question(collections=(collection_id,), ids=(item_id,))).page(0, 1)
        if not found:
            raise NotFoundError(f"no item {item_id!r} in {collection_id}")
        request: Request = kwargs["request"]
        (document,) = self._items(found, self._to(request), request.query_params.get("split_set"))
        return Response(document, media_type=GEOJSON)

    def item_collection(self, *_: Any, **kwargs: Any) -> Any:
        """Items of one collection.

        Raises:
            NotFoundError: no such collection.
        """
        name = kwargs["collection_id"]
        if name not in self.searcher.item_collections:
            raise NotFoundError.of("collection", name, self.searcher.item_collections)
        return self._found(_of_get({**kwargs, "collections": [name]}), kwargs)

    def get_search(self, *_: Any, **kwargs: Any) -> Any:
        """Search with a query string."""
        return self._found(_of_get(kwargs), kwargs)

    def post_search(self, search_request: Any, **kwargs: Any) -> Any:
        """Search with a body."""
        return self._found(_of_post(search_request), {**kwargs, "body": search_request})

    def _found(self, asked: _Asked, kwargs: Mapping[str, Any]) -> Response:
        request: Request = kwargs["request"]
        to = self._to(request)
        answer, digest = self.searcher.ask(asked.question), asked.question.digest()
        start = _start(asked.token, digest)
        keys = answer.page(start, asked.limit)
        links = [{"rel": "root", "href": to.api, "type": JSON}, _link("self", request, None, kwargs.get("body"))]
        if start + len(keys) < len(answer):
            links.append(_link("next", request, f"{digest}-{start + len(keys)}", kwargs.get("body")))
        if start:
            before = f"{digest}-{max(start - asked.limit, 0)}"
            links += [_link(rel, request, before, kwargs.get("body")) for rel in ("prev", "previous")]
        tail = {"links": links, "numberMatched": len(answer), "numberReturned": len(keys)}
        pieces = self._pieces(keys, asked, to, b"]," + orjson.dumps(tail)[1:])
        if len(keys) <= _AT_ONCE:
            return Response(b"".join(pieces), media_type=GEOJSON)
        return StreamingResponse(pieces, media_type=GEOJSON)  # a client that does not read holds one piece of it

    def _pieces(self, keys: Sequence[ItemKey], asked: _Asked, to: Addresses, tail: bytes) -> Iterator[bytes]:
        """A page of items, written as it is read."""
        before = b'{"type":"FeatureCollection","features":['
        for start in range(0, len(keys) or 1, _AT_ONCE):
            parts: list[bytes] = []
            for item in self._items(keys[start : start + _AT_ONCE], to, asked.question.split_set):
                parts += (before, asked.fields.of(item))
                before = b","
            if start + _AT_ONCE >= len(keys):
                parts += (tail,) if keys else (before, tail)
            yield b"".join(parts)  # bytes are copied once: a page of items with many assets has megabytes

    def _items(self, keys: Sequence[ItemKey], to: Addresses, split_set: str | None) -> list[bytes]:
        """Items; if a split set is named, with the split of each in it."""
        found = self.documents.items(keys, to)
        if not split_set:
            return found
        sidecar = self.searcher.under(split_set).corpus.sidecar
        names = sidecar.vocabulary("split")
        return [
            _in_split(item, split_set, names[sidecar.arrays["split"][key.row]])
            for key, item in zip(keys, found, strict=True)
        ]


@attr.s(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The parameters of a search as received."""

    question: Question = attr.ib()
    limit: int = attr.ib()
    token: str | None = attr.ib()
    fields: Fields = attr.ib()


def _in_split(item: bytes, split_set: str, split: str | None) -> bytes:
    """An item with its split; null where it is in none."""
    document = orjson.loads(item)
    document["properties"] |= {"split_set": split_set, "split": split}
    return orjson.dumps(document)


def _start(token: str | None, digest: str) -> int:
    """Start of a page.

    Raises:
        InvalidInputError: not a token, or the token of another search.
    """
    if token is None:
        return 0
    own, _, position = token.rpartition("-")
    if own != digest or not position.isdecimal() or len(position) > 12:
        raise InvalidInputError(f"token: got {token[:40]!r}, expected that of a `next` link of the same search")
    return int(position)


def _link(relation: str, request: Request, token: str | None, body: BaseModel | None) -> dict[str, Any]:
    """A link to another page of this search."""
    address = str(request.url.replace(query=""))
    if body is not None:
        asked = {**body.model_dump(mode="json", by_alias=True, exclude_unset=True), "token": token}
        link = {"rel": relation, "href": address, "type": GEOJSON, "method": "POST"}
        return link if token is None else {**link, "merge": False, "body": asked}
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name != "token" or token is None]
    pairs += [] if token is None else [("token", token)]
    href = f"{address}?{urlencode(pairs)}" if pairs else address
    return {"rel": relation, "href": href, "type": GEOJSON, "method": "GET"}


def _common(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The common part of GET and POST searches."""
    if asked.get("filter_crs") not in (None, _CRS84):
        raise InvalidInputError(f"filter-crs: got {asked['filter_crs']!r}, expected {_CRS84}")
    interval = str_to_interval(asked.get("datetime"))
    start, end = interval if isinstance(interval, tuple) else (interval, interval)
    box = asked.get("bbox")
    if box is not None:
        west, south, east, north = (box[0], box[1], box[3], box[4]) if len(box) == 6 else box
        box = (float(west), float(south), float(east), float(north))
    if box is not None and asked.get("intersects") is not None:
        raise InvalidInputError("got bbox and intersects, expected one of them")
    return {
        "collections": None if asked.get("collections") is None else tuple(asked["collections"]),
        "ids": None if asked.get("ids") is None else tuple(asked["ids"]),
        "box": box,
        "start": start,
        "end": end,
        "filter": asked.get("filter_expr") or None,
        "split_set": asked.get("split_set") or None,
    }


def _limit(value: int | None) -> int:
    return PAGE if value is None else min(value, MAX_PAGE)


def _of_get(asked: Mapping[str, Any]) -> _Asked:
    text = asked.get("intersects")
    geometry = None if text is None else read_json(text, "intersects")
    if geometry is not None and not isinstance(geometry, dict):
        raise InvalidInputError("intersects: expected a GeoJSON geometry")
    source = asked.get("filter_expr")
    if source and asked.get("filter_lang") == "cql2-json" and source.lstrip()[:1] != "{":
        raise InvalidInputError("filter: got text, but filter-lang says cql2-json")
    sort = tuple((name.strip().lstrip("+-"), name.strip()[:1] == "-") for name in asked.get("sortby") or ())
    return _Asked(
        question=Question(**_common(asked), geometry=geometry, sort=sort),
        limit=_limit(asked.get("limit")),
        token=asked.get("token"),
        fields=Fields.of_list(asked.get("fields") or ()),
    )


def _of_post(asked: Any) -> _Asked:
    names = ("collections", "ids", "bbox", "datetime", "filter_expr", "filter_crs", "split_set")
    geometry = None if asked.intersects is None else asked.intersects.model_dump(mode="json")
    sort = tuple((item.field, str(item.direction.value) == "desc") for item in asked.sortby or ())
    wanted = asked.fields
    if wanted is None and "fields" in asked.model_fields_set:
        raise InvalidInputError("fields: got null, expected an object with include and exclude")
    return _Asked(
        question=Question(**_common({name: getattr(asked, name) for name in names}), geometry=geometry, sort=sort),
        limit=_limit(asked.limit),
        token=asked.token,
        fields=Fields() if wanted is None else Fields.of_sets(wanted.include or (), wanted.exclude or ()),
    )


def stac_app(
    searcher: Searcher, documents: StacDocuments, page: Callable[[], str], headers: Mapping[str, str] | None = None
) -> FastAPI:
    """The STAC API as an ASGI application; `/` is also the explorer page, for requests for HTML.

    Args:
        searcher: finds items.
        documents: writes them.
        page: the explorer page.
        headers: of that page, beside those of every answer.
    """
    info: CorpusInfo = searcher.info
    queryables = Queryables(searcher=searcher)
    sort = [SortConformanceClasses.ITEM_SEARCH_SORT, SortConformanceClasses.FEATURES_SORT]
    fields = [FieldsConformanceClasses.SEARCH, FieldsConformanceClasses.ITEMS]
    extensions = [
        Filter(client=queryables, conformance_classes=[str(name) for name in FILTER_CLASSES]),
        SortExtension(conformance_classes=[*(str(name) for name in sort), *EARLIER_SORT]),
        FieldsExtension(conformance_classes=[str(name) for name in fields]),
        TokenPaginationExtension(),
        SplitSetParameter(),
    ]
    api = StacApi(
        settings=ApiSettings(
            stac_fastapi_title=info.publication.title,
            stac_fastapi_description=info.publication.description,
            stac_fastapi_version=info.version,
            stac_fastapi_landing_id=info.layout.stac_id,
            docs_url="",
            _env_file=None,
        ),
        client=Client(searcher=searcher, documents=documents, page=page, headers=headers or {}),
        extensions=extensions,
        search_get_request_model=create_get_request_model(extensions),
        search_post_request_model=create_post_request_model(extensions),
        items_get_request_model=create_get_request_model(extensions, base_model=ItemCollectionUri),
        middlewares=[
            Middleware(Bounded),
            Middleware(
                CORSMiddleware,
                allow_origins=["*"],
                allow_methods=["GET", "HEAD", "OPTIONS", "POST"],
                allow_headers=["Content-Type"],
                max_age=600,
            ),
        ],
    )
    app: FastAPI = api.app
    install(app)
    api_page.install(app)
    return app
