"""The API of the explorer page, `/explore/`: the corpus, its samples as arrays, a selection, one sample, chips."""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote

import numpy as np
import orjson
from fastapi import APIRouter, Query
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import Response, StreamingResponse

from landloom.corpus.layout import INDEX
from landloom.errors import InvalidInputError, MissingKeyError, NotFoundError
from landloom.model.ids import parse_sample_id
from landloom.model.rendering.palettes import class_colours
from landloom.model.shapes import neighbourhood
from landloom.query.label_sets import label_prefix, label_set
from landloom.query.pixel_series import SampleSeries, is_series
from landloom.query.recent import Kept
from landloom.server.explore.legends import class_legend, product_legend
from landloom.server.explore.pictures import Chips
from landloom.server.limits import check_depth
from landloom.server.split_sets import SplitSets

if TYPE_CHECKING:
    from fastapi import FastAPI

    from landloom.corpus.info import CorpusInfo
    from landloom.query.assets import Asset
    from landloom.query.corpus import Corpus
    from landloom.query.selection import Selection

BINARY: Final = "application/octet-stream"
Where = Annotated[str | None, Query(alias="filter")]
"""CQL2 text or JSON."""
SplitSet = Annotated[str | None, Query()]
"""Name of the split set whose splits are meant; by default those of the recipe."""
Labels = Annotated[str | None, Query()]
"""Key of the label product whose classes are meant; by default the first."""
NONE: Final = 255
"""Placeholder for no class, stratum or split in byte arrays."""
_KEPT: Final = 4
"""Samples whose series are kept: the pointer asks for one pixel after the other."""


class Explorer:
    """Responses for the page, thread-safe.

    Args:
        corpus: the corpus.
        info: its description.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> explorer = Explorer(example_corpus(), example_corpus().info)
        >>> explorer.selection("clc_3 >= 0.5", None)["count"]
        2
    """

    def __init__(self, corpus: Corpus, info: CorpusInfo) -> None:
        self.corpus, self.info = corpus, info
        self.chips = Chips(corpus, info)
        self._series = Kept[SampleSeries](_KEPT)
        self.splits = SplitSets(corpus)

    def about(self, server: str = "", split_set: str | None = None) -> dict[str, Any]:
        """The corpus: texts, and outlines of its tiles; splits are those of a split set, if one is named."""
        sidecar, publication = self.splits.under(split_set).sidecar, self.info.publication
        tiles = zip(sidecar.arrays["run_directory"].astype(str).tolist(), sidecar.run_bounds.tolist(), strict=True)
        return {
            "name": self.corpus.name,
            "version": self.corpus.version,
            "title": publication.title,
            "description": publication.description,
            "uri": self._uri(server),
            "samples": len(self.corpus),
            "size": float(np.ptp(sidecar.squares(np.zeros(1, dtype=np.int32))[0, [0, 2]])),
            "products": [
                {
                    "key": item.key,
                    "title": item.product.title,
                    "kind": item.product.kind,
                    "bands": [band.name for band in item.product.bands],
                    "steps": [step.name for step in item.timesteps],
                    "licence": item.terms.licence,
                    "attribution": item.terms.attribution,
                    "legend": class_legend(self.info, item),
                    "rendering": product_legend(self.info, item),
                    "series": is_series(item),
                }
                for item in self.info.products
            ],
            "classes": self._classes(),
            "label_sets": [{"key": item.key, "title": item.product.title} for item in self.info.labels],
            "strata": sidecar.vocabulary("stratum")[1:] if "stratum" in sidecar.arrays else [],
            "splits": sidecar.vocabulary("split")[1:] if "split" in sidecar.arrays else [],
            "split_sets": self.splits.names(),
            "tiles": [[name.replace("/", "_"), *box] for name, box in tiles],
        }

    def _classes(self) -> list[dict[str, Any]]:
        """Label columns of the finest level, with the coarser columns that contain them, and their label product.

        The map, and the histogram of what is chosen, are of one label product alone: each speaks of the whole ground.
        """
        names: dict[str, str] = {}
        colours: dict[str, str | None] = {}
        for item in self.info.labels:
            if item.taxonomy is not None:
                columns = self.info.label_columns[item.key]
                names |= dict(zip(columns, (entry.name for entry in item.taxonomy.classes), strict=True))
                prefix = label_prefix(self.info, item)
                names |= {prefix + item.taxonomy.column(entry.code): entry.name for entry in item.taxonomy.groups}
                own = class_colours(item.taxonomy)
                codes = (entry.code for entry in item.taxonomy.classes)
                colours |= {name: own.get(code) for name, code in zip(columns, codes, strict=True)}
        groups = self.corpus.sidecar.groups
        owners = {column: item.key for item in self.info.labels for column in self.info.label_columns[item.key]}
        return [
            {
                "column": column,
                "colour": colours.get(column),
                "labels": owners.get(column),
                "name": names.get(column, column),
                "groups": [
                    {"column": name, "name": names.get(name, name)} for name, held in groups.items() if column in held
                ],
            }
            for column in self.corpus.sidecar.columns
        ]

    def arrays(self, split_set: str | None = None, labels: str | None = None) -> bytes:
        """All samples in index order: longitudes, latitudes (float32, degrees), then largest class, stratum, split.

        The last three are one byte each, an index into the lists of `about`; 255 for none. Little-endian. The largest
        class is one of a single label product: others speak of the same ground.

        Args:
            split_set: name of a split set; by default the splits of the recipe.
            labels: key of the label product; by default the first.

        Raises:
            NotFoundError: no such split set or label product.
        """
        sidecar = self.splits.under(split_set).sidecar
        rows = np.arange(len(sidecar), dtype=np.int32)
        middles = sidecar.corners(rows).mean(axis=1).astype("<f4")
        best, largest = np.zeros(len(rows), dtype=np.int32), np.full(len(rows), NONE, dtype=np.uint8)
        own = set(label_set(sidecar, labels or None))
        for number in [place for place, name in enumerate(sidecar.columns) if name in own][:NONE]:
            places, values = sidecar.labels.entries(number)
            more = values > best[places]
            best[places[more]], largest[places[more]] = values[more], number
        words = [
            (np.asarray(sidecar.codes(name)).astype(np.int64) - 1).astype(np.uint8)
            if name in sidecar.arrays
            else np.full(len(rows), NONE, dtype=np.uint8)
            for name in ("stratum", "split")
        ]
        return b"".join(part.tobytes() for part in (middles[:, 0].copy(), middles[:, 1].copy(), largest, *words))

    def chosen(self, where: str | None, box: str | None, split_set: str | None = None) -> Selection:
        """The samples selected by a filter and a box; `split` in the filter means the splits of a split set, if named.

        Raises:
            InvalidInputError: they are invalid; the message says why.
        """
        region = None if not box else _box(box)
        if where is not None:
            check_depth(where.encode())
        corpus = self.splits.under(split_set)
        try:
            return corpus.query(region=region, where=where or None, quiet=True)
        except NotFoundError as error:
            raise InvalidInputError(f"filter: {error}") from error

    def selection(
        self, where: str | None, box: str | None, split_set: str | None = None, labels: str | None = None
    ) -> dict[str, Any]:
        """Number of samples, which (one bit each in index order, base64), their classes, strata and files.

        Raises:
            InvalidInputError: the filter or the box is invalid; the message says why.
            NotFoundError: no such split set or label product.
        """
        found = self.chosen(where, box, split_set)
        bits = np.zeros(len(self.corpus), dtype=bool)
        bits[found.rows] = True
        counts = found.counts("stratum") if "stratum" in self.corpus.sidecar.arrays else {}
        return {
            "count": len(found),
            "bits": base64.b64encode(np.packbits(bits, bitorder="little").tobytes()).decode(),
            "histogram": found.histogram(labels=labels or None),
            "strata": {name or "none": count for name, count in counts.items()},
            "files": len(found.assets),
        }

    def sample(self, identity: str, split_set: str | None = None) -> dict[str, Any]:
        """One sample: position, labels, existing files.

        Raises:
            NotFoundError: no such sample or split set.
        """
        found = self.splits.under(split_set).select([identity])
        place = next(iter(found.linked()))
        frame = found.to_geodataframe().iloc[0]
        (west, south, east, north), *beyond = neighbourhood(frame.geometry)
        for box in beyond:  # across 180°: one box that continues beyond it
            east = box[2] + 360.0
        return {
            "id": place.id,
            "row": int(found.rows[0]),
            "bounds": [west, south, east, north],
            **{name: frame[name] for name in ("zone", "tile", "stratum", "split")},
            "fractions": dict(sorted(place.fractions.items(), key=lambda pair: -pair[1])),
            "assets": {
                key: [{"step": asset.timestep, "path": asset.path, "href": self._href(asset)} for asset in assets]
                for key, assets in place.assets.items()
            },
        }

    def _uri(self, server: str) -> str:
        """What opens the corpus from elsewhere: never the name of a folder of this machine and those above it."""
        folder = self.corpus.folder
        if folder is None:
            return self.corpus.base.rstrip("/")
        return f"{server}files" if (folder / INDEX).is_file() else folder.name

    def _href(self, asset: Asset) -> str:
        """The address of a file for others: of this server, where the corpus lies on its disk."""
        return asset.href if self.corpus.folder is None else f"/files/{quote(asset.path)}"

    def identity(self, row: int) -> str:
        """Id of a row.

        Raises:
            NotFoundError: beyond the index.
        """
        if not 0 <= row < len(self.corpus):
            raise NotFoundError(f"no row {row}")
        return self.corpus.sidecar.texts(np.array([row], dtype=np.int32))[0]

    def lineage(self, identity: str, product: str) -> dict[str, Any]:
        """Scenes behind every timestep of a sample's tile; no timesteps if there is no lineage.

        Raises:
            NotFoundError: no such sample or product.
        """
        self.corpus.select([identity])
        item = self.info.product(product)
        if item.product.folder is None:
            return {"timesteps": []}
        key = self.info.layout.lineage(parse_sample_id(self.info.scheme, identity), item.product)
        try:
            document: dict[str, Any] = orjson.loads(self.chips.store.get(key))
        except MissingKeyError:
            return {"timesteps": []}
        return document

    def series(self, identity: str, product: str, row: int, column: int) -> dict[str, Any]:
        """The series of one pixel with its uncertainty and quality.

        Raises:
            NotFoundError: no such sample or product.
            InvalidInputError: the product is no series, or the pixel lies outside.
        """
        read = partial(SampleSeries.read, self.corpus, identity, product)
        return self._series.get(f"{identity} {product}", read).pixel(row, column).document()


def _box(text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise InvalidInputError(f"box: got {text[:80]!r}, expected west,south,east,north") from error
    if len(numbers) != 4:
        raise InvalidInputError(f"box: got {len(numbers)} numbers, expected west,south,east,north")
    return numbers


def install(app: FastAPI, explorer: Explorer) -> None:
    """Add the routes."""
    router = APIRouter(prefix="/explore", include_in_schema=False)
    _add_corpus(router, explorer)
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


def _add_samples(router: APIRouter, explorer: Explorer) -> None:
    """Routes of one sample and its chips."""
    lasting = {"cache-control": "max-age=3600"}

    @router.get("/rows/{row}")
    def row(row: int, split_set: SplitSet = None) -> Response:
        return _json(explorer.sample(explorer.identity(row), split_set))

    @router.get("/samples/{identity}")
    def sample(identity: str, split_set: SplitSet = None) -> Response:
        return _json(explorer.sample(identity, split_set))

    @router.get("/samples/{identity}/lineage/{product}")
    def lineage(identity: str, product: str) -> Response:
        return _json(explorer.lineage(identity, product))

    @router.get("/samples/{identity}/series/{product}")
    def series(identity: str, product: str, row: int, column: int) -> Response:
        return _json(explorer.series(identity, product, row, column))

    @router.get("/samples/{identity}/{product}/{step}.json")
    def legend(identity: str, product: str, step: str, band: str | None = None) -> Response:
        return _json(explorer.chips.legend(identity, product, step, band))

    @router.get("/samples/{identity}/{product}/{step}.png")
    def chip(identity: str, product: str, step: str, bands: str | None = None) -> Response:
        names = None if bands is None else tuple(bands.split(","))
        content = explorer.chips.png(identity, product, step, names)
        return Response(content, media_type="image/png", headers=lasting)
