"""`landloom evaluate`: the engine against known truth."""

from __future__ import annotations

from typing import Annotated

import typer

from landloom.cli.console import ProgressBars, say_json, say_table
from landloom.cli.recipes import JsonOption


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(epilog="Example: landloom evaluate judge-v1 --json")(evaluate)


def evaluate(
    judge: Annotated[str, typer.Argument(help="Which judge.")] = "judge-v1",
    *,
    as_json: JsonOption = False,
) -> None:
    """Measure composites and fractions on the frozen judge; exit code 1 if a bar is missed."""
    from landloom.errors import NotFoundError
    from landloom.pipelines.evaluate import evaluate_composites, evaluate_fractions
    from landloom.simulate.judge import JUDGE_SEEDS

    if judge != "judge-v1":
        raise NotFoundError.of("judge", judge, ["judge-v1"])
    with ProgressBars() as bars:
        bars.started("composites", len(JUDGE_SEEDS))
        figures = evaluate_composites(listener=bars) + evaluate_fractions()
    if as_json:
        say_json({f.name: {"value": f.value, "limit": f.limit, "holds": f.holds} for f in figures})
    else:
        rows = [(f.name, f"{f.value:.3g}", f"{f.limit:g}", f.holds, f.what) for f in figures]
        say_table(f"{judge}, {len(JUDGE_SEEDS)} seeds", ("figure", "value", "at most", "holds", "what"), rows)
    if not all(figure.holds for figure in figures):
        raise typer.Exit(1)
