"""Models without a build: training without building a corpus, and predicting the chips of an existing corpus."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.corpus.finished import FinishedCorpus
from landloom.engine.context import build_context, is_done, run_stage
from landloom.engine.pixels.reread import ChipSeries
from landloom.engine.plan import gather, make_plan
from landloom.errors import CorpusError, InvalidInputError, NotFoundError
from landloom.labels.guess.model_files import decode_model
from landloom.products.guess.kind import GuessKind
from landloom.products.guess.report import GuessRow, guess_rows
from landloom.products.guess.task import FOLDER, chip_rasters
from landloom.products.guess.whole import granule_of, whole_key, whole_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.engine.context import BuildContext
    from landloom.engine.project import Project
    from landloom.engine.registry import Registry
    from landloom.engine.run import Listener
    from landloom.engine.units import Unit
    from landloom.errors import Problem
    from landloom.model.sample import Sample

FILLED: Final = "s2_filled"
"""Product with the series used for prediction."""


def train_models(
    registry: Registry,
    recipe: str | Path,
    out: Path,
    *,
    granules: Sequence[str] | None = None,
    listener: Listener | None = None,
) -> list[GuessRow]:
    """Train the models of a recipe's granules into a separate folder: `GRANULE.skops`; existing models are kept.

    Args:
        registry: reads the recipe.
        recipe: recipe file, or folder with a `landloom.yaml`.
        out: folder for the models, the label maps of the chips and the state of the work.
        granules: only these granules; by default all of the recipe.
        listener: receives progress.

    Returns:
        A row for each granule.

    Raises:
        RecipeError: the recipe has problems.
        InvalidInputError: the recipe has no `guess`.
        NotFoundError: one of the granules is not in the recipe.
    """
    with build_context(out, listener=listener) as context:
        for unit in _trained(registry, recipe, granules, context)[0]:
            granule = granule_of(unit)
            if context.store.exists(f"{FOLDER}/{granule}.skops"):
                context.store.put(f"{granule}.skops", context.store.get(f"{FOLDER}/{granule}.skops"))
    return guess_rows(out)


def predict_granules(
    registry: Registry,
    recipe: str | Path,
    out: Path,
    *,
    granules: Sequence[str] | None = None,
    listener: Listener | None = None,
) -> tuple[list[Path], list[Problem], list[str]]:
    """Predict whole granules of a recipe, with models that are trained first where they are missing.

    Args:
        registry: reads the recipe.
        recipe: recipe file, or folder with a `landloom.yaml`.
        out: folder for `GRANULE.tif` (class and confidence of every pixel of 10 m); as for `train_models`, which
            finds and leaves its models there.
        granules: only these granules; by default all of the recipe.
        listener: receives progress.

    Returns:
        The files; a problem for every granule that has none, and for what its scenes or chips lack; and notes of scenes
        of which parts could not be read, also in the maps of earlier runs.

    Raises:
        RecipeError, InvalidInputError, NotFoundError: as `train_models`.
    """
    with build_context(out, listener=listener) as context:
        trained, problems = _trained(registry, recipe, granules, context)
        units = [whole_unit(unit) for unit in trained if is_done(unit, context)]
        problems += run_stage("predicting granules", units, context)
        made = [unit for unit in units if is_done(unit, context)]
        entries = [entry for unit in made if (entry := context.journal.get(unit.id)) is not None]
    notes = [f"{entry.id}: {note.what}" for entry in entries for note in entry.outcome.notes]
    return [out / whole_key(granule_of(unit)) for unit in made], problems, notes


def _trained(
    registry: Registry, recipe: str | Path, granules: Sequence[str] | None, context: BuildContext
) -> tuple[list[Unit], list[Problem]]:
    """The units of guess labels, after they and all that they need have been run, and what failed."""
    project = _only(registry, registry.open(recipe), granules)
    if not any(isinstance(request.kind, GuessKind) for request in registry.requests(project)):
        raise InvalidInputError("guess: missing, expected a training map")
    inputs, left_out = gather(project, registry, context)
    plan = make_plan(project, registry, inputs)
    problems = [*left_out, *run_stage("training", plan.units, context)]
    return [unit for unit in plan.units if unit.kind == GuessKind.name], problems


def _only(registry: Registry, project: Project, granules: Sequence[str] | None) -> Project:
    """The project restricted to some of its granules.

    Raises:
        NotFoundError: one of them is not in the project.
    """
    section = project.recipe.samples
    known = registry.sampler(section).granules(project, section)
    if not granules or known is None:
        return project
    names = [str(granule) for granule in known]
    for name in granules:
        if name not in names:
            raise NotFoundError.of("granule in the recipe", name, names)
    samples = section.model_copy(update={"granules": tuple(granules), "table": None})
    return replace(project, recipe=project.recipe.model_copy(update={"samples": samples}))


def predict_chips(model: Path, corpus: str, out: Path, *, samples: Sequence[str] | None = None) -> list[Path]:
    """Predict chips of a corpus from their filled series.

    Args:
        model: a file written by `train` or by a build, named after its granule.
        corpus: folder or address of the corpus.
        out: folder for `CHIP.tif` (class, confidence) and `CHIP_probabilities.tif`.
        samples: ids of chips; by default all chips of the model's granule.

    Raises:
        CorpusError: the corpus has no filled series, or its chips lack some dates.
        NotFoundError: no such chip.
        InvalidInputError: the model cannot be read, or was trained on other features.
    """
    there = FinishedCorpus.open(corpus)
    if FILLED not in {item.key for item in there.info.products}:
        raise CorpusError(f"{corpus}: has no filled series, which prediction needs")
    try:
        trained = decode_model(model.read_bytes())
    except OSError as error:
        raise InvalidInputError(f"{model}: cannot be read: {error.strerror}") from error
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for sample in _chosen(there, model.stem, samples):
        series, seen = _series(there, sample)
        if series.shape[0] * series.shape[1] != trained.classifier.n_features_in_:
            raise InvalidInputError(
                f"{sample.id}: got {series.shape[0]} dates of {series.shape[1]} bands, expected "
                f"{trained.classifier.n_features_in_} features for {model.name}"
            )
        rasters = chip_rasters(trained.predict(series, seen), trained, sample.grid(10))
        for name, data in zip((f"{sample.id}.tif", f"{sample.id}_probabilities.tif"), rasters, strict=True):
            (out / name).write_bytes(data)
            files.append(out / name)
    return files


def _chosen(there: FinishedCorpus, granule: str, samples: Sequence[str] | None) -> Iterator[Sample]:
    known = {str(sample.id): sample for own in there.tiles.values() for sample in own}
    wanted = [name for name in known if name.startswith(f"{granule}_")] if samples is None else samples
    if not wanted:
        raise NotFoundError.of("granule in the corpus", granule, {name.partition("_")[0] for name in known})
    for name in wanted:
        if name not in known:
            raise NotFoundError.of("chip", name, known)
        yield known[name]


def _series(there: FinishedCorpus, sample: Sample) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """(time, band, y, x) filled series of a chip, and (y, x) where anything was ever observed."""
    item = there.info.product(FILLED)
    tile = there.tiles[sample.tile]
    row = [one.id for one in tile].index(sample.id)
    steps = np.flatnonzero(there.exists([item.key])[sample.tile][item.key][row]).tolist()
    names = [item.timesteps[at].name for at in steps]
    chips = ChipSeries(there.store, there.info.layout, there.info.layouts, item.product, tile)
    series = chips.read(sample, names, [True] * len(names))
    return series, np.asarray(series.any(axis=(0, 1)))
