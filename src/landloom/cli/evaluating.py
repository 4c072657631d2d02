"""`landloom evaluate`: results compared with known truth, or with withheld scenes of a recipe's archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landloom.reports.options import JsonOption, ReadingCommand, WorkersOption
from landloom.reports.terminal import ProgressBars, cores, say, say_json, say_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.pipelines.evaluate import Evaluation

JUDGE = "judge-v1"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    example = "landloom evaluate fused landloom.yaml --samples 8"
    app.command(cls=ReadingCommand, epilog=f"Example: {example}")(evaluate)


def evaluate(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="What to measure: composites, fractions, fused, consensus, annotation-order, guess, harmonise, "
            "registration, pretraining; by default the quick ones. A recipe after `fused` measures on its own archive "
            "instead of the judge."
        ),
    ] = None,
    *,
    judge: Annotated[str, typer.Option(help="Which judge.")] = JUDGE,
    samples: Annotated[
        int | None, typer.Option(min=1, help="With a recipe: samples to measure on, chosen at random; by default 24.")
    ] = None,
    share: Annotated[
        float | None,
        typer.Option(min=0.01, max=0.5, help="With a recipe: share of the overpasses to withhold; by default 0.15."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="With a recipe: seed of both choices; by default the recipe's.")
    ] = None,
    workers: WorkersOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Measure accuracy on the frozen judge; exit code 1 if a bar is missed.

    With a recipe, whole scenes of its archive are withheld at random and filled: errors by band, month and length of
    the gap, without bars.
    """
    from landloom.errors import InvalidInputError, NotFoundError
    from landloom.pipelines.evaluate import DEFAULT, EVALUATIONS, ON_RECIPES
    from landloom.simulate.judge.composites import JUDGE_SEEDS

    if judge != JUDGE:
        raise NotFoundError.of("judge", judge, [JUDGE])
    wanted, recipe = _with_recipe(names or [], EVALUATIONS)
    options = {name: value for name, value in (("samples", samples), ("share", share), ("seed", seed)) if value}
    unknown = [name for name in wanted if name not in EVALUATIONS]
    if unknown:
        raise NotFoundError.of("evaluation", unknown[0], EVALUATIONS)
    if recipe is not None:
        _on_recipe(recipe, wanted, ON_RECIPES, options, workers, as_json=as_json)
        return
    if options:
        raise InvalidInputError(f"--{next(iter(options))}: got no recipe, expected one after the evaluation")
    found = {}
    with ProgressBars() as bars:
        for name in wanted or DEFAULT:
            bars.started(name, len(JUDGE_SEEDS))
            found[name] = EVALUATIONS[name](bars)
    figures = [figure for one in found.values() for figure in one.figures]
    if as_json:
        told = {f.name: {"value": f.value, "limit": f.limit, "holds": f.holds} for f in figures}
        say_json(told | {name: one.details for name, one in found.items() if one.details is not None})
    else:
        rows = [
            (f.name, f"{f.value:.3g}", "at least" if f.least else "at most", f"{f.limit:g}", f.holds, f.what)
            for f in figures
        ]
        say_table(f"{judge}, {len(JUDGE_SEEDS)} seeds", ("figure", "value", "bar", "", "holds", "what"), rows)
        for name, one in found.items():
            say_evaluation(name, one)
    if not all(figure.holds for figure in figures):
        raise typer.Exit(1)


def say_evaluation(name: str, found: Evaluation) -> None:
    """Print the table of an evaluation, what it was measured on, and what was left out."""
    if found.rows:
        say_table(name, found.header, found.rows)
    if found.scenario:
        say(found.scenario)
    for note in found.notes:
        say(f"  note: {note}")


def _with_recipe(names: list[str], known: Mapping[str, object]) -> tuple[list[str], Path | None]:
    """Names of evaluations, and the recipe after them."""
    last = names[-1] if names else ""
    path = Path(last)
    if last and last not in known and (path.exists() or path.suffix in {".yaml", ".yml"}):
        return names[:-1], path
    return names, None


def _on_recipe(
    recipe: Path,
    names: list[str],
    known: Mapping[str, object],
    options: Mapping[str, float],
    workers: int,
    *,
    as_json: bool,
) -> None:
    from landloom.engine.executors import executor_factory
    from landloom.errors import InvalidInputError
    from landloom.pipelines.evaluate import ON_RECIPES
    from landloom.pipelines.registry import REGISTRY

    other = [name for name in names if name not in known]
    if other or not names:
        asked = other[0] if other else "no evaluation"
        raise InvalidInputError(f"got {asked} with a recipe, expected one of {', '.join(known)} before it")
    project = REGISTRY.open(recipe)
    found = {}
    with ProgressBars() as bars:
        for name in names:
            factory = executor_factory(cores(workers))
            found[name] = ON_RECIPES[name](project, **options, factory=factory, listener=bars)
    if as_json:
        say_json({name: one.details for name, one in found.items()})
        return
    for name, one in found.items():
        say_evaluation(f"{name}: {recipe}", one)
