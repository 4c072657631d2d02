"""`landloom annotate consensus`, `report` and `export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landloom.cli.annotate.campaigns import CAMPAIGN, CampaignArgument
from landloom.reports.options import JsonOption, ReadingCommand
from landloom.reports.terminal import note, say, say_json

if TYPE_CHECKING:
    from landloom.pipelines.annotation.consensus import ConsensusReport

MethodOption = Annotated[
    str, typer.Option(help="guess-aware, published (LandCoverNet's equation), majority, one-coin or dawid-skene.")
]


def register(group: typer.Typer) -> None:
    """Add these commands."""
    group.command("consensus", cls=ReadingCommand, epilog="Example: landloom annotate consensus annotation")(consensus)
    group.command(
        "report", cls=ReadingCommand, epilog="Example: landloom annotate report annotation --method published"
    )(report)
    group.command("export", cls=ReadingCommand, epilog="Example: landloom annotate export annotation --out answers")(
        export
    )


def consensus(
    campaign: CampaignArgument = CAMPAIGN,
    *,
    method: MethodOption = "guess-aware",
    licence: Annotated[str, typer.Option(help="SPDX id of the labels' licence.")] = "CC-BY-4.0",
    attribution: Annotated[
        str | None, typer.Option(help="Attribution of the labels; by default the annotators of the campaign.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the rasters to this folder instead of the corpus.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Derive one label for every pixel and write it into the corpus as a new label version, with a report page."""
    from landloom.pipelines.annotation.consensus import ConsensusOptions, run_consensus

    options = ConsensusOptions(method=method, licence=licence, attribution=attribution, out=out)
    done = run_consensus(campaign, options)
    if as_json:
        say_json(done.document())
    else:
        _say(done, out)


def _say(done: ConsensusReport, out: Path | None) -> None:
    say(f"{done.campaign}: {done.pixels:,} pixels of {done.tasks:,} tasks by {done.method}")
    if done.accuracy is not None:
        say(f"  {done.accuracy:.1%} right on reference tasks, calibration error {done.ece:.3f}")
    for line in done.notes:
        note(line)
    if done.added:
        say(f"added {done.product}, label version {done.version}, to the corpus; later builds keep it")
    elif done.product is not None:
        say(f"the corpus has these labels already: {done.product}, label version {done.version}")
    else:
        say(f"wrote {len(done.files):,} files to {out}")
    say(f"report: {done.page}")


def report(
    campaign: CampaignArgument = CAMPAIGN,
    *,
    method: MethodOption = "guess-aware",
    out: Annotated[
        Path | None, typer.Option(help="File for the page; by default `consensus.html` in the campaign's folder.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a report page about annotators, agreement and consensus; with --json, print its figures.

    Labels are not written: the consensus is computed for the report alone.
    """
    from landloom.pipelines.annotation.report import campaign_figures, write_campaign_report

    if as_json:
        say_json(campaign_figures(campaign, method))
    else:
        say(str(write_campaign_report(campaign, method, out)))


def export(
    campaign: CampaignArgument = CAMPAIGN,
    *,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("answers"),
    as_json: JsonOption = False,
) -> None:
    """Export all answers with pseudonyms instead of names: tables, and a GeoTIFF for each chip and annotator."""
    from landloom.pipelines.annotation.export import export_answers

    done = export_answers(campaign, out)
    if as_json:
        say_json(done.document())
    else:
        say(f"wrote {done.files:,} files to {done.folder}: {done.answers:,} answers to {done.tasks:,} tasks")
