"""`landloom annotate`: campaigns in which people label the chips of a corpus."""

from __future__ import annotations

import typer

from landloom.cli.annotate import backups, campaigns, consensus, importing, serving, users


def register(app: typer.Typer) -> None:
    """Add this group; its modules import nothing heavy."""
    group = typer.Typer(
        help="Let people label the chips of a corpus: campaigns, accounts, consensus.", no_args_is_help=True
    )
    for module in (campaigns, users, serving, importing, consensus, backups):
        module.register(group)
    app.add_typer(group, name="annotate")
