"""`landloom train`: a model of a corpus, with predictions of what was held out, scores and a card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landloom.engine.run import Silent
from landloom.pipelines.change.learning import learn_dates
from landloom.pipelines.measuring import measure_corpus
from landloom.query.corpus import Corpus
from landloom.query.split_sets import read_split_set
from landloom.training.evaluation.values import Values
from landloom.training.fit.card import card, scores_of
from landloom.training.fit.encoders import SeriesEncoder
from landloom.training.fit.folder import CARD, ModelFolder
from landloom.training.fit.held_out import held_out
from landloom.training.fit.learn import Splits, learn, material_of
from landloom.training.fit.tasks import task_of
from landloom.training.fit.trained import Trained
from landloom.training.models.table import model_kind
from landloom.training.statistics.measure import split_statistics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.corpus.split_statistics import SplitStatistics
    from landloom.engine.run import Listener
    from landloom.training.evaluation.predictions import Predictions
    from landloom.training.fit.card import Held
    from landloom.training.fit.learn import Learnt, Lesson, Material


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport:
    """Result of training."""

    folder: str
    task: str
    model: str
    examples: int
    """Series or images that it learnt from."""
    epochs: int
    """Of a network; 0 of trees."""
    resumed: int
    """Epochs that an earlier run had made."""
    left_out: Mapping[str, str]
    """Samples of the training part without labels or images, and why."""
    scores: Mapping[str, Mapping[str, Any]]
    """Split → scores, as JSON values."""
    trained: bool
    """False if the same model was there already."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        names = ("folder", "task", "model", "examples", "epochs", "resumed", "trained")
        values: dict[str, Any] = {name: getattr(self, name) for name in names}
        return values | {"left_out": dict(self.left_out), "scores": dict(self.scores)}


def train_corpus(corpus: str, lesson: Lesson, out: str | Path, *, listener: Listener | None = None) -> TrainReport:
    """Train a model on a split set of a corpus.

    The same call goes on where a killed one stopped, with the same result; a finished model is not trained again.

    Args:
        corpus: folder or address.
        lesson: what is learnt, and how.
        out: folder of the model.
        listener: receives progress.

    Raises:
        CorpusError: the folder has another model, or files of something else.
        InvalidInputError: the task does not fit the corpus; samples that cannot be learnt from are named.
        NotFoundError: no such corpus, split set, product, label level or model.
    """
    shown = listener or Silent()
    lesson.chosen()
    if lesson.weights is not None:  # refused before anything of the corpus is read
        SeriesEncoder.read(lesson.model, lesson.weights, {})
    learner = model_kind(lesson.model)
    opened, folder = Corpus.open(corpus), ModelFolder(Path(out))
    if task_of(lesson.task).dated:
        was_finished = folder.is_finished
        return _finished(folder, *learn_dates(opened, lesson, folder, shown), was_finished=was_finished)
    splits = Splits.of(lesson, read_split_set(opened.base, lesson.split_set).names)
    statistics = _statistics(corpus, opened, lesson, shown)
    material = material_of(opened, lesson, statistics)
    was_finished = folder.is_finished
    shown.started(f"training {lesson.model}", lesson.settings.epochs if learner.is_network else 1)
    learnt = learn(material, statistics.digest, folder, lambda row: shown.advanced(f"epoch {row['epoch']:.0f}", None))
    found = _predictions(material, Trained.open(folder, accelerator=lesson.settings.accelerator), splits, folder, shown)
    return _finished(folder, learnt, found, was_finished=was_finished)


def _statistics(corpus: str, opened: Corpus, lesson: Lesson, shown: Listener) -> SplitStatistics:
    """Statistics of the training part, kept beside the split set where the corpus can be written to."""
    count = len(opened.query(split=lesson.train, split_set=lesson.split_set))
    shown.started("measuring", count)
    products = () if lesson.product is None else (lesson.product,)

    def step(done: int, _total: int) -> None:
        shown.advanced(str(done), None)

    if opened.folder is None:
        return split_statistics(opened, lesson.split_set, splits=lesson.train, products=products, progress=step)
    report = measure_corpus(corpus, lesson.split_set, splits=lesson.train, products=products, progress=step)
    return report.statistics


def _predictions(
    material: Material, trained: Trained, splits: Splits, folder: ModelFolder, shown: Listener
) -> dict[str, Predictions | Values]:
    """Predictions of every split that was held out, written beside the model."""
    found: dict[str, Predictions | Values] = {}
    shown.started("predicting what was held out", len(splits.held_out))
    for split in splits.held_out:
        if not len(material.corpus.query(split=split, split_set=material.lesson.split_set)):
            shown.advanced(split, "no sample is in it")
            continue
        own = held_out(material, trained, split)
        name = f"{'values' if isinstance(own, Values) else 'predictions'}-{split}.parquet"
        folder.put(name, own.encoded())
        found[split] = own
        shown.advanced(split, None)
    return found


def _finished(folder: ModelFolder, learnt: Learnt, found: Mapping[str, Held], *, was_finished: bool) -> TrainReport:
    """Score what was held out, and write the card, which comes last."""
    scores = scores_of(learnt.description, found)
    if not was_finished:
        folder.put(CARD, card(learnt, found).encode())
    return TrainReport(
        folder=str(folder.path),
        task=learnt.description.task,
        model=learnt.description.model,
        examples=learnt.examples,
        epochs=len(learnt.history),
        resumed=learnt.resumed,
        left_out=learnt.left_out,
        scores=scores,
        trained=not was_finished,
    )
