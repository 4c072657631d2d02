"""What the explorer page asks for: the corpus, its samples as arrays, a selection, one sample, chips."""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import numpy as np
import orjson

from landloom.corpus.layout import INDEX
from landloom.errors import InvalidInputError, MissingKeyError, NotFoundError
from landloom.model.apportion import MILLION
from landloom.model.ids import parse_sample_id
from landloom.model.rendering.palettes import class_colours
from landloom.model.shapes import neighbourhood
from landloom.query.label_sets import label_prefix, label_set
from landloom.query.pixel_series import SampleSeries, is_series
from landloom.query.recent import Kept
from landloom.server.explore.curves import mean_document
from landloom.server.explore.gallery import Gallery, shares_of
from landloom.server.explore.images import TIMELESS
from landloom.server.explore.legends import class_legend, product_legend
from landloom.server.explore.pictures import Chips
from landloom.server.limits import check_depth
from landloom.server.split_sets import SplitSets

if TYPE_CHECKING:
    from landloom.corpus.info import CorpusInfo
    from landloom.query.assets import Asset
    from landloom.query.corpus import Corpus
    from landloom.query.selection import Selection
    from landloom.server.explore.basemap import Basemap

NONE: Final = 255
"""Placeholder for no class, stratum or split in byte arrays."""
_PLACES: Final = 500
"""Samples of one answer about places."""
_KEPT: Final = 4
"""Samples whose series are kept: the pointer asks for one pixel after the other."""


class Explorer:
    """Responses for the page, thread-safe.

    Args:
        corpus: the corpus.
        info: its description.
        basemap: tiles below the samples; only coasts and countries if None.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> explorer = Explorer(example_corpus(), example_corpus().info)
        >>> explorer.selection("clc_3 >= 0.5", None)["count"]
        2
    """

    def __init__(self, corpus: Corpus, info: CorpusInfo, basemap: Basemap | None = None) -> None:
        self.corpus, self.info = corpus, info
        self.chips = Chips(corpus, info)
        self.gallery = Gallery(self.chips.images)
        self.basemap = basemap
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
                    "common": {band.common_name: band.name for band in item.product.bands if band.common_name},
                }
                for item in self.info.products
            ],
            "classes": self._classes(),
            "label_sets": [{"key": item.key, "title": item.product.title} for item in self.info.labels],
            "strata": sidecar.vocabulary("stratum")[1:] if "stratum" in sidecar.arrays else [],
            "splits": sidecar.vocabulary("split")[1:] if "split" in sidecar.arrays else [],
            "split_sets": self.splits.names(),
            "basemap": None if self.basemap is None else self.basemap.document(),
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
        frame, row = found.to_geodataframe().iloc[0], int(found.rows[0])
        (west, south, east, north), *beyond = neighbourhood(frame.geometry)
        for box in beyond:  # across 180°: one box that continues beyond it
            east = box[2] + 360.0
        return {
            "id": place.id,
            "row": row,
            "bounds": [west, south, east, north],
            "corners": self.corpus.sidecar.corners(found.rows)[0].tolist(),
            **{name: frame[name] for name in ("zone", "tile", "stratum", "split")},
            "images": {
                item.key: [None if step == TIMELESS else step for step in self.chips.images.steps(row, item.key)]
                for item in self.info.products
                if item.product.bands
            },
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
            document: dict[str, Any] = orjson.loads(self.chips.images.store.get(key))
        except MissingKeyError:
            return {"timesteps": []}
        return document

    def series(self, identity: str, product: str, row: int, column: int) -> dict[str, Any]:
        """The series of one pixel with its uncertainty and quality.

        Raises:
            NotFoundError: no such sample or product.
            InvalidInputError: the product is no series, or the pixel lies outside.
        """
        return self._read(identity, product).pixel(row, column).document()

    def mean(self, identity: str, product: str) -> dict[str, Any]:
        """The mean of all pixels over time, with the share of valid ones.

        Raises:
            NotFoundError: no such sample or product.
            InvalidInputError: the product is no series.
        """
        return mean_document(self._read(identity, product))

    def _read(self, identity: str, product: str) -> SampleSeries:
        read = partial(SampleSeries.read, self.corpus, identity, product)
        return self._series.get(f"{identity} {product}", read)

    def shares(self, column: str) -> bytes:
        """Share of a class or a group in every sample in index order, one byte each: 200 is all of it.

        Raises:
            NotFoundError: no such class.
        """
        shares = shares_of(self.corpus.sidecar, column).astype(np.int64)
        return (-(-shares * 200 // MILLION)).astype(np.uint8).tobytes()

    def places(self, rows: str, product: str) -> list[dict[str, Any]]:
        """Ids, corners in degrees and timesteps of some samples.

        Args:
            rows: of the index, separated by commas; at most 500.
            product: key.

        Raises:
            InvalidInputError: no numbers, or too many.
            NotFoundError: no such row or product.
        """
        try:
            wanted = np.array([int(part) for part in rows.split(",")], np.int64)
        except ValueError as error:
            raise InvalidInputError(f"rows: got {rows[:80]!r}, expected numbers separated by commas") from error
        if len(wanted) > _PLACES:
            raise InvalidInputError(f"rows: got {len(wanted)}, expected at most {_PLACES}")
        if ((wanted < 0) | (wanted >= len(self.corpus))).any():
            raise NotFoundError(f"no row {int(wanted[(wanted < 0) | (wanted >= len(self.corpus))][0])}")
        chosen, sidecar = wanted.astype(np.int32), self.corpus.sidecar
        texts, corners = sidecar.texts(chosen), sidecar.corners(chosen).tolist()
        return [
            {"row": row, "id": name, "corners": own, "steps": self.chips.images.steps(row, product)}
            for row, name, own in zip(chosen.tolist(), texts, corners, strict=True)
        ]


def _box(text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise InvalidInputError(f"box: got {text[:80]!r}, expected west,south,east,north") from error
    if len(numbers) != 4:
        raise InvalidInputError(f"box: got {len(numbers)} numbers, expected west,south,east,north")
    return numbers
