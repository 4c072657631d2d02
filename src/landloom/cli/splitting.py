"""`landloom split`: train, validation and test of a finished corpus, with a gap and a proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from landloom.cli.asking import CorpusName
from landloom.errors import InvalidInputError
from landloom.reports.options import JsonOption, ReadingCommand
from landloom.reports.terminal import say, say_json, say_table

if TYPE_CHECKING:
    from landloom.pipelines.splitting import SplitReport

SHARES = "train=.7,val=.1,test=.2"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    example = "landloom split corpus --by blocks --gap 3000 --shares train=.7,val=.1,test=.2 --balance labels"
    app.command(cls=ReadingCommand, epilog=f"Example: {example}")(split)


def split(
    corpus: CorpusName = "corpus",
    *,
    name: Annotated[str | None, typer.Option(help="Of the split set; by default how it is made: blocks-3000.")] = None,
    by: Annotated[
        Literal["blocks", "tile", "stratum", "region", "random"],
        typer.Option(help="What stays together; random is a control that leaks between neighbours."),
    ] = "blocks",
    gap: Annotated[float, typer.Option(min=0, help="Least metres between samples of different splits.")] = 3000.0,
    shares: Annotated[str, typer.Option(help="Splits and their shares of the samples.")] = SHARES,
    folds: Annotated[
        int | None, typer.Option(min=2, help="Equal folds for cross-validation, in place of --shares.")
    ] = (None),
    balance: Annotated[str | None, typer.Option(help="Label product whose classes are balanced: labels.")] = None,
    block_size: Annotated[float, typer.Option(min=1, help="Side of a block in metres.")] = 60_000.0,
    regions: Annotated[str | None, typer.Option(help="Vector layer for --by region; file.gpkg|layer.")] = None,
    column: Annotated[str | None, typer.Option(help="Its column with the names of regions.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the order in which blocks are assigned.")] = 0,
    figure: Annotated[bool, typer.Option(help="Draw the map, beside the split set.")] = True,
    replace: Annotated[bool, typer.Option(help="Replace a split set of this name.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Split a finished corpus, with a least distance between splits and a proof of it; nothing is built again.

    Samples that lie within the gap belong to no split. To use it: landloom query CORPUS --split train --split-set NAME.
    """
    from landloom.pipelines.splitting import split_corpus
    from landloom.training.splits.make import SplitSettings
    from landloom.training.splits.make import folds as equal_folds

    settings = SplitSettings(
        by=by,
        shares=_shares(shares) if folds is None else equal_folds(folds),
        gap=gap,
        block_size=block_size,
        balance=balance,
        seed=seed,
    )
    chosen = name or (f"{by}-{gap:g}" if folds is None else f"{by}-{gap:g}-{folds}-folds").replace(".", "_")
    done = split_corpus(corpus, chosen, settings, regions=regions, column=column, figure=figure, replace=replace)
    if as_json:
        say_json(done.document())
    else:
        _say(done, corpus)


def _shares(text: str) -> dict[str, float]:
    found = {}
    for part in text.split(","):
        key, _, value = part.partition("=")
        try:
            found[key.strip()] = float(value)
        except ValueError:
            raise InvalidInputError(f"--shares: got {part!r}, expected splits with shares such as {SHARES}") from None
    if len(found) != text.count(",") + 1 or not all(found):
        raise InvalidInputError(f"--shares: got {text!r}, expected every split once, such as {SHARES}")
    return found


def _say(done: SplitReport, corpus: str) -> None:
    proof = done.proof
    inside = sum(part.samples for part in proof.parts)
    rows = [
        (part.name, f"{part.samples:,}", f"{part.samples / inside:.1%}", f"{part.divergence:.4f}")
        for part in proof.parts
    ]
    say_table(f"split set {done.name}: {done.samples:,} samples", ("split", "samples", "share", "JS divergence"), rows)
    classes = sorted({key for part in proof.parts for key in part.classes})
    shown = [key for key in classes if any(part.classes[key] > 0 for part in proof.parts)]
    if shown:
        header = ("class", *(part.name for part in proof.parts))
        say_table(
            "class shares", header, [(key, *(f"{part.classes[key]:.2%}" for part in proof.parts)) for key in shown]
        )
    for pair, distance in proof.nearest.items():
        say(f"  nearest {pair}: {distance:,.0f} m")
    say(f"  proof: {proof.pairs:,} pairs measured, {proof.violations} nearer than {proof.gap:,.0f} m")
    say(f"  in no split: {proof.gap_samples:,} within the gap, {proof.outside:,} outside all regions")
    say(f"{'wrote' if done.changed else 'unchanged:'} {done.path}" + (f" and {done.figure}" if done.figure else ""))
    say(f"next: landloom query {corpus} --split-set {done.name} --split {proof.parts[0].name}")
