"""`landloom noise`: labels that are probably wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landloom.cli.asking import CorpusName
from landloom.errors import InvalidInputError, counted
from landloom.reports.options import JsonOption, ReadingCommand
from landloom.reports.terminal import ProgressBars, say, say_json, say_table

if TYPE_CHECKING:
    from landloom.pipelines.noise import NoiseReport

_SHOWN = 10


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(cls=ReadingCommand, epilog="Example: landloom noise corpus --target mask:guess --out noise.csv")(noise)


def noise(
    corpus: CorpusName = "corpus",
    *,
    target: Annotated[
        str, typer.Option(help="`label` for the class of each sample, `mask` for classes of pixels; `mask:guess`.")
    ] = "label",
    product: Annotated[str | None, typer.Option(help="Image product; by default the only one.")] = None,
    split_set: Annotated[str | None, typer.Option(help="Split set whose splits are the folds.")] = None,
    block_size: Annotated[
        float | None, typer.Option(min=1, help="Without one: side in metres of the blocks of five folds.")
    ] = None,
    pixels: Annotated[int, typer.Option(min=1, help="With a mask: pixels of a sample, drawn at random.")] = 200,
    predictions: Annotated[
        list[Path] | None,
        typer.Option(help="File of out-of-fold predictions, in place of a forest of ours; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of folds, draws and forests.")] = 0,
    out: Annotated[Path, typer.Option(help="File for the list.")] = Path("noise.csv"),
    as_json: JsonOption = False,
) -> None:
    """List samples whose labels are probably wrong, the most probable first, for people to look at.

    Models that have not seen a sample judge its label (confident learning, Northcutt et al. 2021). To have such samples
    annotated first: landloom annotate init CORPUS --suspects noise.csv.
    """
    from landloom.pipelines.noise import NoiseSettings, find_noise, noise_of_predictions

    if predictions:
        if split_set is not None or product is not None or block_size is not None:
            raise InvalidInputError("got --predictions beside options of our own models, expected either")
        done = noise_of_predictions(predictions, out)
    else:
        settings = NoiseSettings(
            target=target, product=product, split_set=split_set, block_size=block_size, pixels=pixels, seed=seed
        )
        with ProgressBars() as bars:
            done = find_noise(corpus, out, settings, bars)
    if as_json:
        say_json(done.document())
    else:
        _say(done, corpus)


def _say(done: NoiseReport, corpus: str) -> None:
    rows = [(given, true, f"{share:.2%}") for given, true, share in done.confused[:_SHOWN]]
    if rows:
        say_table("most frequent errors, share of all labels", ("label", "probably", "share"), rows)
    shown = [
        (one.chip, one.label, one.suggested, f"{one.probability:.2f}", f"{one.share:.0%}")
        for one in done.suspects[:_SHOWN]
    ]
    if shown:
        say_table("to look at first", ("sample", "label", "probably", "probability", "of its rows"), shown)
    found, samples = counted(len(done.suspects), "sample"), len(set(done.predictions.id))
    say(f"  wrong labels: {done.noise.share:.1%}, estimated; {found} of {samples:,} suspected")
    for name, reason in list(done.left_out.items())[:_SHOWN]:
        say(f"  note: {name}: left out, {reason}")
    if len(done.left_out) > _SHOWN:
        say(f"  note: {len(done.left_out) - _SHOWN:,} more left out; all stand in --json")
    say(f"wrote {done.path}")
    if shown:
        say(f"next: landloom annotate init {corpus} --suspects {done.path}")
