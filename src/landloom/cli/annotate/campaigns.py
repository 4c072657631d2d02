"""`landloom annotate init`: a new campaign on a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CAMPAIGN = Path("annotation")
"""Default folder of a campaign."""

CampaignArgument = Annotated[Path, typer.Argument(help="Folder of the campaign.")]


def register(group: typer.Typer) -> None:
    """Add these commands."""
    group.command("init", epilog="Example: landloom annotate init corpus --campaign annotation")(init)


def init(
    corpus: Annotated[str, typer.Argument(help="Folder, address or name of the corpus.")] = "corpus",
    *,
    campaign: Annotated[Path, typer.Option(help="Folder for the new campaign.")] = CAMPAIGN,
) -> None:
    """Create a campaign: cut chips into tasks, draw reference tasks, set up the ledger."""
    raise NotImplementedError(corpus, campaign)
