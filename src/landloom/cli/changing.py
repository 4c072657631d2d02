"""`landloom change`: dated breaks in a series of a finished corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from landloom.cli.asking import CorpusName
from landloom.cli.publishing import FolderArgument, labels
from landloom.reports.options import JsonOption, ReadingCommand, WorkersOption
from landloom.reports.terminal import ProgressBars, cores, say, say_json, say_table

if TYPE_CHECKING:
    from landloom.engine.executors import Factory
    from landloom.pipelines.change.series import ChangeSettings

SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    example = "landloom change corpus --product fused --index ndvi --most 2"
    app.command(cls=ReadingCommand, epilog=f"Example: {example}")(change)
    versions = "landloom labels change corpus --before labels --after labels_corine_v2"
    labels.command(name="change", epilog=f"Example: {versions}")(label_change)


def change(
    corpus: CorpusName = "corpus",
    *,
    product: Annotated[str, typer.Option(help="Key of a series of images: composite, series, filled or fused.")],
    index: Annotated[str, typer.Option(help="ndvi, nbr, ndmi or ndwi, as far as the product has its bands.")] = "ndvi",
    direction: Annotated[
        Literal["fall", "rise", "both"], typer.Option(help="Falls of the index, rises, or both.")
    ] = "fall",
    magnitude: Annotated[float, typer.Option(min=0.01, max=2, help="Least change of the index.")] = 0.25,
    score: Annotated[
        float, typer.Option(min=1, help="Least σ by which an abrupt change explains the series better than a season.")
    ] = 4.0,
    most: Annotated[int, typer.Option(min=1, max=20, help="Most breaks of a pixel.")] = 2,
    per: Annotated[
        Literal["pixel", "sample"],
        typer.Option(help="Rasters of every pixel, added to the corpus, or a table of samples as a whole."),
    ] = "pixel",
    out: Annotated[Path | None, typer.Option(help="With --per sample: CSV file to write.")] = None,
    workers: WorkersOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Find abrupt changes, such as harvests and clearings: date, its margin, magnitude and score.

    What a season does gradually is no change. A date is known as well as the series is dense: the margin says how well.
    """
    from landloom.engine.executors import executor_factory
    from landloom.errors import InvalidInputError
    from landloom.imagery.change.breaks import BreakTest
    from landloom.pipelines.change.series import ChangeSettings

    if out is not None and per == "pixel":
        raise InvalidInputError("--out: got a file with --per pixel, expected --per sample; rasters go into the corpus")
    test = BreakTest(direction=direction, magnitude=magnitude, score=score, most=most)
    settings = ChangeSettings(product=product, index=index, test=test)
    factory = executor_factory(cores(workers))
    if per == "pixel":
        _pixels(corpus, settings, factory, as_json=as_json)
    else:
        _samples(corpus, settings, factory, out, as_json=as_json)


def _pixels(corpus: str, settings: ChangeSettings, factory: Factory, *, as_json: bool) -> None:
    from landloom.pipelines.change.detect import change_rasters

    with ProgressBars() as bars:
        done = change_rasters(corpus, settings, factory=factory, listener=bars)
    if as_json:
        say_json(done.document())
        return
    share = done.changed / max(done.pixels, 1)
    say(f"{done.changed:,} of {done.pixels:,} pixels change abruptly ({share:.1%}), in {done.samples:,} samples")
    state = "added" if done.added else f"{corpus} has these already:"
    say(f"{state} {done.product}, {done.product}_margin, {done.product}_magnitude and {done.product}_score")


def _samples(corpus: str, settings: ChangeSettings, factory: Factory, out: Path | None, *, as_json: bool) -> None:
    from dataclasses import asdict

    from landloom.pipelines.change.detect import change_samples
    from landloom.query.corpus import Corpus

    with ProgressBars() as bars:
        rows = change_samples(Corpus.open(corpus).query(), settings, factory=factory, listener=bars)
    header = ("sample", "date", "margin", "change", "score")
    if out is not None:
        import csv

        with out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows([getattr(row, name) for name in header] for row in rows)
    if as_json:
        say_json([asdict(row) for row in rows])
        return
    changed = [row for row in rows if row.date is not None]
    table = [(row.sample, row.date, f"±{row.margin:g} days", f"{row.change:+.2f}", row.score) for row in changed]
    say_table(f"{len(changed):,} breaks in {len({row.sample for row in rows}):,} samples", header, table[:SHOWN])
    if len(table) > SHOWN:
        say(f"  and {len(table) - SHOWN:,} more; --out or --json gives all")
    if out is not None:
        say(f"wrote {out}")


def label_change(
    corpus: FolderArgument,
    *,
    before: Annotated[str, typer.Option(help="Key of the label product of the earlier date.")],
    after: Annotated[str, typer.Option(help="Key of that of the later date; of the same taxonomy.")],
    as_json: JsonOption = False,
) -> None:
    """Compare two versions of labels: change fractions of each sample as a further label product, and transitions.

    Queries see it: landloom query CORPUS --where "change_changed >= 0.1". Two maps of classes are compared pixel by
    pixel, and a mask of change is added instead. Adding the same change again changes nothing.
    """
    from landloom.corpus.finished import FinishedCorpus
    from landloom.publication.label_change import add_label_change
    from landloom.publication.label_masks import add_mask_change, is_dense
    from landloom.publication.raster_labels import require_local

    info = FinishedCorpus.open(str(require_local(corpus))).info
    dense = is_dense(info, before) and is_dense(info, after)
    done = add_mask_change(corpus, before, after) if dense else add_label_change(corpus, before, after)
    if as_json:
        say_json(done.document())
        return
    shares, moved = done.change["shares"], done.change["transitions"]
    rows = [(one["from"], one["to"], f"{one['share']:.2%}") for one in moved[:SHOWN]]
    if rows:
        say_table(
            f"{before} to {after}: transitions, {'counted' if dense else 'estimated'}",
            ("from", "to", "share of all samples"),
            rows,
        )
    if len(moved) > SHOWN:
        say(f"  and {len(moved) - SHOWN:,} more in the lineage")
    say(f"{shares['changed']:.2%} of the area has changed, in {done.changed:,} of {done.change['samples']:,} samples")
    say(f"{'added' if done.added else f'{corpus} has this already:'} {done.product}")
