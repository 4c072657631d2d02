"""`landloom evaluate`: the engine against known truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from landloom.cli.recipes import JsonOption
from landloom.reports.terminal import ProgressBars, say, say_json, say_table

if TYPE_CHECKING:
    from landloom.products.guess.judge import Judged


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(epilog="Example: landloom evaluate judge-v1 --json")(evaluate)


def evaluate(
    judge: Annotated[str, typer.Argument(help="Which judge.")] = "judge-v1",
    *,
    guess: Annotated[bool, typer.Option("--guess", help="Judge guess labels, too: some three minutes more.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure composites and fractions on the frozen judge; exit code 1 if a bar is missed."""
    from landloom.errors import NotFoundError
    from landloom.pipelines.evaluate import evaluate_composites, evaluate_fractions
    from landloom.simulate.judge.composites import JUDGE_SEEDS

    if judge != "judge-v1":
        raise NotFoundError.of("judge", judge, ["judge-v1"])
    with ProgressBars() as bars:
        bars.started("composites", len(JUDGE_SEEDS))
        figures = evaluate_composites(listener=bars) + evaluate_fractions()
        judged = _guesses(bars, len(JUDGE_SEEDS)) if guess else []
    if as_json:
        told = {f.name: {"value": f.value, "limit": f.limit, "holds": f.holds} for f in figures}
        say_json(told | ({"guess": [one.document() for one in judged]} if guess else {}))
    else:
        rows = [(f.name, f"{f.value:.3g}", f"{f.limit:g}", f.holds, f.what) for f in figures]
        say_table(f"{judge}, {len(JUDGE_SEEDS)} seeds", ("figure", "value", "at most", "holds", "what"), rows)
        _say_guesses(judged)
    if not all(figure.holds for figure in figures) or not all(one.holds for one in judged):
        raise typer.Exit(1)


def _guesses(bars: ProgressBars, seeds: int) -> list[Judged]:
    from landloom.products.guess.judge import evaluate_guess

    bars.started("guesses", seeds)
    return evaluate_guess(listener=bars)


def _say_guesses(judged: list[Judged]) -> None:
    if not judged:
        return
    from landloom.products.guess.judge import GAIN, guess_table

    header = ("right of the truth", "map", "default", "published")
    say_table("guess labels on chips never seen", header, guess_table(judged))
    say(f"  worst gain {min(one.gain for one in judged):.1f} points, at least {GAIN:g}")
