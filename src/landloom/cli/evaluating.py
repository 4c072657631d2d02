"""`landloom evaluate`: results compared with known truth, withheld scenes of a recipe, or other splits of a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landloom.errors import InvalidInputError, NotFoundError
from landloom.reports.options import JsonOption, ReadingCommand, WorkersOption
from landloom.reports.terminal import ProgressBars, cores, note, say, say_json, say_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.engine.executors import Factory
    from landloom.engine.project import Project
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
            help="What to measure: composites, fractions, fused, change, consensus, annotation-order, guess, "
            "harmonise, registration, splits, pretraining, training; by default the quick ones. A recipe after "
            "`fused`, or a corpus after `splits`, is measured instead of the judge."
        ),
    ] = None,
    *,
    judge: Annotated[str, typer.Option(help="Which judge.")] = JUDGE,
    samples: Annotated[
        int | None,
        typer.Option(
            min=1, help="Samples to measure on, chosen at random; by default 24 of a recipe, all of a corpus."
        ),
    ] = None,
    share: Annotated[
        float | None,
        typer.Option(min=0.01, max=0.5, help="With a recipe: share of the overpasses to withhold; by default 0.15."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of all choices; by default the recipe's, or 0 of a corpus.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="With a corpus: what is learnt, `label` or `label:KEY`.")] = None,
    product: Annotated[str | None, typer.Option(help="With a corpus: image product; by default the only one.")] = None,
    gap: Annotated[
        float | None, typer.Option(min=0, help="With a corpus: metres between the parts of a split; by default 3000.")
    ] = None,
    block_size: Annotated[
        float | None, typer.Option(min=1, help="With a corpus: side of its blocks in metres; by default 60000.")
    ] = None,
    workers: WorkersOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Measure accuracy on the frozen judge; exit code 1 if a bar is missed.

    With a recipe, whole scenes of its archive are withheld at random and filled: errors by band, month and length of
    the gap, without bars. With a corpus, the same model is trained under random, tile and gap splits: how much better
    it seems where its neighbours were seen.
    """
    from landloom.pipelines.evaluate import DEFAULT, EVALUATIONS
    from landloom.simulate.judge.composites import JUDGE_SEEDS

    if judge != JUDGE:
        raise NotFoundError.of("judge", judge, [JUDGE])
    wanted, place = _with_place(names or [], EVALUATIONS)
    given = {
        "samples": samples,
        "share": share,
        "seed": seed,
        "target": target,
        "product": product,
        "gap": gap,
        "block_size": block_size,
    }
    options = {name: value for name, value in given.items() if value is not None}
    unknown = [name for name in wanted if name not in EVALUATIONS]
    if unknown:
        raise NotFoundError.of("evaluation", unknown[0], EVALUATIONS)
    if place is not None:
        _on_place(place, wanted, options, workers, as_json=as_json)
        return
    if options:
        raise InvalidInputError(f"--{next(iter(options))}: got no recipe or corpus, expected one after the evaluation")
    found = {}
    with ProgressBars() as bars:
        for name in wanted or DEFAULT:
            bars.started(name, len(JUDGE_SEEDS))
            found[name] = EVALUATIONS[name](bars)
    _say_judged(found, judge, as_json=as_json)


def _say_judged(found: Mapping[str, Evaluation], judge: str, *, as_json: bool) -> None:
    """Print figures and their bars; exit code 1 if one is missed."""
    from landloom.simulate.judge.composites import JUDGE_SEEDS

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
    for line in found.notes:
        note(line)


def _with_place(names: list[str], known: Mapping[str, object]) -> tuple[list[str], str | None]:
    """Names of evaluations, and the recipe or the corpus after them."""
    last = names[-1] if names else ""
    path = Path(last)
    if last and last not in known and (path.exists() or path.suffix in {".yaml", ".yml"} or "://" in last):
        return names[:-1], last
    return names, None


def _on_place(place: str, names: list[str], options: Mapping[str, str | float], workers: int, *, as_json: bool) -> None:
    """Run evaluations on a recipe or on a corpus, whichever the place is."""
    from landloom.pipelines.evaluate import ON_CORPORA, ON_RECIPES

    is_corpus = "://" in place or (Path(place) / "corpus.json").exists()
    kind, known, own = (
        ("corpus", ON_CORPORA, {"samples", "seed", "target", "product", "gap", "block_size"})
        if is_corpus
        else ("recipe", ON_RECIPES, {"samples", "share", "seed"})
    )
    other = [name for name in names if name not in known]
    if other or not names:
        asked = other[0] if other else "no evaluation"
        raise InvalidInputError(f"got {asked} with a {kind}, expected one of {', '.join(known)} before it")
    foreign = [name.replace("_", "-") for name in options if name not in own]
    if foreign:
        raise InvalidInputError(f"--{foreign[0]}: got a {kind}, expected {'a recipe' if is_corpus else 'a corpus'}")
    found = {}
    with ProgressBars() as bars:
        for name in names:
            found[name] = (
                known[name](place, **options, listener=bars)
                if is_corpus
                else known[name](_project(place), **options, factory=_factory(workers), listener=bars)
            )
    if as_json:
        say_json({name: one.details for name, one in found.items()})
        return
    for name, one in found.items():
        say_evaluation(f"{name}: {place}", one)


def _project(place: str) -> Project:
    from landloom.pipelines.registry import REGISTRY

    return REGISTRY.open(Path(place))


def _factory(workers: int) -> Factory:
    from landloom.engine.executors import executor_factory

    return executor_factory(cores(workers))
