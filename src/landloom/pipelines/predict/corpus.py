"""`landloom predict`: what a model says of a corpus, as new label products of it, with lineage."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import orjson

from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.info import software
from landloom.engine.run import Silent
from landloom.errors import CorpusError, InvalidInputError
from landloom.model.grid import Grid
from landloom.pipelines.change.detect import NAME as CHANGE
from landloom.pipelines.predict.changes import ChangeMaps
from landloom.pipelines.predict.classes import ClassMaps
from landloom.pipelines.predict.numbers import NumberMaps
from landloom.pipelines.predict.options import NAME, PredictOptions, PredictReport, Release
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
from landloom.training.change.mapping import ChangeMapper
from landloom.training.fit.folder import ModelFolder
from landloom.training.fit.mapping import Mapper
from landloom.training.fit.provenance import corpus_digests
from landloom.training.fit.tasks import task_of
from landloom.training.fit.trained import Trained

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from landloom.engine.run import Listener
    from landloom.pipelines.predict.options import Maps
    from landloom.training.fit.folder import ModelDescription

_KEY: Final = re.compile(r"[a-z][a-z0-9_]*")


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
        InvalidInputError: weights that are not tensors alone, or no sample that can be predicted.
        NotFoundError: the corpus lacks the images or bands that the model was trained on.
    """
    wanted, shown = options or PredictOptions(), listener or Silent()
    opened, folder = Corpus.open(require_local(corpus)), ModelFolder.open(model)
    own = folder.description()
    name = wanted.name or (CHANGE if task_of(own.task).dated else NAME)
    _require_name(name, require_local(corpus))
    _require_corpus(own, opened, wanted)
    selection = opened.query(split=wanted.split, split_set=wanted.split_set)
    mapper = (ChangeMapper if task_of(own.task).dated else Mapper).of(
        Trained.open(folder, accelerator=wanted.accelerator), opened, selection
    )
    release = Release(own=own, info=opened.info, version=next_version(opened.info, name), wanted=wanted)
    maps = _maps(release, opened)
    left_out = dict(mapper.unseen)
    rasters: dict[str, dict[str, bytes]] = {}
    fractions: dict[str, Sequence[int]] = {}
    shown.started(f"predicting by {own.model}", len(mapper.ids))
    grids = _grids(opened, own.product, mapper.ids)
    for one in mapper:
        if isinstance(one, tuple):
            left_out[one[0]] = one[1]
            shown.advanced(*one)
            continue
        shares = maps.fractions(one)
        if shares is not None:
            fractions[one.id] = shares
        rasters[one.id] = maps.rasters(one, grids[one.id])
        shown.advanced(one.id, None)
    if not rasters:
        raise InvalidInputError(
            f"{corpus}: no sample could be predicted: {next(iter(left_out.values()), 'it has none')}"
        )
    return _published(corpus, release, maps, _Found(rasters, fractions, left_out), folder)


def _maps(release: Release, corpus: Corpus) -> Maps:
    """The products that fit what the model says."""
    if task_of(release.own.task).dated:
        return ChangeMaps(release=release)
    if release.own.classes:
        return ClassMaps(release=release)
    west, _, east, _ = corpus.sidecar.squares(np.zeros(1, np.int32))[0].tolist()
    return NumberMaps(release=release, side=east - west)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a model said of a corpus."""

    rasters: Mapping[str, Mapping[str, bytes]]
    fractions: Mapping[str, Sequence[int]]
    left_out: Mapping[str, str]


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


def _lineage(own: ModelDescription, folder: ModelFolder, found: _Found) -> bytes:
    """Where predictions come from, as JSON: the whole description of the model, digests of weights and result."""
    weights = folder.read(own.file)
    if found.fractions:
        result = {"fractions_sha256": hashlib.sha256(repr(sorted(found.fractions.items())).encode()).hexdigest()}
    else:
        digest = hashlib.sha256()
        for name, layers in sorted(found.rasters.items()):
            for _, content in sorted(layers.items()):  # keys name the version, and the same result has the same digest
                digest.update(name.encode() + hashlib.sha256(content).digest())
        result = {"rasters_sha256": digest.hexdigest()}
    document = {
        "model": orjson.loads(own.encoded()),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        **result,
        "samples": len(found.rasters),
        "left_out": dict(sorted(found.left_out.items())),
        "software": software(),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _published(corpus: str | Path, release: Release, maps: Maps, found: _Found, folder: ModelFolder) -> PredictReport:
    lineage = _lineage(release.own, folder, found)
    same = same_lineage(corpus, release.version.name, lineage)
    if same is None:
        labels = AddedRasters(
            version=release.version,
            products=maps.products,
            rasters=found.rasters if any(found.rasters.values()) else {},
            mappings={},
            lineage=lineage,
            fractions={release.version.key(): found.fractions} if found.fractions else {},
        )
        add_rasters(corpus, labels)
    version = same or release.version
    return PredictReport(
        product=version.key(),
        rasters=tuple(version.key(name) for name in maps.layers),
        version=str(version.number),
        samples=len(found.rasters),
        left_out=found.left_out,
        added=same is None,
    )
