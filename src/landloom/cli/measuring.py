"""`landloom statistics`: mean, deviation, percentiles and histograms of the training part of a corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from landloom.cli.asking import CorpusName
from landloom.reports.options import JsonOption, ReadingCommand
from landloom.reports.terminal import ProgressBars, say, say_json, say_table

if TYPE_CHECKING:
    from landloom.pipelines.measuring import StatisticsReport


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    example = "landloom statistics corpus --split-set blocks-3000"
    app.command(cls=ReadingCommand, epilog=f"Example: {example}")(statistics)


def statistics(
    corpus: CorpusName = "corpus",
    *,
    split_set: Annotated[
        str | None, typer.Option(help="Split set whose training part is measured; by default the recipe's splits.")
    ] = None,
    split: Annotated[
        list[str] | None, typer.Option(help="Split of the training part, several times for folds; by default train.")
    ] = None,
    product: Annotated[list[str] | None, typer.Option(help="Product, several times; by default all images.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="That read; by default one for each core.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the valid pixels of the training part, by product, timestep and band, to normalise what models eat.

    Parts that are held out are never read. The result is kept beside the split set: splits/NAME.statistics.json.
    """
    from landloom.pipelines.measuring import measure_corpus

    with ProgressBars() as bars:
        done = [0]

        def progress(count: int, total: int) -> None:
            if not done[0]:
                bars.started("measuring", total)
            done[0] = count
            bars.advanced(str(count), None)

        report = measure_corpus(
            corpus, split_set, splits=split or (), products=product or (), threads=threads, progress=progress
        )
    if as_json:
        say_json(report.document())
    else:
        _say(report)


def _say(report: StatisticsReport) -> None:
    found = report.statistics
    part = " + ".join(found.splits) or "the whole corpus, which has no splits"
    names = ("mean", "std", "p2", "p50", "p98")
    for key, own in report.document()["products"].items():
        rows = [
            (
                band,
                f"{row['pixels']:,}",
                *("–" if row[name] is None else f"{row[name]:.4f}" for name in names),
            )
            for band, row in own["bands"].items()
        ]
        say_table(f"{key}, {own['unit']}", ("band", "valid pixels", *names), rows)
    say(f"  measured: {found.count:,} samples of {part}")
    say(f"{'wrote' if report.changed else 'unchanged:'} {report.path}")
