"""`rehearse`: build a part of a recipe from a synthetic archive with latency and faults, measure, and extrapolate."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from landloom.engine.project import CORPUS_FOLDER
from landloom.engine.run import Silent
from landloom.errors import DiskFullError, InvalidInputError
from landloom.model.sample import Sample
from landloom.pipelines.estimate import estimate
from landloom.pipelines.registry import REGISTRY
from landloom.pipelines.rehearsal.check import FEW, Check, checked, compared, often, require_complete
from landloom.pipelines.rehearsal.extrapolate import FEWEST, Extrapolated, Small, extrapolated
from landloom.pipelines.rehearsal.measured import Measured, journal_size, made_of, others_of
from landloom.pipelines.rehearsal.page import rehearsal_page
from landloom.pipelines.rehearsal.places import Extent, extent_of, places, steps_of
from landloom.pipelines.rehearsal.recipe import Part, require_rehearsable, unknowns, write_part
from landloom.pipelines.rehearsal.result import Rehearsal
from landloom.pipelines.rehearsal.settings import Settings
from landloom.pipelines.rehearsal.watching import run_command
from landloom.simulate.remote.serving import served

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.project import Project
    from landloom.engine.run import Listener
    from landloom.pipelines.rehearsal.ran import Ran
    from landloom.simulate.remote.serving import Served

MARK: Final = "REHEARSAL"
"""File that tells a folder of a rehearsal from others."""
SMALL: Final = "small"
_SPARE: Final = 1.2
"""Free space that is asked for, as a multiple of what the corpus is expected to take."""


def rehearse(
    recipe: str | Path, folder: Path, settings: Settings | None = None, *, listener: Listener | None = None
) -> Rehearsal:
    """Rehearse the build of a recipe; its inputs are not needed.

    Args:
        recipe: recipe file, or folder with a `landloom.yaml`.
        folder: for recipe, corpora and labels of the rehearsal; earlier ones in it are replaced.
        settings: samples, workers, server, prices.
        listener: receives progress.

    Raises:
        RecipeError: the recipe has problems.
        InvalidInputError: it cannot be rehearsed, or the folder holds something else.
        DiskFullError: the corpus would not fit.
        BuildError: a build failed.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as name:
        ...     _ = Path(name, "a.txt").write_text("mine")
        ...     rehearse("absent.yaml", Path(name))
        Traceback (most recent call last):
        landloom.errors.InvalidInputError: ...: contains files of something else; choose another folder with --out
    """
    settings, listener = settings or Settings(), listener or Silent()
    _require_own(folder)
    project = REGISTRY.open(recipe)
    extent = extent_of(project)
    part = Part(samples=places(project, extent, settings.samples), months=settings.months, products=settings.products)
    listener.started("making the synthetic archive", 1)
    with served(settings.behaviour, seed=project.recipe.seed, side=settings.side) as server:
        listener.advanced("archive", None)
        own = write_part(project, part, server.address, _emptied(folder))
        require_rehearsable(own)
        _require_room(own, part, folder)
        measured = _measured(own, part, server, settings, listener)
        checks = _checked(project, own, part, server, settings, measured, listener)
    return _put_together(project, settings, measured, extent, checks)


def _put_together(
    project: Project, settings: Settings, measured: Measured, extent: Extent, checks: tuple[Check, ...]
) -> Rehearsal:
    """What was measured, with what follows for the whole recipe."""
    first = checks[0]
    whole = extrapolated(
        measured,
        extent,
        small=Small(coordinator=first.ran.coordinator),
        bandwidth=settings.behaviour.bandwidth,
        prices=settings.prices,
    )
    return Rehearsal(
        name=project.recipe.name,
        settings=settings,
        measured=measured,
        whole=whole,
        checks=checks,
        unknown=(*unknowns(project, measured.extent.steps, extent.steps), *_unmeasured(whole)),
    )


def _unmeasured(whole: Extrapolated) -> list[str]:
    if whole.coordinator is not None:
        return []
    return [f"Memory of the coordinator: rehearse whole periods of at least {FEWEST} tiles, where the system shows it."]


def _require_own(folder: Path) -> None:
    """Refuse a folder that holds something else."""
    if folder.exists() and not folder.is_dir():
        raise InvalidInputError(f"{folder}: is a file; choose a folder with --out")
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise InvalidInputError(f"{folder}: contains files of something else; choose another folder with --out")


def _emptied(folder: Path) -> Path:
    """The folder, without an earlier rehearsal."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARK).write_text("made by landloom rehearse, which may remove this folder\n", encoding="utf-8")
    return folder


def _require_room(own: Project, part: Part, folder: Path) -> None:
    """Refuse what would fill the disk."""
    cells = [Sample.of_utm24(cell) for cell in part.samples]
    sizes = [item.size for item in estimate(own, REGISTRY, cells).products if item.made_here]
    wanted, free = _SPARE * sum(size or 0 for size in sizes), shutil.disk_usage(folder).free
    if wanted > free:
        raise DiskFullError(
            f"{folder}: the rehearsed corpus takes about {wanted / 1e9:.0f} GB, {free / 1e9:.0f} GB are free: use "
            "fewer samples, --months, or another --out"
        )


def _options(settings: Settings) -> list[str]:
    return ["--workers", str(settings.workers)]


def _measured(own: Project, part: Part, server: Served, settings: Settings, listener: Listener) -> Measured:
    """Build the part with faults, build again, validate."""
    corpus = own.folder / CORPUS_FOLDER
    arguments = ["build", str(own.folder), "--out", str(corpus), *_options(settings)]
    server.behave(settings.behaviour)
    build = run_command("build", arguments, listener)
    require_complete(build)
    tally = server.tally()
    products, retries = made_of(corpus)
    size = journal_size(corpus)
    server.behave(settings.behaviour)
    again = run_command("build again", arguments, listener)
    checks = server.tally().requests["check"]
    validate = run_command("validate", ["validate", str(corpus), "--sizes"], listener)
    parts = {one["part"]: (one["files"], one["bytes"]) for one in build.document["parts"]}
    return Measured(
        extent=Extent(samples=len(part.samples), tiles=len(part.tiles), steps=steps_of(own)),
        workers=settings.workers,
        build=_without(build),
        again=_without(again),
        validate=_without(validate),
        products=products,
        others=others_of(corpus, parts, products),
        tally=tally,
        checks=checks,
        retries=retries,
        journal=size,
    )


def _without(ran: Ran) -> Ran:
    return replace(ran, document=None)


def _checked(
    project: Project,
    own: Project,
    part: Part,
    server: Served,
    settings: Settings,
    measured: Measured,
    listener: Listener,
) -> tuple[Check, ...]:
    """A small build with many faults, and the rehearsal itself if that is wanted, each compared with one without."""
    few = replace(part, samples=part.samples[:FEW], months=1)
    small = write_part(project, few, server.address, own.folder / SMALL)
    options, often_ = _options(settings), often(settings.behaviour)
    first = checked(small.folder, server, often_, len(few.samples), options, listener)
    if settings.check == "part":
        return (first,)
    faults = dict(measured.tally.faults)
    begun = Check(samples=len(part.samples), faults=faults, digests=("", ""), ran=measured.build)
    corpus = own.folder / CORPUS_FOLDER
    return first, compared(own.folder, corpus, server, settings.behaviour, begun, options, listener)


def write_pages(done: Rehearsal, folder: Path) -> Path:
    """Write `rehearsal.html` and `rehearsal.json` into the folder of a rehearsal; returns the page's path."""
    (folder / "rehearsal.json").write_text(json.dumps(done.document(), indent=2) + "\n", encoding="utf-8")
    path = folder / "rehearsal.html"
    path.write_text(rehearsal_page(done), encoding="utf-8")
    return path


def clear(folder: Path) -> None:
    """Remove the corpora of a rehearsal, and leave recipe, labels and pages."""
    for name in (CORPUS_FOLDER, "plain", SMALL):
        shutil.rmtree(folder / name, ignore_errors=True)
