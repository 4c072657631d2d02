"""`build`: from a recipe to a published corpus; existing results are not built again."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landloom.corpus.finished import FinishedCorpus
from landloom.engine.blank_gate import blank_samples, require_observations
from landloom.engine.context import build_context, run_units, unfinished
from landloom.engine.executors import inline
from landloom.engine.pixels.masks import UNKNOWN
from landloom.engine.plan import gather, make_plan
from landloom.engine.results import Results
from landloom.engine.shards import forget_shards
from landloom.errors import BuildError, Problem
from landloom.pipelines.claiming import claimed
from landloom.pipelines.registry import REGISTRY
from landloom.pipelines.status import keep_plan
from landloom.publication.label_change import restore_label_changes
from landloom.publication.labels import restore_labels
from landloom.publication.outcomes import publish_outcomes
from landloom.publication.raster_labels import restore_rasters
from landloom.publication.report import REPORT, keep_draw, write_report
from landloom.publication.unchanged import keep_published, published_before

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landloom.archive.orders.odata import ODataProducts
    from landloom.corpus.info import CorpusInfo
    from landloom.corpus.lineage import LineageStep
    from landloom.engine.context import BuildContext, CheckSources
    from landloom.engine.executors import Factory
    from landloom.engine.place import Place
    from landloom.engine.plan import Plan
    from landloom.engine.project import Project
    from landloom.engine.run import Listener
    from landloom.engine.units import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """The result of a build."""

    name: str
    version: str
    corpus: Path
    """Corpus folder; of a corpus in an object store, the folder with the state of its build."""
    address: str
    """Address of the corpus: its folder, or where it is in an object store."""
    samples: int
    tiles: int
    scenes: int
    units: int
    units_run: int
    """Number of units that had to be run."""
    sources_asked: int
    """Number of remote source files of finished units that were asked for their versions."""
    seconds: float
    parts: tuple[tuple[str, int, int], ...]
    """Folder, files, bytes."""
    notes: tuple[str, ...]
    """Notes: dangling links, scenes left out, missing units."""
    report: str
    """Path of the report page."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        parts = [{"part": part, "files": files, "bytes": size} for part, files, size in self.parts]
        names = (
            "name",
            "version",
            "samples",
            "tiles",
            "scenes",
            "units",
            "units_run",
            "sources_asked",
            "seconds",
            "notes",
        )
        return {name: getattr(self, name) for name in names} | {"corpus": self.address, "parts": parts}


def build(
    recipe: str | Path,
    *,
    out: str | Path | None = None,
    factory: Factory = inline,
    listener: Listener | None = None,
    allow_missing: bool = False,
    finish: bool = False,
    provider: ODataProducts | None = None,
    check_sources: CheckSources = "changed",
) -> BuildReport:
    """Build a corpus from a recipe, or its missing parts.

    Args:
        recipe: recipe file, or folder with a `landloom.yaml`.
        out: corpus folder, or an address in an object store (`s3://…`, `az://…`, `gs://…`), where each file is one PUT
            and the state of the build lies in `$LANDLOOM_STATE`; by default `corpus` next to the recipe.
        factory: makes executors; by default only this process.
        listener: receives progress.
        allow_missing: publish without failed units, and without failed products.
        finish: join shards that were built on their own, and publish; what they have not made is missing.
        provider: provider of whole products, instead of the recipe's.
        check_sources: which remote source files of finished units are asked for their versions: those of scenes that
            their archive has updated since, or of which it states nothing that would tell; `all`; or `none`.

    Raises:
        RecipeError: the recipe has problems.
        ForeignCorpusError: the folder contains another corpus, or something else.
        BuildError: units failed; the next build retries them.
        BlankProductError: a product has samples without any observation, and the recipe does not allow it.
        DiskFullError, BudgetError: no space, or nothing of a host's budget, is left; the next build continues.

    Example:
        >>> from landloom.errors import RecipeError
        >>> try:
        ...     build("absent/landloom.yaml")
        ... except RecipeError as error:
        ...     print(error.problems[0].what)
        cannot be read: No such file or directory
    """
    start = time.perf_counter()
    project, place, before = claimed(recipe, out)
    with build_context(place, factory, listener, provider, check_sources) as context:
        plan = planned(project, context, allow_missing=allow_missing)
        waiting, lacking = _to_make(unfinished(plan.units, context), context, finish=finish)
        done = None if waiting or lacking else published_before(project, plan, context)
        if done is not None:
            context.listener.started("finishing", 3)
        made = done or _made(project, plan, context, waiting, lacking, allow_missing=allow_missing)
        forget_shards(place)
        context.listener.advanced("documents and index", None)
    notes, parts, page = list(made["notes"]), made["parts"], place.folder / REPORT
    if done is None:
        there, kept = _with_added(place, before, factory, listener)
        notes, parts = [*notes, *kept], _parts(there)
    context.listener.advanced("labels added before", None)
    if done is None or not page.exists():
        page = write_report(place.folder, REGISTRY, context.store)
    context.listener.advanced("report", None)
    return BuildReport(
        name=project.recipe.name,
        version=project.recipe.version,
        corpus=place.folder,
        address=place.uri,
        samples=len(plan.placement.samples),
        tiles=len(plan.tiles),
        scenes=plan.scene_count,
        units=len(plan.units),
        units_run=len(waiting),
        sources_asked=len(context.asked),
        seconds=time.perf_counter() - start,
        parts=tuple((part, files, size) for part, files, size in parts),
        notes=tuple(notes),
        report=str(page),
    )


def _made(
    project: Project,
    plan: Plan,
    context: BuildContext,
    waiting: list[Unit],
    lacking: list[Problem],
    *,
    allow_missing: bool,
) -> dict[str, Any]:
    """Make units, and of all a corpus: the first of three last steps; returns notes and parts of the report."""
    results = Results(plan.units, context.journal, plan.tiles)
    problems = [*lacking, *run_units("building", waiting, context), *results.refused()]
    if problems and not allow_missing:
        raise BuildError(problems)
    blank = blank_samples(plan, results, project.seasons)
    if not project.recipe.allow_blank:
        require_observations(blank, context.journal, plan.problems)
    notes = [str(problem) for problem in (*plan.problems, *problems)]
    notes += [f"{one.unit.id}: {one}" for one in blank]
    notes += [line for request in plan.requests for line in request.kind.notes(request, results)]
    context.listener.started("finishing", 3)
    written = publish_outcomes(project, plan, results, context)
    keep_draw(plan.placement, context)
    notes += _left_out(plan, results)
    parts = [[part, count, written.sizes[part]] for part, count in sorted(written.parts.items())]
    made = {"notes": notes, "parts": parts}
    if not problems:
        keep_published(project, plan, context, made)
    damaged = (f"{key}: was damaged, and is written anew" for key in written.damaged)
    return {"notes": [*notes, *damaged], "parts": parts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a build would do."""

    corpus: str
    """Folder or address of the corpus."""
    samples: int
    scenes: int
    rows: tuple[tuple[str, int, int], ...]
    """Product, its units that are done, and those that would be made."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        rows = [{"product": product, "done": done, "to_make": made} for product, done, made in self.rows]
        return {"corpus": self.corpus, "samples": self.samples, "scenes": self.scenes, "products": rows}


def preview(
    recipe: str | Path,
    *,
    out: str | Path | None = None,
    factory: Factory = inline,
    listener: Listener | None = None,
    check_sources: CheckSources = "changed",
) -> Preview:
    """What a build would make. As for a plan, samples are placed and the archive is searched; nothing is built.

    Args:
        recipe: as of `build`.
        out: as of `build`.
        factory: as of `build`.
        listener: receives progress.
        check_sources: as of `build`.

    Raises:
        RecipeError: the recipe has problems.
        ForeignCorpusError: the folder contains another corpus, or something else.
        BuildError: units that placing needs have failed.
    """
    project, place, _ = claimed(recipe, out)
    with build_context(place, factory, listener, check_sources=check_sources) as context:
        inputs, left_out = gather(project, REGISTRY, context, fetch=False)
        plan = make_plan(project, REGISTRY, inputs, left_out)
        todo = Counter(unit.product for unit in unfinished(plan.units, context))
    every = Counter(unit.product for unit in plan.units)
    return Preview(
        corpus=place.uri,
        samples=len(plan.placement.samples),
        scenes=plan.scene_count,
        rows=tuple((key, count - todo[key], todo[key]) for key, count in sorted(every.items())),
    )


def planned(project: Project, context: BuildContext, *, allow_missing: bool = False) -> Plan:
    """The plan of a build, noted in its journal; raises what `landloom.engine.plan.gather` does."""
    with context.journal.counted():
        inputs, left_out = gather(project, REGISTRY, context, allow_missing=allow_missing)
    plan = make_plan(project, REGISTRY, inputs, left_out)
    keep_plan(context.journal, plan.units)
    return plan


def _to_make(unmade: list[Unit], context: BuildContext, *, finish: bool) -> tuple[list[Unit], list[Problem]]:
    """The units that a build makes, and what it lacks: when it finishes shards, whatever they should have made.

    Units that need those of several shards are then made if nothing is lacking. Of units without single chips, the
    chips are named instead.
    """
    if not finish:
        return unmade, []
    lacking, last = [], [unit for unit in unmade if unit.needs]
    for unit in unmade:
        entry = context.journal.get(unit.id)
        tried = entry if entry is not None and entry.key == unit.key else None
        if unit.needs or (tried is not None and tried.outcome.refused):
            continue
        reason = None if tried is None else tried.reason
        lacking.append(Problem(where=unit.id, what=reason or "no shard has made it"))
    return ([] if lacking else last), lacking


def _with_added(
    place: Place, before: CorpusInfo | None, factory: Factory, listener: Listener | None
) -> tuple[FinishedCorpus, list[str]]:
    """The corpus with the labels that were added to it before, and lines on these and on products that are gone.

    Raises:
        BuildError: added labels cannot be restored.
    """
    if place.remote:  # labels are only added to corpora on a local disk
        there = FinishedCorpus.open(place.uri)
        return there, _dropped(before, there.info)
    folder = place.folder
    back, lost = restore_labels(folder, factory=factory, listener=listener)
    rasters, missing = restore_rasters(folder)
    changes, unknown = restore_label_changes(folder)
    if lost or missing or unknown:
        raise BuildError([*lost, *missing, *unknown])
    back += [*rasters, *changes]
    there = FinishedCorpus.open(str(folder))
    return there, [*(f"{key} was added to the corpus before: kept" for key in back), *_dropped(before, there.info)]


def _parts(corpus: FinishedCorpus) -> tuple[tuple[str, int, int], ...]:
    """Folder at the root, its files, and their bytes; `cards` for files outside of any."""
    files: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for tile in ("", *corpus.tiles):
        for entry in corpus.entries(tile):
            part = entry.path.split("/")[0] if "/" in entry.path else "cards"
            files[part] += 1
            sizes[part] += entry.size
    return tuple((part, count, sizes[part]) for part, count in sorted(files.items()))


def _dropped(before: CorpusInfo | None, now: CorpusInfo) -> list[str]:
    """A note on each product that is no longer in the corpus, usually one from `labels add`."""
    kept = {item.key for item in now.products}
    return [
        f"{item.key} was in the corpus, but is not a product of the recipe: removed"
        for item in (() if before is None else before.products)
        if item.key not in kept
    ]


def _unknown(step: LineageStep) -> Iterator[str]:
    """Values that masks do not define, by scene."""
    for scene, masks in (step.masks or {}).items():
        for mask, told in masks.items():
            yield from (f"{scene}: {mask}: {part}" for part in told.split("; ") if part.startswith(UNKNOWN))


def _left_out(plan: Plan, results: Results) -> list[str]:
    """A note for each scene that was left out somewhere, with the reason."""
    lines: Counter[str] = Counter()
    for unit in plan.units:
        outcome = results.of(unit, whole=False)
        lineage = None if outcome is None else outcome.lineage
        for step in () if lineage is None else lineage.timesteps:
            lines.update(f"scene left out: {scene.reason}" for scene in step.left_out)
            lines.update(_unknown(step))
    return sorted(lines)
