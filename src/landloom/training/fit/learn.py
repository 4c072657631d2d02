"""From a corpus to a trained model in its folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.info import software
from landloom.errors import InvalidInputError, NotFoundError
from landloom.query.split_sets import read_split_set
from landloom.training.datasets.collate import collate
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.datasets.rasters import RasterReader
from landloom.training.datasets.targets import Target
from landloom.training.fit.axis import TimeAxis
from landloom.training.fit.batches import SeriesExamples, whole
from landloom.training.fit.encoders import SeriesEncoder
from landloom.training.fit.folder import HISTORY, TREES, WEIGHTS, ModelDescription, encode_history
from landloom.training.fit.networks import Parts, fit_network
from landloom.training.fit.numbers import about_numbers, checked_target, raster_numbers, scale_of, scaled_loss
from landloom.training.fit.probes import EncoderProbe
from landloom.training.fit.provenance import corpus_digests, model_classes
from landloom.training.fit.reading import read_table
from landloom.training.fit.settings import FitSettings
from landloom.training.fit.tasks import task_of
from landloom.training.fit.trained import KnownMoments, network_of
from landloom.training.fit.weights import encode_weights
from landloom.training.models.published.inputs import published_bands
from landloom.training.models.trees import Trees, check_options, features

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from landloom.query.corpus import Corpus
    from landloom.query.selection import Selection
    from landloom.training.datasets.plan import Statistics
    from landloom.training.fit.batches import LabelledSeries
    from landloom.training.fit.folder import ModelFolder
    from landloom.training.fit.networks import Row
    from landloom.training.models.table import ModelKind

PIXELS: Final = 400
"""Pixels of a sample that models of series learn from, at most."""
IDS: Final = "ids"
"""Key of the product with the ids of parcels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What is to be learnt, from what, and how."""

    task: str
    model: str
    split_set: str
    """Name of the split set; empty for none, where simulated worlds alone are learnt from."""
    target: Target | None = None
    """By default that of the task."""
    product: str | None = None
    """Key of the images; by default the only ones."""
    bands: tuple[str, ...] | None = None
    """By default all."""
    train: tuple[str, ...] = ("train",)
    """Splits that are learnt from."""
    val: str | None = "val"
    """Split by which training stops; None, or a name that the set lacks, for none."""
    pixels: int = PIXELS
    """Pixels of a sample that models of series learn from, at most, if single pixels are learnt."""
    unit: str | None = None
    """Of numbers; by default that of the label product's band."""
    worlds: int | None = None
    """Of dates of changes: simulated worlds to learn from; by default all, or none where there is a target."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the network or the trees."""
    weights: Path | None = None
    """File of the weights of a published encoder."""
    settings: FitSettings = field(default_factory=FitSettings)

    def selection(self, corpus: Corpus, splits: tuple[str, ...] | str) -> Selection:
        """Samples of some splits.

        Raises:
            InvalidInputError: there are none.
        """
        found = corpus.query(split=splits, split_set=self.split_set)
        if not len(found):
            raise InvalidInputError(f"split set {self.split_set!r} has no sample in {splits}")
        return found

    def chosen(self) -> Target:
        """The target.

        Raises:
            InvalidInputError: one that the task cannot learn, or a model that cannot learn it.
        """
        task = task_of(self.task)
        kind = task.model(self.model)
        if kind.learner == "probe":
            _require_weights(kind, self)
        elif self.weights is not None:
            raise InvalidInputError(f"got weights for model {self.model!r}, which has none that are published")
        if not task.dated and (self.worlds is not None or not self.split_set):
            told = "no split set, expected one" if self.worlds is None else "simulated worlds, expected none"
            raise InvalidInputError(f"task {task.name}: got {told}")
        if task.dated and self.unit:
            raise InvalidInputError(f"task {task.name}: got the unit {self.unit!r}, expected none: dates are days")
        target = Target.parse(task.target) if self.target is None else self.target
        if target.kind not in task.targets:
            raise InvalidInputError(
                f"task {task.name}: got the target {target.kind!r}, expected one of {', '.join(task.targets)}"
            )
        return checked_target(target, self.unit, dense=task.unit != "sample")


def _require_weights(kind: ModelKind, lesson: Lesson) -> None:
    """Refuse a probe without a file of weights, or with options."""
    if lesson.weights is None:
        raise InvalidInputError(
            f"model {kind.name}: got no weights, expected a file that you have: they are published as {kind.file}, "
            f"under {kind.licence}, and never fetched"
        )
    if lesson.options:
        raise InvalidInputError(f"{kind.name}: got the option {next(iter(lesson.options))!r}, expected none")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Splits:
    """Names of the splits of a set, by what they are for."""

    train: tuple[str, ...]
    val: str | None
    held_out: tuple[str, ...]
    """All but those trained on; that of validation among them."""

    @classmethod
    def of(cls, lesson: Lesson, names: tuple[str, ...]) -> Splits:
        """Check the names that a user gave.

        Raises:
            NotFoundError: a split that the set lacks.
            InvalidInputError: nothing is held out.
        """
        for name in lesson.train:
            if name not in names:
                raise NotFoundError.of(f"split in the set {lesson.split_set!r}", name, names)
        held_out = tuple(name for name in names if name not in lesson.train)
        if not held_out:
            raise InvalidInputError(f"got all splits of {lesson.split_set!r} to train on, expected one to be held out")
        return cls(train=lesson.train, val=lesson.val if lesson.val in held_out else None, held_out=held_out)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """Datasets of one lesson."""

    corpus: Corpus
    lesson: Lesson
    target: Target
    moments: KnownMoments
    encoder: SeriesEncoder | None = None
    """A published one, which the lesson is a probe of."""
    origin: Mapping[str, Any] | None = None
    """Of the encoder, as the description of the model says it."""

    def dataset(self, selection: Selection, *, target: bool = True) -> CorpusDataset:
        """Images with their target: normalised for models of images, as stored for models of series."""
        images = task_of(self.lesson.task).model(self.lesson.model).eats == "images"
        return CorpusDataset(
            selection,
            self.moments.product,
            self.target if target else None,
            bands=self.moments.bands,
            statistics=self.moments if images else None,
            seed=self.lesson.settings.seed,
            missing="drop",
        )

    def table(self, dataset: CorpusDataset, *, pixels: int | None = None) -> LabelledSeries:
        """All series of a dataset."""
        unit = task_of(self.lesson.task).unit
        parcels = None
        if unit == "parcel":
            parcels = parcel_reader(dataset, self.corpus)
        return read_table(dataset, unit, parcels=parcels, pixels=pixels)


def parcel_reader(dataset: CorpusDataset, corpus: Corpus) -> RasterReader:
    """Reads the ids of parcels of the samples of a dataset.

    Raises:
        NotFoundError: the corpus has no raster of them.
    """
    item = corpus.info.product(IDS)
    chosen = corpus.select(dataset.ids)
    return RasterReader.of(chosen, dataset.plan.samples, item, None)


def material_of(corpus: Corpus, lesson: Lesson, statistics: Statistics) -> Material:
    """Check a lesson against a corpus, before anything is read.

    Raises:
        NotFoundError: an unknown product, band, split or class level.
        InvalidInputError: samples that cannot be learnt from.
    """
    target = lesson.chosen()
    train = corpus.query(split=lesson.train, split_set=lesson.split_set)
    plain = CorpusDataset(train, lesson.product, target, bands=lesson.bands, missing="drop")
    product = plain.products[0]
    bands = plain.bands[product]
    mean, deviation = statistics.moments(product, bands)
    moments = KnownMoments(product=product, bands=bands, mean=tuple(mean.tolist()), deviation=tuple(deviation.tolist()))
    material = Material(corpus=corpus, lesson=lesson, target=target, moments=moments)
    if lesson.weights is None:
        return material
    own = {band.name: band for band in corpus.info.product(product).product.bands}
    places = published_bands([own[name] for name in bands])
    encoder, digest = SeriesEncoder.read(lesson.model, lesson.weights, places)
    origin = {"file": lesson.weights.name, "sha256": digest, "bands": {one: bands[at] for one, at in places.items()}}
    return replace(material, encoder=encoder, origin=origin)


def describe(
    material: Material,
    statistics: str,
    timesteps: int,
    axis: TimeAxis | None,
    scale: tuple[float, float] | None = None,
) -> ModelDescription:
    """What the model of a lesson is.

    Args:
        material: the lesson with its corpus.
        statistics: digest of the statistics.
        timesteps: of the longest series in training.
        axis: of models that count timesteps.
        scale: mean and standard deviation that a network learns numbers in.
    """
    lesson, corpus, target = material.lesson, material.corpus, material.target
    classes, named = ((), {}) if target.kind == "value" else model_classes(corpus.info, target)
    item = target.item(corpus.info)
    splits = read_split_set(corpus.base, lesson.split_set)
    own = Splits.of(lesson, splits.names)
    return ModelDescription(
        task=lesson.task,
        model=lesson.model,
        options=dict(lesson.options),
        settings=lesson.settings.document() | {"pixels": lesson.pixels},
        product=material.moments.product,
        bands=material.moments.bands,
        timesteps=timesteps,
        axis=None if axis is None else axis.document(),
        target=asdict(target) | {"product": item.key} | about_numbers(target, item, lesson.unit, scale),
        taxonomy=named,
        classes=classes,
        mean=material.moments.mean,
        deviation=material.moments.deviation,
        corpus=corpus_digests(corpus, material.moments.product, item),
        split_set={
            "name": lesson.split_set,
            "digest": splits.digest,
            "proof": dict(splits.proof),
            "train": list(own.train),
            "val": own.val,
        },
        statistics=statistics,
        seed=lesson.settings.seed,
        software=software(),
        encoder=material.origin,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learnt:
    """A model that was trained."""

    description: ModelDescription
    history: tuple[Row, ...]
    examples: int
    """Series or images that it learnt from."""
    left_out: Mapping[str, str]
    """Samples of the training part that could not be used, and why."""
    resumed: int
    """Epochs of an earlier run."""


def learn(
    material: Material, statistics: str, folder: ModelFolder, heard: Callable[[Row], None] = lambda _: None
) -> Learnt:
    """Train the model of a lesson into a folder, or go on with it.

    Args:
        material: the lesson with its corpus.
        statistics: digest of the statistics.
        folder: of the model.
        heard: is called after every epoch.

    Raises:
        CorpusError: the folder has another model.
        InvalidInputError: nothing to learn from; a series without a valid pixel, named.
    """
    lesson, corpus = material.lesson, material.corpus
    kind = task_of(lesson.task).model(lesson.model)
    train = material.dataset(lesson.selection(corpus, lesson.train))
    own = Splits.of(lesson, read_split_set(corpus.base, lesson.split_set).names)
    val = None if own.val is None else material.dataset(lesson.selection(corpus, own.val))
    is_number = material.target.kind == "value"
    if kind.eats == "images":
        scale = scale_of(raster_numbers(train)) if is_number else None
        description = describe(material, statistics, len(train.plan.series[0].steps), None, scale)
        network_of(description)  # refuses options that do not fit, before there is a folder
        folder.begin(description)
        return _network(description, Parts(train=train, val=val, collate=collate), folder, material, train, heard)
    pixels = material.lesson.pixels
    table = material.table(train, pixels=pixels)
    axis = TimeAxis.of(table) if kind.is_regular else None
    table = table if axis is None else axis.apply(table)
    scale = scale_of([table.target.astype(np.float32)]) if is_number and kind.is_network else None
    description = describe(material, statistics, table.valid.shape[1], axis, scale)
    if description.classes and table.kind == "label" and len(np.unique(table.target)) < 2:
        raise InvalidInputError(f"got series of one class alone in {', '.join(own.train)}, expected two at least")
    if kind.learner == "network":
        network_of(description)
    elif kind.learner == "trees":
        check_options(description.model, description.options)
    folder.begin(description)
    if kind.learner == "probe":
        return _probe(description, table, folder, material, train)
    if kind.learner == "trees":
        return _trees(description, table, folder, material, train)
    moments = np.array(description.mean), np.array(description.deviation)
    other = None if val is None else material.table(val, pixels=pixels)
    other = other if other is None or axis is None else axis.apply(other)
    parts = Parts(
        train=SeriesExamples(table, *moments),
        val=None if other is None else SeriesExamples(other, *moments),
        collate=whole,
    )
    return _network(description, parts, folder, material, train, heard)


def _trees(
    description: ModelDescription, table: LabelledSeries, folder: ModelFolder, material: Material, train: CorpusDataset
) -> Learnt:
    trees = Trees.fit(
        description.model,
        features(table.image, table.valid),
        table.target,
        table.weight,
        classes=len(description.classes),
        seed=description.seed,
        options=material.lesson.options,
        jobs=-1,
    )
    folder.put(TREES, trees.encoded())
    return Learnt(description=description, history=(), examples=len(table), left_out=train.left_out, resumed=0)


def _probe(
    description: ModelDescription, table: LabelledSeries, folder: ModelFolder, material: Material, train: CorpusDataset
) -> Learnt:
    if material.encoder is None:
        raise InvalidInputError(f"got no weights for {description.model}")
    made = EncoderProbe.fit(
        material.encoder,
        table,
        classes=len(description.classes),
        seed=description.seed,
        accelerator=material.lesson.settings.accelerator,
    )
    folder.put(WEIGHTS, made.encoded())
    return Learnt(description=description, history=(), examples=len(table), left_out=train.left_out, resumed=0)


def _network(
    description: ModelDescription,
    parts: Parts,
    folder: ModelFolder,
    material: Material,
    train: CorpusDataset,
    heard: Callable[[Row], None],
) -> Learnt:
    network, scale = network_of(description), description.scale
    if scale is not None:
        parts = replace(parts, loss=scaled_loss(*scale))
    fitted = fit_network(network, parts, material.lesson.settings, folder.path, heard)
    folder.put(WEIGHTS, encode_weights(fitted.weights))
    folder.put(HISTORY, encode_history(fitted.history))
    return Learnt(
        description=description,
        history=fitted.history,
        examples=len(parts.train),
        left_out=train.left_out,
        resumed=fitted.resumed,
    )
