"""`landloom annotate import`: labels made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landloom.cli.annotate.campaigns import CAMPAIGN
from landloom.errors import counted
from landloom.reports.options import JsonOption, ReadingCommand, named_values
from landloom.reports.terminal import say, say_json, warn


def register(group: typer.Typer) -> None:
    """Add these commands."""
    group.command(
        "import", cls=ReadingCommand, epilog="Example: landloom annotate import points.csv --campaign annotation"
    )(import_files)


def import_files(
    files: Annotated[list[str], typer.Argument(help="GeoTIFFs on the pixels of chips, or CSV of points.")],
    *,
    campaign: Annotated[Path, typer.Option(help="Folder of the campaign.")] = CAMPAIGN,
    annotator: Annotated[
        str | None,
        typer.Option(
            help="Whose labels they are; by default the column `annotator`, or the name of a CSV or of a GeoTIFF's "
            "folder."
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="`lon=X`: X is the column with the longitude; lat, chip, row, column, class, annotator alike; may be "
            "repeated."
        ),
    ] = None,
    translate: Annotated[
        list[str] | None,
        typer.Option(help="`VALUE=CLASS`: a value in the files is this class by code, key or name; may be repeated."),
    ] = None,
    reference: Annotated[bool, typer.Option("--reference", help="The labels are an expert's reference.")] = False,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Import the rest if some rows or files cannot be used.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Import labels into a campaign, so that consensus also serves people who label elsewhere."""
    from landloom.pipelines.annotation.labelled import ImportOptions, import_labels

    options = ImportOptions(
        annotator=annotator,
        columns=named_values("--column", column, "lon=X"),
        classes=named_values("--translate", translate, "VALUE=CLASS"),
        reference=reference,
        skip_invalid=skip_invalid,
    )
    done = import_labels(campaign, files, options)
    if as_json:
        say_json(done.document())
        return
    for line in done.rejected:
        warn(f"left out: {line}")
    for line in done.notes:
        say(f"note: {line}")
    who = f"{counted(len(done.annotators), 'annotator')} ({', '.join(done.annotators)})"
    say(f"{campaign}: {done.pixels:,} labels of {who} in {counted(done.tasks, 'task')}")
    if not done.new:
        say("  nothing new: the ledger holds them already")
