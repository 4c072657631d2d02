"""`landloom guess train`, `predict`, `granules` and `report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landloom.reports.options import HERE, JsonOption, ReadingCommand, RecipeOption, registry_of
from landloom.reports.terminal import ProgressBars, say, say_json, say_table

CORPUS = Path("corpus")
MODELS = Path("models")
GUESSES = Path("guesses")


def register(app: typer.Typer) -> None:
    """Add this group."""
    group = typer.Typer(help="Guess labels of granules: train, predict, report their quality.", no_args_is_help=True)
    group.command(cls=ReadingCommand, epilog="Example: landloom guess train landloom.yaml --out models")(train)
    group.command(epilog="Example: landloom guess predict models/32UPA.skops corpus --out guesses")(predict)
    group.command(cls=ReadingCommand, epilog="Example: landloom guess granules landloom.yaml --out models")(granules)
    group.command(epilog="Example: landloom guess report corpus")(report)
    app.add_typer(group, name="guess")


def train(
    context: typer.Context,
    recipe: RecipeOption = HERE,
    *,
    out: Annotated[Path, typer.Option(help="Folder for the models; existing models are kept.")] = MODELS,
    granule: Annotated[list[str] | None, typer.Option(help="Only train this granule; may be repeated.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Train a model for each granule of a recipe, without building its corpus; exit code 1 if one has no model."""
    from landloom.products.guess.models import train_models

    with ProgressBars() as bars:
        rows = train_models(registry_of(context), recipe, out, granules=granule, listener=bars)
    if as_json:
        say_json([row.document() for row in rows])
    else:
        lines = [
            (
                row.granule,
                row.reason or f"{row.facts['test']['accuracy']:.1%} on held-out pixels",
                row.facts.get("classes"),
            )
            for row in rows
        ]
        say_table(f"{out}", ("granule", "model", "classes"), lines)
    if any(row.reason for row in rows):
        raise typer.Exit(1)


def predict(
    model: Annotated[Path, typer.Argument(help="Model file: GRANULE.skops.")],
    corpus: Annotated[Path, typer.Argument(help="Folder of a corpus with filled series.")] = CORPUS,
    *,
    sample: Annotated[list[str] | None, typer.Option(help="Only predict this chip; may be repeated.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the label maps.")] = GUESSES,
    as_json: JsonOption = False,
) -> None:
    """Predict label maps and probabilities of chips from their filled series."""
    from landloom.products.guess.models import predict_chips

    files = predict_chips(model, str(corpus), out, samples=sample)
    if as_json:
        say_json([str(file) for file in files])
    else:
        say(f"wrote {len(files)} files to {out}")


def granules(
    context: typer.Context,
    recipe: RecipeOption = HERE,
    *,
    out: Annotated[Path, typer.Option(help="Folder for GRANULE.tif, and for the models, which are kept.")] = MODELS,
    granule: Annotated[list[str] | None, typer.Option(help="Only predict this granule; may be repeated.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Predict whole granules of a recipe: class and confidence of every pixel; trains models that are missing."""
    from landloom.products.guess.models import predict_granules

    with ProgressBars() as bars:
        files, problems, notes = predict_granules(registry_of(context), recipe, out, granules=granule, listener=bars)
    told = [str(problem) for problem in problems]
    if as_json:
        say_json({"files": [str(file) for file in files], "problems": told, "notes": notes})
    else:
        for line in (*told, *(f"note: {note}" for note in notes)):
            say(line)
        say(f"wrote {len(files)} label maps to {out}")
    if problems:
        raise typer.Exit(1)


def report(
    corpus: Annotated[Path, typer.Argument(help="Folder of the corpus.")] = CORPUS,
    *,
    truth: Annotated[Path | None, typer.Option(help="Folder of the simulated archive behind the corpus.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="File for the page; by default `guess.html` next to the corpus.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a report page about the guess labels of a corpus; with --json, print its figures."""
    from landloom.products.guess.report import guess_rows, write_guess_report

    if as_json:
        say_json([row.document() for row in guess_rows(corpus)])
    else:
        say(str(write_guess_report(corpus, truth, out)))
