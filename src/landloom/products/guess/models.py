"""Models on their own: training without building a corpus, and predicting chips of one that is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from landloom.corpus.finished import Existing
from landloom.engine.context import run_stage, workshop
from landloom.engine.project import GUESS, Project
from landloom.errors import CorpusError, InvalidInputError, NotFoundError
from landloom.formats.geotiff import decode_geotiff
from landloom.labels.guess.files import decode_model
from landloom.model.recipe import GranuleChips
from landloom.products.guess.report import GuessRow, guess_rows
from landloom.products.guess.task import FOLDER, chip_rasters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.engine.run import Listener
    from landloom.model.sample import Sample


def train_models(
    recipe: str | Path, out: Path, *, granules: Sequence[str] | None = None, listener: Listener | None = None
) -> list[GuessRow]:
    """Train the models of a recipe's granules in a folder of their own: `GRANULE.skops`; what is done is kept.

    Args:
        recipe: recipe file, or the folder of a `landloom.yaml`.
        out: folder for the models, with the label maps of the chips and the state of the work beside them.
        granules: only these; all of the recipe if absent.
        listener: told of progress.

    Returns:
        What came of each granule.

    Raises:
        RecipeError: the recipe has problems.
        InvalidInputError: the recipe has no guess.
        NotFoundError: one of the granules is none of the recipe's.
    """
    from landloom.pipelines.plan import build_plan

    project = _only(Project.open(recipe), granules)
    if project.recipe.guess is None:
        raise InvalidInputError("guess: missing, wanted the map that models learn from")
    with workshop(out, listener=listener) as shop:
        plan = build_plan(project, shop)
        units = [unit for unit in plan.units if unit.id.partition("/")[0] == GUESS]
        run_stage("training", units, shop)
        for unit in units:
            name = f"{unit.id.rpartition('_')[2]}.skops"
            if shop.store.exists(f"{FOLDER}/{name}"):
                shop.store.put(name, shop.store.get(f"{FOLDER}/{name}"))
    return guess_rows(out)


def _only(project: Project, granules: Sequence[str] | None) -> Project:
    """The project with some of its granules.

    Raises:
        NotFoundError: one of them is none of its.
    """
    from landloom.samplers.granules.sampler import chosen_granules

    section = project.recipe.samples
    if not granules or not isinstance(section, GranuleChips):
        return project
    known = [str(granule) for granule in chosen_granules(project, section)]
    for name in granules:
        if name not in known:
            raise NotFoundError.of("granule in the recipe", name, known)
    samples = section.model_copy(update={"granules": tuple(granules), "table": None})
    return replace(project, recipe=project.recipe.model_copy(update={"samples": samples}))


def predict_chips(model: Path, corpus: str, out: Path, *, samples: Sequence[str] | None = None) -> list[Path]:
    """Predict chips of a corpus from their filled series.

    Args:
        model: a file that `train` or a build wrote, named after its granule.
        corpus: folder or address of the corpus.
        out: folder for `CHIP.tif` (class, confidence) and `CHIP_probabilities.tif`.
        samples: ids of chips; all of the model's granule if absent.

    Raises:
        CorpusError: the corpus has no filled series, or has chips without all of the dates.
        NotFoundError: no such chip.
        InvalidInputError: the model cannot be read, or was trained on other features.
    """
    there = Existing.open(corpus)
    if "s2_filled" not in {item.key for item in there.info.products} or "chips" not in there.info.layouts:
        raise CorpusError(f"{corpus}: has no filled series in chips: nothing to predict from")
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
                f"{sample.id}: got {series.shape[0]} dates of {series.shape[1]} bands, wanted "
                f"{trained.classifier.n_features_in_} features for {model.name}"
            )
        rasters = chip_rasters(trained.predict(series, seen), trained, sample.grid(10))
        for name, data in zip((f"{sample.id}.tif", f"{sample.id}_probabilities.tif"), rasters, strict=True):
            (out / name).write_bytes(data)
            files.append(out / name)
    return files


def _chosen(there: Existing, granule: str, samples: Sequence[str] | None) -> Iterator[Sample]:
    known = {str(sample.id): sample for own in there.tiles.values() for sample in own}
    wanted = [name for name in known if name.startswith(f"{granule}_")] if samples is None else samples
    if not wanted:
        raise NotFoundError.of("granule in the corpus", granule, {name.partition("_")[0] for name in known})
    for name in wanted:
        if name not in known:
            raise NotFoundError.of("chip", name, known)
        yield known[name]


def _series(there: Existing, sample: Sample) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """(time, band, y, x) filled series of a chip, and (y, x) where anything was ever seen."""
    item = there.info.product("s2_filled")
    exists = there.exists([item.key])[sample.tile][item.key]
    row = [one.id for one in there.tiles[sample.tile]].index(sample.id)
    layout, product = there.info.layout, item.product
    steps = [item.timesteps[at].name for at in np.flatnonzero(exists[row]).tolist()]
    bands = [band.name for band in product.bands]
    series = np.stack([
        np.stack([decode_geotiff(there.store.get(layout.chip(sample.id, product, step, band)))[0][0] for band in bands])
        for step in steps
    ])  # fmt: skip
    return series, np.asarray(series.any(axis=(0, 1)))
