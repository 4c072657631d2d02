"""Extensions of the STAC API: filters with their queryables, and searches that name a split set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlencode

import attr
from fastapi import Query
from pydantic import BaseModel, Field
from stac_fastapi.extensions.filter import FilterExtension
from stac_fastapi.extensions.filter.client import BaseFiltersClient
from stac_fastapi.extensions.filter.filter import FilterConformanceClasses as Cql2
from stac_fastapi.types.extension import ApiExtension
from stac_fastapi.types.search import APIRequest

from landloom.errors import NotFoundError
from landloom.server.stac.filters import TIMES

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

    from landloom.server.stac.search import Searcher

SCHEMA: Final = "application/schema+json"
SPLIT_SET: Final = "Name of the split set whose splits `split` means; by default those of the recipe."
FILTER_CLASSES: Final = [
    Cql2.FILTER,
    Cql2.SEARCH,
    Cql2.ITEMS,
    Cql2.CQL2_TEXT,
    Cql2.CQL2_JSON,
    Cql2.BASIC_CQL2,
    Cql2.ADVANCED_COMPARISON_OPERATORS,
    Cql2.ARITHMETIC,
]
"""Supported parts of CQL2."""


class _FilterPost(BaseModel):
    """A filter in a body: JSON, or text if `filter-lang` says so."""

    filter_expr: dict[str, Any] | str | None = Field(None, alias="filter")
    filter_crs: str | None = Field(None, alias="filter-crs")
    filter_lang: Literal["cql2-json", "cql2-text"] | None = Field(None, alias="filter-lang")


@attr.s
class Filter(FilterExtension):
    """The filter extension with text in bodies too."""

    POST: type[BaseModel] = _FilterPost


_GIVEN: Final = attr.ib(default=None, type=Annotated[str | None, Query(description=SPLIT_SET)])  # FastAPI reads it
_SplitSetGet: Final = attr.make_class("_SplitSetGet", {"split_set": _GIVEN}, bases=(APIRequest,))
"""The name of a split set in a query string."""


class _SplitSetPost(BaseModel):
    """The name of a split set in a body."""

    split_set: str | None = Field(None, description=SPLIT_SET)


@attr.s
class SplitSetParameter(ApiExtension):
    """Searches that name a split set."""

    GET: type[APIRequest] = _SplitSetGet
    POST: type[BaseModel] = _SplitSetPost
    conformance_classes: list[str] = attr.ib(factory=list)
    schema_href: str | None = attr.ib(default=None)

    def register(self, app: FastAPI) -> None:
        """It has no paths of its own."""


@attr.s
class Queryables(BaseFiltersClient):
    """Names for filters."""

    searcher: Searcher = attr.ib(kw_only=True)

    def get_queryables(self, collection_id: str | None = None, **kwargs: Any) -> dict[str, Any]:
        """Queryables of all collections, or of one; of a split set, if the request names one.

        Raises:
            NotFoundError: no such collection or split set.
        """
        if collection_id is not None and collection_id not in self.searcher.item_collections:
            raise NotFoundError.of("collection", collection_id, self.searcher.item_collections)
        request: Request = kwargs["request"]
        split_set = request.query_params.get("split_set")
        sidecar = self.searcher.under(split_set).corpus.sidecar
        texts: dict[str, Any] = {name: {"type": "string"} for name in ("id", "collection", "sample_id", "zone", "tile")}
        for name in ("stratum", "split"):
            if name in sidecar.arrays:
                texts[name] = {"type": "string", "enum": sidecar.vocabulary(name)[1:]}
        times = {name: {"type": "string", "format": "date-time"} for name in TIMES}
        share = {"type": "number", "minimum": 0, "maximum": 1}
        shares = dict.fromkeys((*sidecar.columns, *sidecar.groups, *self.searcher.corpus.aggregates), share)
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": of_split_set(str(request.url.replace(query="")), split_set),
            "type": "object",
            "title": f"What filters on {self.searcher.corpus.name} may name",
            "properties": {**texts, **times, **shares},
            "additionalProperties": False,
        }


def of_split_set(address: str, name: str | None) -> str:
    """The address with the name of a split set."""
    return f"{address}?{urlencode({'split_set': name})}" if name else address
