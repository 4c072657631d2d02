"""`landloom evaluate`: results compared with known truth."""

from __future__ import annotations

from typing import Annotated

import typer

from landloom.reports.options import JsonOption
from landloom.reports.terminal import ProgressBars, say, say_json, say_table

JUDGE = "judge-v1"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(epilog="Example: landloom evaluate composites fractions --json")(evaluate)


def evaluate(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="What to measure: composites, fractions, fused, consensus, annotation-order, guess, "
            "harmonise, registration; by default the quick ones."
        ),
    ] = None,
    *,
    judge: Annotated[str, typer.Option(help="Which judge.")] = JUDGE,
    as_json: JsonOption = False,
) -> None:
    """Measure accuracy on the frozen judge; exit code 1 if a bar is missed."""
    from landloom.errors import NotFoundError
    from landloom.pipelines.evaluate import DEFAULT, EVALUATIONS
    from landloom.simulate.judge.composites import JUDGE_SEEDS

    if judge != JUDGE:
        raise NotFoundError.of("judge", judge, [JUDGE])
    unknown = [name for name in names or () if name not in EVALUATIONS]
    if unknown:
        raise NotFoundError.of("evaluation", unknown[0], EVALUATIONS)
    found = {}
    with ProgressBars() as bars:
        for name in names or DEFAULT:
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
            if one.rows:
                say_table(name, one.header, one.rows)
            if one.scenario:
                say(one.scenario)
    if not all(figure.holds for figure in figures):
        raise typer.Exit(1)
