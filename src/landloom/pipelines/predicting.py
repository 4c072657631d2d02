"""`landloom predict`: what a model says of a corpus, as a new label product of it, with lineage."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.info import ProductInfo, software
from landloom.engine.run import Silent
from landloom.errors import CorpusError, InvalidInputError
from landloom.formats.geotiff import encode_geotiff
from landloom.model.apportion import apportion
from landloom.model.grid import Grid
from landloom.model.product import Product, product
from landloom.model.recipe import Terms
from landloom.model.sensor import Band
from landloom.model.taxonomy import LandClass, Taxonomy, taxonomies, taxonomy
from landloom.publication.raster_labels import (
    AddedRasters,
    add_rasters,
    lineage_of,
    next_version,
    raster_versions,
    require_local,
    same_lineage,
)
from landloom.query.corpus import Corpus
from landloom.training.fit.folder import ModelFolder
from landloom.training.fit.mapping import Mapper, SampleMap
from landloom.training.fit.provenance import corpus_digests
from landloom.training.fit.trained import Trained
from landloom.training.models.table import model_kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from landloom.corpus.info import CorpusInfo
    from landloom.engine.run import Listener
    from landloom.publication.raster_labels import RasterVersion
    from landloom.training.fit.folder import ModelDescription

NAME: Final = "prediction"
"""Start of the keys of all products of predictions, by default."""
LICENCE: Final = "CC-BY-4.0"
CLASSES: Final = "classes"
PROBABILITIES: Final = "probabilities"
_KEY: Final = re.compile(r"[a-z][a-z0-9_]*")
SCALE: Final = 10_000
"""Stored number of a probability of 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictOptions:
    """How predictions are made and published."""

    name: str = NAME
    """Of the label product."""
    split_set: str | None = None
    split: str | None = None
    """Only samples of this split."""
    accelerator: str = "cpu"
    """Where networks compute: `cpu`, `gpu`, or `auto` for a graphics card if there is one."""
    elsewhere: bool = False
    """Whether the model may be used on another corpus than the one that it was trained on."""
    licence: str = LICENCE
    attribution: str | None = None
    """By default the model and its corpus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictReport:
    """Result of predicting."""

    product: str
    """Key of the class shares."""
    rasters: tuple[str, ...]
    """Keys of the maps; none of models of whole samples."""
    version: str
    samples: int
    """Samples with a prediction."""
    left_out: Mapping[str, str]
    """Samples without one, and why."""
    added: bool
    """False if the corpus has the same predictions already."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def predict_corpus(
    model: str | Path, corpus: str | Path, options: PredictOptions | None = None, *, listener: Listener | None = None
) -> PredictReport:
    """Predict the samples of a corpus, and add the result to it as a new label version; later builds keep it.

    Args:
        model: its folder.
        corpus: folder of the corpus.
        options: what is predicted, and terms.
        listener: receives progress.

    Raises:
        CorpusError: no model or corpus there; the model is of another corpus.
        InvalidInputError: a model of numbers, or weights that are not tensors alone.
        NotFoundError: the corpus lacks the images or bands that the model was trained on.
    """
    wanted, shown = options or PredictOptions(), listener or Silent()
    _require_name(wanted.name, require_local(corpus))
    opened, folder = Corpus.open(corpus), ModelFolder.open(model)
    own = folder.description()
    _require_corpus(own, opened, wanted)
    mapper = Mapper.of(
        Trained.open(folder, accelerator=wanted.accelerator),
        opened,
        opened.query(split=wanted.split, split_set=wanted.split_set),
    )
    version = next_version(opened.info, wanted.name)
    made = _Made(own=own, info=opened.info, version=version, wanted=wanted)
    left_out = dict(mapper.unseen)
    rasters: dict[str, dict[str, bytes]] = {}
    fractions: dict[str, list[int]] = {}
    shown.started(f"predicting by {own.model}", len(mapper.dataset))
    grids = _grids(opened, own.product, mapper.dataset.ids)
    for one in mapper:
        if not isinstance(one, SampleMap):
            left_out[one[0]] = one[1]
            shown.advanced(*one)
            continue
        fractions[one.id] = made.millionths(one)
        rasters[one.id] = made.rasters(one, grids[one.id])
        shown.advanced(one.id, None)
    if not fractions:
        raise InvalidInputError(
            f"{corpus}: no sample could be predicted: {next(iter(left_out.values()), 'it has none')}"
        )
    return _published(corpus, made, folder, fractions, rasters, left_out)


def _require_name(name: str, corpus: Path) -> None:
    """Refuse a name that is no key, or that other products than predictions have."""
    if not _KEY.fullmatch(name):
        raise InvalidInputError(f"got the name {name!r}, expected lower-case letters, digits and '_'")
    there = FinishedCorpus.open(str(corpus))
    taken = [one for one in raster_versions(there.info, name) if lineage_of(there, one) is None]
    if taken:
        raise InvalidInputError(f"got the name {name!r} of another product of the corpus, expected a new one")


def _require_corpus(own: ModelDescription, corpus: Corpus, wanted: PredictOptions) -> None:
    """Refuse another corpus than the model's, unless it is meant."""
    if wanted.elsewhere:
        return
    key = own.target["product"]
    target = next((item for item in corpus.info.products if item.key == key), None)
    there = corpus_digests(corpus, corpus.info.product(own.product).key, target)
    if there["data"] != own.corpus["data"]:
        got, expected = (f"{one['name']} {one['version']} with data {one['data'][:12]}" for one in (own.corpus, there))
        raise CorpusError(f"got a model of {got}, expected one of {expected}; --elsewhere allows it")


def _grids(corpus: Corpus, key: str, ids: tuple[str, ...]) -> dict[str, Grid]:
    rows = corpus.sidecar.rows_of_ids(list(ids)).astype(np.int32)
    squares, codes = corpus.sidecar.squares(rows), corpus.sidecar.epsg(rows)
    resolution = float(corpus.info.product(key).product.resolution or 10)
    return {
        name: Grid.of_bounds(int(epsg), (west, south, east, north), resolution)
        for name, epsg, (west, south, east, north) in zip(ids, codes.tolist(), squares.tolist(), strict=True)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """Products of a version of predictions, and the files of samples."""

    own: ModelDescription
    info: CorpusInfo
    version: RasterVersion
    wanted: PredictOptions

    @property
    def is_map(self) -> bool:
        """Whether there are rasters."""
        return self.own.task != "lulc"

    @property
    def taxonomy(self) -> Taxonomy:
        """That of the classes: one of the corpus or of landloom by that name, else one of the model's classes."""
        named = self.own.taxonomy
        held = (item.taxonomy for item in self.info.products if item.taxonomy is not None)
        found = next((one for one in held if one.name == named["name"]), None)
        if found is None and named["name"] in taxonomies():
            found = taxonomy(named["name"])
        if found is not None:
            return found
        classes = [LandClass(code=str(one.code), name=one.name) for one in self.own.classes]
        nodata = LandClass(code=str(named["nodata"]), name="No data")
        return Taxonomy(
            name=named["name"], prefix=named["prefix"], classes=(*classes, nodata), nodata=str(named["nodata"])
        )

    @property
    def nodata(self) -> int:
        """Code of pixels that the model says nothing about."""
        return int(self.taxonomy.nodata)

    @property
    def dtype(self) -> str:
        """Of the class map."""
        return "uint8" if max(self.nodata, *(one.code for one in self.own.classes)) < 256 else "uint16"

    def products(self) -> tuple[ProductInfo, ...]:
        """Class shares; of maps also the classes and their probabilities."""
        title = f"{model_kind(self.own.model).title}, seed {self.own.seed}"
        told = self.wanted.attribution or f"{title}, trained on {self.own.corpus['name']} {self.own.corpus['version']}"
        images = self.info.product(self.own.product)
        key = self.version.key()
        shares = replace(product("labels"), key=key, collection=key, prefix=key, title=f"Predicted classes ({title})")
        rows = [shares, *(self._rasters(title, float(images.product.resolution or 10)) if self.is_map else ())]
        return tuple(
            ProductInfo(
                product=row,
                terms=Terms(licence=self.wanted.licence, attribution=told),
                taxonomy=None if row.key.endswith(f"_{PROBABILITIES}") else self.taxonomy,
                stated_period=images.period,
                label_version=str(self.version.number),
            )
            for row in rows
        )

    def _rasters(self, title: str, resolution: float) -> tuple[Product, ...]:
        pair = (
            Band(name="class", description="Most probable class", resolution=resolution),
            Band(name="confidence", description="Its probability in percent", resolution=resolution),
        )
        each = tuple(
            Band(
                name=f"class_{one.code}",
                description=f"{SCALE:,} × probability of class {one.code}, {one.name}",
                resolution=resolution,
            )
            for one in self.own.classes
        )
        rows = ((CLASSES, pair, self.dtype, float(self.nodata)), (PROBABILITIES, each, "uint16", None))
        return tuple(
            Product(
                key=self.version.key(layer),
                folder=None,
                collection=self.version.collection,
                prefix=f"{self.wanted.name}_{layer}",
                title=f"Predicted {layer} ({title})",
                kind="raster-labels",
                bands=bands,
                dtype=dtype,
                nodata=nodata,
                resolution=resolution,
            )
            for layer, bands, dtype, nodata in rows
        )

    def millionths(self, one: SampleMap) -> list[int]:
        """Shares in the order of the taxonomy."""
        found = self.taxonomy
        weights = np.zeros(len(found.codes()))
        places = [found.index[str(item.code)] for item in self.own.classes]
        weights[[*places, found.index[found.nodata]]] = one.shares
        values: list[int] = apportion(weights).tolist()
        return values

    def rasters(self, one: SampleMap, grid: Grid) -> dict[str, bytes]:
        """Key of a raster → GeoTIFF."""
        if one.probabilities is None or one.known is None:
            return {}
        codes = np.array([item.code for item in self.own.classes], self.dtype)
        best = codes[one.probabilities.argmax(axis=0)]
        percent = np.floor(one.probabilities.max(axis=0) * 100 + 0.5).astype(self.dtype)
        classes = np.stack([np.where(one.known, best, self.nodata).astype(self.dtype), percent])
        chances = np.floor(one.probabilities.astype(np.float64) * SCALE + 0.5).astype(np.uint16)
        arrays: dict[str, Any] = {CLASSES: classes, PROBABILITIES: chances}
        rows = {item.key: item.product for item in self.products()[1:]}
        return {
            key: encode_geotiff(
                arrays[key.rpartition("_")[2]], grid, nodata=row.nodata, bands=[band.name for band in row.bands]
            )
            for key, row in rows.items()
        }


def _lineage(
    own: ModelDescription, folder: ModelFolder, fractions: Mapping[str, list[int]], left_out: Mapping[str, str]
) -> bytes:
    """Where predictions come from, as JSON: the whole description of the model, digests of weights and result."""
    weights = folder.read(own.file)
    document = {
        "model": orjson.loads(own.encoded()),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "fractions_sha256": hashlib.sha256(repr(sorted(fractions.items())).encode()).hexdigest(),
        "samples": len(fractions),
        "left_out": dict(sorted(left_out.items())),
        "software": software(),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _published(
    corpus: str | Path,
    made: _Made,
    folder: ModelFolder,
    fractions: Mapping[str, list[int]],
    rasters: Mapping[str, Mapping[str, bytes]],
    left_out: Mapping[str, str],
) -> PredictReport:
    lineage = _lineage(made.own, folder, fractions, left_out)
    same = same_lineage(corpus, made.wanted.name, lineage)
    if same is None:
        labels = AddedRasters(
            version=made.version,
            products=made.products(),
            rasters=rasters if made.is_map else {},
            mappings={},
            lineage=lineage,
            fractions={made.version.key(): fractions},
        )
        add_rasters(corpus, labels)
    version = same or made.version
    return PredictReport(
        product=version.key(),
        rasters=tuple(version.key(layer) for layer in (CLASSES, PROBABILITIES)) if made.is_map else (),
        version=str(version.number),
        samples=len(fractions),
        left_out=left_out,
        added=same is None,
    )
