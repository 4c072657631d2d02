"""Dates of changes, learnt: a network from simulated worlds or from dates that a corpus holds, and its scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landloom.errors import InvalidInputError
from landloom.training.change.head import fit_head
from landloom.training.change.learn import require_changes
from landloom.training.change.lesson import ChangeLesson
from landloom.training.change.mapping import held_out_dates, world_dates
from landloom.training.change.worlds import WORLD
from landloom.training.fit.folder import HISTORY, WEIGHTS, encode_history
from landloom.training.fit.learn import Learnt
from landloom.training.fit.trained import Trained, network_of
from landloom.training.fit.weights import encode_weights

if TYPE_CHECKING:
    from landloom.engine.run import Listener
    from landloom.query.corpus import Corpus
    from landloom.training.change.series import DatedSeries
    from landloom.training.evaluation.dates import Dates
    from landloom.training.fit.folder import ModelDescription, ModelFolder
    from landloom.training.fit.learn import Lesson


def learn_dates(
    corpus: Corpus, lesson: Lesson, folder: ModelFolder, shown: Listener
) -> tuple[Learnt, dict[str, Dates]]:
    """Train a network that dates changes into a folder, or go on with it; and what it says of what was held out.

    Args:
        corpus: whose images it is for.
        lesson: what is learnt, and how.
        folder: of the model.
        shown: receives progress.

    Raises:
        CorpusError: the folder has another model.
        InvalidInputError: nothing to learn from.
        NotFoundError: an unknown product, band or split.
    """
    wanted = ChangeLesson.of(corpus, lesson)
    splits = () if wanted.splits is None else wanted.splits.train
    shown.started("reading series", len(wanted.worlds) + len(lesson.selection(corpus, splits) if splits else ()))
    train, left_out = wanted.series(splits, wanted.worlds, lambda name: shown.advanced(name, None))
    val, _ = wanted.series(*wanted.stopped_by)
    if train is None:
        raise InvalidInputError("got no series to learn changes from, expected some")
    require_changes(train)
    description = wanted.describe(train)
    network_of(description)  # refuses options that do not fit, before there is a folder
    folder.begin(description)
    learnt = _fitted(description, lesson, train, val, folder, shown, left_out)
    return learnt, _held_out(wanted, folder, shown)


def _fitted(
    description: ModelDescription,
    lesson: Lesson,
    train: DatedSeries,
    val: DatedSeries | None,
    folder: ModelFolder,
    shown: Listener,
    left_out: dict[str, str],
) -> Learnt:
    shown.started(f"training {lesson.model}", lesson.settings.epochs)
    network = network_of(description)
    fitted = fit_head(
        network,
        train,
        val,
        lesson.settings,
        folder.path,
        lambda row: shown.advanced(f"epoch {row['epoch']:.0f}", None),
    )
    folder.put(WEIGHTS, encode_weights(fitted.weights))
    folder.put(HISTORY, encode_history(fitted.history))
    return Learnt(
        description=description,
        history=fitted.history,
        examples=len(train),
        left_out=left_out,
        resumed=fitted.resumed,
    )


def _held_out(wanted: ChangeLesson, folder: ModelFolder, shown: Listener) -> dict[str, Dates]:
    """Dates of every split that was held out, and of a world, written beside the model."""
    trained, found = Trained.open(folder, accelerator=wanted.lesson.settings.accelerator), {}
    names = () if wanted.splits is None else wanted.splits.held_out
    shown.started("predicting what was held out", len(names) + bool(wanted.worlds))
    for split in names:
        if not len(wanted.corpus.query(split=split, split_set=wanted.lesson.split_set)):
            shown.advanced(split, "no sample is in it")
            continue
        found[split] = held_out_dates(wanted, trained, split)
        shown.advanced(split, None)
    if wanted.worlds:
        found[WORLD] = world_dates(wanted, trained)
        shown.advanced(WORLD, None)
    for split, own in found.items():
        folder.put(f"dates-{split}.parquet", own.encoded())
    return found
