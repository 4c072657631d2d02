"""The place of a corpus, claimed for a recipe before anything is built there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import orjson

from landloom.archive.presets import connection_limits
from landloom.corpus.documents import parse_corpus_json
from landloom.corpus.layout import CORPUS, STATE
from landloom.engine.place import JOURNAL, Place
from landloom.engine.project import CORPUS_FOLDER
from landloom.errors import ForeignCorpusError, LandloomError
from landloom.model.address import CONNECTIONS_VARIABLE
from landloom.pipelines.registry import REGISTRY
from landloom.store.network.traffic import declare, limits
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.corpus.info import CorpusInfo
    from landloom.engine.project import Project
    from landloom.model.recipe import Recipe


def claimed(recipe: str | Path, out: str | Path | None) -> tuple[Project, Place, CorpusInfo | None]:
    """The project of a recipe, the place of its corpus, and the corpus that an earlier build has finished there.

    Raises:
        RecipeError: the recipe has problems.
        ForeignCorpusError: the folder contains another corpus, or something else.
    """
    project = REGISTRY.open(recipe)
    stated = limits(os.environ.get(CONNECTIONS_VARIABLE, ""))
    declare(connection_limits(project.recipe.named_archives().values()) | stated)
    place = Place.of(out if out is not None else project.folder / CORPUS_FOLDER)
    return project, place, claim_store(place, project) if place.remote else claim_folder(place.folder, project)


def claim_folder(folder: Path, project: Project) -> CorpusInfo | None:
    """Refuse a folder with another corpus, or with files that were not written by a build.

    Returns:
        The corpus finished there by an earlier build.

    Raises:
        ForeignCorpusError: the folder has such contents.
    """
    recipe = project.recipe
    document = folder / CORPUS
    if folder.exists() and not folder.is_dir():
        raise ForeignCorpusError(f"{folder}: is a file; choose a folder with --out")
    if document.exists():
        return _same(document.read_bytes(), recipe, str(folder))
    if folder.exists() and any(folder.iterdir()) and not (folder / STATE).exists():
        raise ForeignCorpusError(f"{folder}: contains files of something else; choose another folder with --out")
    return None


def _same(document: bytes, recipe: Recipe, where: str) -> CorpusInfo:
    """The corpus that a `corpus.json` describes, if it is the one of the recipe."""
    try:
        there = parse_corpus_json(document)
    except LandloomError as error:
        raise ForeignCorpusError(f"{where}: its {CORPUS} cannot be read: {error}") from error
    if (there.name, there.version) != (recipe.name, recipe.version):
        raise ForeignCorpusError(
            f"{where}: got the corpus {there.name} {there.version}, expected {recipe.name} {recipe.version}; "
            "choose another place with --out"
        )
    return there


def claim_store(place: Place, project: Project) -> CorpusInfo | None:
    """Refuse an address with another corpus, with one that was published, or with files of something else.

    Returns:
        The corpus finished there by an earlier build.

    Raises:
        ForeignCorpusError: there are such files.
    """
    store = open_store(place.uri)
    if not store.exists(CORPUS):
        if not store.exists(JOURNAL) and next(iter(store.list()), None) is not None:
            raise ForeignCorpusError(f"{place.uri}: contains files of something else; choose another place with --out")
        return None
    there = _same(store.get(CORPUS), project.recipe, place.uri)
    links = orjson.loads(store.get(there.layout.stac_root))["links"]
    if any(link["rel"] == "self" for link in links):
        raise ForeignCorpusError(f"{place.uri}: {there.name} {there.version} is published there; choose another place")
    return there
