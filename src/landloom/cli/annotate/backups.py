"""`landloom annotate backup` and `rebuild`: copies of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from landloom.cli.annotate.campaigns import CAMPAIGN, CampaignArgument
from landloom.reports.options import JsonOption
from landloom.reports.terminal import say, say_json


def register(group: typer.Typer) -> None:
    """Add these commands."""
    group.command("backup", epilog="Example: landloom annotate backup annotation --out annotation-1.sqlite")(backup)
    group.command("rebuild", epilog="Example: landloom annotate rebuild export --database sqlite:///ledger.sqlite")(
        rebuild
    )


def backup(
    campaign: CampaignArgument = CAMPAIGN,
    *,
    out: Annotated[
        Path | None, typer.Option(help="New file or folder; by default in the campaign's folder `backups`.")
    ] = None,
    names: Annotated[
        bool,
        typer.Option(
            "--names/--pseudonyms",
            help="Whether accounts are in the copy; with --pseudonyms, tables in Parquet without names or passwords.",
        ),
    ] = True,
    json: JsonOption = False,
) -> None:
    """Copy the ledger while people work, and verify the hash chain of the copy.

    The copy of a SQLite ledger is a file that can be used in its place. That of a PostgreSQL ledger, and every copy
    with pseudonyms, is a folder for `landloom annotate rebuild`.
    """
    from landloom.annotate.ledger.copies.backup import backup as copy
    from landloom.annotate.ledger.copies.export import export_ledger
    from landloom.annotate.ledger.database import open_ledger
    from landloom.pipelines.annotation.folder import open_folder

    folder = open_folder(campaign)
    with open_ledger(folder.database, migrate=False) as ledger:
        whole = names and ledger.dialect == "sqlite"
        target = out or campaign / "backups" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}{'.sqlite' if whole else ''}"
        if names:
            copy(ledger, target)
        else:
            export_ledger(ledger, target)
    if json:
        say_json({"backup": str(target), "names": names})
        return
    say(f"{target}: a copy of the ledger" + (", with accounts: keep it safe" if names else ", without names"))


def rebuild(
    export: Annotated[Path, typer.Argument(help="Folder that `landloom annotate backup` wrote.")],
    *,
    database: Annotated[str, typer.Option(help="Address of an empty database for the ledger.")],
    json: JsonOption = False,
) -> None:
    """Rebuild a ledger from a copy, and verify every submission against the hash chain."""
    from landloom.annotate.ledger.copies.rebuild import rebuild as run

    found = run(export, database)
    if json:
        say_json({"campaigns": found})
        return
    for name, count in found.items():
        say(f"{name}: {count:,} submissions, all verified")
