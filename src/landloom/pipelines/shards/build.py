"""`build --prepare` and `build --shard`: what all shards need, and the units of one of them.

No process waits for another. Each shard writes chips where the whole build would, and a journal of its own; the build
that comes after them joins their journals, and publishes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landloom.engine.context import build_context, run_units, shard_context, unfinished
from landloom.engine.executors import inline
from landloom.engine.results import Results
from landloom.errors import BuildError
from landloom.pipelines.build import planned
from landloom.pipelines.claiming import claimed

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.context import CheckSources
    from landloom.engine.executors import Factory
    from landloom.engine.run import Listener
    from landloom.engine.shards import Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardReport:
    """The result of one shard."""

    shard: str
    """Which: `3/50`."""
    corpus: str
    """Address of the corpus."""
    units: int
    """Number of its units."""
    units_run: int
    """Number of them that had to be run."""
    left: int
    """Number of its units that need others' and are left to the build that joins the shards."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {name: getattr(self, name) for name in ("shard", "corpus", "units", "units_run", "left")}


def prepare(
    recipe: str | Path,
    *,
    out: str | Path | None = None,
    factory: Factory = inline,
    listener: Listener | None = None,
    check_sources: CheckSources = "changed",
) -> int:
    """Do once what every shard needs: check inputs, place the samples, search archives, download products.

    Args:
        recipe: recipe file, or folder with a `landloom.yaml`.
        out: corpus folder or address; by default `corpus` next to the recipe.
        factory: makes executors.
        listener: receives progress.
        check_sources: as of `landloom.pipelines.build.build`.

    Returns:
        The number of units of the build.

    Raises:
        RecipeError, ForeignCorpusError, BuildError, DiskFullError: as for a build.
    """
    project, place, _ = claimed(recipe, out)
    with build_context(place, factory, listener, check_sources=check_sources) as context:
        return len(planned(project, context).units)


def build_shard(
    recipe: str | Path,
    shard: Shard,
    *,
    out: str | Path | None = None,
    factory: Factory = inline,
    listener: Listener | None = None,
    check_sources: CheckSources = "changed",
) -> ShardReport:
    """Make the units of one shard, or those of them that are missing; nothing is published.

    Args:
        recipe: recipe file, or folder with a `landloom.yaml`.
        shard: which.
        out: corpus folder or address, the same for all shards; by default `corpus` next to the recipe.
        factory: makes executors.
        listener: receives progress.
        check_sources: as of `landloom.pipelines.build.build`.

    Raises:
        RecipeError, ForeignCorpusError, DiskFullError: as for a build.
        BuildError: units failed; the same command retries them.
        CorpusError: another process is building this shard, or the whole corpus.
    """
    project, place, _ = claimed(recipe, out)
    with shard_context(place, shard, factory, listener, check_sources) as context:
        plan = planned(project, context)
        own = [unit for unit in plan.units if shard.has(unit.tile)]
        waiting = unfinished(plan.units, context)
        undone = {unit.id for unit in waiting}
        todo = shard.share(waiting, {unit.id for unit in plan.units} - undone)
        problems = run_units(f"building shard {shard}", todo, context)
        problems += Results(todo, context.journal, plan.tiles).refused()
    if problems:
        raise BuildError(problems)
    left = sum(unit.id in undone for unit in own) - len(todo)
    return ShardReport(shard=str(shard), corpus=place.uri, units=len(own), units_run=len(todo), left=left)
