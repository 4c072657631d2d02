"""`landloom leaderboard`: models compared on one split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landloom.reports.options import JsonOption
from landloom.reports.terminal import note, say, say_json, say_table

if TYPE_CHECKING:
    from landloom.pipelines.leaderboard import LeaderboardReport


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    example = "landloom leaderboard models/forest models/tempcnn --split test"
    app.command(epilog=f"Example: {example}")(leaderboard)


def leaderboard(
    models: Annotated[
        list[str],
        typer.Argument(help="Model folders or files of predictions, PATH or NAME=PATH; one NAME for several seeds."),
    ],
    *,
    split: Annotated[str, typer.Option(help="Split on which they are compared.")] = "test",
    by: Annotated[
        str, typer.Option(help="Measure that orders them: accuracy, balanced_accuracy, macro_f1, ece, brier, …")
    ] = "macro_f1",
    areas: Annotated[
        Path | None, typer.Option(help="CSV of class and area as the one model maps them, for area-adjusted estimates.")
    ] = None,
    inside: Annotated[
        str | None, typer.Option(help="Split in the training region, where --split lies outside of it.")
    ] = None,
    outside: Annotated[
        str | None, typer.Option(help="Samples outside of the training region: country=SI,AT or stratum=NAME.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap over blocks.")] = 0,
    out: Annotated[Path, typer.Option(help="File for the page; tables stand beside it.")] = Path("leaderboard.html"),
    as_json: JsonOption = False,
) -> None:
    """Compare models on one split: accuracies, calibration, differences, all with intervals over spatial blocks.

    Models that were trained on another corpus, or on other splits of it, are refused.
    """
    from landloom.pipelines.leaderboard import compare_models

    done = compare_models(models, split, out=out, by=by, areas=areas, inside=inside, outside=outside, seed=seed)
    if as_json:
        say_json(done.board.document())
    else:
        _say(done)


def _say(done: LeaderboardReport) -> None:
    from landloom.training.evaluation.tables import model_rows, paired_rows

    board = done.board
    say_table(f"split {board.split}, 95 % intervals over blocks", *model_rows(board))
    if board.paired:
        say_table("differences on the same blocks; * excludes 0", *paired_rows(board))
    for line in dict.fromkeys(text for one in board.models for text in one.notes):
        note(line)
    say(f"wrote {', '.join(str(file) for file in done.files)}")
