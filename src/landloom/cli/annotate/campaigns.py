"""`landloom annotate init`: a new campaign on a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landloom.errors import InvalidInputError
from landloom.reports.options import JsonOption, ReadingCommand, named_values
from landloom.reports.terminal import ProgressBars, note, say, say_json

if TYPE_CHECKING:
    from landloom.pipelines.annotation.campaign import CampaignOptions, CampaignReport

CAMPAIGN = Path("annotation")
"""Default folder of a campaign."""

CampaignArgument = Annotated[Path, typer.Argument(help="Folder of the campaign.")]


def register(group: typer.Typer) -> None:
    """Add these commands."""
    init_help = "Example: landloom annotate init corpus --campaign annotation"
    group.command("init", cls=ReadingCommand, epilog=init_help)(init)
    group.command("redraw", epilog="Example: landloom annotate redraw annotation --count 60 --seed 2")(redraw)


def init(
    corpus: Annotated[str, typer.Argument(help="Folder, address or name of the corpus.")] = "corpus",
    *,
    campaign: Annotated[Path, typer.Option(help="Folder for the new campaign.")] = CAMPAIGN,
    name: Annotated[str | None, typer.Option(help="Name in the ledger; by default those of corpus and folder.")] = None,
    database: Annotated[
        str | None,
        typer.Option(
            help="Address of a PostgreSQL server for the ledger; by default LANDLOOM_DATABASE, or else a file in the "
            "folder."
        ),
    ] = None,
    series: Annotated[str, typer.Option(help="Product that annotators see; by default the first series.")] = "",
    prediction: Annotated[
        str | None,
        typer.Option("--guess", help="Label raster that annotators correct, or `none`; by default the corpus's own."),
    ] = None,
    taxonomy: Annotated[
        str | None, typer.Option(help="Classes to choose from; by default those of the guess or the labels.")
    ] = None,
    level: Annotated[int | None, typer.Option(help="Level of the taxonomy, 1 is the coarsest.")] = None,
    where: Annotated[str | None, typer.Option(help="Only samples that meet this CQL2 filter.")] = None,
    split: Annotated[str | None, typer.Option(help="Only samples of this split.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Maximum number of chips, drawn at random.")] = None,
    carry_from: Annotated[
        Path | None,
        typer.Option(help="Campaign whose consensus is the guess; where the series changed is asked first."),
    ] = None,
    suspects: Annotated[
        Path | None,
        typer.Option(help="CSV of suspected labels: lon, lat or chip, row, column; probability is optional."),
    ] = None,
    annotators: Annotated[int, typer.Option(help="Annotators per task.")] = 3,
    task_size: Annotated[int, typer.Option(help="Largest side of a task in pixels.")] = 32,
    reference_share: Annotated[float, typer.Option(help="Share of the tasks that are reference tasks.")] = 0.05,
    references: Annotated[int | None, typer.Option(help="Number of reference tasks, instead of a share.")] = None,
    relabel_share: Annotated[
        float, typer.Option(help="Share of the reference tasks that a second expert labels, too.")
    ] = 0.1,
    blind_share: Annotated[float, typer.Option(help="Share of the tasks that are shown without a guess.")] = 0.03,
    planted_share: Annotated[float, typer.Option(help="Share of the tasks with a planted wrong guess.")] = 0.01,
    all_scenes: Annotated[
        bool, typer.Option("--all-scenes/--any-scene", help="Submit needs every scene to have been shown.")
    ] = True,
    lease: Annotated[int, typer.Option(help="Seconds without a sign of life after which a task is reissued.")] = 900,
    heartbeat: Annotated[int, typer.Option(help="Seconds between signs of life.")] = 60,
    order: Annotated[str, typer.Option(help="`gain` for expected gain per second, or `random`.")] = "gain",
    least_gain: Annotated[
        float,
        typer.Option(help="No third answer where it is expected to correct fewer pixels in a minute; 0: always."),
    ] = 0.0,
    qualification: Annotated[int, typer.Option(help="Tasks of a qualification round; 0 for none.")] = 0,
    pass_mark: Annotated[float, typer.Option(help="Accuracy that passes the qualification round.")] = 0.8,
    accept: Annotated[
        list[str] | None,
        typer.Option(help="Rule `class=accuracy` by code, key or name, such as Water=0.95; may be repeated."),
    ] = None,
    trust_after: Annotated[int, typer.Option(help="Reference tasks after which trust is decided.")] = 5,
    trust_mark: Annotated[float, typer.Option(help="Accuracy on reference tasks of a trusted annotator.")] = 0.7,
    trust_window: Annotated[int, typer.Option(help="Number of latest reference tasks that decide.")] = 20,
    context: Annotated[int, typer.Option(help="Side of the window around a task in pixels.")] = 96,
    seed: Annotated[int, typer.Option(help="Seed of all draws.")] = 0,
    instructions: Annotated[Path | None, typer.Option(help="Text file with instructions for annotators.")] = None,
    admin: Annotated[str, typer.Option(help="Name of the first user.")] = "admin",
    ask_password: Annotated[
        bool, typer.Option("--ask-password", help="Ask for the first user's password instead of making one.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Create a campaign: cut chips into tasks, draw reference tasks, set up the ledger and a first user."""
    from landloom.pipelines.annotation.campaign import CampaignOptions

    settings = {
        "annotators": annotators,
        "task_size": task_size,
        "reference_share": reference_share,
        "reference_count": references,
        "relabel_share": relabel_share,
        "blind_share": blind_share,
        "planted_share": planted_share,
        "require_all_scenes": all_scenes,
        "lease_seconds": lease,
        "heartbeat_seconds": heartbeat,
        "order": order,
        "least_gain": least_gain,
        "qualification": qualification,
        "pass_mark": pass_mark,
        "trust_after": trust_after,
        "trust_mark": trust_mark,
        "trust_window": trust_window,
        "context": context,
        "seed": seed,
        "series": series,
    }
    options = CampaignOptions(
        name=name,
        guess=prediction,
        taxonomy=taxonomy,
        level=level,
        where=where,
        split=split,
        limit=limit,
        suspects=_path(suspects),
        carry_from=_path(carry_from),
        acceptance=_rules(accept),
        database=database,
        admin=admin,
        password=_password() if ask_password else None,
    )
    _create(corpus, campaign, settings, options, instructions, as_json=as_json)


def _create(
    corpus: str,
    campaign: Path,
    settings: dict[str, Any],
    options: CampaignOptions,
    instructions: Path | None,
    *,
    as_json: bool,
) -> None:
    from landloom.annotate.tasks.values import CampaignSettings
    from landloom.pipelines.annotation.campaign import init_campaign
    from landloom.store.vector.tables import read_text

    settings["instructions"] = "" if instructions is None else read_text(instructions, largest=2**20)
    with ProgressBars() as bars:
        done = init_campaign(corpus, campaign, CampaignSettings.parse(settings), options, listener=bars)
    if as_json:
        say_json(done.document() | ({} if done.password is None else {"password": done.password}))
    else:
        _say(done)


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _password() -> str:
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _rules(texts: list[str] | None) -> dict[str, float]:
    example = "class=accuracy such as Water=0.95"
    rules = {}
    for name, share in named_values("--accept", texts, example, last=True).items():
        try:
            rules[name] = float(share)
        except ValueError:
            raise InvalidInputError(f"--accept: got {share!r} for {name}, expected {example}") from None
    return rules


def _say(done: CampaignReport) -> None:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in done.kinds.items())
    say(f"{done.name}: {done.chips:,} chips, {done.tasks:,} tasks ({kinds})")
    say(f"  {done.classes} classes, {done.submissions:,} submissions needed; ledger: {done.ledger}")
    for line in done.notes:
        note(line)
    if done.admin is not None:
        shown = "" if done.password is None else f", password {done.password} (shown only now)"
        say(f"  first user: {done.admin}{shown}")
    say(f"next: landloom annotate users add NAME annotator --campaign {done.folder}")
    say(f"      landloom annotate serve {done.folder}")


def redraw(
    campaign: CampaignArgument = CAMPAIGN,
    *,
    count: Annotated[int, typer.Option(min=0, help="Number of reference tasks that wait for an expert afterwards.")],
    seed: Annotated[int, typer.Option(help="Seed of the draw; another one than that of earlier draws.")],
    as_json: JsonOption = False,
) -> None:
    """Draw the pool of reference tasks again; those that an expert has answered stay."""
    from landloom.annotate.ledger.campaigns import redraw_references
    from landloom.annotate.ledger.database import open_ledger
    from landloom.pipelines.annotation.folder import open_folder

    there = open_folder(campaign)
    with open_ledger(there.database) as ledger:
        new, released = redraw_references(ledger, there.name, count, seed=seed, by=None)
    if as_json:
        say_json({"new": new, "released": released})
        return
    say(f"{there.name}: {count:,} reference tasks wait for an expert; {new:,} of them new, {released:,} released")
