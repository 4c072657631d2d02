"""The routes of the explorer page, `/explore/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
from fastapi import APIRouter, Query
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import Response, StreamingResponse

if TYPE_CHECKING:
    from fastapi import FastAPI

    from landloom.server.explore.api import Explorer

BINARY: Final = "application/octet-stream"
Where = Annotated[str | None, Query(alias="filter")]
"""CQL2 text or JSON."""
SplitSet = Annotated[str | None, Query()]
"""Name of the split set whose splits are meant; by default those of the recipe."""
Labels = Annotated[str | None, Query()]
"""Key of the label product whose classes are meant; by default the first."""


def install(app: FastAPI, explorer: Explorer) -> None:
    """Add the routes."""
    router = APIRouter(prefix="/explore", include_in_schema=False)
    _add_corpus(router, explorer)
    _add_map(router, explorer)
    _add_samples(router, explorer)
    app.include_router(router)


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def _add_corpus(router: APIRouter, explorer: Explorer) -> None:
    """Routes of the corpus and of selections."""

    @router.get("/corpus")
    def corpus(request: Request, split_set: SplitSet = None) -> Response:
        return _json(explorer.about(str(request.base_url), split_set))

    @router.get("/samples")
    def samples(split_set: SplitSet = None, labels: Labels = None) -> Response:
        return Response(explorer.arrays(split_set, labels), media_type=BINARY)

    @router.get("/selection")
    def selection(
        where: Where = None, box: str | None = None, split_set: SplitSet = None, labels: Labels = None
    ) -> Response:
        return _json(explorer.selection(where, box, split_set, labels))

    @router.get("/files.txt")
    def files(where: Where = None, box: str | None = None, split_set: SplitSet = None) -> Response:
        lines = explorer.chosen(where, box, split_set).assets.lines()
        headers = {"content-disposition": 'attachment; filename="files.txt"'}
        return StreamingResponse(lines, media_type="text/plain", headers=headers)


def _add_map(router: APIRouter, explorer: Explorer) -> None:
    """Routes of the map's colours and chips, and of the gallery."""

    @router.get("/shares/{column}")
    def shares(column: str) -> Response:
        return Response(explorer.shares(column), media_type=BINARY)

    @router.get("/places")
    def places(rows: str, product: str) -> Response:
        return _json(explorer.places(rows, product))

    @router.get("/gallery")
    def gallery(
        product: str,
        where: Where = None,
        box: str | None = None,
        split_set: SplitSet = None,
        sort: str = "index",
        column: str | None = None,
        step: str | None = None,
        first: int = 0,
    ) -> Response:
        chosen = explorer.chosen(where, box, split_set)
        return _json(explorer.gallery.page(chosen, product, sort, column, step, first))


def _add_samples(router: APIRouter, explorer: Explorer) -> None:
    """Routes of one sample and its chips."""
    lasting = {"cache-control": "max-age=3600"}

    @router.get("/rows/{row}")
    def row(row: int, split_set: SplitSet = None) -> Response:
        return _json(explorer.sample(explorer.identity(row), split_set))

    @router.get("/samples/{identity}")
    def sample(identity: str, split_set: SplitSet = None) -> Response:
        return _json(explorer.sample(identity, split_set))

    @router.get("/samples/{identity}/clearest/{product}")
    def clearest(identity: str, product: str) -> Response:
        return _json({"step": explorer.gallery.clearest(identity, product)})

    @router.get("/samples/{identity}/lineage/{product}")
    def lineage(identity: str, product: str) -> Response:
        return _json(explorer.lineage(identity, product))

    @router.get("/samples/{identity}/series/{product}")
    def series(identity: str, product: str, row: int, column: int) -> Response:
        return _json(explorer.series(identity, product, row, column))

    @router.get("/samples/{identity}/mean/{product}")
    def mean(identity: str, product: str) -> Response:
        return _json(explorer.mean(identity, product))

    @router.get("/samples/{identity}/{product}/{step}.json")
    def legend(identity: str, product: str, step: str, band: str | None = None) -> Response:
        return _json(explorer.chips.legend(identity, product, step, band))

    @router.get("/samples/{identity}/{product}/{step}.png")
    def chip(identity: str, product: str, step: str, bands: str | None = None) -> Response:
        names = None if bands is None else tuple(bands.split(","))
        content = explorer.chips.png(identity, product, step, names)
        return Response(content, media_type="image/png", headers=lasting)
